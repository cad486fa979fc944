"""Changing what is there: plan, parameters, version, name, sharing, own credentials; deleting and purging."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from paas.lib.queue import Lease
from services.actions import sharing
from services.brokers.base import Done
from services.jobs.instance import InstanceWork
from services.models import Plan, ServiceInstance
from tenants import access
from tests.console.services.conftest import SECRET
from tests.console.services.pages import page

pytestmark = pytest.mark.django_db


def at(instance: Any, part: str = "") -> str:
    return f"/services/{instance.guid}{part}"


@pytest.fixture
def both(root: Any, alice: Any, other_space: Any) -> Any:
    """A space of another organization in which alice develops too."""
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_developer", other_space, by=root)
    return other_space


def test_the_plan_is_changed(
    browser: Any,
    alice: Any,
    bob: Any,
    charlie: Any,
    instance: Any,
    plans: Any,
    foreign: Any,
    settle: Any,
    recorded: Any,
) -> None:
    client, url = browser(alice), at(instance, f"/plan/{plans['large'].guid}")
    text = page(client, at(instance, "/plan"))
    assert "The plan that it has" in text and url in text
    assert url not in page(browser(bob), at(instance, "/plan"))
    text = page(client, url)
    assert "Change to large" in text and "£12.50" in text and "up to its broker" in text
    for person, status in ((bob, 403), (charlie, 404)):
        assert browser(person).post(url).status_code == status
    assert client.post(url, {"json": '{"a": 1}'})["Location"] == at(instance)
    assert settle(instance).plan == plans["large"]
    assert foreign.asked("update")[0].body["parameters"] == {"a": 1}
    assert recorded("audit.service_instance.update").actor_guid == alice.guid
    assert client.post(url).status_code == 404  # it has that plan


def test_of_our_own_services_the_downtime_is_told(
    browser: Any, alice: Any, database: Any, postgres: Any, app: Any
) -> None:
    url = at(database, f"/plan/{postgres['small-15'].guid}")
    text = page(browser(alice), url)
    assert "down for about 5 to 10 seconds" in text and "£13.87" in text and "£37.30" in text
    assert "It goes on running" in page(browser(alice), at(database, "/parameters"))


def test_for_how_long_it_was_down_is_told_afterwards(
    browser: Any, alice: Any, database: Any, postgres: Any, recorded: Any
) -> None:
    assert "it was down" not in page(browser(alice), at(database))
    database.operation_type, database.wish = "update", {"plan": postgres["small-15"].pk}
    database.operation_created_at = timezone.now() - timedelta(seconds=7)
    database.save()
    InstanceWork(Lease(database, 0), database, database.plan).done(database, Done())
    database.save()
    down = recorded("audit.service_instance.update").data["seconds_down_at_most"]
    assert down >= 7 and f"it was down for {down} s at most" in page(browser(alice), at(database))
    assert "seconds down at most" in page(browser(alice), at(database, "/events"))


def test_parameters_are_changed_and_shown_to_who_asks(
    browser: Any, alice: Any, bob: Any, instance: Any, settle: Any, recorded: Any, foreign: Any
) -> None:
    client = browser(alice)
    answer = client.post(at(instance, "/parameters"), {}, follow=True)
    assert "nothing changes" in answer.content.decode() and not foreign.asked("update")
    assert client.post(at(instance, "/parameters"), {"json": '{"size": 2}'})["Location"] == at(instance)
    settle(instance)
    assert SECRET not in page(client, at(instance, "/plan"))
    shown = client.post(at(instance, "/parameters/show")).content.decode()
    assert "Parameters in force" in shown
    assert recorded("audit.service_instance.show").actor_guid == alice.guid
    assert browser(bob).post(at(instance, "/parameters/show")).status_code == 403
    assert browser(bob).get(at(instance, "/parameters")).status_code == 403


def test_a_newer_version_is_offered(browser: Any, alice: Any, bob: Any, instance: Any, plans: Any, settle: Any) -> None:
    assert at(instance, "/upgrade") not in page(browser(alice), at(instance))
    Plan.objects.filter(pk=plans["small"].pk).update(maintenance_info={"version": "2.0.0", "description": "Faster"})
    assert at(instance, "/upgrade") in page(browser(alice), at(instance))
    assert at(instance, "/upgrade") not in page(browser(bob), at(instance))
    assert "Faster" in page(browser(alice), at(instance, "/upgrade"))
    assert browser(alice).post(at(instance, "/upgrade"))["Location"] == at(instance)
    assert settle(instance).maintenance_info["version"] == "2.0.0"


def test_it_is_renamed(browser: Any, alice: Any, bob: Any, instance: Any, legacy: Any) -> None:
    client = browser(alice)
    for row in (instance, legacy):
        sent = {"name": f"new-{row.name}", "tags": "a, b"}
        assert client.post(at(row, "/rename"), sent)["Location"] == at(row, "/settings")
        row.refresh_from_db()
        assert row.name == sent["name"] and row.tags == ["a", "b"]
        assert browser(bob).post(at(row, "/rename"), sent).status_code == 403
    text = client.post(at(instance, "/rename"), {"name": legacy.name}).content.decode()
    assert "name is taken" in text and f'value="{legacy.name}"' in text


def test_it_is_shared_and_that_is_ended(
    browser: Any, alice: Any, bob: Any, instance: Any, both: Any, recorded: Any
) -> None:
    client = browser(alice)
    assert "council / production" in page(client, at(instance, "/settings"))
    assert client.post(at(instance, "/share"), {"space": both.guid})["Location"] == at(instance, "/settings")
    assert recorded("audit.service_instance.share").actor_guid == alice.guid
    assert "shared with 1 other space" in page(client, f"/spaces/{instance.space.guid}/services")
    assert "Choose one of the spaces" in client.post(at(instance, "/share"), {"space": both.guid}).content.decode()
    url = at(instance, f"/unshare/{both.guid}")
    assert "No app of council / production is bound" in page(client, url)
    assert browser(bob).post(url).status_code == 403
    assert client.post(url)["Location"] == at(instance, "/settings") and not instance.shares.exists()
    assert client.post(url).status_code == 404


def test_a_refused_sharing_is_told_in_the_form(browser: Any, alice: Any, instance: Any, both: Any, plans: Any) -> None:
    ServiceInstance.objects.create(space=both, region=both.region, plan=plans["small"], name=instance.name)
    text = browser(alice).post(at(instance, "/share"), {"space": both.guid}).content.decode()
    assert "already exists in production" in text and f'value="{both.guid}" selected' in text


def test_deleting_names_the_apps_and_asks_for_the_name(
    browser: Any, alice: Any, bob: Any, charlie: Any, instance: Any, bound: Any, key: Any, both: Any, settle: Any
) -> None:
    client, url = browser(alice), at(instance, "/delete")
    for person, status in ((bob, 403), (charlie, 404)):
        assert browser(person).post(url, {"name": "data"}).status_code == status
    sharing.share(alice, instance, spaces=[both])
    text = page(client, url)
    assert "site" in text and "ci" in text and "1 other space" in text and "Everything that is stored" in text
    assert "35 days" not in text
    assert "Type the name exactly" in client.post(url, {"name": "Data"}).content.decode()
    assert client.post(url, {"name": "data"})["Location"] == at(instance)
    assert "Being deleted" in page(client, at(instance)) and "Unbind site" in page(client, at(instance))
    assert client.post(url, {"name": "data"}).status_code == 302  # twice is harmless
    assert settle(instance) is None
    assert client.get(at(instance)).status_code == 404


def test_purging_is_for_who_runs_the_platform(
    browser: Any, alice: Any, root: Any, instance: Any, bound: Any, foreign: Any
) -> None:
    url = at(instance, "/purge")
    assert browser(alice).get(url).status_code == 403
    assert url not in page(browser(alice), at(instance, "/settings"))
    assert url in page(browser(root), at(instance, "/settings"))
    assert "only forgotten here" in page(browser(root), url)
    assert browser(root).post(url, {"name": "data"})["Location"] == f"/spaces/{instance.space.guid}/services"
    assert not ServiceInstance.objects.exists() and not foreign.asked("deprovision")


def test_a_team_brings_its_own(
    browser: Any, alice: Any, bob: Any, charlie: Any, space: Any, app: Any, recorded: Any
) -> None:
    client, url = browser(alice), f"/spaces/{space.guid}/services/own"
    for wrong in ("", "{", "[]"):
        text = client.post(url, {"name": "legacy", "credentials": wrong}).content.decode()
        assert "JSON" in text and 'value="legacy"' in text
    answer = client.post(url, {"name": "legacy", "credentials": f'{{"key": "{SECRET}"}}', "tags": "old"})
    made = ServiceInstance.objects.get()
    assert answer["Location"] == at(made) and made.credentials == {"key": SECRET} and made.tags == ["old"]
    for person, status in ((bob, 403), (charlie, 404)):
        assert browser(person).get(url).status_code == status
        assert browser(person).post(url, {"name": "x", "credentials": "{}"}).status_code == status
    assert client.post(at(made, "/bind"), {"app": app.guid}).status_code == 302
    assert client.post(at(made, "/own"), {"name": "legacy", "credentials": ""})["Location"] == at(made)
    made.refresh_from_db()
    assert made.credentials == {"key": SECRET}
    client.post(at(made, "/own"), {"name": "legacy", "credentials": '{"key": "new"}'})
    made.refresh_from_db()
    assert made.credentials == {"key": "new"}
    assert browser(bob).get(at(made, "/own")).status_code == 403
    assert client.get(at(made, "/plan")).status_code == 404
    assert client.post(at(made, "/delete"), {"name": "legacy"})["Location"] == f"/spaces/{space.guid}/services"
    assert not ServiceInstance.objects.exists()
    assert SECRET not in str(recorded("audit.user_provided_service_instance.create").data)
