"""The list of builds, and the page on which one is watched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps import outside
from apps.actions import push
from apps.models import App, Build, BuildStep, Deployment
from paas.seams.runtimes.base import LogLine
from tests.console.counting import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def build(alice: Any, app: App, runtime: Any) -> Build:
    package = push.create_package(alice, app, source_url="https://example.org/app.git")
    return push.stage(alice, package)


def say(build: Build, *texts: str, stream: Any = "OUT") -> None:
    outside.runtime().write_log(build.guid, [LogLine(0, "STG", "0", stream, text) for text in texts])


def failed(build: Build, error: str, title: str) -> None:
    Build.objects.filter(pk=build.pk).update(
        state="FAILED", error=error, error_title=title, ended_at=timezone.now(), due_at=None
    )


def page(client: Any, build: Build) -> str:
    answer = client.get(f"/builds/{build.guid}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_waiting_build_shows_its_place_in_the_queue(browser: Any, bob: Any, build: Build) -> None:
    text = page(browser(bob), build)
    assert "it is next" in text
    assert '<noscript><meta http-equiv="refresh"' in text


def test_steps_and_lines_are_there_escaped_and_coloured(browser: Any, alice: Any, build: Build) -> None:
    Build.objects.filter(pk=build.pk).update(started_at=timezone.now())
    now = timezone.now()
    BuildStep.objects.create(
        build=build, name="detect", title="Detect", started_at=now, ended_at=now + timedelta(seconds=2)
    )
    BuildStep.objects.create(build=build, name="supply", title="Supply", started_at=now)
    say(build, "\x1b[1;32mfine\x1b[0m <script>alert(1)</script>")
    text = page(browser(alice), build)
    assert "2.0 s" in text
    assert "app-step--now" in text
    assert '<span class="ansi-32 ansi-b">fine</span>' in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert(1)" not in text


def test_lines_resume_from_the_cursor(browser: Any, alice: Any, build: Build) -> None:
    client = browser(alice)
    say(build, "one", "two")
    first = client.get(f"/builds/{build.guid}/lines?cursor=0").json()
    assert "one" in first["lines"]
    assert "two" in first["lines"]
    assert first["stage"] == "building"
    say(build, "three")
    second = client.get(f"/builds/{build.guid}/lines?cursor={first['cursor']}").json()
    assert "two" not in second["lines"]
    assert "three" in second["lines"]
    again = client.get(f"/builds/{build.guid}/lines?cursor={second['cursor']}").json()
    assert not again["lines"].strip()
    assert again["cursor"] == second["cursor"]


def test_a_cursor_that_is_none_begins_at_the_start(browser: Any, alice: Any, build: Build) -> None:
    say(build, "one")
    for cursor in ("", "x", "-1", "9" * 30):
        assert "one" in browser(alice).get(f"/builds/{build.guid}/lines?cursor={cursor}").json()["lines"]


def test_the_script_hears_when_it_is_over(browser: Any, alice: Any, build: Build) -> None:
    failed(build, "StagingError - No.", "StagingError")
    assert browser(alice).get(f"/builds/{build.guid}/lines").json()["stage"] == "over"


def test_a_failure_says_what_happened_and_the_lines_that_matter(browser: Any, bob: Any, build: Build) -> None:
    failed(
        build,
        "NoAppDetectedError - Nothing was <found>. Add a Procfile.\nThe last lines:\nE: gone",
        "NoAppDetectedError",
    )
    text = page(browser(bob), build)
    assert "No buildpack recognised the app" in text
    assert "Nothing was &lt;found&gt;. Add a Procfile." in text
    assert "E: gone" in text
    assert "http-equiv" not in text
    assert "NoAppDetectedError -" not in text


def test_a_success_leads_to_the_app(browser: Any, bob: Any, build: Build, make_droplet: Any) -> None:
    droplet = make_droplet(build.app, size=3 << 20)
    Build.objects.filter(pk=build.pk).update(state="STAGED", droplet=droplet, ended_at=timezone.now(), due_at=None)
    text = page(browser(bob), build)
    assert "Built: 3.0 MB" in text
    assert f'href="/apps/{build.app.guid}">Go to' in text


def test_cancel(browser: Any, alice: Any, build: Build, recorded: Any) -> None:
    client = browser(alice)
    assert client.post(f"/builds/{build.guid}/cancel")["Location"] == f"/builds/{build.guid}"
    assert Build.objects.get().state == "FAILED"
    assert recorded("audit.app.build.cancel").actor_guid == alice.guid
    assert client.post(f"/builds/{build.guid}/cancel").status_code == 302
    assert "The build was cancelled" in page(client, build)


def test_an_auditor_may_watch_and_not_cancel(browser: Any, bob: Any, build: Build) -> None:
    assert f"/builds/{build.guid}/cancel" not in page(browser(bob), build)
    assert browser(bob).post(f"/builds/{build.guid}/cancel").status_code == 403
    assert Build.objects.get().state == "STAGING"


def test_a_stranger_finds_no_build(browser: Any, charlie: Any, build: Build) -> None:
    for part in ("", "/lines"):
        assert browser(charlie).get(f"/builds/{build.guid}{part}").status_code == 404
    assert browser(charlie).post(f"/builds/{build.guid}/cancel").status_code == 404
    assert browser().get(f"/builds/{build.guid}/lines").status_code == 401


def test_the_list_shows_every_build(browser: Any, bob: Any, build: Build) -> None:
    failed(build, "StagingError - No.", "StagingError")
    text = browser(bob).get(f"/apps/{build.app.guid}/builds").content.decode()
    assert f"/builds/{build.guid}" in text
    assert "Failed" in text
    assert "https://example.org/app.git" in text


def test_the_list_costs_the_same_for_many(browser: Any, alice: Any, build: Build) -> None:
    client, address = browser(alice), f"/apps/{build.app.guid}/builds"
    few = queries(client, address)
    for _ in range(20):
        Build.objects.create(app=build.app, package=build.package, state="FAILED", created_by=alice)
    assert queries(client, address) == few


def test_a_list_without_builds_says_the_next_step(browser: Any, alice: Any, app: App) -> None:
    text = browser(alice).get(f"/apps/{app.guid}/builds").content.decode()
    assert "Push the first version" in text


def test_the_page_goes_on_while_the_version_comes_up(browser: Any, alice: Any, running: App, build: Build) -> None:
    Build.objects.filter(pk=build.pk).update(
        state="STAGED", droplet=running.droplet, deploys=True, ended_at=running.created_at
    )
    Deployment.objects.filter(pk=running.target_id).update(value="ACTIVE", reason="DEPLOYING")
    said = browser(alice).get(f"/builds/{build.guid}/lines").json()
    page = browser(alice).get(f"/builds/{build.guid}").content.decode()
    assert said["stage"] == "deploying"
    assert "is coming up" in page and "build.js" in page
