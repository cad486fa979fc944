"""Ids of another organization's things, put wherever an id can be put: nothing of theirs is read, taken or changed."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from apps.actions import app as apps
from apps.actions import deployment as deployments
from apps.actions import process as processes
from apps.models import Build, Destination, Domain, Package, Route, Sidecar, Task
from paas.seams.runtimes.base import LogLine
from tenants import access
from tenants.actions import space_quota


@pytest.fixture
def theirs(charlie, other_space, make_droplet, runtime):
    """An app of the other organization, with all that an app can have; its lines are in its log."""
    app = apps.create(charlie, other_space, name="theirs", environment={"PASSWORD": "swordfish"})
    droplet = make_droplet(app)
    apps.use_droplet(charlie, app, droplet=droplet)
    app = apps.start(charlie, app)
    Package.objects.create(app=app, state="READY", key="packages/theirs.zip", credentials={"password": "swordfish"})
    Build.objects.create(app=app, package=app.packages.get(), state="STAGED", stack="debian12", created_by=charlie)
    Task.objects.create(app=app, droplet=droplet, sequence_id=1, name="t", command="swordfish", memory_mb=1, disk_mb=1)
    Sidecar.objects.create(app=app, name="s", command="swordfish", process_types=["web"])
    runtime.write_log(app.guid, [LogLine(0, "APP/PROC/WEB", "0", "OUT", "swordfish")])
    return app


def of(theirs):
    return {
        "app": theirs.guid,
        "package": theirs.packages.get().guid,
        "droplet": theirs.droplets.get().guid,
        "build": theirs.builds.get().guid,
        "revision": theirs.revisions.get().guid,
        "deployment": theirs.deployments.get().guid,
        "task": theirs.tasks.get().guid,
        "sidecar": theirs.sidecars.get().guid,
        "process": theirs.processes.get(type="worker").guid,
        "space": theirs.space.guid,
        "organization": theirs.space.organization.guid,
    }


READS = [
    "apps/{app}", "apps/{app}/env", "apps/{app}/environment_variables", "apps/{app}/droplets/current", "apps/{app}/tasks",
    "apps/{app}/manifest", "apps/{app}/processes/web/stats", "apps/{app}/sidecars", "apps/{app}/packages",
    "packages/{package}", "packages/{package}/download", "packages/{package}/droplets", "droplets/{droplet}",
    "droplets/{droplet}/download", "builds/{build}", "revisions/{revision}", "revisions/{revision}/environment_variables",
    "deployments/{deployment}", "tasks/{task}", "sidecars/{sidecar}", "processes/{process}", "processes/{process}/sidecars",
    "spaces/{space}", "spaces/{space}/users", "spaces/{space}/usage_summary", "organizations/{organization}",
    "organizations/{organization}/users", "organizations/{organization}/domains", "organizations/{organization}/usage_summary",
]  # fmt: skip
CHANGES = [
    ("post", "apps/{app}/actions/stop"), ("post", "apps/{app}/actions/clear_buildpack_cache"), ("delete", "apps/{app}"),
    ("post", "droplets/{droplet}/upload"), ("delete", "droplets/{droplet}"), ("delete", "packages/{package}"),
    ("post", "packages/{package}/upload"), ("post", "builds/{build}/actions/cancel"), ("patch", "builds/{build}"),
    ("post", "deployments/{deployment}/actions/cancel"), ("put", "tasks/{task}/cancel"), ("patch", "revisions/{revision}"),
    ("post", "processes/{process}/actions/scale"), ("delete", "processes/{process}/instances/0"),
    ("delete", "sidecars/{sidecar}"), ("patch", "spaces/{space}"), ("delete", "spaces/{space}/routes?unmapped=true"),
    ("post", "spaces/{space}/actions/apply_manifest"), ("patch", "organizations/{organization}"),
]  # fmt: skip


def test_nothing_of_theirs_is_found(api, alice, theirs):
    ids, caller = of(theirs), api(alice)
    for path in READS:
        answer = caller.get("/v3/" + path.format(**ids))
        assert answer.status_code == 404 and b"swordfish" not in answer.content, path
    for method, path in CHANGES:
        assert getattr(caller, method)("/v3/" + path.format(**ids)).status_code == 404, path
    assert caller.get(f"/api/v1/read/{theirs.guid}").status_code == 404
    assert caller.get(f"/api/v1/read/{ids['build']}").status_code == 404


def test_no_list_shows_anything_of_theirs(api, alice, app, theirs):
    ids, caller = of(theirs), api(alice)
    lists = (
        "apps",
        "packages",
        "droplets",
        "builds",
        "deployments",
        "tasks",
        "processes",
        "routes",
        "audit_events",
        "roles",
    )
    for name in (*lists, "spaces", "organizations", "users"):
        for asked in ("", f"?guids={','.join(ids.values())}&per_page=5000"):
            shown = caller.get(f"/v3/{name}{asked}").json()["resources"]
            assert not [guid for guid in ids.values() if guid in str(shown)], name


def test_theirs_can_be_put_into_nothing_of_ours(api, alice, app, droplet, theirs, route, domain):
    ids, caller = of(theirs), api(alice)
    mine = {"app": {"data": {"guid": app.guid}}}
    asked = [
        ("patch", f"apps/{app.guid}/relationships/current_droplet", {"data": {"guid": ids["droplet"]}}),
        ("post", "deployments", {"relationships": mine, "droplet": {"guid": ids["droplet"]}}),
        ("post", "deployments", {"relationships": mine, "revision": {"guid": ids["revision"]}}),
        ("post", "deployments", {"relationships": {"app": {"data": {"guid": ids["app"]}}}}),
        ("post", "builds", {"package": {"guid": ids["package"]}}),
        ("post", f"packages?source_guid={ids['package']}", {"relationships": mine}),
        ("post", f"droplets?source_guid={ids['droplet']}", {"relationships": mine}),
        ("post", "packages", {"type": "bits", "relationships": {"app": {"data": {"guid": ids["app"]}}}}),
        ("post", f"apps/{app.guid}/tasks", {"template": {"process": {"guid": ids["process"]}}}),
        ("post", f"apps/{app.guid}/tasks", {"command": "true", "droplet_guid": ids["droplet"]}),
        ("post", f"routes/{route.guid}/destinations", {"destinations": [{"app": {"guid": ids["app"]}}]}),
        ("patch", f"routes/{route.guid}/destinations", {"destinations": [{"app": {"guid": ids["app"]}}]}),
        ("patch", f"routes/{route.guid}/relationships/space", {"data": {"guid": ids["space"]}}),
        ("post", "apps", {"name": "x", "relationships": {"space": {"data": {"guid": ids["space"]}}}}),
        ("post", "routes", {"host": "x", "relationships": {"space": {"data": {"guid": ids["space"]}},
                                                           "domain": {"data": {"guid": domain.guid}}}}),
    ]  # fmt: skip
    for method, path, body in asked:
        answer = getattr(caller, method)(f"/v3/{path}", body)
        assert answer.status_code == 422 and b"swordfish" not in answer.content, (path, answer.content)
    app.refresh_from_db()
    assert app.droplet == droplet and not Destination.objects.filter(route=route).exists()
    assert app.packages.count() == 0 and app.deployments.count() == 0 and app.tasks.count() == 0


def test_another_app_of_ones_own_is_another_app_too(api, alice, space, app, droplet, make_droplet):
    other = apps.create(alice, space, name="other")
    theirs = make_droplet(other)
    apps.use_droplet(alice, other, droplet=theirs)
    revision = deployments.snapshot(other, theirs)
    mine = {"relationships": {"app": {"data": {"guid": app.guid}}}}
    body = {"data": {"guid": theirs.guid}}
    assert api(alice).patch(f"/v3/apps/{app.guid}/relationships/current_droplet", body).status_code == 422
    assert api(alice).post("/v3/deployments", {**mine, "droplet": {"guid": theirs.guid}}).status_code == 422
    assert api(alice).post("/v3/deployments", {**mine, "revision": {"guid": revision.guid}}).status_code == 422


def test_a_manager_reaches_into_no_other_organization(api, dora, charlie, root, org, space, other_space, domain):
    access.give(charlie, "organization_manager", other_space.organization, by=root)
    caller, other = api(dora), other_space.organization
    quota = space_quota.create(charlie, other, name="theirs")
    private = Domain.objects.create(name="theirs.example", organization=other, region=domain.region)
    role = access.role_rows(other).first()
    in_org = {"organization": {"data": {"guid": other.guid}}}
    asked = [
        ("get", f"domains/{private.guid}", None, 404),
        ("delete", f"domains/{private.guid}", None, 404),
        ("get", f"domains/{private.guid}/route_reservations", None, 404),
        ("delete", f"roles/{role.guid}", None, 404),
        ("patch", f"space_quotas/{quota.guid}", {"name": "x"}, 404),
        ("post", f"space_quotas/{quota.guid}/relationships/spaces", {"data": [{"guid": space.guid}]}, 404),
        ("post", "spaces", {"name": "x", "relationships": in_org}, 422),
        ("post", "domains", {"name": "x.example", "relationships": in_org}, 422),
        ("post", "space_quotas", {"name": "x", "relationships": in_org}, 422),
        ("post", "roles", {"type": "organization_manager",
                           "relationships": {"user": {"data": {"guid": dora.guid}}, **in_org}}, 422),
        ("post", "roles", {"type": "space_developer", "relationships": {
            "user": {"data": {"guid": dora.guid}}, "space": {"data": {"guid": other_space.guid}}}}, 422),
        ("post", "domains", {"name": "mine.example", "relationships": {
            "organization": {"data": {"guid": org.guid}}, "shared_organizations": {"data": [{"guid": other.guid}]}}}, 422),
        ("patch", f"organizations/{org.guid}", {"suspended": True}, 403),
        ("patch", f"organizations/{org.guid}", {"quota": quota.guid}, 422),
    ]  # fmt: skip
    for method, path, body, status in asked:
        answer = getattr(caller, method)(f"/v3/{path}", body)
        assert answer.status_code == status, (path, answer.content)
    mine = space_quota.create(dora, org, name="mine")
    answer = caller.post(f"/v3/space_quotas/{mine.guid}/relationships/spaces", {"data": [{"guid": other_space.guid}]})
    assert answer.status_code == 422
    other_space.refresh_from_db()
    assert other_space.quota is None and not Domain.objects.filter(organization=org).exists()


def test_the_record_of_another_organization_is_not_shown(api, dora, charlie, theirs, app):
    AuditEvent.objects.create(
        type="audit.user.sign-in", actor_guid=charlie.guid, actor_type="user", actor_name="c", target_guid=charlie.guid,
        target_type="user", target_name="c",
    )  # fmt: skip
    told = api(dora).get("/v3/audit_events?per_page=5000").json()["resources"]
    assert told and {event["organization"]["guid"] for event in told} == {app.space.organization.guid}
    asked = api(dora).get(f"/v3/audit_events?target_guids={theirs.guid},{charlie.guid}").json()
    assert asked["pagination"]["total_results"] == 0


@pytest.mark.parametrize(
    "page", ["", "/logs", "/logs/lines", "/logs/text", "/environment", "/events", "/settings", "/builds"]
)
def test_no_page_of_the_console_shows_theirs(browser, alice, theirs, page):
    answer = browser(alice).get(f"/apps/{theirs.guid}{page}")
    assert answer.status_code == 404 and b"swordfish" not in answer.content


def test_their_builds_have_no_page_and_no_lines(browser, alice, theirs):
    build = theirs.builds.get()
    for path in (
        f"/builds/{build.guid}",
        f"/builds/{build.guid}/lines",
        f"/routes/{theirs.guid}",
        f"/spaces/{theirs.space.guid}",
    ):
        assert browser(alice).get(path).status_code == 404
    assert browser(alice).post(f"/builds/{build.guid}/cancel").status_code == 404
    assert browser(alice).post(f"/apps/{theirs.guid}/environment/show").status_code == 404


def test_a_suspended_organization_changes_nothing_and_can_still_be_read(api, alice, app, droplet, space):
    space.organization.suspended = True
    space.organization.save()
    caller = api(alice)
    assert caller.get(f"/v3/apps/{app.guid}").status_code == 200
    asked = [
        ("post", f"apps/{app.guid}/actions/start", {}),
        ("patch", f"apps/{app.guid}", {"name": "x"}),
        ("patch", f"apps/{app.guid}/environment_variables", {"var": {"A": "1"}}),
        ("post", f"processes/{app.guid}/actions/scale", {"instances": 2}),
        ("post", f"apps/{app.guid}/tasks", {"command": "true"}),
        ("post", "apps", {"name": "x", "relationships": {"space": {"data": {"guid": space.guid}}}}),
        ("post", "packages", {"type": "bits", "relationships": {"app": {"data": {"guid": app.guid}}}}),
        ("post", "deployments", {"relationships": {"app": {"data": {"guid": app.guid}}}}),
        ("delete", f"apps/{app.guid}", None),
    ]
    for method, path, body in asked:
        answer = getattr(caller, method)(f"/v3/{path}", body)
        assert (answer.status_code, answer.json()["errors"][0]["title"]) == (403, "CF-OrgSuspended"), path


def test_numbers_have_their_ends(api, alice, app, droplet, converge):
    caller = api(alice)
    for name in ("instances", "memory_in_mb", "disk_in_mb", "log_rate_limit_in_bytes_per_second"):
        for value in (-2, 2**63, -(2**63), 10**400, "1e9", 1.5, [], {}, ""):
            body = {name: value}
            assert caller.post(f"/v3/processes/{app.guid}/actions/scale", body).status_code == 422, (name, value)
    web = app.processes.get(type="web")
    processes.scale(alice, web, log_rate=10**12, instances=1)
    assert caller.post(f"/v3/apps/{app.guid}/actions/start").status_code == 200


def test_a_route_of_theirs_is_told_apart_by_nobody(api, alice, other_space, space, domain):
    Route.objects.create(space=other_space, domain=domain, host="theirs", path="/a")
    for path in ("", "/a", "/b"):
        body = {"host": "THEIRS", "path": path, "relationships": {"space": {"data": {"guid": space.guid}},
                                                                  "domain": {"data": {"guid": domain.guid}}}}  # fmt: skip
        answer = api(alice).post("/v3/routes", body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["detail"] == f"The route theirs.apps.example{path} is already in use."
