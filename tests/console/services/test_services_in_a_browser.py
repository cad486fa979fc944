"""The pages about services in a real browser: axe, a phone's width, and the way from the marketplace to a database."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from services.actions import binding as bindings
from services.actions import instance as instances
from services.actions import sharing
from services.models import Plan, Repository, ServiceInstance
from tenants import access
from tests.console.services.test_backup_pages import backed_up, repository_of
from tests.services.broker import fails

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WIDTHS = (1200, 360)
TABS = ("", "/connect", "/keys", "/plan", "/events", "/settings")
KEPT = ("", "/backups", "/restore", "/delete")
BEHIND = ("/bind", "/keys/new", "/parameters", "/delete")


@pytest.fixture
def addresses(
    alice: Any,
    root: Any,
    space: Any,
    other_space: Any,
    plans: Any,
    postgres: Any,
    database: Any,
    legacy: Any,
    instance: Any,
    app: Any,
    foreign: Any,
    settle: Any,
) -> list[str]:
    """Pages of services in every state: with an app, shared, failed, under way; and those before and behind them."""
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_developer", other_space, by=root)
    sharing.share(alice, instance, spaces=[other_space])
    bound = settle(bindings.create(alice, instance, app=app, name="main"))
    key = settle(bindings.create_key(alice, instance, name="a-key-with-a-rather-long-name-that-has-no-place-to-break"))
    type(app).objects.filter(pk=app.pk).update(state="STARTED")
    foreign.next("provision", fails(400, description="We are full. " + "x" * 90))
    failed, _ = instances.create(
        alice, space, name="a-database-with-a-rather-long-name-" + "y" * 60, plan=plans["small"]
    )
    settle(failed)
    backed_up(repository_of(database, deleted_at=None))
    broken = ServiceInstance.objects.create(
        space=space, region=space.region, plan=database.plan, name="broken", operation_type="update"
    )
    backed_up(repository_of(broken, error="What is written is not put away.", wanted_at=timezone.now()))
    gone = Repository.objects.create(name="gone", space=space, offering_id="x", disk_mb=1, deleted_at=timezone.now())
    backed_up(gone)
    coming, _ = instances.create(alice, space, name="coming", plan=plans["small"], app=app)
    bindings.create_key(alice, database, name="being made")
    here, offering = f"/spaces/{space.guid}", postgres["tiny-15"].offering
    return [
        *(f"/services/{instance.guid}{part}" for part in (*TABS, *BEHIND)),
        *(f"/services/{database.guid}{part}" for part in (*TABS, "/metrics", "/bind", "/parameters")),
        *(f"/services/{row.guid}{part}" for row in (database, broken) for part in KEPT),
        f"/services/{gone.guid}/restore",
        f"/spaces/{space.guid}/services/deleted",
        f"/apps/{app.guid}/swap?source={instance.guid}",
        *(f"/services/{legacy.guid}{part}" for part in ("", "/connect", "/settings", "/own", "/delete")),
        *(f"/services/{row.guid}" for row in (failed, coming)),
        f"/services/{instance.guid}/unshare/{other_space.guid}",
        f"/services/{database.guid}/plan/{postgres['small-15'].guid}",
        *(f"/bindings/{row.guid}/delete" for row in (bound, key)),
        *(f"{here}{part}" for part in ("/services", "/services/own", "/marketplace", "/marketplace?q=nothing")),
        f"{here}/marketplace/{offering.guid}",
        f"{here}/services/new/{postgres['tiny-15'].guid}",
        f"/spaces/{other_space.guid}/services",
        f"/apps/{app.guid}/bind",
        f"/apps/{app.guid}",
        "/docs/services",
        "/docs/postgres",
    ]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_clean_and_fits(visit: Any, faults: Any, alice: Any, addresses: list[str], width: int) -> None:
    for address in addresses:
        page = visit(address, alice, width=width)
        assert page.locator("h1").count() == 1, address
        assert faults(page) == [], address
        page.context.close()


@pytest.mark.parametrize("script", [True, False])
def test_from_the_marketplace_to_a_database_with_an_app(
    visit: Any,
    faults: Any,
    alice: Any,
    space: Any,
    postgres: Any,
    plans: Any,
    app: Any,
    foreign: Any,
    settle: Any,
    script: bool,
) -> None:
    """The front door, with a broker that asks for what PostgreSQL asks for."""
    Plan.objects.filter(pk=plans["small"].pk).update(create_schema=postgres["tiny-15"].create_schema)
    page = visit(f"/spaces/{space.guid}/services", alice, script=script)
    page.get_by_role("button", name="Go to the marketplace").click()
    page.get_by_role("link", name="db", exact=True).click()
    page.get_by_role("button", name="Choose small").click()
    page.get_by_role("button", name="Create").click()
    page.get_by_text("Enter a name for the service.").first.wait_for()
    page.get_by_label("Name", exact=True).fill("records")
    page.get_by_label("App to bind").select_option(label="site")
    page.get_by_text("to choose from").click()
    page.get_by_label("postgis", exact=True).check()
    if script:
        assert faults(page) == []
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/services/*")
    page.get_by_text("Being created").first.wait_for()
    made = ServiceInstance.objects.get(name="records")
    settle(made)
    page.get_by_text("Ready", exact=True).first.wait_for()
    page.get_by_role("link", name="Unbind site").wait_for()
    assert foreign.asked("provision")[0].body["parameters"] == {"enable_extensions": ["postgis"]}
    page.get_by_role("link", name="Connect").click()
    page.get_by_role("button", name="Show the credentials of site").click()
    page.get_by_text("secret-").first.wait_for()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Delete records").click()
    page.get_by_role("link", name="site").wait_for()
    page.get_by_label("Type “records” to confirm").fill("records")
    page.get_by_role("button", name="Delete records").click()
    page.get_by_text("Being deleted").first.wait_for()
    assert settle(made) is None
    page.get_by_role("heading", name="No services yet").wait_for()
    assert page.complaints == []


def test_a_restore_needs_no_script(visit: Any, alice: Any, database: Any) -> None:
    backed_up(repository_of(database))
    page = visit(f"/services/{database.guid}", alice, script=False)
    page.get_by_role("link", name="See its backups, or restore one").click()
    page.get_by_role("button", name="Back up now").click()
    page.get_by_text("Backing up").wait_for()
    page.get_by_role("link", name="Restore the backup of").click()
    expect(page.get_by_label("A backup, as it was taken")).to_be_checked()
    page.get_by_role("button", name="Restore into a new service").click()
    page.get_by_text("Being created").first.wait_for()
    assert ServiceInstance.objects.get(name="records-restored").wish["restore"]["backup"]
