"""User-provided instances: credentials from elsewhere."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, UsageEvent
from services.models import Binding, ServiceInstance
from tenants.models import QuotaUse

HERE = "/v3/service_instances"
SECRET = {"uri": "postgres://u:swordfish@example.org/x"}


def body(space, **fields):
    return {
        "type": "user-provided",
        "name": "legacy",
        "relationships": {"space": {"data": {"guid": space.guid}}},
        "credentials": SECRET,
        **fields,
    }


@pytest.fixture
def legacy(api, alice, space):
    answer = api(alice).post(HERE, body(space, tags=["old"]))
    assert answer.status_code == 201, answer.content
    return ServiceInstance.objects.get(guid=answer.json()["guid"])


def bind(client, instance, app, **fields):
    ends = {"service_instance": {"data": {"guid": instance.guid}}, "app": {"data": {"guid": app.guid}}}
    return client.post("/v3/service_credential_bindings", {"type": "app", "relationships": ends, **fields})


def test_it_is_there_at_once(api, alice, space, legacy, recorded):
    told = api(alice).get(f"{HERE}/{legacy.guid}").json()
    assert (told["type"], told["name"], told["tags"]) == ("user-provided", "legacy", ["old"])
    assert told["last_operation"]["state"] == "succeeded" and "service_plan" not in told["relationships"]
    assert "swordfish" not in str(told)
    assert QuotaUse.objects.get(space=space).service_instances == 1
    assert "swordfish" not in str(recorded("audit.user_provided_service_instance.create").data)
    event = UsageEvent.objects.get(kind="service")
    assert event.data == {"service_instance_type": "user_provided_service_instance"}


def test_credentials_are_read_by_who_may_and_that_is_recorded(api, alice, bob, charlie, legacy, recorded):
    path = f"{HERE}/{legacy.guid}/credentials"
    assert api(alice).get(path).json() == SECRET
    assert recorded("audit.user_provided_service_instance.show").actor_guid == alice.guid
    assert api(bob).get(path).status_code == 403
    assert api(charlie).get(path).status_code == 404
    assert AuditEvent.objects.filter(type="audit.user_provided_service_instance.show").count() == 1


def test_it_is_changed(api, alice, bob, legacy):
    client, path = api(alice), f"{HERE}/{legacy.guid}"
    told = client.patch(path, {"name": "older", "credentials": {"a": "b"}, "tags": []}).json()
    assert (told["name"], told["tags"], told["last_operation"]["type"]) == ("older", [], "update")
    assert client.get(f"{path}/credentials").json() == {"a": "b"}
    assert api(bob).patch(path, {"name": "x"}).status_code == 403


@pytest.mark.parametrize("url", ["syslog_drain_url", "route_service_url"])
def test_what_is_not_there_yet_is_said(api, alice, space, url):
    answer = api(alice).post(HERE, body(space, **{url: "https://example.org"}))
    assert answer.status_code == 422 and "yet" in answer.json()["errors"][0]["detail"]
    assert api(alice).post(HERE, body(space, **{url: ""})).status_code == 201


def test_an_app_is_bound_at_once(api, alice, app, legacy):
    answer = bind(api(alice), legacy, app, name="db")
    assert answer.status_code == 201, answer.content
    details = f"/v3/service_credential_bindings/{answer.json()['guid']}/details"
    assert api(alice).get(details).json()["credentials"] == SECRET
    assert bind(api(alice), legacy, app).status_code == 422
    assert bind(api(alice), legacy, app, parameters={"a": 1}).status_code == 422
    assert api(alice).delete(details.removesuffix("/details")).status_code == 204
    assert not Binding.objects.exists()


def test_deleting_it_unbinds(api, alice, bob, charlie, space, app, legacy):
    bind(api(alice), legacy, app)
    path = f"{HERE}/{legacy.guid}"
    assert api(bob).delete(path).status_code == 403
    assert api(charlie).delete(path).status_code == 404
    assert api(alice).delete(path).status_code == 204
    assert not Binding.objects.exists() and not ServiceInstance.objects.exists()
    assert QuotaUse.objects.get(space=space).service_instances == 0
    assert UsageEvent.objects.filter(state="DELETED").count() == 1


def test_its_parameters_cannot_be_fetched(api, alice, legacy):
    answer = api(alice).get(f"{HERE}/{legacy.guid}/parameters")
    assert answer.status_code == 400
