"""The worker door: Celery brings hints, ``paas.lib.queue`` does the work."""

from __future__ import annotations

import os
from importlib import import_module

from celery import signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paas.settings")

from paas.lib.queue import broker as app

JOB_MODULES = ("apps.jobs",)


@signals.worker_init.connect
@signals.beat_init.connect
def load_jobs(**_: object) -> None:
    for module in JOB_MODULES:
        import_module(module)


@app.task(name="paas.work", acks_late=True, ignore_result=True)
def work(path: str, pk: int) -> None:
    from paas.lib import queue

    queue.work(path, pk)


@app.task(name="paas.sweep", ignore_result=True, expires=5)
def sweep() -> None:
    from paas.lib import queue

    load_jobs()
    queue.sweep()


@app.task(name="paas.tidy", ignore_result=True)
def tidy() -> None:
    import_module("apps.jobs.tidy").tidy()


app.conf.beat_schedule = {
    "sweep": {"task": "paas.sweep", "schedule": 2.0, "options": {"queue": "converge", "expires": 5}},
    "tidy": {"task": "paas.tidy", "schedule": 600.0, "options": {"queue": "converge", "expires": 600}},
}
