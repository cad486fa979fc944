"""Reading an app back as a manifest."""

from __future__ import annotations

import yaml

from accounts.models import AuditEvent
from apps.actions import app as apps
from apps.actions import destination as destinations
from apps.models import App, Domain, Process, Route, Sidecar, Stack
from tests.apps.test_manifest_apply import FULL, applied


def shown(client, app):
    answer = client.get(f"/v3/apps/{app.guid}/manifest", HTTP_ACCEPT="application/x-yaml")
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "application/x-yaml"
    (found,) = yaml.safe_load(answer.content)["applications"]
    return found


def test_a_new_app_has_a_short_manifest(api, alice, app):
    assert shown(api(alice), app) == {
        "name": "site",
        "lifecycle": "buildpack",
        "stack": "debian12",
        "features": {"revisions": True},
        "processes": [
            {
                "type": "web",
                "instances": 1,
                "memory": "1024M",
                "disk_quota": "1024M",
                "log-rate-limit-per-second": -1,
                "health-check-type": "port",
                "readiness-health-check-type": "process",
            }
        ],
    }


def test_variables_routes_and_sidecars_are_in_it(api, alice, app, route, settings):
    settings.PAAS_PORT_SUFFIX = ":8080"
    apps.set_environment(alice, app, variables={"KEY": "value"})
    destinations.add(alice, route, ends=[destinations.End(app)])
    Sidecar.objects.create(app=app, name="agent", command="./agent", process_types=["web"], memory_mb=64)
    Process.objects.filter(app=app).update(log_rate=16384, command="run", health_timeout=90)
    found = shown(api(alice), app)
    assert found["env"] == {"KEY": "value"}
    assert found["routes"] == [{"route": "site.apps.example", "protocol": "http1"}]
    assert found["sidecars"] == [{"name": "agent", "process_types": ["web"], "command": "./agent", "memory": "64M"}]
    (web,) = found["processes"]
    assert (web["log-rate-limit-per-second"], web["command"], web["timeout"]) == ("16K", "run", 90)


def test_what_is_read_back_changes_nothing_when_it_is_applied(api, alice, space, domain, db):
    Stack.objects.create(name="debian12")
    applied(api(alice), space, FULL.replace("buildpacks: [python_buildpack]", "buildpacks: []"))
    app = App.objects.get(name="site")
    before = shown(api(alice), app)
    applied(api(alice), space, yaml.safe_dump({"applications": [before]}))
    app.refresh_from_db()
    assert shown(api(alice), app) == before
    assert Route.objects.count() == 2 and Domain.objects.count() == 1


def test_who_may_not_see_secrets_may_not(api, bob, app):
    assert api(bob).get(f"/v3/apps/{app.guid}/manifest").status_code == 403


def test_a_stranger_finds_no_app(api, charlie, app):
    answer = api(charlie).get(f"/v3/apps/{app.guid}/manifest")
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (404, "App not found")


def test_the_reading_is_recorded(api, alice, app):
    shown(api(alice), app)
    assert AuditEvent.objects.get(type="audit.app.environment_variables.show").target_guid == app.guid
