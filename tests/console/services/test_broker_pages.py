"""The pages about brokers: registering, what they offer and to whom, where they disagree, and deleting them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from paas.lib.queue import work
from services.models import Offering, Plan, PlanVisibility, ServiceBroker, ServiceInstance
from tests.console.counting import queries

pytestmark = pytest.mark.django_db
HERE = "127.0.0.0/8"


def given(foreign: Any, **fields: Any) -> dict[str, Any]:
    sent = {"name": "boxes", "url": foreign.url, "username": foreign.username, "password": foreign.password}
    return sent | {"networks": HERE} | fields


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def read(broker: ServiceBroker) -> None:
    work("services.jobs.synchronize", broker.pk)


def test_an_admin_registers_a_broker_and_sees_what_it_offers(browser: Any, root: Any, foreign: Any) -> None:
    client = browser(root)
    assert "No broker yet" in text(client.get("/platform/brokers"))
    answer = client.post("/platform/brokers/new", given(foreign))
    broker = ServiceBroker.objects.get()
    assert answer.headers["Location"] == f"/brokers/{broker.guid}"
    assert "Reading its catalogue" in text(client.get(f"/brokers/{broker.guid}"))
    assert "HX-Refresh" not in client.get(f"/brokers/{broker.guid}/now").headers
    read(broker)
    assert client.get(f"/brokers/{broker.guid}/now").headers["HX-Refresh"] == "true"
    page = text(client.get(f"/brokers/{broker.guid}"))
    assert "large" in page and "£12.50 a month" in page and "Nobody yet" in page and HERE in page
    assert foreign.password not in page
    assert "boxes" in text(client.get("/platform/brokers"))


def test_a_developer_registers_one_for_the_space(
    browser: Any, alice: Any, bob: Any, charlie: Any, space: Any, foreign: Any
) -> None:
    new, there = f"/spaces/{space.guid}/brokers/new", f"/spaces/{space.guid}/brokers"
    assert browser(bob).post(new, given(foreign)).status_code == 403
    assert browser(charlie).post(new, given(foreign)).status_code == 404
    page = text(browser(alice).get(new))
    assert "Private networks" not in page  # the platform's admins open them
    browser(alice).post(new, given(foreign))
    broker = ServiceBroker.objects.get()
    assert (broker.space, broker.networks) == (space, [])
    read(broker)
    page = text(browser(alice).get(f"/brokers/{broker.guid}"))
    assert "The catalogue could not be taken" in page and "is private" in page
    assert "boxes" in text(browser(bob).get(there)) and "Register a broker" not in text(browser(bob).get(there))
    assert browser(charlie).get(there).status_code == browser(charlie).get(f"/brokers/{broker.guid}").status_code == 404
    for part in ("settings", "delete", "conformance/check"):
        url = f"/brokers/{broker.guid}/{part}"
        assert [browser(person).get(url).status_code for person in (alice, bob, charlie)] == [200, 403, 404]


def test_the_list_of_all_is_for_those_who_run_the_platform(browser: Any, root: Any, alice: Any) -> None:
    assert browser(alice).get("/platform/brokers").status_code == 403
    assert browser(alice).get("/platform/brokers/new").status_code == 403
    assert 'href="/platform/brokers"' in text(browser(root).get("/"))
    assert 'href="/platform/brokers"' not in text(browser(alice).get("/"))


def test_what_is_wrong_with_a_registration_is_told_with_what_was_typed(browser: Any, root: Any, foreign: Any) -> None:
    page = text(browser(root).post("/platform/brokers/new", given(foreign, url="ftp://example.org")))
    assert "Url must be a valid url" in page and "ftp://example.org" in page
    page = text(browser(root).post("/platform/brokers/new", given(foreign, networks="10.0.0.0/99")))
    assert "Networks must be like 10.1.0.0/16" in page
    page = text(browser(root).post("/platform/brokers/new", {"name": ""}))
    assert "Enter the address of the broker." in page and "Enter the password." in page


def test_reading_it_again_tells_what_changed(browser: Any, root: Any, plans: Any, foreign: Any) -> None:
    broker, client = ServiceBroker.objects.get(), browser(root)
    foreign.catalog["services"][0]["description"] = "A better database"
    client.post(f"/brokers/{broker.guid}/read")
    read(broker)
    page = text(client.get(f"/brokers/{broker.guid}"))
    assert "What the last reading changed" in page and "A better database" in page


def test_name_and_address_are_changed(browser: Any, root: Any, plans: Any, foreign: Any) -> None:
    broker, client = ServiceBroker.objects.get(), browser(root)
    url = f"/brokers/{broker.guid}/settings"
    same = {"name": "renamed", "url": foreign.url, "networks": HERE}
    client.post(url, same)
    broker.refresh_from_db()
    assert (broker.name, broker.due_at) == ("renamed", None)
    assert "together" in text(client.post(url, same | {"username": "x"}))
    client.post(url, same | {"username": "admin", "password": "wrong"})
    read(broker)
    page = text(client.get(f"/brokers/{broker.guid}"))
    assert "Authentication with the service broker failed" in page and "goes on as it was before" in page
    client.post(url, same | {"networks": f"{HERE}\n10.1.0.0/16"})
    read(broker)
    broker.refresh_from_db()
    assert broker.networks == [HERE, "10.1.0.0/16"] and broker.credentials["password"] == foreign.password


def test_plans_are_opened_to_everybody_or_to_some(
    browser: Any, root: Any, alice: Any, space: Any, other_space: Any, plans: Any
) -> None:
    broker, plan, client = ServiceBroker.objects.get(), plans["small"], browser(root)
    url = f"/brokers/{broker.guid}/plans/{plan.guid}"
    assert "There is no organization called nowhere" in text(
        client.post(url, {"type": "organization", "organizations": "nowhere"})
    )
    assert "Name at least one organization" in text(client.post(url, {"type": "organization"}))
    client.post(url, {"type": "organization", "organizations": "ministry\ncouncil"})
    assert PlanVisibility.objects.filter(plan=plan).count() == 2
    assert "2 organizations" in text(client.get(f"/brokers/{broker.guid}"))
    assert "council\nministry" in text(client.get(url))
    client.post(url, {"type": "admin"})
    assert not PlanVisibility.objects.exists()
    assert browser(alice).get(url).status_code == 404


def test_differences_are_shown(browser: Any, root: Any, plans: Any) -> None:
    ServiceBroker.objects.update(differences=["Service instance data is not known."], compared_at=timezone.now())
    broker = ServiceBroker.objects.get()
    assert "1 difference" in text(browser(root).get("/platform/brokers"))
    assert "Service instance data is not known." in text(browser(root).get(f"/brokers/{broker.guid}"))


def test_a_broker_with_instances_stays(browser: Any, root: Any, instance: Any) -> None:
    broker = ServiceBroker.objects.get()
    page = text(browser(root).get(f"/brokers/{broker.guid}/delete"))
    assert "There is 1 instance" in page and "Type “" not in page
    assert "associated service instances" in text(
        browser(root).post(f"/brokers/{broker.guid}/delete", {"name": "foreign"})
    )


def test_an_offering_is_purged_and_the_broker_deleted(browser: Any, root: Any, instance: Any, foreign: Any) -> None:
    broker, offering, client = ServiceBroker.objects.get(), Offering.objects.get(), browser(root)
    url = f"/brokers/{broker.guid}/offerings/{offering.guid}/purge"
    page = text(client.get(url))
    assert "data in ministry / production" in page
    assert "exactly as it is" in text(client.post(url, {"name": "d"}))
    client.post(url, {"name": "db"})
    assert not ServiceInstance.objects.exists() and not Offering.objects.exists() and foreign.instances
    client.post(f"/brokers/{broker.guid}/delete", {"name": "foreign"})
    assert not ServiceBroker.objects.exists()


def test_the_platforms_own_is_shown_and_not_changed(browser: Any, root: Any, postgres: Any) -> None:
    broker = ServiceBroker.objects.get(kind="container")
    page = text(browser(root).get(f"/brokers/{broker.guid}"))
    assert "The platform itself" in page and "Read the catalogue again" not in page and "Purge" not in page
    for part in ("settings", "delete", "conformance", "conformance/check"):
        assert browser(root).get(f"/brokers/{broker.guid}/{part}").status_code == 404


def test_it_costs_the_same_however_much_there_is(browser: Any, root: Any, plans: Any) -> None:
    broker, client = ServiceBroker.objects.get(), browser(root)
    urls = ("/platform/brokers", f"/brokers/{broker.guid}")
    few = [queries(client, url) for url in urls]
    for number in range(8):
        ServiceBroker.objects.create(name=f"more-{number}")
        made = Offering.objects.create(broker=broker, catalog_id=str(number), name=f"more-{number}")
        Plan.objects.create(offering=made, catalog_id=str(number), name="p")
    assert [queries(client, url) for url in urls] == few
