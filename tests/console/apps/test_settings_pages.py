"""Settings, revisions and events of an app."""

from __future__ import annotations

from typing import Any

import pytest

from apps.actions import app as apps
from apps.actions import destination, route
from apps.models import App, Buildpack, Deployment, Domain, Process, Revision, Route
from tests.console.counting import queries

pytestmark = pytest.mark.django_db

RUN = {"command": "", "health_type": "port", "health_endpoint": "", "health_timeout": ""}


def post(client: Any, app: App, part: str, **data: Any) -> Any:
    return client.post(f"/apps/{app.guid}/{part}", data)


def test_rename(browser: Any, alice: Any, app: App, recorded: Any) -> None:
    assert post(browser(alice), app, "rename", name="other").status_code == 302
    assert App.objects.get().name == "other"
    assert recorded("audit.app.update").data["changes"]["name"][0] == "site"


def test_a_name_that_is_taken_is_refused_in_the_form(browser: Any, alice: Any, app: App, space: Any) -> None:
    apps.create(alice, space, name="other")
    answer = post(browser(alice), app, "rename", name="OTHER")
    assert "already exists" in answer.content.decode()
    assert 'value="OTHER"' in answer.content.decode()


def test_scale(browser: Any, alice: Any, running: App, recorded: Any) -> None:
    answer = browser(alice).post(
        f"/apps/{running.guid}/processes/web/scale", {"instances": 3, "memory_mb": 128, "disk_mb": 256}, follow=True
    )
    assert "keep their size until" in answer.content.decode()
    web = Process.objects.get(app=running, type="web")
    assert (web.instances, web.memory_mb, web.disk_mb) == (3, 128, 256)
    assert recorded("audit.app.process.scale").actor_guid == alice.guid


def test_beyond_the_quota_is_refused_in_the_form(browser: Any, alice: Any, running: App, quota: Any) -> None:
    quota.total_instances = 1
    quota.save()
    answer = post(browser(alice), running, "processes/web/scale", instances=2, memory_mb=64, disk_mb=64)
    assert "quota" in answer.content.decode()
    assert Process.objects.get(app=running, type="web").instances == 1


def test_start_command_and_health_check(browser: Any, alice: Any, app: App) -> None:
    sent = RUN | {"command": " ./go ", "health_type": "http", "health_endpoint": "/up", "health_timeout": "90"}
    assert post(browser(alice), app, "processes/web/run", **sent).status_code == 302
    web = Process.objects.get(app=app)
    assert (web.command, web.health_type, web.health_endpoint, web.health_timeout) == ("./go", "http", "/up", 90)
    assert post(browser(alice), app, "processes/web/run", **RUN).status_code == 302
    web.refresh_from_db()
    assert (web.command, web.health_type, web.health_endpoint, web.health_timeout) == (None, "port", "", None)


def test_a_path_that_is_none_is_refused(browser: Any, alice: Any, app: App) -> None:
    answer = post(browser(alice), app, "processes/web/run", **RUN | {"health_type": "http", "health_endpoint": "up"})
    assert "Enter a path that begins with /" in answer.content.decode()
    assert post(browser(alice), app, "processes/none/run", **RUN).status_code == 404


def test_buildpacks(browser: Any, alice: Any, app: App) -> None:
    Buildpack.objects.create(name="python_buildpack", builtin="python", state="READY")
    answer = post(browser(alice), app, "buildpacks", buildpacks="python_buildpack\r\n\r\nhttps://example.org/own.git")
    assert answer.status_code == 302
    assert App.objects.get().buildpacks == ["python_buildpack", "https://example.org/own.git"]
    assert "unknown buildpack" in post(browser(alice), app, "buildpacks", buildpacks="nothing").content.decode()


def test_delete_says_what_goes_and_asks_for_the_name(browser: Any, alice: Any, running: App, space: Any) -> None:
    made = route.create(alice, space, domain=Domain.objects.create(name="apps.example"), host="site")
    destination.add(alice, made, ends=[destination.End(running)])
    client = browser(alice)
    text = client.get(f"/apps/{running.guid}/delete").content.decode()
    assert made.url in text
    assert "1 droplet" in text
    assert "Type the name exactly" in post(client, running, "delete", name="sit").content.decode()
    assert App.objects.exists()
    assert post(client, running, "delete", name="site")["Location"] == f"/spaces/{space.guid}"
    assert not App.objects.exists()
    assert Route.objects.exists()


def test_delete_takes_only_its_own_routes_along(browser: Any, alice: Any, running: App, space: Any) -> None:
    domain = Domain.objects.create(name="apps.example")
    other = apps.create(alice, space, name="other")
    own = route.create(alice, space, domain=domain, host="own")
    shared = route.create(alice, space, domain=domain, host="shared")
    destination.add(alice, own, ends=[destination.End(running)])
    destination.add(alice, shared, ends=[destination.End(running), destination.End(other)])
    post(browser(alice), running, "delete", name="site", routes="on")
    assert list(Route.objects.all()) == [shared]


def test_an_auditor_reads_the_settings(browser: Any, bob: Any, running: App) -> None:
    text = browser(bob).get(f"/apps/{running.guid}/settings").content.decode()
    assert "1 instance, each with 1 GB of memory" in text
    assert '<form method="post" action="/apps' not in text
    assert browser(bob).get(f"/apps/{running.guid}/delete").status_code == 403


def test_a_supporter_scales_and_does_no_more(browser: Any, make_supporter: Any, running: App) -> None:
    client = browser(make_supporter())
    text = client.get(f"/apps/{running.guid}/settings").content.decode()
    assert f"/apps/{running.guid}/processes/web/scale" in text
    assert f"/apps/{running.guid}/rename" not in text
    assert post(client, running, "processes/web/scale", instances=2, memory_mb=64, disk_mb=64).status_code == 302
    assert post(client, running, "rename", name="x").status_code == 403


@pytest.fixture
def make_supporter(space: Any, root: Any) -> Any:
    from tenants import access
    from tests.conftest import make_user

    def make() -> Any:
        user = make_user("sue")
        access.give(user, "organization_user", space.organization, by=root)
        access.give(user, "space_supporter", space, by=root)
        return user

    return make


def test_revisions_are_listed_and_rolled_back_to(browser: Any, alice: Any, running: App, converge: Any) -> None:
    client = browser(alice)
    apps.set_environment(alice, running, variables={"MODE": "new"})
    converge(apps.restart(alice, running))
    text = client.get(f"/apps/{running.guid}/revisions").content.decode()
    assert f"/apps/{running.guid}/revisions/1/deploy" in text
    assert f"/apps/{running.guid}/revisions/2/deploy" not in text
    assert "come back" in client.get(f"/apps/{running.guid}/revisions/1/deploy").content.decode()
    assert Deployment.objects.count() == 2
    assert post(client, running, "revisions/1/deploy")["Location"] == f"/apps/{running.guid}"
    assert Revision.objects.latest("version").description == "Rolled back to revision 1."
    assert App.objects.get().environment == {}


def test_rolling_back_is_for_who_may_push(browser: Any, bob: Any, charlie: Any, running: App) -> None:
    assert "Roll back" not in browser(bob).get(f"/apps/{running.guid}/revisions").content.decode()
    for method in ("get", "post"):
        assert getattr(browser(bob), method)(f"/apps/{running.guid}/revisions/1/deploy").status_code == 403
        assert getattr(browser(charlie), method)(f"/apps/{running.guid}/revisions/1/deploy").status_code == 404


def test_a_revision_that_is_none_is_not_found(browser: Any, alice: Any, running: App) -> None:
    assert browser(alice).get(f"/apps/{running.guid}/revisions/9/deploy").status_code == 404


def test_many_revisions_cost_as_many_queries_as_few(browser: Any, alice: Any, running: App) -> None:
    client, address = browser(alice), f"/apps/{running.guid}/revisions"
    few = queries(client, address)
    Revision.objects.bulk_create(
        Revision(app=running, version=number, droplet=running.droplet) for number in range(2, 20)
    )
    assert queries(client, address) == few


def test_events_are_told_in_words(browser: Any, alice: Any, bob: Any, charlie: Any, running: App) -> None:
    text = browser(bob).get(f"/apps/{running.guid}/events").content.decode()
    assert alice.username in text
    assert "started the app" in text
    assert browser(charlie).get(f"/apps/{running.guid}/events").status_code == 404
