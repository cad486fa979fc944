"""Uploading an app's source: checked, stored whole, ready in the reply; or refused, and nothing is left."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, User
from apps import uploads
from apps.actions import push
from apps.models import App, Package, SourceFile
from paas.lib.errors import Unprocessable
from paas.seams.blobs.base import Blobs
from tests.apps.archives import LARGE, SOURCE, names_in, resource, upload, zipped

Api = Callable[[User], APIClient]


@pytest.fixture
def package(alice: User, app: App, store: Blobs) -> Package:
    return push.create_package(alice, app)


def send(client: APIClient, package: Package, **parts: Any) -> Any:
    return client.post(f"/v3/packages/{package.guid}/upload", parts, format="multipart")


def left(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_upload_makes_the_package_ready_in_its_own_reply(
    api: Api, alice: User, package: Package, store: Blobs
) -> None:
    content = zipped().getvalue()
    reply = send(api(alice), package, bits=upload(content))
    assert reply.status_code == 200, reply.json()
    assert reply.json()["state"] == "READY"
    assert reply.json()["data"] == {
        "error": None, "checksum": {"type": "sha256", "value": hashlib.sha256(content).hexdigest()},
    }  # fmt: skip
    package.refresh_from_db()
    with store.open(package.key) as blob:
        assert blob.read() == content


def test_the_upload_is_audited(api: Api, alice: User, package: Package, recorded: Callable[[str], AuditEvent]) -> None:
    send(api(alice), package, bits=upload(zipped().getvalue()))
    event = recorded("audit.app.package.upload")
    assert (event.actor_guid, event.data["package_guid"]) == (alice.guid, package.guid)


def test_an_auditor_may_not_upload(api: Api, bob: User, package: Package) -> None:
    assert send(api(bob), package, bits=upload(zipped().getvalue())).status_code == 403
    package.refresh_from_db()
    assert package.state == "AWAITING_UPLOAD"


def test_a_stranger_sees_no_package(api: Api, charlie: User, package: Package) -> None:
    reply = send(api(charlie), package, bits=upload(zipped().getvalue()))
    assert (reply.status_code, reply.json()["errors"][0]["detail"]) == (404, "Package not found")


def test_bits_are_uploaded_only_once(api: Api, alice: User, package: Package) -> None:
    send(api(alice), package, bits=upload(zipped().getvalue()))
    again = send(api(alice), package, bits=upload(zipped({"other": "x"}).getvalue()))
    assert again.status_code == 422
    assert "only once" in again.json()["errors"][0]["detail"]
    assert Package.objects.get(pk=package.pk).state == "READY"


def test_a_cut_off_body_does_not_harm_a_package_that_is_ready(api: Api, alice: User, package: Package) -> None:
    send(api(alice), package, bits=upload(zipped().getvalue()))
    body = b'--x\r\nContent-Disposition: form-data; name="bits"; filename="a.zip"\r\n\r\nPK'
    reply = api(alice).generic("POST", f"/v3/packages/{package.guid}/upload", body, "multipart/form-data; boundary=x")
    assert reply.status_code == 422
    assert Package.objects.get(pk=package.pk).state == "READY"


def test_a_cut_off_body_leaves_nothing_behind(api: Api, alice: User, package: Package, tmp_path: Path) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="bits"; filename="a.zip"\r\n\r\n' + zipped().getvalue()
    reply = api(alice).generic("POST", f"/v3/packages/{package.guid}/upload", body, "multipart/form-data; boundary=x")
    assert reply.status_code == 422
    assert "before all of it had arrived" in reply.json()["errors"][0]["detail"]
    assert not Package.objects.filter(pk=package.pk).exists()
    assert left(tmp_path) == []


def test_what_is_no_form_is_refused(api: Api, alice: User, package: Package) -> None:
    reply = api(alice).post(f"/v3/packages/{package.guid}/upload", {"bits": "x"})
    assert reply.status_code == 422
    assert "multipart/form-data" in reply.json()["errors"][0]["detail"]


def test_an_upload_of_nothing_is_refused(api: Api, alice: User, package: Package) -> None:
    reply = send(api(alice), package, resources="[]")
    assert reply.json()["errors"][0]["detail"] == "Upload must include either resources or bits"


def test_a_refused_upload_takes_its_package_with_it_and_is_audited(
    api: Api, alice: User, package: Package, tmp_path: Path, recorded: Callable[[str], AuditEvent]
) -> None:
    reply = send(api(alice), package, bits=upload(b"not a zip"))
    assert reply.status_code == 422
    assert "not a zip" in reply.json()["errors"][0]["detail"]
    assert not Package.objects.filter(pk=package.pk).exists()
    assert left(tmp_path) == []
    assert recorded("audit.app.package.upload-refused").data["error"] == reply.json()["errors"][0]["detail"]


def test_a_package_of_an_image_takes_no_bits(api: Api, alice: User, app: App, store: Blobs) -> None:
    package = Package.objects.create(app=app, type="docker", state="READY", image="busybox")
    reply = send(api(alice), package, bits=upload(zipped().getvalue()))
    assert reply.json()["errors"][0]["detail"] == "Package type must be bits."


def test_files_known_from_before_need_not_be_sent_again(
    api: Api, alice: User, app: App, package: Package, store: Blobs
) -> None:
    send(api(alice), package, bits=upload(zipped({**SOURCE, "assets/": "", "assets/data.bin": LARGE}).getvalue()))
    known = SourceFile.objects.get()
    assert (known.organization, known.size, known.sha256) == (
        app.space.organization, len(LARGE), hashlib.sha256(LARGE).hexdigest(),
    )  # fmt: skip

    second = push.create_package(alice, app)
    sent = json.dumps([resource("assets/data.bin", LARGE)])
    reply = send(api(alice), second, resources=sent, bits=upload(zipped({**SOURCE, "assets/": ""}).getvalue()))
    assert reply.json()["state"] == "READY", reply.json()
    second.refresh_from_db()
    package.refresh_from_db()
    with store.open(second.key) as blob:
        assert names_in(blob) == {
            **{name: text.encode() for name, text in SOURCE.items()},
            "assets/": b"",
            "assets/data.bin": LARGE,
        }
    assert second.content_sha256 == package.content_sha256  # so that it is not built again


def test_bits_may_be_left_out_when_everything_is_known(
    api: Api, alice: User, app: App, package: Package, store: Blobs
) -> None:
    send(api(alice), package, bits=upload(zipped({"data.bin": LARGE}).getvalue()))
    second = push.create_package(alice, app)
    reply = send(api(alice), second, resources=json.dumps([resource("run.sh", LARGE, mode="755")]))
    assert reply.json()["state"] == "READY", reply.json()
    with store.open(Package.objects.get(pk=second.pk).key) as blob, zipfile.ZipFile(blob) as archive:
        assert archive.read("run.sh") == LARGE
        assert archive.getinfo("run.sh").external_attr >> 16 & 0o777 == 0o755


def test_small_files_are_not_remembered(api: Api, alice: User, package: Package) -> None:
    send(api(alice), package, bits=upload(zipped({"small": "x" * 65535}).getvalue()))
    assert not SourceFile.objects.exists()


def test_files_of_another_organization_are_never_taken(
    api: Api, alice: User, app: App, package: Package, other_space: Any
) -> None:
    send(api(alice), package, bits=upload(zipped({"data.bin": LARGE}).getvalue()))
    SourceFile.objects.update(organization=other_space.organization)
    second = push.create_package(alice, app)
    reply = send(api(alice), second, resources=json.dumps([resource("data.bin", LARGE)]))
    assert reply.status_code == 422
    assert "not known from an earlier push" in reply.json()["errors"][0]["detail"]
    assert not Package.objects.filter(pk=second.pk).exists()


def test_a_known_file_of_another_size_is_not_meant(api: Api, alice: User, app: App, package: Package) -> None:
    send(api(alice), package, bits=upload(zipped({"data.bin": LARGE}).getvalue()))
    second = push.create_package(alice, app)
    reply = send(api(alice), second, resources=json.dumps([resource("data.bin", LARGE, size_in_bytes=70000)]))
    assert reply.status_code == 422


def test_a_digest_that_stands_for_two_files_is_noticed_and_never_served(
    api: Api, alice: User, app: App, package: Package, recorded: Callable[[str], AuditEvent]
) -> None:
    send(api(alice), package, bits=upload(zipped({"data.bin": LARGE}).getvalue()))
    SourceFile.objects.update(sha256="0" * 64)  # as if another file with this SHA-1 had been first
    second = push.create_package(alice, app)
    assert send(api(alice), second, bits=upload(zipped({"data.bin": LARGE}).getvalue())).json()["state"] == "READY"
    assert recorded("audit.app.package.upload").data["sha1_of_two_files"] == [hashlib.sha1(LARGE).hexdigest()]
    third = push.create_package(alice, app)
    assert send(api(alice), third, resources=json.dumps([resource("data.bin", LARGE)])).status_code == 422
    assert SourceFile.objects.get().key == ""


def test_a_known_file_that_is_no_longer_stored_is_asked_for_again(
    api: Api, alice: User, app: App, package: Package, store: Blobs
) -> None:
    send(api(alice), package, bits=upload(zipped({"data.bin": LARGE}).getvalue()))
    store.delete(SourceFile.objects.get().key)
    second = push.create_package(alice, app)
    reply = send(api(alice), second, resources=json.dumps([resource("data.bin", LARGE)]))
    assert "no longer stored" in reply.json()["errors"][0]["detail"]
    assert not SourceFile.objects.exists()


def test_a_resource_over_an_uploaded_file_is_refused(api: Api, alice: User, app: App, package: Package) -> None:
    send(api(alice), package, bits=upload(zipped({"data.bin": LARGE}).getvalue()))
    second = push.create_package(alice, app)
    sent = json.dumps([resource("app.py", LARGE)])
    reply = send(api(alice), second, resources=sent, bits=upload(zipped().getvalue()))
    assert "is there twice" in reply.json()["errors"][0]["detail"]


@pytest.mark.parametrize("sent", ["{}", "nonsense", '[{"path": "a"}]', '[{"path": "a", "checksum": {"value": "x"}}]'])
def test_resources_in_another_shape_are_refused(api: Api, alice: User, package: Package, sent: str) -> None:
    assert send(api(alice), package, resources=sent).status_code == 422


def test_a_resource_may_not_lead_out_of_the_folder(api: Api, alice: User, app: App, package: Package) -> None:
    send(api(alice), package, bits=upload(zipped({"data.bin": LARGE}).getvalue()))
    second = push.create_package(alice, app)
    reply = send(api(alice), second, resources=json.dumps([resource("../data.bin", LARGE)]))
    assert "leads out of the app's folder" in reply.json()["errors"][0]["detail"]


def test_what_breaks_on_our_side_leaves_no_package_either(alice: User, package: Package, store: Blobs) -> None:
    class Torn:
        def seek(self, *_: int) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError):
        uploads.receive(alice, package, bits=Torn())  # type: ignore[arg-type]
    assert not Package.objects.filter(pk=package.pk).exists()


def test_of_two_uploads_at_once_one_is_refused(alice: User, package: Package, store: Blobs) -> None:
    push.start_upload(alice, package)
    with pytest.raises(Unprocessable, match="only once"):
        uploads.receive(alice, package, bits=zipped())
