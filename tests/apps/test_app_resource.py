"""Creating, listing, changing and deleting apps through the v3 API."""

from __future__ import annotations

import pytest

from apps.models import App, Buildpack, Process, Stack
from tests.conftest import make_user


def new(space, **fields):
    return {"name": "shop", "relationships": {"space": {"data": {"guid": space.guid}}}, **fields}


def detail(response):
    return [error["detail"] for error in response.json()["errors"]]


def test_developer_creates_an_app_with_its_web_process(api, alice, space):
    Stack.objects.create(name="debian12", is_default=True)
    Buildpack.objects.create(name="python_buildpack", state="READY")
    body = new(
        space,
        lifecycle={"type": "buildpack", "data": {"buildpacks": ["python_buildpack"], "stack": "debian12"}},
        environment_variables={"GREETING": "hello"},
        metadata={"labels": {"team": "one"}},
    )
    response = api(alice).post("/v3/apps", body)
    assert response.status_code == 201
    made = response.json()
    assert (made["name"], made["state"]) == ("shop", "STOPPED")
    assert made["lifecycle"] == {
        "type": "buildpack",
        "data": {"buildpacks": ["python_buildpack"], "stack": "debian12"},
    }
    assert made["relationships"] == {
        "space": {"data": {"guid": space.guid}},
        "current_droplet": {"data": None},
    }
    assert made["metadata"]["labels"] == {"team": "one"}
    app = App.objects.get(guid=made["guid"])
    assert app.environment == {"GREETING": "hello"}
    assert Process.objects.get(app=app).guid == app.guid


def test_a_docker_app_has_no_lifecycle_data(api, alice, space):
    made = api(alice).post("/v3/apps", new(space, lifecycle={"type": "docker", "data": {}})).json()
    assert made["lifecycle"] == {"type": "docker", "data": {}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "Name can't be blank"),
        ({"colour": "red"}, "Unknown field(s): 'colour'"),
        ({"lifecycle": {"type": "cnb", "data": {}}}, "Lifecycle type is not included in list: buildpack, docker"),
        ({"lifecycle": {"type": "buildpack", "data": {"stack": "plan9"}}}, "Stack must be an existing stack"),
        (
            {"lifecycle": {"type": "buildpack", "data": {"buildpacks": ["cobol"]}}},
            'Buildpack "cobol" must be an existing admin buildpack or a valid git URI',
        ),
        ({"environment_variables": {"PORT": "1"}}, "Environment variable name 'PORT' is reserved"),
        ({"environment_variables": {"N": 1}}, "Non-string value in environment variable for key 'N'"),
        ({"relationships": {}}, "Relationships space can't be blank"),
    ],
)
def test_a_wrong_body_is_refused_with_a_sentence(api, alice, space, change, said):
    response = api(alice).post("/v3/apps", new(space) | change)
    assert response.status_code == 422
    assert said in detail(response)[0]
    assert not App.objects.exists()


def test_a_name_is_taken_once_per_space(api, alice, app, space):
    response = api(alice).post("/v3/apps", new(space, name="SITE"))
    assert response.status_code == 422
    assert detail(response) == ["App with the name 'SITE' already exists."]


def test_auditor_may_not_create(api, bob, space):
    assert api(bob).post("/v3/apps", new(space)).status_code == 403


def test_the_space_of_a_stranger_does_not_exist(api, charlie, space):
    response = api(charlie).post("/v3/apps", new(space))
    assert response.status_code == 422
    assert detail(response) == ["Invalid space. Ensure that the space exists and you have access to it."]


def test_auditor_reads_and_may_not_change_or_delete(api, bob, app):
    client = api(bob)
    assert client.get(f"/v3/apps/{app.guid}").json()["name"] == "site"
    assert client.patch(f"/v3/apps/{app.guid}", {"name": "mine"}).status_code == 403
    assert client.delete(f"/v3/apps/{app.guid}").status_code == 403


@pytest.mark.parametrize("verb", ["get", "patch", "delete"])
def test_stranger_finds_no_app(api, charlie, app, verb):
    response = getattr(api(charlie), verb)(f"/v3/apps/{app.guid}")
    assert response.status_code == 404
    assert detail(response) == ["App not found"]


def test_name_lifecycle_and_metadata_change(api, alice, app, recorded):
    Buildpack.objects.create(name="nodejs_buildpack", state="READY")
    body = {
        "name": "front",
        "lifecycle": {"type": "buildpack", "data": {"buildpacks": ["nodejs_buildpack"]}},
        "metadata": {"annotations": {"owner": "web team"}},
    }
    changed = api(alice).patch(f"/v3/apps/{app.guid}", body).json()
    assert changed["name"] == "front"
    assert changed["lifecycle"]["data"] == {"buildpacks": ["nodejs_buildpack"], "stack": "debian12"}
    assert changed["metadata"]["annotations"] == {"owner": "web team"}
    event = recorded("audit.app.update")
    assert event.data["changes"] == {
        "name": ["site", "front"],
        "buildpacks": [None, ["nodejs_buildpack"]],
        "annotations.owner": [None, "web team"],
    }
    again = api(alice).patch(f"/v3/apps/{app.guid}", {"lifecycle": {"type": "buildpack", "data": {"buildpacks": None}}})
    assert again.json()["lifecycle"]["data"]["buildpacks"] == []


def test_the_kind_of_lifecycle_stays(api, alice, app):
    response = api(alice).patch(f"/v3/apps/{app.guid}", {"lifecycle": {"type": "docker", "data": {}}})
    assert response.status_code == 422
    assert detail(response) == ["Lifecycle type cannot be changed"]


def test_deletion_is_a_job_that_frees_the_name_and_gives_the_quota_back(api, alice, running, space, used, recorded):
    assert used().memory_mb == 1024
    response = api(alice).delete(f"/v3/apps/{running.guid}")
    assert response.status_code == 202
    assert response.content == b""
    assert response.headers["Location"].startswith("http://testserver/v3/jobs/")
    assert not App.objects.filter(pk=running.pk).exists()
    assert (used().memory_mb, used().instances) == (0, 0)
    assert recorded("audit.app.delete-request").target_guid == running.guid
    assert api(alice).delete(f"/v3/apps/{running.guid}").status_code == 404
    assert api(alice).post("/v3/apps", new(space, name="site")).status_code == 201


def names(response):
    return [app["name"] for app in response.json()["resources"]]


def test_filters_order_and_includes(api, root, alice, app, space, other_space):
    client = api(alice)
    client.post("/v3/apps", new(space, name="a,b", lifecycle={"type": "docker", "data": {}}))
    api(root).post("/v3/apps", new(other_space, name="theirs"))
    assert names(client.get("/v3/apps?order_by=-name")) == ["site", "a,b"]
    assert names(client.get("/v3/apps?names=a%252Cb,Site&order_by=name")) == ["a,b", "site"]
    assert names(client.get("/v3/apps?stacks=debian12")) == ["site"]
    assert names(client.get("/v3/apps?stacks=")) == ["a,b"]
    assert names(client.get("/v3/apps?lifecycle_type=docker")) == ["a,b"]
    assert names(client.get(f"/v3/apps?space_guids={other_space.guid}")) == []
    assert names(client.get(f"/v3/apps?organization_guids={space.organization.guid}")) == ["site", "a,b"]
    assert names(client.get(f"/v3/apps?guids={app.guid}")) == ["site"]
    found = client.get("/v3/apps?include=space,space.organization").json()["included"]
    assert [each["guid"] for each in found["spaces"]] == [space.guid]
    assert [each["name"] for each in found["organizations"]] == ["ministry"]
    single = client.get(f"/v3/apps/{app.guid}?include=space").json()
    assert single["included"]["spaces"][0]["name"] == "production"


def test_labels_select(api, alice, app):
    client = api(alice)
    client.patch(f"/v3/apps/{app.guid}", {"metadata": {"labels": {"env": "live"}}})
    assert names(client.get("/v3/apps?label_selector=env in (live,test)")) == ["site"]
    assert names(client.get("/v3/apps?label_selector=!env")) == []


def test_an_unknown_parameter_is_refused(api, alice, app):
    response = api(alice).get("/v3/apps?colour=red")
    assert response.status_code == 400
    assert "Unknown query parameter(s): 'colour'" in detail(response)[0]


def test_permissions_tell_who_sees_secrets(api, alice, bob, app):
    there = f"/v3/apps/{app.guid}/permissions"
    assert api(alice).get(there).json() == {"read_basic_data": True, "read_sensitive_data": True}
    assert api(bob).get(there).json() == {"read_basic_data": True, "read_sensitive_data": False}


def test_a_shell_is_off_for_now(api, bob, app):
    assert api(bob).get(f"/v3/apps/{app.guid}/ssh_enabled").json() == {"enabled": False, "reason": "Disabled globally"}


def test_platform_roles_see_every_app(api, root, app):
    reader = make_user("reader", platform_role="admin_read_only")
    assert names(api(root).get("/v3/apps")) == ["site"]
    assert names(api(reader).get("/v3/apps")) == ["site"]
    assert api(reader).patch(f"/v3/apps/{app.guid}", {"name": "x"}).status_code == 403


def test_clearing_the_build_cache_starts_the_next_build_empty(api, alice, bob, app, recorded):
    there = f"/v3/apps/{app.guid}/actions/clear_buildpack_cache"
    App.objects.filter(pk=app.pk).update(cache_key="caches/old.tgz")
    response = api(alice).post(there)
    assert response.status_code == 202
    assert "/v3/jobs/" in response.headers["Location"]
    app.refresh_from_db()
    assert app.cache_key not in ("", "caches/old.tgz")
    assert recorded("audit.app.clear-buildpack-cache").target_guid == app.guid
    assert api(alice).post(there).status_code == 202
    assert api(bob).post(there).status_code == 403
