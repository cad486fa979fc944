"""The page that tells a broker's author what fails, and asking for a check."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from paas.lib.queue import work
from services.models import ConformanceCheck, ServiceBroker
from tests.services.broker import fails

pytestmark = pytest.mark.django_db


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def here(part: str = "") -> str:
    return f"/brokers/{ServiceBroker.objects.get().guid}/conformance{part}"


def run() -> None:
    ConformanceCheck.objects.update(due_at=timezone.now())
    work("services.jobs.check_conformance", ConformanceCheck.objects.get().pk)


def test_a_check_is_begun_watched_and_read(browser: Any, root: Any, plans: Any, foreign: Any) -> None:
    client = browser(root)
    assert "Not checked yet" in text(client.get(here()))
    assert client.post(here("/check"), {"plan": plans["small"].guid, "sure": "on"}).status_code == 302
    page = text(client.get(here()))
    assert "Being checked" in page and "0 of " in page and "Check again" not in page
    assert "HX-Refresh" not in client.get(here("/now")).headers
    run()
    assert client.get(here("/now")).headers["HX-Refresh"] == "true"
    page = text(client.get(here()))
    assert "with throw-away instances of db small" in page
    assert "To mend" in page and "An unknown plan is refused with 400" in page and "What to change" in page
    assert "spec.md#provisioning" in page and "PUT /v2/service_instances/" in page
    assert "[hidden]" in page and foreign.password not in page and "secret-" not in page


def test_instances_are_made_only_after_a_confirmation(browser: Any, root: Any, plans: Any, foreign: Any) -> None:
    page = text(browser(root).post(here("/check"), {"plan": plans["small"].guid}))
    assert "Confirm that instances may be made" in page
    browser(root).post(here("/check"), {})
    run()
    assert {call.what for call in foreign.calls} == {"catalog"}
    assert "without making anything" in text(browser(root).get(here()))


def test_parameters_go_with_the_instances(browser: Any, root: Any, plans: Any, foreign: Any) -> None:
    asked = {"plan": plans["small"].guid, "sure": "on", "json": '{"motto": "herring"}'}
    browser(root).post(here("/check"), asked)
    run()
    assert foreign.asked("provision")[-1].body["parameters"] == {"motto": "herring"}
    assert "herring" not in text(browser(root).get(here()))


def test_what_is_left_behind_is_named(browser: Any, root: Any, plans: Any, foreign: Any) -> None:
    foreign.always("deprovision", fails(500))
    browser(root).post(here("/check"), {"plan": plans["small"].guid, "sure": "on"})
    run()
    page = text(browser(root).get(here()))
    assert "still holds what the check made" in page
    assert all(guid in page for guid in foreign.instances)


def test_the_auditor_reads_and_the_stranger_sees_nothing(
    browser: Any, alice: Any, bob: Any, charlie: Any, space: Any, register: Any
) -> None:
    register(space)
    assert browser(alice).post(here("/check"), {}).status_code == 302
    run()
    assert "Checked" in text(browser(bob).get(here())) and here("/check") not in text(browser(bob).get(here()))
    assert browser(bob).post(here("/check"), {}).status_code == 403
    assert browser(charlie).get(here()).status_code == browser(charlie).get(here("/now")).status_code == 404


def test_a_check_that_is_under_way_is_told(browser: Any, root: Any, plans: Any) -> None:
    browser(root).post(here("/check"), {})
    assert "is under way" in text(browser(root).post(here("/check"), {}))
