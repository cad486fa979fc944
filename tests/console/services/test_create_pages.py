"""The form that makes a service: parameters from the plan's schema, the quota, an app to bind, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from apps.actions import app as apps
from services.models import Binding, Plan, ServiceInstance
from tenants.models import FeatureFlag
from tests.services.broker import fails

pytestmark = pytest.mark.django_db
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": False,
    "required": ["region"],
    "properties": {
        "region": {"type": "string", "enum": ["north", "south"], "description": "Where it stands."},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 3, "default": 1},
        "audit": {"type": "boolean", "title": "Keep an audit log"},
        "names": {"type": "array", "items": {"type": "string", "maxLength": 4}},
        "network": {"type": "object", "properties": {"mtu": {"type": "integer"}}},
    },
}


def at(space: Any, plan: Plan) -> str:
    return f"/spaces/{space.guid}/services/new/{plan.guid}"


@pytest.fixture
def asking(plans: dict[str, Plan]) -> Plan:
    """A plan whose parameters have a schema."""
    Plan.objects.filter(pk=plans["small"].pk).update(create_schema=SCHEMA)
    return Plan.objects.get(pk=plans["small"].pk)


def test_the_form_is_made_from_the_schema(browser: Any, alice: Any, space: Any, asking: Plan) -> None:
    text = browser(alice).get(at(space, asking)).content.decode()
    assert '<select name="parameter_region"' in text and "Where it stands." in text
    assert 'name="parameter_replicas" value="1" min="1" max="3"' in text
    assert "Keep an audit log" in text and "One a line." in text
    assert "parameter_network" not in text and "Parameters as JSON" in text
    assert "Services" not in text or "of 100" in text


def test_price_and_quota_are_told(browser: Any, alice: Any, space: Any, plans: Any) -> None:
    text = browser(alice).get(at(space, plans["large"])).content.decode()
    assert "£12.50" in text and "1 of 100" in text


def test_it_is_made_bound_and_told_as_it_goes(
    browser: Any, alice: Any, space: Any, asking: Plan, app: Any, foreign: Any, settle: Any, recorded: Any
) -> None:
    client = browser(alice)
    sent = {
        "name": "data", "app": app.guid, "tags": "one, two", "parameter_region": "south", "parameter_replicas": "2",
        "parameter_names": "ab\r\ncd", "json": '{"network": {"mtu": 1400}}',
    }  # fmt: skip
    answer = client.post(at(space, asking), sent)
    made = ServiceInstance.objects.get()
    assert answer["Location"] == f"/services/{made.guid}" and made.tags == ["one", "two"]
    page = client.get(answer["Location"]).content.decode()
    assert "Being created" in page and f"Bind {app.name}" in page and "to come" in page
    binding = Binding.objects.get()
    assert binding.app == app and binding.busy
    settle(made)
    (call,) = foreign.asked("provision")
    assert call.body["parameters"] == {
        "region": "south", "replicas": 2, "names": ["ab", "cd"], "network": {"mtu": 1400},
    }  # fmt: skip
    binding.refresh_from_db()
    assert binding.operation_state == "succeeded" and binding.credentials
    page = client.get(answer["Location"]).content.decode()
    assert "Ready" in page and f'href="/apps/{app.guid}"' in page
    assert recorded("audit.service_instance.create").actor_guid == alice.guid
    assert recorded("audit.service_binding.create").actor_guid == alice.guid


def test_where_it_cannot_be_made_the_app_is_not_bound(
    browser: Any, alice: Any, space: Any, asking: Plan, app: Any, foreign: Any, settle: Any
) -> None:
    foreign.next("provision", fails(400, description="We are full."))
    client = browser(alice)
    client.post(at(space, asking), {"name": "data", "app": app.guid, "parameter_region": "south"})
    made = settle(ServiceInstance.objects.get())
    assert not foreign.asked("bind")
    text = client.get(f"/services/{made.guid}").content.decode()
    assert "It could not be created" in text and "We are full." in text and "nothing to bind" in text
    assert client.post(f"/services/{made.guid}/delete", {"name": "data"}).status_code == 302
    assert settle(made) is None and not Binding.objects.exists()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"name": ""}, "Enter a name for the service."),
        ({"parameter_region": ""}, "This field is required"),
        ({"parameter_replicas": "7"}, "less than or equal to 3"),
        ({"parameter_names": "toolong"}, "is too long"),
        ({"json": "{"}, "This is not JSON"),
        ({"json": "[1]"}, "Enter a JSON object"),
        ({"json": "[" * 5000}, "This is not JSON"),
        ({"json": '{"colour": "red"}'}, "was unexpected"),
        ({"json": '{"network": {"mtu": "x"}}'}, "is not of type"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(
    browser: Any, alice: Any, space: Any, asking: Plan, sent: dict[str, str], told: str
) -> None:
    usual = {"name": "data", "parameter_region": "south", "tags": "kept"}
    answer = browser(alice).post(at(space, asking), usual | sent)
    text = answer.content.decode()
    assert answer.status_code == 200 and told in text and "There is a problem" in text
    assert 'value="kept"' in text and not ServiceInstance.objects.exists()


def test_what_an_action_refuses_is_told_in_the_form(
    browser: Any, alice: Any, root: Any, space: Any, asking: Plan, instance: Any
) -> None:
    sent = {"name": "DATA", "parameter_region": "south"}
    text = browser(alice).post(at(space, asking), sent).content.decode()
    assert "name is taken" in text and 'value="DATA"' in text
    FeatureFlag.objects.update_or_create(name="service_instance_creation", defaults={"enabled": False})
    text = browser(alice).post(at(space, asking), sent | {"name": "more"}).content.decode()
    assert "Feature Disabled" in text and ServiceInstance.objects.count() == 1


def test_the_auditor_and_the_stranger_make_nothing(
    browser: Any, bob: Any, charlie: Any, space: Any, plans: Any
) -> None:
    for person, status in ((bob, 403), (charlie, 404)):
        assert browser(person).get(at(space, plans["small"])).status_code == status
        assert browser(person).post(at(space, plans["small"]), {"name": "data"}).status_code == status
    assert not ServiceInstance.objects.exists()


def test_an_app_of_another_space_is_no_choice(
    browser: Any, root: Any, space: Any, other_space: Any, plans: Any
) -> None:
    other = apps.create(root, other_space, name="theirs")
    answer = browser(root).post(at(space, plans["small"]), {"name": "data", "app": other.guid})
    assert answer.status_code == 200 and not ServiceInstance.objects.exists()


def test_patterns_and_references_are_left_to_the_broker(browser: Any, alice: Any, space: Any, plans: Any) -> None:
    """Either could keep the console busy for ever."""
    evil = {"$schema": SCHEMA["$schema"], "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    loop = {"$schema": SCHEMA["$schema"], "$ref": "#"}
    for number, schema in enumerate((evil, loop)):
        Plan.objects.filter(pk=plans["small"].pk).update(create_schema=schema)
        sent = {"name": f"data-{number}", "json": '{"a": "' + "a" * 60 + '!"}'}
        assert browser(alice).post(at(space, plans["small"]), sent).status_code == 302
