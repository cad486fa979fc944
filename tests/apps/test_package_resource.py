"""Packages in the v3 API: made, copied, listed, described, taken out, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Job, User
from apps import uploads
from apps.actions import app as apps
from apps.actions import push
from apps.models import App, Package
from paas.seams.blobs.base import Blobs
from tenants.models import FeatureFlag, Space
from tests.apps.archives import zipped

Api = Callable[[User], APIClient]


def to(app: App) -> dict[str, Any]:
    return {"app": {"data": {"guid": app.guid}}}


def told(reply: Any) -> str:
    return reply.json()["errors"][0]["detail"]


@pytest.fixture
def package(alice: User, app: App, store: Blobs) -> Package:
    return uploads.receive(alice, push.create_package(alice, app), bits=zipped())


@pytest.fixture
def other(alice: User, space: Space) -> App:
    return apps.create(alice, space, name="other")


def test_a_package_waits_for_its_bits(api: Api, alice: User, app: App) -> None:
    reply = api(alice).post("/v3/packages", {"type": "bits", "relationships": to(app)})
    assert reply.status_code == 201
    made = reply.json()
    assert (made["type"], made["state"], made["relationships"]) == ("bits", "AWAITING_UPLOAD", to(app))
    assert made["links"]["upload"]["method"] == "POST"


def test_a_package_of_an_image_is_ready_at_once_and_keeps_its_password_to_itself(
    api: Api, alice: User, space: Space
) -> None:
    FeatureFlag.objects.create(name="diego_docker", enabled=True)
    app = apps.create(alice, space, name="image", lifecycle="docker")
    data = {"image": "registry.example/team/app:1", "username": "u", "password": "secret"}
    reply = api(alice).post("/v3/packages", {"type": "docker", "data": data, "relationships": to(app)})
    assert (reply.status_code, reply.json()["state"]) == (201, "READY")
    assert reply.json()["data"] == {**data, "password": "***"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"type": "tar"}, "Type must be one of 'bits', 'docker'"),
        ({"type": "docker"}, "Data Image required"),
        ({"type": "docker", "data": {"image": "a b"}}, "is not an image"),
        ({"type": "bits", "data": {"image": "a"}}, "Data must be empty if provided for bits packages"),
        ({"type": "bits", "colour": "red"}, "Unknown field(s): 'colour'"),
    ],
)
def test_a_body_in_another_shape_is_refused(
    api: Api, alice: User, app: App, body: dict[str, Any], sentence: str
) -> None:
    reply = api(alice).post("/v3/packages", {**body, "relationships": to(app)})
    assert reply.status_code == 422
    assert sentence in told(reply)


def test_an_auditor_may_not_make_a_package(api: Api, bob: User, app: App) -> None:
    assert api(bob).post("/v3/packages", {"type": "bits", "relationships": to(app)}).status_code == 403


def test_a_stranger_is_told_that_the_app_is_invalid(api: Api, charlie: User, app: App) -> None:
    reply = api(charlie).post("/v3/packages", {"type": "bits", "relationships": to(app)})
    assert (reply.status_code, told(reply)) == (422, "App is invalid. Ensure it exists and you have access to it.")


def test_a_copy_has_the_same_bits(
    api: Api, alice: User, package: Package, other: App, recorded: Callable[[str], AuditEvent]
) -> None:
    reply = api(alice).post(f"/v3/packages?source_guid={package.guid}", {"relationships": to(other)})
    assert (reply.status_code, reply.json()["state"]) == (201, "READY")
    copy = Package.objects.get(guid=reply.json()["guid"])
    assert (copy.app, copy.key, copy.content_sha256) == (other, package.key, package.content_sha256)
    assert recorded("audit.app.package.create").data["source_package_guid"] == package.guid


def test_a_copy_needs_the_right_to_push_at_both_ends(
    api: Api, alice: User, charlie: User, package: Package, other_space: Space
) -> None:
    theirs = apps.create(charlie, other_space, name="theirs")
    reply = api(charlie).post(f"/v3/packages?source_guid={package.guid}", {"relationships": to(theirs)})
    assert (reply.status_code, told(reply)) == (
        422, "Source package is invalid. Ensure it exists and you have access to it.",
    )  # fmt: skip
    assert api(alice).post(f"/v3/packages?source_guid={package.guid}", {"relationships": to(theirs)}).status_code == 422


def test_an_app_cannot_copy_from_itself(api: Api, alice: User, app: App, package: Package) -> None:
    reply = api(alice).post(f"/v3/packages?source_guid={package.guid}", {"relationships": to(app)})
    assert told(reply) == "Source and destination app cannot be the same"


def test_an_auditor_may_not_copy(api: Api, bob: User, package: Package, other: App) -> None:
    reply = api(bob).post(f"/v3/packages?source_guid={package.guid}", {"relationships": to(other)})
    assert reply.status_code == 403


def test_labels_are_merged(api: Api, alice: User, bob: User, charlie: User, package: Package) -> None:
    change = {"metadata": {"labels": {"commit": "abc"}}}
    assert api(alice).patch(f"/v3/packages/{package.guid}", change).json()["metadata"]["labels"] == {"commit": "abc"}
    assert api(bob).patch(f"/v3/packages/{package.guid}", change).status_code == 403
    assert api(charlie).patch(f"/v3/packages/{package.guid}", change).status_code == 404


def test_the_source_can_be_taken_out_and_that_is_recorded(
    api: Api, alice: User, package: Package, recorded: Callable[[str], AuditEvent]
) -> None:
    reply = api(alice).get(f"/v3/packages/{package.guid}/download")
    content = b"".join(reply)
    assert (reply.status_code, content) == (200, zipped().getvalue())
    assert reply["Content-Length"] == str(len(content))
    assert recorded("audit.app.package.download").actor_guid == alice.guid


def test_who_may_not_see_secrets_may_not_take_the_source_out(
    api: Api, bob: User, charlie: User, package: Package
) -> None:
    assert api(bob).get(f"/v3/packages/{package.guid}/download").status_code == 403
    assert api(charlie).get(f"/v3/packages/{package.guid}/download").status_code == 404


def test_what_is_not_there_cannot_be_taken_out(api: Api, alice: User, app: App, package: Package, store: Blobs) -> None:
    waiting = push.create_package(alice, app)
    assert "AWAITING_UPLOAD" in told(api(alice).get(f"/v3/packages/{waiting.guid}/download"))
    store.delete(package.key)
    assert "no longer stored" in told(api(alice).get(f"/v3/packages/{package.guid}/download"))


def test_a_package_is_deleted_by_a_job(
    api: Api, alice: User, package: Package, recorded: Callable[[str], AuditEvent]
) -> None:
    reply = api(alice).delete(f"/v3/packages/{package.guid}")
    assert (reply.status_code, reply.content) == (202, b"")
    job = Job.objects.get(guid=reply["Location"].rpartition("/")[2])
    assert (job.operation, job.state, job.resource_guid) == ("package.delete", "COMPLETE", package.guid)
    assert recorded("audit.app.package.delete").data["package_guid"] == package.guid
    assert api(alice).delete(f"/v3/packages/{package.guid}").status_code == 404


def test_an_auditor_may_not_delete(api: Api, bob: User, charlie: User, package: Package) -> None:
    assert api(bob).delete(f"/v3/packages/{package.guid}").status_code == 403
    assert api(charlie).delete(f"/v3/packages/{package.guid}").status_code == 404


def test_lists_are_filtered(api: Api, alice: User, charlie: User, app: App, package: Package) -> None:
    waiting = push.create_package(alice, app)

    def guids(path: str, user: User = alice) -> list[str]:
        return [each["guid"] for each in api(user).get(path).json()["resources"]]

    assert guids("/v3/packages") == [package.guid, waiting.guid]
    assert guids(f"/v3/packages?app_guids={app.guid}&order_by=-created_at&page=1&per_page=1") == [waiting.guid]
    assert guids(f"/v3/packages?states=READY&types=bits&space_guids={app.space.guid}") == [package.guid]
    assert guids(f"/v3/packages?organization_guids={app.space.organization.guid}&guids={waiting.guid}") == [
        waiting.guid
    ]
    assert guids(f"/v3/apps/{app.guid}/packages?states=AWAITING_UPLOAD") == [waiting.guid]
    assert guids("/v3/packages", charlie) == []
    assert api(alice).get("/v3/packages?colour=red").status_code == 400
    assert told(api(charlie).get(f"/v3/apps/{app.guid}/packages")) == "App not found"


def test_a_list_takes_as_many_queries_for_many(api: Api, alice: User, app: App) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert api(alice).get("/v3/packages?per_page=100").status_code == 200
        return len(captured)

    push.create_package(alice, app)
    few = queries()
    for _ in range(20):
        push.create_package(alice, app)
    assert queries() == few
