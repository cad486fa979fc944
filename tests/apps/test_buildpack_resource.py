"""Buildpacks in the v3 API: everybody reads them, admins order, switch and upload them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Job, User
from apps.actions import buildpack as buildpacks
from apps.models import Buildpack, Stack
from paas.seams.blobs.base import Blobs
from tests.apps.archives import upload, zipped

Api = Callable[[User], APIClient]
GOOD = {"bin/detect": "#!/bin/sh", "bin/supply": "#!/bin/sh", "manifest.yml": "language: ruby\n"}


def told(reply: Any) -> str:
    return reply.json()["errors"][0]["detail"]


def send(client: APIClient, buildpack: Buildpack, content: bytes, name: str = "ruby_v1.zip") -> Any:
    return client.post(f"/v3/buildpacks/{buildpack.guid}/upload", {"bits": upload(content, name)}, format="multipart")


def job_of(reply: Any) -> Job:
    assert reply.status_code == 202, reply.content
    return Job.objects.get(guid=reply["Location"].rpartition("/")[2])


def order() -> list[tuple[int, str]]:
    return list(Buildpack.objects.order_by("position").values_list("position", "name"))


@pytest.fixture(autouse=True)
def stack(db: None) -> Stack:
    return Stack.objects.create(name="debian12")


@pytest.fixture
def three(root: User) -> list[Buildpack]:
    return [buildpacks.create(root, name=name, position=9) for name in ("a", "b", "c")]


@pytest.fixture
def ruby(root: User, store: Blobs) -> Buildpack:
    return buildpacks.create(root, name="ruby")


def test_a_buildpack_waits_for_its_bits(api: Api, root: User, recorded: Callable[[str], AuditEvent]) -> None:
    body = {"name": "ruby", "stack": "debian12", "position": 1, "enabled": False, "locked": True}
    reply = api(root).post("/v3/buildpacks", {**body, "lifecycle": "buildpack"})
    assert reply.status_code == 201, reply.json()
    made = reply.json()
    assert {name: made[name] for name in body} == body
    assert (made["state"], made["filename"], made["lifecycle"]) == ("AWAITING_UPLOAD", None, "buildpack")
    assert recorded("audit.buildpack.create").target_name == "ruby"


@pytest.mark.parametrize("name", ["alice", "bob", "dora"])
def test_only_admins_change_buildpacks(api: Api, request: pytest.FixtureRequest, ruby: Buildpack, name: str) -> None:
    client = api(request.getfixturevalue(name))
    assert client.post("/v3/buildpacks", {"name": "x"}).status_code == 403
    assert client.patch(f"/v3/buildpacks/{ruby.guid}", {"enabled": False}).status_code == 403
    assert client.delete(f"/v3/buildpacks/{ruby.guid}").status_code == 403
    assert send(client, ruby, zipped(GOOD).getvalue()).status_code == 403
    assert client.get(f"/v3/buildpacks/{ruby.guid}").json()["name"] == "ruby"


def test_a_name_and_stack_are_taken_once(api: Api, root: User, ruby: Buildpack) -> None:
    reply = api(root).post("/v3/buildpacks", {"name": "Ruby"})
    assert (reply.status_code, told(reply)) == (
        422, "Buildpack with name 'Ruby' and an unassigned stack already exists",
    )  # fmt: skip
    body = {"name": "ruby", "stack": "debian12"}
    assert api(root).post("/v3/buildpacks", body).status_code == 201
    assert "with the stack 'debian12' is already in use" in told(api(root).post("/v3/buildpacks", body))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"name": "x", "stack": "none"}, "Stack 'none' does not exist"),
        ({"name": "a b"}, "Name can only contain alphanumeric characters"),
        ({"name": "x", "position": 0}, "must be greater than 0"),
        ({}, "Name can't be blank"),
        ({"name": "x", "colour": "red"}, "Unknown field(s): 'colour'"),
    ],
)
def test_a_body_in_another_shape_is_refused(api: Api, root: User, body: dict[str, Any], sentence: str) -> None:
    reply = api(root).post("/v3/buildpacks", body)
    assert reply.status_code == 422
    assert sentence in told(reply)


def test_positions_make_room_and_close_up(api: Api, root: User, three: list[Buildpack]) -> None:
    a, _, c = three
    assert order() == [(1, "a"), (2, "b"), (3, "c")]
    assert api(root).patch(f"/v3/buildpacks/{c.guid}", {"position": 1}).json()["position"] == 1
    assert order() == [(1, "c"), (2, "a"), (3, "b")]
    assert api(root).patch(f"/v3/buildpacks/{c.guid}", {"position": 99}).json()["position"] == 3
    assert api(root).post("/v3/buildpacks", {"name": "d", "position": 2}).json()["position"] == 2
    assert order() == [(1, "a"), (2, "d"), (3, "b"), (4, "c")]
    reply = api(root).delete(f"/v3/buildpacks/{a.guid}")
    assert (job_of(reply).operation, reply.content) == ("buildpack.delete", b"")
    assert order() == [(1, "d"), (2, "b"), (3, "c")]
    assert api(root).delete(f"/v3/buildpacks/{a.guid}").status_code == 404


def test_switches_and_names_change_and_are_audited(
    api: Api, root: User, ruby: Buildpack, recorded: Callable[[str], AuditEvent]
) -> None:
    change = {"name": "ruby2", "enabled": False, "locked": True, "metadata": {"labels": {"a": "b"}}}
    for _ in range(2):  # twice is harmless
        reply = api(root).patch(f"/v3/buildpacks/{ruby.guid}", change)
        assert {name: reply.json()[name] for name in ("name", "enabled", "locked")} == {
            "name": "ruby2", "enabled": False, "locked": True,
        }  # fmt: skip
    assert reply.json()["metadata"]["labels"] == {"a": "b"}
    first = AuditEvent.objects.filter(type="audit.buildpack.update").earliest("id")
    assert first.data["changes"]["enabled"] == [True, False]


def test_a_stack_is_set_once(api: Api, root: User, ruby: Buildpack) -> None:
    Stack.objects.create(name="debian13")
    path = f"/v3/buildpacks/{ruby.guid}"
    assert api(root).patch(path, {"stack": "debian12"}).json()["stack"] == "debian12"
    assert "can not be changed" in told(api(root).patch(path, {"stack": "debian13"}))


def test_an_upload_makes_a_buildpack_ready_and_keeps_the_name_of_the_file(
    api: Api, root: User, ruby: Buildpack, store: Blobs, recorded: Callable[[str], AuditEvent]
) -> None:
    content = zipped(GOOD).getvalue()
    reply = send(api(root), ruby, content)
    job = job_of(reply)
    assert (job.operation, job.state, job.errors) == ("buildpack.upload", "COMPLETE", [])
    assert (reply.json()["state"], reply.json()["filename"]) == ("READY", "ruby_v1.zip")
    ruby.refresh_from_db()
    assert ruby.sha256 == hashlib.sha256(content).hexdigest()
    with store.open(ruby.key) as blob:
        assert blob.read() == content
    assert recorded("audit.buildpack.upload").data["changes"]["filename"] == [None, "ruby_v1.zip"]
    before = ruby.key
    assert job_of(send(api(root), ruby, zipped({**GOOD, "x": "y"}).getvalue(), "ruby_v2.zip")).state == "COMPLETE"
    ruby.refresh_from_db()
    assert ruby.key != before  # a build that is under way still finds the old one
    assert ruby.filename == "ruby_v2.zip"


def test_the_manifest_says_which_stack_it_is_for(api: Api, root: User, ruby: Buildpack) -> None:
    send(api(root), ruby, zipped({"ruby/" + name: text for name, text in GOOD.items()} | {
        "ruby/manifest.yml": "stack: debian12\n",
    }).getvalue())  # fmt: skip
    assert Buildpack.objects.get().stack == "debian12"


BAD = {
    "no zip": (b"hello", 390013, "Buildpack zip error: The upload was refused: it is not a zip"),
    "a path that leads out": (zipped({**GOOD, "../x": "x"}).getvalue(), 390013, "leads out of"),
    "no scripts": (zipped({"readme": "x"}).getvalue(), 290003, "it has no folder 'bin'"),
    "another manifest": (zipped({**GOOD, "manifest.yml": "{"}).getvalue(), 290003, "manifest.yml cannot be read"),
    "an unknown stack": (
        zipped({**GOOD, "manifest.yml": "stack: none"}).getvalue(), 390012,
        'Uploaded buildpack stack "none" does not exist',
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_the_job_says_what_is_wrong_with_an_upload(api: Api, root: User, ruby: Buildpack, what: str) -> None:
    content, code, sentence = BAD[what]
    job = job_of(send(api(root), ruby, content))
    assert (job.state, job.errors[0]["code"]) == ("FAILED", code)
    assert sentence in job.errors[0]["detail"]
    ruby.refresh_from_db()
    assert (ruby.state, ruby.key) == ("AWAITING_UPLOAD", "")


def test_a_stack_that_is_set_must_be_the_manifests(api: Api, root: User, store: Blobs) -> None:
    Stack.objects.create(name="debian13")
    buildpack = buildpacks.create(root, name="ruby", stack="debian13")
    job = job_of(send(api(root), buildpack, zipped({**GOOD, "manifest.yml": "stack: debian12"}).getvalue()))
    assert job.errors == [
        {
            "code": 390011,
            "title": "CF-BuildpackStacksDontMatch",
            "detail": "Uploaded buildpack stack (debian12) does not match debian13",
        }
    ]


def test_a_stack_that_is_taken_is_told_by_the_job(api: Api, root: User, ruby: Buildpack) -> None:
    buildpacks.create(root, name="ruby", stack="debian12")
    job = job_of(send(api(root), ruby, zipped({**GOOD, "manifest.yml": "stack: debian12"}).getvalue()))
    assert (job.errors[0]["code"], job.errors[0]["title"]) == (290000, "CF-BuildpackNameStackTaken")


def test_a_locked_buildpack_takes_no_bits(api: Api, root: User, store: Blobs) -> None:
    buildpack = buildpacks.create(root, name="ruby", locked=True)
    reply = send(api(root), buildpack, zipped(GOOD).getvalue())
    assert (reply.status_code, told(reply)) == (422, "Buildpack is locked")


def test_lists_come_by_position_and_are_filtered(
    api: Api, alice: User, root: User, three: list[Buildpack], django_assert_num_queries: Any
) -> None:
    buildpacks.create(root, name="d", stack="debian12", position=1)

    def names(query: str = "") -> list[str]:
        return [each["name"] for each in api(alice).get(f"/v3/buildpacks{query}").json()["resources"]]

    assert names() == ["d", "a", "b", "c"]
    assert names("?order_by=-position") == ["c", "b", "a", "d"]
    assert names("?names=A,c") == ["a", "c"]
    assert names("?stacks=debian12") == ["d"]
    assert names("?stacks=") == ["a", "b", "c"]
    assert names("?lifecycle=cnb") == []
    assert len(names("?lifecycle=buildpack")) == 4
    with django_assert_num_queries(2):
        names()
