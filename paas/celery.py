"""The worker door: Celery brings hints, ``paas.lib.queue`` does the work."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from celery import signals
from django.db import InterfaceError, OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paas.settings")

from paas.lib.queue import broker as app

log = logging.getLogger(__name__)

JOB_MODULES = ("accounts.jobs", "tenants.jobs", "apps.jobs", "services.jobs")


@signals.worker_init.connect
@signals.beat_init.connect
def load_jobs(**_: object) -> None:
    for module in JOB_MODULES:
        import_module(module)


@contextmanager
def unless_the_database_is_away() -> Iterator[None]:
    """Tell of a database that does not answer in one line: whatever was due is still due when it does."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        log.warning("The database does not answer; what is due is done when it does: %s", " ".join(str(error).split()))


@app.task(name="paas.work", acks_late=True, ignore_result=True)
def work(path: str, pk: int) -> None:
    from paas.lib import queue

    with unless_the_database_is_away():
        queue.work(path, pk)


@app.task(name="paas.sweep", ignore_result=True, expires=5)
def sweep() -> None:
    from paas.lib import queue

    load_jobs()
    with unless_the_database_is_away():
        queue.sweep()


@app.task(name="paas.tidy", ignore_result=True)
def tidy() -> None:
    with unless_the_database_is_away():
        import_module("apps.jobs.tidy").tidy()


@app.task(name="paas.compare", ignore_result=True)
def compare() -> None:
    with unless_the_database_is_away():
        import_module("services.jobs.compare").compare()


@app.task(name="paas.keep_services", ignore_result=True)
def keep_services() -> None:
    with unless_the_database_is_away():
        import_module("services.jobs.keep").keep()


@app.task(name="paas.upgrade_services", ignore_result=True)
def upgrade_services() -> None:
    with unless_the_database_is_away():
        import_module("services.jobs.upgrade").upgrade_in_window()


@app.task(name="paas.forget_outlived", ignore_result=True)
def forget_outlived() -> None:
    import_module("services.jobs.outlived").forget_outlived()


@app.task(name="paas.end_roles", ignore_result=True)
def end_roles() -> None:
    with unless_the_database_is_away():
        import_module("tenants.jobs.ends").end_roles()


@app.task(name="paas.warn_of_quotas", ignore_result=True)
def warn_of_quotas() -> None:
    with unless_the_database_is_away():
        import_module("tenants.jobs.quotas").warn()


@app.task(name="paas.keep_events", ignore_result=True)
def keep_events() -> None:
    with unless_the_database_is_away():
        import_module("accounts.jobs.keep_events").keep_events()


app.conf.beat_schedule = {
    "sweep": {"task": "paas.sweep", "schedule": 2.0, "options": {"queue": "converge", "expires": 5}},
    "compare": {"task": "paas.compare", "schedule": 900.0, "options": {"queue": "services", "expires": 900}},
    "keep_services": {"task": "paas.keep_services", "schedule": 15.0, "options": {"queue": "services", "expires": 15}},
    "upgrades": {"task": "paas.upgrade_services", "schedule": 60.0, "options": {"queue": "services", "expires": 60}},
    "outlived": {"task": "paas.forget_outlived", "schedule": 14400.0, "options": {"queue": "services", "expires": 900}},
    "end_roles": {"task": "paas.end_roles", "schedule": 60.0, "options": {"queue": "converge", "expires": 60}},
    "warn_of_quotas": {
        "task": "paas.warn_of_quotas",
        "schedule": 60.0,
        "options": {"queue": "converge", "expires": 60},
    },
    "tidy": {"task": "paas.tidy", "schedule": 600.0, "options": {"queue": "converge", "expires": 600}},
    "events": {"task": "paas.keep_events", "schedule": 3600.0, "options": {"queue": "converge", "expires": 3600}},
}
