"""The pages about brokers in a real browser: axe, a phone's width, and from the registration to what a check found."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from paas.lib.queue import work
from services.actions import conformance
from services.models import ConformanceCheck, Offering, ServiceBroker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WIDTHS = (1200, 360)
LONG = "Service instance a-name-that-has-no-place-to-break-" + "x" * 60 + " is not known to the broker."


def check(foreign: Any) -> None:
    work("services.jobs.check_conformance", ConformanceCheck.objects.get().pk)


@pytest.fixture
def addresses(root: Any, space: Any, instance: Any, plans: Any, foreign: Any, register: Any) -> list[str]:
    """Pages of a broker that disagrees and was checked, of one that could not be read, and of one that is read right now."""
    broker, offering = plans["small"].offering.broker, Offering.objects.get()
    ServiceBroker.objects.update(differences=[LONG], compared_at=timezone.now())
    conformance.check(root, broker, plan=plans["small"])
    check(foreign)
    own = register(space, name="own")
    ServiceBroker.objects.filter(pk=own.pk).update(due_at=timezone.now())
    here = f"/brokers/{broker.guid}"
    return [
        "/platform/brokers", "/platform/brokers/new", f"/spaces/{space.guid}/brokers", f"/brokers/{own.guid}",
        f"/spaces/{space.guid}/brokers/new", here, f"{here}/settings", f"{here}/delete", f"{here}/conformance",
        f"{here}/conformance/check", f"/brokers/{own.guid}/conformance", f"{here}/plans/{plans['small'].guid}",
        f"{here}/offerings/{offering.guid}/purge", "/docs/brokers", f"/spaces/{space.guid}/marketplace",
    ]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_clean_and_fits(visit: Any, faults: Any, root: Any, addresses: list[str], width: int) -> None:
    for address in addresses:
        page = visit(address, root, width=width)
        page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
        assert page.locator("h1").count() == 1, address
        assert faults(page) == [], address
        page.context.close()


@pytest.mark.parametrize("script", [True, False])
def test_from_the_registration_to_what_a_check_found(
    visit: Any, faults: Any, alice: Any, root: Any, space: Any, foreign: Any, plans: Any, script: bool
) -> None:
    broker = plans["small"].offering.broker
    page = visit(f"/brokers/{broker.guid}", root, script=script)
    page.get_by_role("link", name="Check", exact=True).click()
    page.get_by_role("button", name="Check the broker").click()
    page.get_by_label("What may be made").select_option(label="Instances of db, plan small")
    page.get_by_role("button", name="Check the broker").click()
    page.get_by_text("Confirm that instances may be made").first.wait_for()
    page.get_by_label("Make up to five throw-away instances").check()
    page.get_by_role("button", name="Check the broker").click()
    page.get_by_text("Being checked").wait_for()
    check(foreign)
    page.get_by_role("heading", name="To mend").wait_for()
    page.get_by_text("Look the plan up in your catalogue").first.wait_for()
    if script:
        assert faults(page) == []
    assert page.complaints == [] and not foreign.instances
