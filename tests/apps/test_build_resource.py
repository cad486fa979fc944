"""Builds in the v3 API: from an upload to a staged droplet, and everything that can stand in the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEvent, UsageEvent, User
from apps import uploads
from apps.actions import app as apps
from apps.actions import push
from apps.jobs.stage import position
from apps.models import App, Build, Buildpack, Package, Stack
from paas.lib.queue import work
from paas.seams.blobs.base import Blobs
from paas.seams.runtimes.fake import FakeRuntime
from tests.apps.archives import LARGE, SOURCE, upload, zipped

Api = Callable[[User], APIClient]


def told(reply: Any) -> str:
    return reply.json()["errors"][0]["detail"]


@pytest.fixture(autouse=True)
def platform(runtime: FakeRuntime, store: Blobs) -> None:
    """The outside world in memory, with a stack and the built-in buildpacks."""
    Stack.objects.create(name="debian12", is_default=True)
    for at, name in enumerate(("python", "binary"), start=1):
        Buildpack.objects.create(name=f"{name}_buildpack", builtin=name, position=at, state="READY", stack="debian12")


@pytest.fixture
def package(alice: User, app: App) -> Package:
    return uploads.receive(alice, push.create_package(alice, app), bits=zipped())


def ask(client: APIClient, package: Package, **more: Any) -> Any:
    return client.post("/v3/builds", {"package": {"guid": package.guid}, **more})


def test_a_push_goes_from_upload_to_a_staged_droplet(api: Api, alice: User, app: App, store: Blobs) -> None:
    client = api(alice)
    made = client.post("/v3/packages", {"type": "bits", "relationships": {"app": {"data": {"guid": app.guid}}}}).json()
    bits = upload(zipped({**SOURCE, "data.bin": LARGE}).getvalue())
    assert client.post(f"/v3/packages/{made['guid']}/upload", {"bits": bits}, format="multipart").status_code == 200

    asked = client.post("/v3/builds", {"package": {"guid": made["guid"]}})
    assert asked.status_code == 201, asked.json()
    assert (asked.json()["state"], asked.json()["package"]) == ("STAGING", {"guid": made["guid"]})
    assert asked.json()["created_by"] == {"guid": alice.guid, "name": alice.username, "email": alice.email}

    assert work("apps.jobs.stage", Build.objects.get().pk)
    build = client.get(f"/v3/builds/{asked.json()['guid']}").json()
    assert (build["state"], build["error"]) == ("STAGED", None)
    droplet = client.get(f"/v3/droplets/{build['droplet']['guid']}").json()
    assert (droplet["state"], droplet["process_types"]) == ("STAGED", {"web": "python app.py"})
    staged = client.get(f"/v3/packages/{made['guid']}/droplets?states=STAGED&page=1&per_page=1").json()
    assert [each["guid"] for each in staged["resources"]] == [droplet["guid"]]

    body = {"data": {"guid": droplet["guid"]}}
    chosen = client.patch(f"/v3/apps/{app.guid}/relationships/current_droplet", body)
    assert (chosen.status_code, chosen.json()["data"]) == (200, {"guid": droplet["guid"]})
    assert client.get(f"/v3/apps/{app.guid}/droplets/current").json()["guid"] == droplet["guid"]


def test_the_same_source_is_not_built_again(api: Api, alice: User, app: App, package: Package) -> None:
    ask(api(alice), package)
    work("apps.jobs.stage", Build.objects.get().pk)
    again = uploads.receive(alice, push.create_package(alice, app), bits=zipped(dict(reversed(SOURCE.items()))))
    ask(api(alice), again)
    newest = Build.objects.latest("id")
    work("apps.jobs.stage", newest.pk)
    newest.refresh_from_db()
    assert newest.droplet == Build.objects.earliest("id").droplet


def test_a_build_is_audited_and_counted(
    api: Api, alice: User, package: Package, recorded: Callable[[str], AuditEvent]
) -> None:
    guid = ask(api(alice), package).json()["guid"]
    said = recorded("audit.app.build.create").data
    assert (said["build_guid"], said["package_guid"]) == (guid, package.guid)
    assert said["changes"]["memory_mb"] == [None, 1024]
    assert UsageEvent.objects.get(kind="build").state == "STAGING_STARTED"


def test_an_auditor_may_not_build(api: Api, bob: User, package: Package) -> None:
    assert ask(api(bob), package).status_code == 403


def test_a_stranger_is_told_that_the_package_cannot_be_used(api: Api, charlie: User, package: Package) -> None:
    reply = ask(api(charlie), package)
    assert (reply.status_code, told(reply)) == (
        422, "Unable to use package. Ensure that the package exists and you have access to it.",
    )  # fmt: skip


def test_only_one_build_of_an_app_at_a_time(api: Api, alice: User, package: Package) -> None:
    ask(api(alice), package)
    reply = ask(api(alice), package)
    error = reply.json()["errors"][0]
    assert (reply.status_code, error["code"], error["title"]) == (422, 170017, "CF-StagingInProgress")


def test_a_package_without_bits_cannot_be_staged(api: Api, alice: User, app: App) -> None:
    reply = ask(api(alice), push.create_package(alice, app))
    assert (reply.status_code, told(reply)) == (400, "Bad request: Cannot stage package whose state is not ready.")


def test_a_build_can_have_its_own_lifecycle_and_sizes(api: Api, alice: User, package: Package) -> None:
    lifecycle = {"type": "buildpack", "data": {"buildpacks": ["binary_buildpack"], "stack": "debian12"}}
    reply = ask(
        api(alice), package, lifecycle=lifecycle, staging_memory_in_mb="512", staging_disk_in_mb=2048,
        staging_log_rate_limit_bytes_per_second=100, metadata={"labels": {"a": "b"}},
    )  # fmt: skip
    made = reply.json()
    assert reply.status_code == 201, made
    assert made["lifecycle"] == lifecycle
    assert (made["staging_memory_in_mb"], made["staging_disk_in_mb"]) == (512, 2048)
    assert made["staging_log_rate_limit_bytes_per_second"] == 100
    assert made["metadata"]["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"lifecycle": {"type": "docker", "data": {}}}, "Lifecycle type must be the app's own"),
        ({"lifecycle": {"type": "buildpack", "data": {"stack": "none"}}}, "Stack must be an existing stack"),
        (
            {"lifecycle": {"type": "buildpack", "data": {"buildpacks": ["none"]}}},
            'Buildpack "none" must be an existing admin buildpack or a valid git URI',
        ),
        ({"staging_memory_in_mb": 1 << 30}, "A build cannot have 1073741824 MB of memory"),
        ({"staging_disk_in_mb": 10241}, "at most 10240 MB are given"),
        ({"staging_memory_in_mb": 0}, "must be greater than 0"),
        ({"state": "STAGED"}, "Unknown field(s): 'state'"),
    ],
)
def test_what_no_build_can_have_is_refused(
    api: Api, alice: User, package: Package, asked: dict[str, Any], sentence: str
) -> None:
    reply = ask(api(alice), package, **asked)
    assert reply.status_code == 422
    assert sentence in told(reply)


def test_a_failed_build_says_why(api: Api, alice: User, app: App) -> None:
    package = uploads.receive(alice, push.create_package(alice, app), bits=zipped({"readme": "hello"}))
    guid = ask(api(alice), package).json()["guid"]
    work("apps.jobs.stage", Build.objects.get().pk)
    build = api(alice).get(f"/v3/builds/{guid}").json()
    assert build["state"] == "FAILED"
    assert build["error"].startswith("NoAppDetectedError - ")


def test_cf_hears_of_the_end_when_the_last_lines_have_reached_it(api: Api, alice: User, package: Package) -> None:
    guid = ask(api(alice), package).json()["guid"]
    work("apps.jobs.stage", Build.objects.get().pk)
    cf = {"HTTP_USER_AGENT": "cf/8.18.4+abc (go1.25; amd64 linux)"}
    Build.objects.update(ended_at=timezone.now())
    assert api(alice).get(f"/v3/builds/{guid}", **cf).json()["state"] == "STAGING"
    Build.objects.update(ended_at=timezone.now() - timedelta(seconds=3))
    assert api(alice).get(f"/v3/builds/{guid}", **cf).json()["state"] == "STAGED"


def test_a_build_is_called_off(api: Api, alice: User, package: Package, recorded: Callable[[str], AuditEvent]) -> None:
    guid = ask(api(alice), package).json()["guid"]
    reply = api(alice).post(f"/v3/builds/{guid}/actions/cancel")
    assert (reply.status_code, reply.json()["state"]) == (200, "FAILED")
    assert reply.json()["error"].startswith("StagingCancelled - ")
    assert recorded("audit.app.build.cancel").data["build_guid"] == guid
    assert api(alice).post(f"/v3/builds/{guid}/actions/cancel").status_code == 200  # twice is harmless
    assert ask(api(alice), package).status_code == 201


def test_others_may_not_call_it_off(api: Api, alice: User, bob: User, charlie: User, package: Package) -> None:
    guid = ask(api(alice), package).json()["guid"]
    assert api(bob).post(f"/v3/builds/{guid}/actions/cancel").status_code == 403
    assert api(charlie).post(f"/v3/builds/{guid}/actions/cancel").status_code == 404


def test_labels_are_merged(api: Api, alice: User, bob: User, package: Package) -> None:
    guid = ask(api(alice), package).json()["guid"]
    change = {"metadata": {"labels": {"commit": "abc"}}}
    assert api(alice).patch(f"/v3/builds/{guid}", change).json()["metadata"]["labels"] == {"commit": "abc"}
    assert api(bob).patch(f"/v3/builds/{guid}", change).status_code == 403
    assert told(api(alice).patch(f"/v3/builds/{guid}", {"state": "STAGED"})) == "Unknown field(s): 'state'"


def test_lists_are_filtered(api: Api, alice: User, charlie: User, app: App, package: Package) -> None:
    first = ask(api(alice), package).json()["guid"]
    work("apps.jobs.stage", Build.objects.get().pk)
    second = ask(api(alice), package).json()["guid"]

    def guids(path: str, user: User = alice) -> list[str]:
        return [each["guid"] for each in api(user).get(path).json()["resources"]]

    assert guids("/v3/builds") == [first, second]
    assert guids(f"/v3/builds?states=STAGED&package_guids={package.guid}&app_guids={app.guid}") == [first]
    assert guids(f"/v3/apps/{app.guid}/builds?states=STAGING&order_by=-updated_at") == [second]
    assert guids("/v3/builds", charlie) == []
    assert told(api(charlie).get(f"/v3/apps/{app.guid}/builds")) == "App not found"


def test_a_list_takes_as_many_queries_for_many(api: Api, alice: User, app: App, package: Package) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api(alice).get(path).status_code == 200
        return len(captured)

    ask(api(alice), package)
    few = queries("/v3/builds"), queries(f"/v3/apps/{app.guid}/builds")
    for _ in range(20):
        Build.objects.create(app=app, package=package, state="STAGED", created_by=alice)
    assert (queries("/v3/builds"), queries(f"/v3/apps/{app.guid}/builds")) == few


def test_the_queue_is_fair_between_organizations(
    alice: User, charlie: User, app: App, package: Package, other_space: Any
) -> None:
    mine = [push.stage(alice, package)]
    second = apps.create(alice, app.space, name="second")
    mine.append(push.stage(alice, uploads.receive(alice, push.create_package(alice, second), bits=zipped())))
    theirs = apps.create(charlie, other_space, name="theirs")
    package = uploads.receive(charlie, push.create_package(charlie, theirs), bits=zipped())
    waiting = push.stage(charlie, package)
    assert [position(build) for build in (*mine, waiting)] == [1, 3, 2]
    work("apps.jobs.stage", mine[0].pk)
    assert position(mine[0]) is None
