"""An app takes to another service in the place of one, on pages: chosen, told, watched, swapped back or ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.actions import app as apps
from apps.models import App, Deployment, Droplet
from paas.lib.queue import work
from services.actions import instance as instances
from services.models import Binding, ServiceInstance
from tests.console.services.pages import page
from tests.services.broker import fails

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(app: App, postgres: Any) -> Callable[[], App]:
    """Let the worker do all that is due for the app, on an engine in memory."""

    def turn() -> App:
        App.objects.filter(pk=app.pk).update(due_at=timezone.now())
        work("apps.jobs.converge", app.pk)
        return App.objects.get(pk=app.pk)

    return turn


@pytest.fixture
def using(alice: Any, app: App, run: Any, bound: Binding) -> App:
    """The app runs, with ``data``."""
    built = Droplet.objects.create(
        app=app, state="STAGED", key="k", sha256="0" * 64, stack="debian12", process_types={"web": "serve"}
    )
    apps.use_droplet(alice, app, droplet=built)
    apps.start(alice, App.objects.get(pk=app.pk))
    return run()


@pytest.fixture
def new(alice: Any, space: Any, plans: Any, settle: Any) -> ServiceInstance:
    made, _job = instances.create(alice, space, name="restored", plan=plans["small"])
    found: ServiceInstance = settle(made)
    return found


def sent(instance: Any, new: Any, keep: str = "keep") -> dict[str, str]:
    return {"source": instance.guid, "target": new.guid, "keep": keep}


def test_it_is_chosen_watched_and_swapped_back(
    browser: Any, alice: Any, bob: Any, using: Any, instance: Any, new: Any, settle: Any, run: Any
) -> None:
    client, url = browser(alice), f"/apps/{using.guid}/swap"
    assert f"{url}?source={instance.guid}" in page(client, f"/services/{instance.guid}")
    text = page(client, f"{url}?source={instance.guid}&target={new.guid}")
    assert f'value="{new.guid}" selected' in text and "Nothing is down" in text
    there = client.post(url, sent(instance, new))["Location"]
    assert there == client.post(url, sent(instance, new))["Location"]  # twice is harmless
    text = page(client, there)
    assert "Swapping" in text and "Make credentials of restored" in text and 'http-equiv="refresh"' in text
    now = text.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    assert "HX-Refresh" not in client.get(now).headers and browser().get(now).status_code == 401
    settle(new)
    assert client.get(now)["HX-Refresh"] == "true"
    run()
    text = page(client, there)
    assert "site uses restored." in text and f"{url}?source={new.guid}&amp;target={instance.guid}" in text
    assert "hx-get" not in text and "Unbind data" in text
    assert "Swapped" in page(browser(bob), there) and "Swap back" not in page(browser(bob), there)
    assert "Kept, and not used" in page(client, f"/services/{instance.guid}")
    text = page(client, f"/services/{new.guid}")
    assert "Kept, and not used" not in text and "when it is restarted" not in text
    back = client.post(url, sent(new, instance))["Location"]
    run()
    assert "site uses data." in page(client, back) and "deployed anew since" in page(client, there)
    assert "Kept, and not used" in page(client, f"/services/{new.guid}")


def test_the_old_one_is_unbound_where_that_was_chosen(
    browser: Any, alice: Any, using: Any, instance: Any, new: Any, settle: Any, run: Any
) -> None:
    client = browser(alice)
    there = client.post(f"/apps/{using.guid}/swap", sent(instance, new, "unbind"))["Location"]
    settle(new)
    run()
    assert "Unbind data" in page(client, there)
    settle(instance)
    text = page(client, there)
    assert "site uses restored." in text and "hx-get" not in text and "Swap back" not in text


def test_what_fails_says_that_the_app_goes_on_as_before(
    browser: Any, alice: Any, using: Any, instance: Any, new: Any, settle: Any, run: Any, foreign: Any
) -> None:
    foreign.next("bind", fails(400, description="No more users"))
    client = browser(alice)
    there = client.post(f"/apps/{using.guid}/swap", sent(instance, new))["Location"]
    settle(new)
    run()
    text = page(client, there)
    assert "site goes on with data" in text and "No more users" in text and "Try the swap again" in text


def test_what_cannot_be_swapped_is_told_in_the_form(
    browser: Any, alice: Any, using: Any, instance: Any, new: Any
) -> None:
    text = browser(alice).post(f"/apps/{using.guid}/swap", sent(instance, instance)).content.decode()
    assert "its own place" in text and f'value="{instance.guid}" selected' in text
    assert (
        "Choose one of the services."
        in browser(alice).post(f"/apps/{using.guid}/swap", sent(new, instance)).content.decode()
    )


def test_an_auditor_is_refused_and_a_stranger_finds_nothing(
    browser: Any, alice: Any, bob: Any, charlie: Any, using: Any, instance: Any, new: Any
) -> None:
    url = f"/apps/{using.guid}/swap"
    for person, status in ((bob, 403), (charlie, 404)):
        assert browser(person).get(url).status_code == status
        assert browser(person).post(url, sent(instance, new)).status_code == status
    deployment = Deployment.objects.filter(app=using).latest("id")
    assert browser(alice).get(f"{url}/{deployment.guid}").status_code == 404  # it swaps nothing


def test_without_a_service_the_page_leads_to_binding_one(browser: Any, alice: Any, app: Any) -> None:
    assert f'href="/apps/{app.guid}/bind"' in page(browser(alice), f"/apps/{app.guid}/swap")


def test_a_restored_service_is_offered_to_the_apps_of_its_source(
    browser: Any, alice: Any, using: Any, instance: Any, new: Any
) -> None:
    from accounts import audit

    told = {"source_guid": instance.guid, "source_name": "data", "as_of": None}
    audit.record(alice, "audit.service_instance.restore", new, space=new.space, **told)
    text = page(browser(alice), f"/services/{new.guid}")
    assert "Use it in the place of data" in text
    assert f"/apps/{using.guid}/swap?source={instance.guid}&amp;target={new.guid}" in text
