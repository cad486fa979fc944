"""The marketplace: what is on offer, plans side by side, who may use them, and whether there is room."""

from __future__ import annotations

from typing import Any

import pytest

from services import outside
from services.models import Offering, Plan, PlanVisibility, ServiceBroker
from tests.console.counting import queries
from tests.console.services.pages import page

pytestmark = pytest.mark.django_db


def market(space: Any, offering: Offering | None = None) -> str:
    return f"/spaces/{space.guid}/marketplace" + (f"/{offering.guid}" if offering else "")


def test_everything_on_offer_says_what_it_is_for(browser: Any, alice: Any, bob: Any, space: Any, postgres: Any) -> None:
    for person in (alice, bob):
        text = page(browser(person), market(space))
        assert "PostgreSQL" in text and "a relational database" in text and "Redis" in text
        assert "from £" in text


def test_plans_stand_side_by_side(browser: Any, alice: Any, bob: Any, space: Any, postgres: Any) -> None:
    offering = postgres["tiny-15"].offering
    text = page(browser(alice), market(space, offering))
    for name in ("tiny-15", "small-15", "medium-15"):
        assert name in text
    assert "£13.87 a month" in text and "of disk" in text
    assert text.index("tiny-15") < text.index("small-15") < text.index("medium-15")
    chosen = f'href="/spaces/{space.guid}/services/new/{postgres["tiny-15"].guid}"'
    assert chosen in text
    assert chosen not in page(browser(bob), market(space, offering))


def test_what_the_machine_has_no_room_for_is_told(
    browser: Any, alice: Any, space: Any, postgres: Any, settings: Any
) -> None:
    settings.PAAS_MEMORY_MB = 300
    for each in (outside.runtime, outside.own_services):
        each.cache_clear()
    text = page(browser(alice), market(space, postgres["tiny-15"].offering))
    assert "no room for this plan" in text and "There is room for it now" in text


def test_a_quota_without_paid_plans_is_told_before(
    browser: Any, alice: Any, space: Any, quota: Any, plans: Any
) -> None:
    quota.paid_services_allowed = False
    quota.save()
    text = page(browser(alice), market(space, plans["small"].offering))
    assert "the quota allows only free plans" in text
    assert plans["small"].guid in text and plans["large"].guid not in text
    refused = browser(alice).post(f"/spaces/{space.guid}/services/new/{plans['large'].guid}", {"name": "data"})
    assert "paid service plans are not allowed" in refused.content.decode()


def test_plans_of_another_organization_are_named_as_such(
    browser: Any, root: Any, space: Any, other_space: Any, plans: Any
) -> None:
    Plan.objects.update(visibility_type=Plan.Visibility.ORGANIZATION)
    PlanVisibility.objects.create(plan=plans["small"], organization=other_space.organization)
    text = page(browser(root), market(space))
    assert "Not open to ministry" in text
    assert "Not open to ministry" in page(browser(root), market(space, plans["small"].offering))
    assert browser(root).get(f"/spaces/{space.guid}/services/new/{plans['small'].guid}").status_code == 404


def test_what_nobody_opened_is_not_seen(browser: Any, alice: Any, space: Any, plans: Any) -> None:
    Plan.objects.update(visibility_type=Plan.Visibility.ADMIN)
    assert "Nothing is on offer yet" in page(browser(alice), market(space))
    assert browser(alice).get(market(space, plans["small"].offering)).status_code == 404


def test_the_stranger_finds_nothing(browser: Any, charlie: Any, space: Any, plans: Any) -> None:
    for url in (market(space), market(space, plans["small"].offering), f"/spaces/{space.guid}/services"):
        assert browser(charlie).get(url).status_code == 404


def test_it_costs_the_same_however_much_there_is(browser: Any, alice: Any, space: Any, plans: Any) -> None:
    client = browser(alice)
    few = [queries(client, url) for url in (market(space), market(space, plans["small"].offering))]
    broker = ServiceBroker.objects.get()
    for number in range(15):
        made = Offering.objects.create(broker=broker, catalog_id=str(number), name=f"more-{number}")
        for plan in range(3):
            Plan.objects.create(offering=made, catalog_id=str(plan), name=f"p{plan}", visibility_type="public")
            Plan.objects.create(
                offering=plans["small"].offering, catalog_id=f"{number}-{plan}", name="x", visibility_type="public"
            )
    assert [queries(client, url) for url in (market(space), market(space, plans["small"].offering))] == few


def test_a_part_of_the_name_finds_it(browser: Any, alice: Any, space: Any, postgres: Any) -> None:
    text = page(browser(alice), market(space) + "?q=redis")
    assert "Redis" in text and "MariaDB" not in text
    assert "is called like" in page(browser(alice), market(space) + "?q=nothing-like-it")
