"""An app's environment: hidden until asked for, and every reading recorded."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from apps.models import App, EnvironmentGroup
from tenants.models import FeatureFlag


def variables(app):
    return f"/v3/apps/{app.guid}/environment_variables"


def test_variables_are_merged_and_null_removes_one(api, alice, app):
    client = api(alice)
    assert client.patch(variables(app), {"var": {"A": "1", "B": "2"}}).json()["var"] == {"A": "1", "B": "2"}
    told = client.patch(variables(app), {"var": {"B": None, "C": "3"}}).json()
    assert told["var"] == {"A": "1", "C": "3"}
    assert told["links"]["app"]["href"].endswith(f"/v3/apps/{app.guid}")
    assert client.get(variables(app)).json()["var"] == {"A": "1", "C": "3"}


def test_the_record_names_variables_and_never_holds_values(api, alice, app, recorded):
    api(alice).patch(variables(app), {"var": {"PASSWORD": "hunter2"}})
    event = recorded("audit.app.update")
    assert event.data["changes"] == {"environment.PASSWORD": [None, "[PRIVATE DATA HIDDEN]"]}
    assert "hunter2" not in str(event.data)


def test_twice_is_harmless(api, alice, app):
    for _ in range(2):
        assert api(alice).patch(variables(app), {"var": {"A": "1"}}).json()["var"] == {"A": "1"}


@pytest.mark.parametrize("name", ["PORT", "port", "VCAP_SERVICES", "CF_INSTANCE_INDEX", "", "A=B"])
def test_what_the_platform_sets_itself_is_refused(api, alice, app, name):
    response = api(alice).patch(variables(app), {"var": {name: "1"}})
    assert response.status_code == 422
    assert App.objects.get(pk=app.pk).environment == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"var": "A=1"},
        {"var": {"A": 1}},
        {"var": {"A": "1"}, "B": "2"},
    ],
)
def test_a_wrong_body_is_refused(api, alice, app, body):
    assert api(alice).patch(variables(app), body).status_code == 422


def test_reading_is_recorded(api, alice, app, recorded):
    EnvironmentGroup.objects.create(name="running", variables={"REGION": "local"})
    api(alice).patch(variables(app), {"var": {"A": "1"}})
    told = api(alice).get(f"/v3/apps/{app.guid}/env").json()
    assert told["environment_variables"] == {"A": "1"}
    assert told["running_env_json"] == {"REGION": "local"}
    assert told["staging_env_json"] == {}
    assert told["system_env_json"] == {"VCAP_SERVICES": {}}
    assert told["application_env_json"]["VCAP_APPLICATION"]["application_name"] == "site"
    assert recorded("audit.app.environment.show").actor_guid == alice.guid
    api(alice).get(variables(app))
    assert recorded("audit.app.environment_variables.show").target_guid == app.guid


def test_auditor_sees_no_secrets_and_sets_nothing(api, bob, app):
    client = api(bob)
    assert client.get(f"/v3/apps/{app.guid}/env").status_code == 403
    assert client.get(variables(app)).status_code == 403
    assert client.patch(variables(app), {"var": {"A": "1"}}).status_code == 403
    assert not AuditEvent.objects.filter(type__endswith=".show").exists()


def test_stranger_finds_nothing(api, charlie, app):
    for response in (
        api(charlie).get(f"/v3/apps/{app.guid}/env"),
        api(charlie).get(variables(app)),
        api(charlie).patch(variables(app), {"var": {"A": "1"}}),
    ):
        assert response.status_code == 404
        assert response.json()["errors"][0]["detail"] == "App not found"


def test_the_platform_may_switch_the_reading_off(api, alice, root, app):
    FeatureFlag.objects.create(name="space_developer_env_var_visibility", enabled=False)
    response = api(alice).get(variables(app))
    assert (response.status_code, response.json()["errors"][0]["title"]) == (403, "CF-FeatureDisabled")
    assert api(root).get(variables(app)).status_code == 200


@pytest.mark.parametrize("body", [r'{"var": {"VCAP_\ud800": "1"}}', r'{"var": {"A": "\u0000"}}'])
def test_half_a_character_is_no_name_and_a_null_byte_no_value(api, alice, app, body):
    response = api(alice).patch(variables(app), data=body, content_type="application/json")
    assert response.status_code == 400
