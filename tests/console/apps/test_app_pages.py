"""The overview of an app and its buttons."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts import audit
from accounts.models import User
from apps.actions import app as apps
from apps.actions import push
from apps.models import App, Build, Deployment, Instance
from tests.console.counting import queries

pytestmark = pytest.mark.django_db

BUTTONS = ("start", "stop", "restart", "restage")


def page(client: Any, app: App, *, part: str = "") -> str:
    answer = client.get(f"/apps/{app.guid}{part}")
    assert answer.status_code == 200
    return answer.content.decode()


def post(client: Any, app: App, part: str, **data: Any) -> Any:
    return client.post(f"/apps/{app.guid}/{part}", data)


def test_it_shows_state_instances_and_what_they_use(browser: Any, bob: Any, running: App) -> None:
    text = page(browser(bob), running)
    assert "Running 1/1" in text
    assert "1.0 MB" in text
    assert "of 1 GB" in text
    assert "Revision 1" in text


def test_figures_are_unknown_rather_than_guessed(browser: Any, alice: Any, running: App, runtime: Any) -> None:
    runtime.instances.clear()
    text = page(browser(alice), running)
    assert "unknown <span" in text
    assert "last seen running" in text


def test_a_fresh_look_is_believed_without_figures(browser: Any, alice: Any, running: App, runtime: Any) -> None:
    runtime.instances.clear()
    region = running.space.region
    region.watched_at = timezone.now()
    region.save()
    assert "last seen running" not in page(browser(alice), running)


def test_only_who_may_press_a_button_sees_it(browser: Any, alice: Any, bob: Any, dora: Any, running: App) -> None:
    assert f'action="/apps/{running.guid}/stop"' in page(browser(alice), running)
    for person in (bob, dora):
        text = page(browser(person), running)
        assert '<form method="post" action="/apps/' not in text
        assert "Push a new version" not in text


def test_a_stranger_finds_no_app(browser: Any, charlie: Any, running: App) -> None:
    for part in ("", "/builds", "/logs", "/logs/text", "/events", "/routes", "/environment", "/revisions", "/settings",
                 "/push", "/delete", "/instances", "/logs/lines"):  # fmt: skip
        assert browser(charlie).get(f"/apps/{running.guid}{part}").status_code == 404, part
    for button in BUTTONS:
        assert post(browser(charlie), running, button).status_code == 404


def test_an_auditor_is_refused_every_button(browser: Any, bob: Any, running: App) -> None:
    for button in (*BUTTONS, "instances/web/0/restart", "rename", "environment/set", "environment/show",
                   "environment/remove", "processes/web/scale", "processes/web/run", "buildpacks", "delete", "push",
                   "routes/new"):  # fmt: skip
        answer = post(
            browser(bob), running, button, name="x", instances=2, memory_mb=64, disk_mb=64, health_type="port"
        )
        assert answer.status_code == 403, button
    running.refresh_from_db()
    assert running.state == App.State.STARTED


def test_stop_and_start(browser: Any, alice: Any, running: App, recorded: Any) -> None:
    client = browser(alice)
    assert post(client, running, "stop").status_code == 302
    assert App.objects.get().state == App.State.STOPPED
    assert recorded("audit.app.stop").actor_guid == alice.guid
    assert post(client, running, "stop").status_code == 302
    assert post(client, running, "start").status_code == 302
    assert App.objects.get().state == App.State.STARTED


def test_a_button_wants_to_be_pressed(browser: Any, alice: Any, running: App) -> None:
    for button in BUTTONS:
        assert browser(alice).get(f"/apps/{running.guid}/{button}").status_code == 405


def test_restart_makes_a_deployment(browser: Any, alice: Any, running: App) -> None:
    assert post(browser(alice), running, "restart").status_code == 302
    assert Deployment.objects.filter(app=running).count() == 2


def test_one_instance_is_restarted(browser: Any, alice: Any, running: App) -> None:
    assert post(browser(alice), running, "instances/web/0/restart").status_code == 302
    assert Instance.objects.get(app=running).state == "stopping"
    assert post(browser(alice), running, "instances/none/0/restart").status_code == 404


def test_what_an_action_refuses_is_told_on_the_page(browser: Any, alice: Any, app: App) -> None:
    answer = browser(alice).post(f"/apps/{app.guid}/start", follow=True)
    assert "Assign a droplet before starting" in answer.content.decode()


def test_restage_builds_the_newest_package_again(browser: Any, alice: Any, running: App) -> None:
    push.create_package(alice, running, source_url="https://example.org/app.git")
    answer = post(browser(alice), running, "restage")
    build = Build.objects.get()
    assert answer["Location"] == f"/builds/{build.guid}"
    assert build.deploys


def test_restage_without_source_says_so(browser: Any, alice: Any, running: App) -> None:
    answer = browser(alice).post(f"/apps/{running.guid}/restage", follow=True)
    assert "no source to build" in answer.content.decode()


def test_a_version_that_was_given_up_says_why_and_what_serves(
    browser: Any, alice: Any, running: App, runtime: Any, converge: Any
) -> None:
    runtime.fail(running.guid)
    apps.restart(alice, running)
    deployment = Deployment.objects.latest("id")
    converge(running)
    Deployment.objects.filter(pk=deployment.pk).update(
        error="It did not listen on $PORT.", failed_at=timezone.now(), value="FINALIZED", reason="CANCELED"
    )
    text = page(browser(alice), running)
    assert "was given up" in text
    assert "It did not listen on $PORT." in text
    assert "goes on serving" in text


def test_the_last_crash_shows_its_reason_and_lines(browser: Any, bob: Any, running: App, system: User) -> None:
    audit.record(
        system, "app.crash", running, index=0, reason="CRASHED", exit_status=137, exit_description="out of memory",
        process_type="web", last_lines=["<b>no more</b>"],
    )  # fmt: skip
    text = page(browser(bob), running)
    assert "out of memory" in text
    assert "&lt;b&gt;no more" in text


def test_changed_variables_are_said_to_wait(browser: Any, alice: Any, running: App) -> None:
    assert "not in force yet" not in page(browser(alice), running)
    apps.set_environment(alice, running, variables={"A": "1"})
    assert "not in force yet" in page(browser(alice), running)


def test_the_part_that_changes_comes_alone(browser: Any, bob: Any, running: App) -> None:
    text = page(browser(bob), running, part="/instances")
    assert "Running 1/1" in text
    assert "<html" not in text
    assert browser().get(f"/apps/{running.guid}/instances").status_code == 401


def test_more_instances_cost_no_more_queries(browser: Any, alice: Any, running: App, converge: Any) -> None:
    client, address = browser(alice), f"/apps/{running.guid}"
    few = queries(client, address)
    running.processes.filter(type="web").update(instances=20)
    running.wish()
    converge(running)
    assert queries(client, address) == few


def test_the_live_part_has_the_page_fetched_anew_when_a_deployment_ends(
    browser: Any, alice: Any, running: App, runtime: Any
) -> None:
    def asked(stage: str) -> Any:
        return browser(alice).get(f"/apps/{running.guid}/instances?stage={stage}")

    stage = page(browser(alice), running).partition("/instances?stage=")[2].partition('"')[0]
    assert "HX-Refresh" not in asked(stage)
    apps.restart(alice, running)
    assert asked(stage)["HX-Refresh"] == "true"


def test_a_build_that_could_not_be_put_live_is_pointed_at(browser: Any, alice: Any, app: App) -> None:
    Build.objects.create(app=app, state="STAGED", error="The app has no start command.", ended_at=timezone.now())
    assert "was not put live" in page(browser(alice), app)
