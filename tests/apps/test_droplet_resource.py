"""Droplets in the v3 API: uploaded, taken out, copied, chosen, listed, deleted."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Job, User
from apps.actions import app as apps
from apps.actions import droplet as droplets
from apps.models import App, Droplet
from apps.uploads import archive
from paas.seams.blobs.base import Blobs
from tenants.models import Space
from tests.apps.archives import tarred, upload, zipped

Api = Callable[[User], APIClient]
INFO = json.dumps({"detected_buildpack": "python", "start_command": "python app.py"})
FILES = {"./app/app.py": "print()", "./staging_info.yml": INFO}


def to(app: App) -> dict[str, Any]:
    return {"app": {"data": {"guid": app.guid}}}


def told(reply: Any) -> str:
    return reply.json()["errors"][0]["detail"]


def packed(files: dict[str, Any] = FILES, **others: tuple[bytes, str]) -> bytes:
    return tarred(files, mode="w:gz", **others).getvalue()


def send(client: APIClient, droplet: Droplet, content: bytes) -> Any:
    bits = {"bits": upload(content, "droplet.tgz")}
    return client.post(f"/v3/droplets/{droplet.guid}/upload", bits, format="multipart")


@pytest.fixture
def waiting(alice: User, app: App, store: Blobs) -> Droplet:
    return droplets.create(alice, app)


def test_a_droplet_waits_for_its_bits(
    api: Api, alice: User, bob: User, charlie: User, app: App, recorded: Callable[[str], AuditEvent]
) -> None:
    body = {"relationships": to(app), "process_types": {"web": "run"}}
    reply = api(alice).post("/v3/droplets", body)
    assert (reply.status_code, reply.json()["state"]) == (201, "AWAITING_UPLOAD")
    assert (reply.json()["process_types"], reply.json()["stack"]) == ({"web": "run"}, "debian12")
    assert reply.json()["links"]["upload"]["method"] == "POST"
    assert recorded("audit.app.droplet.create").data["droplet_guid"] == reply.json()["guid"]
    assert api(bob).post("/v3/droplets", body).status_code == 403
    assert "you do not have access to it" in told(api(charlie).post("/v3/droplets", body))


def test_an_upload_answers_with_the_job_and_the_droplet(
    api: Api, alice: User, waiting: Droplet, store: Blobs, recorded: Callable[[str], AuditEvent]
) -> None:
    content = packed()
    reply = send(api(alice), waiting, content)
    assert reply.status_code == 202, reply.json()
    assert reply.json()["state"] == "STAGED"
    assert reply.json()["checksum"] == {"type": "sha256", "value": hashlib.sha256(content).hexdigest()}
    assert reply.json()["process_types"] == {"web": "python app.py"}
    job = Job.objects.get(guid=reply["Location"].rpartition("/")[2])
    assert (job.operation, job.state) == ("droplet.upload", "COMPLETE")
    assert recorded("audit.app.droplet.upload").data["droplet_guid"] == waiting.guid
    assert b"".join(api(alice).get(f"/v3/droplets/{waiting.guid}/download")) == content
    assert recorded("audit.app.droplet.download").data["droplet_guid"] == waiting.guid
    assert "only once" in told(send(api(alice), waiting, content))


def test_process_types_that_were_given_are_kept(api: Api, alice: User, app: App, store: Blobs) -> None:
    droplet = droplets.create(alice, app, process_types={"web": "run", "worker": "work"})
    assert send(api(alice), droplet, packed()).json()["process_types"] == {"web": "run", "worker": "work"}


def test_others_may_not_upload(api: Api, bob: User, charlie: User, waiting: Droplet) -> None:
    assert send(api(bob), waiting, packed()).status_code == 403
    assert send(api(charlie), waiting, packed()).status_code == 404


def test_an_upload_without_bits_is_refused(api: Api, alice: User, waiting: Droplet) -> None:
    reply = api(alice).post(f"/v3/droplets/{waiting.guid}/upload", {"other": "x"}, format="multipart")
    assert told(reply) == "A droplet tgz file must be uploaded as 'bits'"


def bomb() -> bytes:
    return packed({**FILES, "./app/zeros": bytes(3 << 20)})


BAD = {
    "a zip": (lambda: zipped().getvalue(), "not a droplet"),
    "a plain tar": (lambda: tarred(FILES).getvalue(), "not a droplet"),
    "no app": (lambda: packed({"./deps/0": "x"}), "it has no folder ./app"),
    "a path that leads out": (lambda: packed({**FILES, "./app/../../x": "x"}), "leads out of"),
    "an absolute path": (lambda: packed({**FILES, "/etc/passwd": "x"}), "is absolute"),
    "a link that leads out": (lambda: packed(FILES, link=(tarfile.SYMTYPE, "../x")), "leaves the app's folder"),
    "a file below a link": (
        lambda: packed({**FILES, "link/x": "x"}, link=(tarfile.SYMTYPE, "/etc")), "a folder too",
    ),
    "a hard link to elsewhere": (lambda: packed(FILES, link=(tarfile.LNKTYPE, "/etc/passwd")), "leads to nothing"),
    "a device": (lambda: packed(FILES, null=(tarfile.CHRTYPE, "")), "is a device"),
    "a cut": (lambda: packed()[:-30], "damaged or was cut off"),
    "damage": (lambda: packed()[:60] + b"\xff" * 20 + packed()[80:], "damaged or was cut off"),
    "facts that cannot be read": (lambda: packed({**FILES, "./staging_info.yml": "{"}), "cannot be read"),
    "a bomb": (bomb, "more than 100 times its size"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_droplet_with_it_is_refused(
    api: Api, alice: User, waiting: Droplet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(archive, "RATIO_FREE", 1 << 20)
    make, sentence = BAD[what]
    reply = send(api(alice), waiting, make())
    assert reply.status_code == 422
    assert sentence in told(reply)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == ("AWAITING_UPLOAD", told(reply))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert send(api(alice), waiting, packed()).status_code == 202  # it can be tried anew


def test_links_into_the_stack_are_what_droplets_have(api: Api, alice: User, waiting: Droplet) -> None:
    content = packed(FILES, **{"./deps/0/bin/python": (tarfile.SYMTYPE, "/usr/bin/python3")})
    assert send(api(alice), waiting, content).status_code == 202


def test_what_is_taken_out_can_be_put_in_again(api: Api, alice: User, app: App, store: Blobs) -> None:
    first, second = droplets.create(alice, app), droplets.create(alice, app)
    send(api(alice), first, packed())
    taken = b"".join(api(alice).get(f"/v3/droplets/{first.guid}/download"))
    assert send(api(alice), second, taken).json()["checksum"]["value"] == hashlib.sha256(taken).hexdigest()


def test_who_may_not_see_secrets_may_not_take_droplets_out(
    api: Api, bob: User, charlie: User, droplet: Droplet, waiting: Droplet, alice: User
) -> None:
    assert api(bob).get(f"/v3/droplets/{droplet.guid}/download").status_code == 403
    assert api(charlie).get(f"/v3/droplets/{droplet.guid}/download").status_code == 404
    assert "AWAITING_UPLOAD" in told(api(alice).get(f"/v3/droplets/{waiting.guid}/download"))


def test_a_copy_has_the_same_bits(
    api: Api, alice: User, bob: User, charlie: User, space: Space, droplet: Droplet
) -> None:
    other = apps.create(alice, space, name="other")
    reply = api(alice).post(f"/v3/droplets?source_guid={droplet.guid}", {"relationships": to(other)})
    assert (reply.status_code, reply.json()["state"]) == (201, "STAGED")
    copy = Droplet.objects.get(guid=reply.json()["guid"])
    assert (copy.app, copy.key, copy.process_types) == (other, droplet.key, droplet.process_types)
    assert api(bob).post(f"/v3/droplets?source_guid={droplet.guid}", {"relationships": to(other)}).status_code == 403
    assert (
        api(charlie).post(f"/v3/droplets?source_guid={droplet.guid}", {"relationships": to(other)}).status_code == 422
    )


def test_a_droplet_that_waits_cannot_be_copied(api: Api, alice: User, space: Space, waiting: Droplet) -> None:
    other = apps.create(alice, space, name="other")
    reply = api(alice).post(f"/v3/droplets?source_guid={waiting.guid}", {"relationships": to(other)})
    assert "Source droplet is not staged" in told(reply)


def test_start_commands_are_hidden_from_who_may_not_see_secrets(
    api: Api, alice: User, bob: User, droplet: Droplet
) -> None:
    path = f"/v3/droplets/{droplet.guid}"
    assert api(alice).get(path).json()["process_types"]["web"] == "python app.py"
    assert api(bob).get(path).json()["process_types"]["web"] == "[PRIVATE DATA HIDDEN]"
    listed = api(alice).get("/v3/droplets").json()["resources"][0]
    assert listed["process_types"]["web"] == "[PRIVATE DATA HIDDEN IN LISTS]"


def test_labels_are_merged(api: Api, alice: User, bob: User, droplet: Droplet) -> None:
    change = {"metadata": {"labels": {"commit": "abc"}}}
    reply = api(alice).patch(f"/v3/droplets/{droplet.guid}", change)
    assert reply.json()["metadata"]["labels"] == {"commit": "abc"}
    assert api(bob).patch(f"/v3/droplets/{droplet.guid}", change).status_code == 403


def test_an_app_without_a_droplet_says_so_in_the_words_that_clients_look_for(
    api: Api, alice: User, charlie: User, app: App
) -> None:
    for path in ("droplets/current", "relationships/current_droplet"):
        reply = api(alice).get(f"/v3/apps/{app.guid}/{path}")
        assert (reply.status_code, told(reply)) == (404, "Droplet not found")
    assert told(api(charlie).get(f"/v3/apps/{app.guid}/droplets/current")) == "App not found"


def test_a_droplet_is_chosen(
    api: Api, alice: User, bob: User, charlie: User, app: App, droplet: Droplet,
    make_droplet: Callable[..., Droplet], recorded: Callable[[str], AuditEvent],
) -> None:  # fmt: skip
    other, path = make_droplet(app), f"/v3/apps/{app.guid}/relationships/current_droplet"
    body = {"data": {"guid": other.guid}}
    assert api(bob).patch(path, body).status_code == 403
    assert api(charlie).patch(path, body).status_code == 404
    for _ in range(2):  # twice is harmless
        reply = api(alice).patch(path, body)
        assert (reply.status_code, reply.json()["data"]) == (200, {"guid": other.guid})
    assert api(alice).get(path).json()["data"] == {"guid": other.guid}
    assert recorded("audit.app.droplet.mapped").data["droplet_guid"] == other.guid


def test_a_droplet_of_another_app_cannot_be_chosen(
    api: Api, alice: User, space: Space, app: App, make_droplet: Callable[..., Droplet]
) -> None:
    other = make_droplet(apps.create(alice, space, name="other"))
    path = f"/v3/apps/{app.guid}/relationships/current_droplet"
    for guid in (other.guid, "none"):
        reply = api(alice).patch(path, {"data": {"guid": guid}})
        assert told(reply) == ("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")


def test_a_droplet_is_deleted_by_a_job(
    api: Api, alice: User, bob: User, charlie: User, app: App, make_droplet: Callable[..., Droplet],
    recorded: Callable[[str], AuditEvent],
) -> None:  # fmt: skip
    old = make_droplet(app)
    assert api(bob).delete(f"/v3/droplets/{old.guid}").status_code == 403
    assert api(charlie).delete(f"/v3/droplets/{old.guid}").status_code == 404
    reply = api(alice).delete(f"/v3/droplets/{old.guid}")
    assert (reply.status_code, reply.content) == (202, b"")
    assert recorded("audit.app.droplet.delete").data["droplet_guid"] == old.guid
    assert api(alice).get(f"/v3/droplets/{old.guid}").status_code == 404


def test_neither_the_current_droplet_nor_what_runs_can_be_deleted(
    api: Api, alice: User, running: App, droplet: Droplet, make_droplet: Callable[..., Droplet]
) -> None:
    assert "current one" in told(api(alice).delete(f"/v3/droplets/{droplet.guid}"))
    apps.use_droplet(alice, running, droplet=make_droplet(running))
    assert "what the app runs right now" in told(api(alice).delete(f"/v3/droplets/{droplet.guid}"))


def test_lists_are_filtered(api: Api, alice: User, charlie: User, app: App, droplet: Droplet, waiting: Droplet) -> None:
    def guids(path: str, user: User = alice) -> list[str]:
        return [each["guid"] for each in api(user).get(path).json()["resources"]]

    assert set(guids(f"/v3/droplets?app_guids={app.guid}&order_by=-created_at")) == {droplet.guid, waiting.guid}
    assert guids(f"/v3/droplets?guids={waiting.guid}&space_guids={app.space.guid}") == [waiting.guid]
    assert guids(f"/v3/droplets?states=STAGED&organization_guids={app.space.organization.guid}") == [droplet.guid]
    assert guids(f"/v3/apps/{app.guid}/droplets?current=true") == [droplet.guid]
    assert guids("/v3/droplets", charlie) == []


def test_a_list_takes_as_many_queries_for_many(
    api: Api, alice: User, app: App, make_droplet: Callable[..., Droplet]
) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api(alice).get(path).status_code == 200
        return len(captured)

    paths = ("/v3/droplets", f"/v3/apps/{app.guid}/droplets")
    make_droplet(app)
    few = [queries(path) for path in paths]
    for _ in range(20):
        make_droplet(app)
    assert [queries(path) for path in paths] == few


def test_the_last_entry_may_be_padded(api: Api, alice: User, waiting: Droplet) -> None:
    plain = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(packed()), mode="r:gz") as source,
        tarfile.open(fileobj=plain, mode="w") as tar,
    ):
        for member in source:
            tar.addfile(member, source.extractfile(member))
    assert send(api(alice), waiting, gzip.compress(plain.getvalue() + bytes(1 << 20))).status_code == 202
