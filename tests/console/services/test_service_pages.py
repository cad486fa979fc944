"""An instance's pages: how it stands, what uses it, how to connect, its secrets behind a click, its events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import AuditEvent
from apps.actions import app as apps
from services import outside
from services.actions import binding as bindings
from services.actions import instance as instances
from services.actions import sharing
from services.brokers.engine.base import Metrics, Site, SlowQuery
from services.brokers.engine.postgres import Postgres
from services.jobs.keep import keep
from services.models import Binding, ServiceInstance
from tenants import access
from tests.console.counting import queries
from tests.console.services.conftest import SECRET
from tests.console.services.pages import page
from tests.services.broker import fails

pytestmark = pytest.mark.django_db


class Measured(Postgres):
    """A server that tells how it is without being there."""

    measured = Metrics(
        connections=7,
        connections_limit=40,
        size_bytes=1_288_490_188,
        cache_hits=0.987,
        slow_queries=(SlowQuery("SELECT * FROM letters WHERE n = $1", calls=1234, mean_ms=12.34, total_ms=15227.6),),
    )

    def metrics(self, site: Site) -> Metrics:
        return self.measured


def at(instance: Any, part: str = "") -> str:
    return f"/services/{instance.guid}{part}"


def test_a_space_lists_its_services(
    browser: Any, alice: Any, bob: Any, space: Any, instance: Any, bound: Any, legacy: Any
) -> None:
    for person in (alice, bob):
        text = page(browser(person), f"/spaces/{space.guid}/services")
        for told in ("data", "small", "Ready", "site", "legacy", "your own credentials", "Created"):
            assert told in text
    assert "New service" in page(browser(alice), f"/spaces/{space.guid}/services")
    assert "New service" not in page(browser(bob), f"/spaces/{space.guid}/services")


def test_an_empty_list_leads_to_the_marketplace(browser: Any, alice: Any, bob: Any, space: Any) -> None:
    for person in (alice, bob):
        text = page(browser(person), f"/spaces/{space.guid}/services")
        assert "No services yet" in text and f'href="/spaces/{space.guid}/marketplace"' in text


def test_the_list_costs_the_same_however_long_it_is(
    browser: Any, alice: Any, space: Any, instance: Any, bound: Any, plans: Any, app: Any
) -> None:
    client = browser(alice)
    urls = (f"/spaces/{space.guid}/services", at(instance), f"/apps/{app.guid}", "/search?q=data")
    few = [queries(client, url) for url in urls]
    for number in range(5):
        other = ServiceInstance.objects.create(
            space=space, region=space.region, plan=plans["large"], name=f"data-{number}"
        )
        Binding.objects.create(type="app", instance=other, app=app)
        more = apps.create(alice, space, name=f"more-{number}")
        Binding.objects.create(type="app", instance=instance, app=more)
    assert [queries(client, url) for url in urls] == few


def test_the_page_tells_how_it_stands_and_what_it_is(browser: Any, alice: Any, instance: Any, bound: Any) -> None:
    text = page(browser(alice), at(instance))
    for told in ("Ready", "db", "small", "Free", "1.0.0", "https://example.org/", "Unbind", "Bind an app"):
        assert told in text
    assert "hx-get" not in text  # nothing is waited for


def test_an_operation_is_watched_until_it_ends(
    browser: Any, alice: Any, instance: Any, foreign: Any, settle: Any
) -> None:
    instances.update(alice, instance, parameters={"a": 1})
    client = browser(alice)
    text = page(client, at(instance))
    assert "Being changed" in text and "hx-get" in text and 'http-equiv="refresh"' in text
    url = text.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    assert "HX-Refresh" not in client.get(url).headers
    settle(instance)
    assert client.get(url)["HX-Refresh"] == "true"
    instances.delete(alice, instance)
    url = page(client, at(instance)).partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    settle(instance)
    assert client.get(url)["HX-Redirect"] == f"/spaces/{instance.space.guid}/services"
    assert browser().get(at(instance, "/now")).status_code == 401


def test_a_failure_says_why_and_what_next(
    browser: Any, alice: Any, bob: Any, instance: Any, foreign: Any, settle: Any
) -> None:
    foreign.always("deprovision", fails(400, description="It is locked."))
    instances.delete(alice, instance)
    settle(instance)
    text = page(browser(alice), at(instance))
    assert "It could not be deleted" in text and "It is locked." in text and at(instance, "/delete") in text
    assert at(instance, "/delete") not in page(browser(bob), at(instance))


def test_a_running_app_is_told_to_restart(browser: Any, alice: Any, instance: Any, bound: Any, app: Any) -> None:
    assert "when it is restarted" not in page(browser(alice), at(instance))
    type(app).objects.filter(pk=app.pk).update(state="STARTED")
    text = page(browser(alice), at(instance))
    assert "It finds the credentials when it is restarted." in text and f'action="/apps/{app.guid}/restart"' in text


def test_no_page_holds_credentials(
    browser: Any, alice: Any, instance: Any, bound: Any, key: Any, legacy: Any, app: Any
) -> None:
    client = browser(alice)
    for row in (instance, legacy):
        for part in ("", "/connect", "/keys", "/settings", "/bind", "/keys/new", "/delete", "/events"):
            text = page(client, at(row, part))
            assert SECRET not in text and f"secret-{bound.guid}" not in text and f"secret-{key.guid}" not in text
    assert not AuditEvent.objects.filter(type__endswith=".show").exists()


def test_credentials_are_shown_when_asked_for_and_that_is_recorded(
    browser: Any, alice: Any, bob: Any, charlie: Any, instance: Any, bound: Any, key: Any, legacy: Any, recorded: Any
) -> None:
    asked = (
        (f"/bindings/{bound.guid}/show", f"secret-{bound.guid}", "audit.service_binding.show"),
        (f"/bindings/{key.guid}/show", f"secret-{key.guid}", "audit.service_key.show"),
        (at(legacy, "/credentials"), SECRET, "audit.user_provided_service_instance.show"),
    )
    for url, secret, event in asked:
        answer = browser(alice).post(url)
        assert secret in answer.content.decode() and answer["Cache-Control"] == "no-store"
        assert recorded(event).actor_guid == alice.guid
        assert browser(bob).post(url).status_code == 403
        assert browser(charlie).post(url).status_code == 404
        assert browser(alice).get(url).status_code == 405


@pytest.mark.parametrize("language", ["python", "node", "java", "go"])
def test_how_to_connect_is_shown_per_language(
    browser: Any, alice: Any, database: Any, legacy: Any, language: str
) -> None:
    for row in (database, legacy):
        assert f'id="{language}"' in page(browser(alice), at(row, "/connect"))
    assert "DATABASE_URL" in page(browser(alice), at(database, "/connect"))


def test_names_cannot_break_out_of_the_lines_of_code(browser: Any, alice: Any, legacy: Any) -> None:
    ServiceInstance.objects.filter(pk=legacy.pk).update(name='a"]; rm("')
    assert "&quot;a\\&quot;]; rm(\\&quot;&quot;" in page(browser(alice), at(legacy, "/connect"))


def test_metrics_are_only_of_what_runs_here(browser: Any, alice: Any, instance: Any, database: Any) -> None:
    assert browser(alice).get(at(instance, "/metrics")).status_code == 404
    text = page(browser(alice), at(database, "/metrics"))
    assert "does not answer right now" in text or "There is no server yet" in text


def test_metrics_tell_connections_size_cache_hits_and_slow_queries(browser: Any, bob: Any, database: Any) -> None:
    broker, offering = outside.own_services(), database.plan.offering.catalog_id
    server = broker.servers[offering] = Measured(broker.services[offering].more)
    keep()
    text = " ".join(page(browser(bob), at(database, "/metrics")).split())
    for told in ("7 of 40", "1.2 GB", "99% of all reads", "SELECT * FROM letters WHERE n = $1", "1234", "12.3 ms"):
        assert told in text, told
    assert "does not answer" not in text and "Running" in text
    server.measured = replace(server.measured, cache_hits=None, slow_queries=())
    text = page(browser(bob), at(database, "/metrics"))
    assert "nothing was read yet" in text and "None were noted." in text


def test_events_are_those_of_the_instance_and_its_bindings(
    browser: Any, alice: Any, instance: Any, bound: Any, charlie: Any
) -> None:
    text = page(browser(alice), at(instance, "/events"))
    assert "the service " in text and "binding" in text
    assert browser(charlie).get(at(instance, "/events")).status_code == 404


def test_a_shared_service_shows_what_belongs_to_the_other_space(
    browser: Any, root: Any, alice: Any, charlie: Any, instance: Any, bound: Any, other_space: Any, settle: Any
) -> None:
    assert browser(charlie).get(at(instance)).status_code == 404
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_developer", other_space, by=root)
    sharing.share(alice, instance, spaces=[other_space])
    client = browser(charlie)
    assert "shared from ministry / production" in page(client, f"/spaces/{other_space.guid}/services")
    text = page(client, at(instance))
    assert "Shared from" in text and "1 app in spaces where you have no role" in text and "site" not in text
    for part in ("/keys", "/plan", "/settings", "/events", "/delete"):
        assert browser(charlie).get(at(instance, part)).status_code == 403, part
    theirs = apps.create(charlie, other_space, name="theirs")
    assert client.post(at(instance, "/bind"), {"app": theirs.guid}).status_code == 302
    assert settle(Binding.objects.get(app=theirs)).operation_state == "succeeded"
    text = page(browser(alice), at(instance, "/delete"))
    assert "site" in text and "theirs" in text


def test_the_app_lists_what_it_is_bound_to(
    browser: Any, alice: Any, bob: Any, app: Any, instance: Any, bound: Any
) -> None:
    for person in (alice, bob):
        assert f'href="/services/{instance.guid}"' in page(browser(person), f"/apps/{app.guid}")
    assert f'href="/apps/{app.guid}/bind"' in page(browser(alice), f"/apps/{app.guid}")
    assert f'href="/apps/{app.guid}/bind"' not in page(browser(bob), f"/apps/{app.guid}")


def test_search_finds_services(browser: Any, alice: Any, charlie: Any, instance: Any) -> None:
    assert f'href="/services/{instance.guid}"' in page(browser(alice), "/search?q=DAT")
    assert instance.guid not in page(browser(charlie), "/search?q=data")


def test_an_app_chooses_among_the_services_of_its_space(
    browser: Any, alice: Any, bob: Any, charlie: Any, app: Any, instance: Any
) -> None:
    url = f"/apps/{app.guid}/bind"
    assert "data" in page(browser(alice), url)
    answer = browser(alice).get(url, {"service": instance.guid})
    assert answer["Location"] == f"/services/{instance.guid}/bind?app={app.guid}"
    assert f'value="{app.guid}" selected' in page(browser(alice), answer["Location"])
    assert browser(bob).get(url).status_code == 403
    assert browser(charlie).get(url).status_code == 404


def test_an_app_is_bound_and_unbound(
    browser: Any, alice: Any, bob: Any, instance: Any, app: Any, settle: Any, recorded: Any
) -> None:
    client = browser(alice)
    answer = client.post(at(instance, "/bind"), {"app": app.guid, "name": "main"})
    assert answer["Location"] == at(instance)
    made = settle(Binding.objects.get())
    assert made.app == app and made.name == "main" and recorded("audit.service_binding.create")
    twice = client.post(at(instance, "/bind"), {"app": app.guid, "name": "main"}).content.decode()
    assert "already bound" in twice and 'value="main"' in twice
    assert client.post(at(instance, "/bind"), {"app": app.guid, "name": "main", "multiple": "on"}).status_code == 302
    settle(instance)
    url = f"/bindings/{made.guid}/delete"
    assert "Unbind site from data?" in page(client, url) and Binding.objects.filter(pk=made.pk).exists()
    assert browser(bob).post(url).status_code == 403
    assert client.post(url)["Location"] == at(instance)
    assert settle(made) is None
    assert client.post(url).status_code == 404


def test_a_key_is_made_and_deleted(browser: Any, alice: Any, bob: Any, instance: Any, settle: Any) -> None:
    client = browser(alice)
    assert "No keys yet" in page(client, at(instance, "/keys"))
    assert client.post(at(instance, "/keys/new"), {"name": "ci"})["Location"] == at(instance, "/keys")
    assert "Being created" in page(client, at(instance, "/keys"))
    key = settle(Binding.objects.get())
    assert "already has a key" in client.post(at(instance, "/keys/new"), {"name": "ci"}).content.decode()
    assert browser(bob).get(at(instance, "/keys/new")).status_code == 403
    assert "Delete the key ci?" in page(client, f"/bindings/{key.guid}/delete")
    assert client.post(f"/bindings/{key.guid}/delete")["Location"] == at(instance, "/keys")
    assert settle(key) is None


def test_an_app_whose_service_is_busy_is_told_to_wait(browser: Any, alice: Any, instance: Any, bound: Any) -> None:
    instances.update(alice, instance, parameters={"a": 1})
    answer = browser(alice).post(f"/bindings/{bound.guid}/delete", follow=True)
    assert "is in progress" in answer.content.decode() and Binding.objects.filter(pk=bound.pk).exists()
    assert bindings.BUSY_INSTANCE in browser(alice).post(
        at(instance, "/bind"), {"app": bound.app.guid}
    ).content.decode().replace("&#x27;", "'")
