"""What must be seen by nobody who may not see secrets: in answers, in the record, in pages."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from apps.actions import app as apps
from apps.actions import push
from apps.actions import sidecar as sidecars
from paas.lib.text import public

ADDRESS = "https://deployer:swordfish@git.example/team/buildpack.git#main"
SHOWN = "https://***:***@git.example/team/buildpack.git#main"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (ADDRESS, SHOWN),
        ("https://token@git.example/x", "https://***:***@git.example/x"),
        ("https://a:b@c@git.example/x", "https://***:***@git.example/x"),
        ("https://git.example/x@y", "https://git.example/x@y"),
        ("git@git.example:team/x", "git@git.example:team/x"),
        ("https://[", "https://["),
        ("python", "python"),
    ],
)
def test_an_address_loses_its_password(address, shown):
    assert public(address) == shown


def test_a_buildpacks_password_is_shown_to_nobody(api, browser, alice, bob, app):
    created = apps.create(alice, app.space, name="other", buildpacks=[ADDRESS])
    apps.update(alice, app, buildpacks=[ADDRESS])
    apps.update(alice, app, buildpacks=[])
    apps.update(alice, app, buildpacks=[ADDRESS])
    package = push.create_package(alice, created, source_url="https://git.example/app.git")
    build = push.stage(alice, package)
    for path in (f"apps/{app.guid}", "apps", f"builds/{build.guid}", "builds", "audit_events?per_page=5000"):
        answer = api(bob).get(f"/v3/{path}")
        assert answer.status_code == 200 and b"swordfish" not in answer.content, path
    assert api(bob).get(f"/v3/apps/{app.guid}").json()["lifecycle"]["data"]["buildpacks"] == [SHOWN]
    for page in (
        f"/apps/{app.guid}",
        f"/apps/{app.guid}/events",
        f"/apps/{app.guid}/settings",
        f"/builds/{build.guid}",
    ):
        assert b"swordfish" not in browser(bob).get(page).content, page
    app.refresh_from_db()
    assert app.buildpacks == [ADDRESS] and build.buildpacks == [ADDRESS]  # what builds use


def test_commands_of_sidecars_are_secrets_like_all_commands(api, alice, bob, app, droplet, converge):
    sidecar = sidecars.create(alice, app, name="proxy", command="proxy swordfish", process_types=["web"])
    app = converge(apps.start(alice, app))
    revision = app.revisions.get()
    paths = (
        f"sidecars/{sidecar.guid}", f"apps/{app.guid}/sidecars", f"processes/{app.guid}/sidecars",
        f"apps/{app.guid}/processes/web/sidecars", f"revisions/{revision.guid}",
    )  # fmt: skip
    for path in paths:
        assert b"swordfish" in api(alice).get(f"/v3/{path}").content, path
        assert b"swordfish" not in api(bob).get(f"/v3/{path}").content, path
    for path in (f"apps/{app.guid}/revisions", f"apps/{app.guid}/revisions/deployed"):
        assert b"swordfish" not in api(alice).get(f"/v3/{path}").content, path


def test_nothing_that_is_secret_is_in_the_record(api, alice, app, droplet, converge):
    caller, secret = api(alice), {"password": "swordfish"}
    caller.patch(f"/v3/apps/{app.guid}/environment_variables", {"var": {"PASSWORD": "swordfish"}})
    caller.patch(f"/v3/processes/{app.guid}", {"command": "serve --password swordfish"})
    caller.patch(f"/v3/processes/{app.guid}", {"command": "serve --password swordfish2"})
    caller.post(f"/v3/apps/{app.guid}/tasks", {"command": "echo swordfish"})
    caller.post("/v3/access_tokens", {"name": "script"})
    manifest = "applications: [{name: site, env: {OTHER: swordfish}, command: serve swordfish, sidecars: " \
               "[{name: s, command: swordfish, process_types: [web]}]}]"  # fmt: skip
    url = f"/v3/spaces/{app.space.guid}/actions/apply_manifest"
    assert caller.post(url, manifest, content_type="application/x-yaml").status_code == 202
    caller.post(f"/v3/apps/{app.guid}/actions/restart")
    caller.put(
        f"/uaa/Users/{alice.guid}/password", {"password": "swordfish swordfish", "oldPassword": secret["password"]}
    )
    assert AuditEvent.objects.count() > 8
    assert not [event.type for event in AuditEvent.objects.all() if "swordfish" in str(event.data)]


def test_pages_and_answers_are_kept_by_nobody(api, browser, alice, app):
    for path in (f"/apps/{app.guid}/environment", "/account", "/uaa/passcode", "/"):
        assert "no-store" in browser(alice).get(path).headers["Cache-Control"], path
    assert "no-store" in api(alice).get(f"/v3/apps/{app.guid}/env").headers["Cache-Control"]
    shown = browser(alice).post(f"/apps/{app.guid}/environment/show")
    assert "no-store" in shown.headers["Cache-Control"]


HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>{{7*7}}'


def test_names_of_all_kinds_are_only_text_on_a_page(browser, alice, dora, app, droplet, converge, runtime):
    apps.update(alice, app, name=HOSTILE)
    apps.set_environment(alice, app, variables={HOSTILE.replace("=", ""): HOSTILE})
    droplet.buildpacks = [{"name": HOSTILE, "version": HOSTILE, "detect_output": "", "buildpack_name": ""}]
    droplet.process_types = {"web": HOSTILE}
    droplet.save()
    package = push.create_package(alice, app, source_url="https://git.example/%22%3E<script>alert(1)</script>")
    build = push.stage(alice, package)
    build.error, build.state, build.error_title = (
        f"{HOSTILE} - {HOSTILE}\nThe last lines:\n{HOSTILE}",
        "FAILED",
        HOSTILE[:64],
    )
    build.save()
    converge(apps.start(alice, apps.App.objects.get(pk=app.pk)))
    pages = [f"/apps/{app.guid}{page}" for page in ("", "/builds", "/logs", "/events", "/environment", "/revisions",
             "/settings", "/routes", "/delete", "/push/cf")]  # fmt: skip
    pages += [
        f"/builds/{build.guid}",
        f"/spaces/{app.space.guid}",
        f"/search?q={HOSTILE}",
        f"/orgs/{app.space.organization.guid}",
    ]
    for page in pages:
        answer = browser(alice).get(page)
        assert answer.status_code == 200 and b"<script>alert" not in answer.content, page
        assert b"<img src=x" not in answer.content and b'">\\u003cimg' not in answer.content, page
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
