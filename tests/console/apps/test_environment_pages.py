"""Environment variables: names for all who see the app, values when they are asked for, setting and removing."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent
from apps.actions import app as apps
from apps.models import App

pytestmark = pytest.mark.django_db


@pytest.fixture
def configured(alice: Any, app: App) -> App:
    return apps.set_environment(alice, app, variables={"TOKEN": "s3cret-value", "MODE": "<fast>"})


def at(app: App, part: str = "") -> str:
    return f"/apps/{app.guid}/environment{part}"


def test_names_are_shown_and_values_are_not(browser: Any, alice: Any, bob: Any, configured: App) -> None:
    for person in (alice, bob):
        text = browser(person).get(at(configured)).content.decode()
        assert "TOKEN" in text
        assert "s3cret-value" not in text
    assert not AuditEvent.objects.filter(type="audit.app.environment_variables.show").exists()


def test_values_are_shown_when_asked_for_and_that_is_recorded(
    browser: Any, alice: Any, configured: App, recorded: Any
) -> None:
    answer = browser(alice).post(at(configured, "/show"))
    text = answer.content.decode()
    assert "s3cret-value" in text
    assert "&lt;fast&gt;" in text
    assert answer["Cache-Control"] == "no-store"
    assert recorded("audit.app.environment_variables.show").actor_guid == alice.guid


def test_who_may_not_see_secrets_is_refused(browser: Any, bob: Any, dora: Any, charlie: Any, configured: App) -> None:
    for person in (bob, dora):
        assert "Show values" not in browser(person).get(at(configured)).content.decode()
        assert browser(person).post(at(configured, "/show")).status_code == 403
    assert browser(charlie).post(at(configured, "/show")).status_code == 404


def test_a_variable_is_set_and_changed(browser: Any, alice: Any, configured: App, recorded: Any) -> None:
    client = browser(alice)
    answer = client.post(at(configured, "/set"), {"name": "MODE", "value": "one\r\ntwo"})
    assert answer["Location"] == at(configured)
    assert App.objects.get().environment == {"TOKEN": "s3cret-value", "MODE": "one\ntwo"}
    assert "two" not in str(recorded("audit.app.update").data)
    assert 'value="TOKEN"' in client.get(at(configured, "?name=TOKEN")).content.decode()


def test_what_is_refused_stays_in_the_form(browser: Any, alice: Any, configured: App) -> None:
    answer = browser(alice).post(at(configured, "/set"), {"name": "PORT", "value": "81"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "reserved" in text
    assert 'value="PORT"' in text
    assert "PORT" not in App.objects.get().environment


def test_a_variable_is_removed_and_twice_is_harmless(browser: Any, alice: Any, configured: App) -> None:
    for _ in range(2):
        assert browser(alice).post(at(configured, "/remove"), {"name": "TOKEN"}).status_code == 302
    assert App.objects.get().environment == {"MODE": "<fast>"}


def test_a_running_app_offers_the_restart_that_it_waits_for(browser: Any, alice: Any, running: App) -> None:
    client = browser(alice)
    client.post(at(running, "/set"), {"name": "A", "value": "1"})
    assert f'action="/apps/{running.guid}/restart"' in client.get(at(running)).content.decode()


def test_an_app_without_variables_says_what_they_are_for(browser: Any, alice: Any, app: App) -> None:
    assert "No variables are set" in browser(alice).get(at(app)).content.decode()
