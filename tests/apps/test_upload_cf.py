"""The unmodified command line uploads source, droplets and buildpacks, and is told what is wrong with them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts import actions as accounts
from accounts.models import User
from apps.actions import app as apps
from apps.models import App, Buildpack, Droplet, Package, SourceFile, Stack
from paas.seams.blobs.base import Blobs
from tests.apps.archives import LARGE, SOURCE, names_in, tarred, zipped

PASSWORD = "correct horse battery"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("cf") is None, reason="cf is not on PATH"),
]
Cf = Callable[..., str]


@pytest.fixture
def cf(live_server: Any, store: Blobs, tmp_path_factory: pytest.TempPathFactory) -> Cf:
    """Run ``cf`` with a home of its own; ``code`` is the exit status that it must have."""
    accounts.ensure_oauth_client()
    Stack.objects.create(name="debian12", is_default=True)
    environment = {"PATH": os.environ["PATH"], "CF_HOME": str(tmp_path_factory.mktemp("cf")), "CF_COLOR": "false"}

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(["cf", *words], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("api", live_server.url)
    return run


@pytest.fixture
def as_alice(cf: Cf, alice: User) -> Cf:
    cf("auth", alice.username, PASSWORD)
    cf("target", "-o", "ministry", "-s", "production")
    return cf


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, text in SOURCE.items():
        (folder / name).write_text(text)
    (folder / "data.bin").write_bytes(LARGE)
    return folder


def test_source_goes_up(as_alice: Cf, app: App, source: Path, store: Blobs) -> None:
    assert "OK" in as_alice("create-package", "site", "-p", str(source))
    package = Package.objects.get()
    assert package.state == "READY"
    with store.open(package.key) as blob:
        assert names_in(blob)["data.bin"] == LARGE
    assert package.guid in as_alice("packages", "site")


def test_a_push_sends_only_what_is_not_known(as_alice: Cf, app: App, source: Path, store: Blobs) -> None:
    as_alice("create-package", "site", "-p", str(source))
    known = SourceFile.objects.get()
    as_alice("push", "site", "-p", str(source), "--no-start", "--no-route")
    first, second = Package.objects.order_by("id")
    assert (second.state, second.content_sha256) == ("READY", first.content_sha256)
    assert SourceFile.objects.get().used_at > known.used_at


def test_a_bad_upload_is_told(as_alice: Cf, app: App, tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(zipped(links={"out": "../../etc/passwd"}).getvalue())
    assert "The upload was refused" in as_alice("create-package", "site", "-p", str(bad), code=1)
    assert not Package.objects.exists()


def test_a_droplet_goes_up_and_comes_down(as_alice: Cf, alice: User, app: App, tmp_path: Path) -> None:
    droplet = tmp_path / "droplet.tgz"
    droplet.write_bytes(tarred({"./app/app.py": "print()"}, mode="w:gz").getvalue())
    as_alice("push", "site", "--droplet", str(droplet), "--no-start", "--no-route")
    uploaded = Droplet.objects.get()
    assert uploaded.state == "STAGED"
    apps.use_droplet(alice, app, droplet=uploaded)
    back = tmp_path / "back.tgz"
    as_alice("download-droplet", "site", "--path", str(back))
    assert back.read_bytes() == droplet.read_bytes()


def test_a_buildpack_goes_up(cf: Cf, root: User, tmp_path: Path) -> None:
    cf("auth", root.username, PASSWORD)
    good, bad = tmp_path / "ruby_v1.zip", tmp_path / "bad.zip"
    good.write_bytes(zipped({"bin/detect": "", "bin/compile": "", "manifest.yml": "stack: debian12"}).getvalue())
    bad.write_bytes(zipped({"readme": ""}).getvalue())
    cf("create-buildpack", "ruby", str(good), "1")
    cf("update-buildpack", "ruby", "--disable")
    assert "ruby_v1.zip" in cf("buildpacks")
    row = Buildpack.objects.get()
    assert (row.state, row.stack, row.enabled) == ("READY", "debian12", False)
    assert "The buildpack is invalid" in cf("create-buildpack", "other", str(bad), "1", code=1)
    cf("delete-buildpack", "ruby", "-f")
    assert list(Buildpack.objects.values_list("name", flat=True)) == ["other"]
