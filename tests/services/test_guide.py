"""The guide "Bring your own service": its broker is run as it stands there, registered and used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.models import Job, User
from paas.lib import http
from services.actions import binding as bindings
from services.actions import broker as brokers
from services.actions import instance as instances
from services.brokers.osb import OsbBroker
from services.jobs.compare import compare
from services.models import Plan, ServiceBroker
from tenants.models import Space
from tests.services.conftest import HERE
from tests.services.example import FOLDER, running

pytestmark = pytest.mark.django_db
FILES = ("broker.py", "boxes.py", "Procfile", "requirements.txt", "manifest.yml")


@pytest.fixture
def example(tmp_path: Any) -> Iterator[OsbBroker]:
    with running(tmp_path) as broker:
        yield broker


@pytest.fixture
def boxes(root: User, space: Space, example: OsbBroker, synchronize: Callable[[Job], Job]) -> dict[str, Plan]:
    """The plans of the example, registered for the space."""
    given = {"url": example.url, "username": example.username, "password": example.password, "networks": HERE}
    assert synchronize(brokers.create(root, space, name="boxes", **given)).state == Job.State.COMPLETE
    return {plan.name: plan for plan in Plan.objects.select_related("offering__broker")}


def text(method: str, uri: str, token: str, said: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = http.Client(networks=HERE).call(method, f"{uri}/greeting", headers=headers, body=said.encode())
    return answer.status, answer.body.decode()


def test_the_guide_shows_the_files_that_are_run() -> None:
    page = unescape(Client().get("/docs/brokers").content.decode())
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == set(FILES)
    for name in FILES:
        assert (FOLDER / name).read_text().rstrip("\n") in page


@pytest.mark.parametrize("plan", ["small", "large"])
def test_from_a_box_to_its_end(
    alice: User, space: Space, app: Any, boxes: dict[str, Plan], settle: Callable[[Any], Any], plan: str
) -> None:
    made, _job = instances.create(alice, space, name="notes", plan=boxes[plan], parameters={"motto": "ours"})
    instance = wait(settle, made)
    first = wait(settle, bindings.create(alice, instance, app=app))
    second = wait(settle, bindings.create_key(alice, instance, name="ours"))
    assert first.operation_state == second.operation_state == "succeeded", first.operation_description
    uri, token, other = first.credentials["uri"], first.credentials["token"], second.credentials["token"]
    assert token != other
    assert text("PUT", uri, token, "Hello") == (200, "")
    assert text("GET", uri, other) == (200, "Hello")
    bindings.delete(alice, first)
    assert settle(first) is None
    assert text("GET", uri, token)[0] == 401 and text("GET", uri, other)[0] == 200
    instances.delete(alice, instance)
    assert settle(instance) is None
    assert text("GET", uri, other)[0] == 401


def wait(settle: Callable[[Any], Any], row: Any) -> Any:
    """Let the workers go on until the example is done: a large box takes half a second of real time."""
    until = time.monotonic() + 30
    while (found := settle(row)).busy:
        assert time.monotonic() < until
        time.sleep(0.2)
    return found


def test_what_it_cannot_do_is_told_in_its_words(
    alice: User, space: Space, boxes: dict[str, Plan], settle: Callable[[Any], Any]
) -> None:
    made, _job = instances.create(alice, space, name="notes", plan=boxes["small"], parameters={"size": 3})
    assert "The only parameter is motto" in settle(made).operation_description


def test_broker_and_platform_agree(alice: User, space: Space, boxes: dict[str, Plan], settle: Any) -> None:
    made, _job = instances.create(alice, space, name="notes", plan=boxes["small"])
    settle(made)
    compare()
    assert ServiceBroker.objects.get().differences == [] and ServiceBroker.objects.get().compared_at
