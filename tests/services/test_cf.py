"""The unmodified command line registers brokers and opens what they offer."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts import actions
from accounts.models import User
from paas.lib.queue import work
from services.models import Plan, ServiceBroker
from tenants.models import Space
from tests.services.broker import MisbehavingBroker

Cf = Callable[..., str]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("cf") is None, reason="cf is not on PATH"),
]


@pytest.fixture
def worker() -> Iterator[None]:
    """Read catalogues that are due, as the platform's worker does."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.1):
            for pk in ServiceBroker.objects.due().values_list("pk", flat=True):
                work("services.jobs.synchronize", pk)
        connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def cf(live_server: Any, tmp_path: Path, root: User, space: Space, worker: None) -> Cf:
    """Run ``cf`` as the platform's admin, in a space; ``code`` is the exit status that it must have."""
    actions.ensure_oauth_client()
    environment = {"PATH": os.environ["PATH"], "CF_HOME": str(tmp_path), "LANG": "en_GB.UTF-8", "CF_COLOR": "false"}

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(["cf", *words], env=environment, capture_output=True, text=True, timeout=90)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("api", live_server.url)
    run("auth", root.username, "correct horse battery")
    run("target", "-o", "ministry", "-s", "production")
    return run


def test_a_broker_from_its_registration_to_its_end(cf: Cf, foreign: MisbehavingBroker) -> None:
    login = (foreign.username, foreign.password, foreign.url)
    assert "is private" in cf("create-service-broker", "foreign", *login, code=1)
    ServiceBroker.objects.update(networks=["127.0.0.0/8"])  # what `cf curl` or the console does for an admin
    cf("create-service-broker", "foreign", *login, "--update-if-exists")
    assert foreign.url in cf("service-brokers")
    assert "db" not in cf("marketplace")
    cf("enable-service-access", "db", "-p", "small", "-o", "ministry")
    assert "limited" in cf("service-access") and "ministry" in cf("service-access")
    assert "small" in cf("marketplace", "-e", "db") and "large" not in cf("marketplace", "-e", "db")
    cf("disable-service-access", "db", "-p", "small", "-o", "ministry")
    cf("enable-service-access", "db")
    listed = cf("marketplace")
    assert "db" in listed and "small, large" in listed and "A database" in listed
    assert "GBP 12.50/Monthly" in cf("marketplace", "-e", "db")
    foreign.catalog["services"][0]["plans"][0]["description"] = "Not much"
    assert "description was 'A little' and is 'Not much'" in cf("update-service-broker", "foreign", *login)
    cf("disable-service-access", "db")
    assert Plan.objects.filter(visibility_type="admin").count() == 2
    cf("rename-service-broker", "foreign", "better")
    assert "better" in cf("service-brokers")
    cf("purge-service-offering", "db", "-f")
    assert not Plan.objects.exists()
    cf("delete-service-broker", "better", "-f")
    assert not ServiceBroker.objects.exists()


def test_a_wrong_catalogue_is_told(cf: Cf, foreign: MisbehavingBroker) -> None:
    foreign.catalog = {"services": [{"name": "db"}]}
    login = (foreign.username, foreign.password, foreign.url)
    cf("create-service-broker", "own", *login, "--space-scoped", code=1)
    ServiceBroker.objects.update(networks=["127.0.0.0/8"])
    said = cf("update-service-broker", "own", *login, code=1)
    assert "Service broker catalog is invalid:" in said and "Service 'db': At least one plan is required." in said
