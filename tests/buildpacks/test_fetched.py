"""Buildpacks from an address: git, with a branch or a tag, and zip."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker
import pytest

from paas.seams.builders.base import BuildFailed, BuildpackRef
from tests.contracts.building import Bench, zipped

SCRIPT = "#!/bin/sh\necho this is %s\n"


@pytest.fixture
def gateway(install: str) -> str:
    """The machine's address on the network of the builds, which in these tests has no firewall."""
    return docker.from_env().networks.get(f"paas-{install}").attrs["IPAM"]["Config"][0]["Gateway"]


@pytest.fixture
def git(gateway: str, tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "git" / "own-buildpack"
    (folder / "bin").mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    for version in ("first", "second"):
        for name in ("detect", "compile"):
            (folder / "bin" / name).write_text(SCRIPT % version)
        _git(folder, "add", ".")
        _git(folder, "-c", "user.name=x", "-c", "user.email=x@example.test", "commit", "--quiet", "-m", version)
        _git(folder, "tag", version)
    with socket.create_server((gateway, 0)) as free:
        port = free.getsockname()[1]
    command = ["git", "daemon", "--export-all", f"--listen={gateway}", f"--port={port}", f"--base-path={folder.parent}"]
    with subprocess.Popen([*command, "--reuseaddr", str(folder.parent)]) as daemon:
        _until_listening(gateway, port)
        yield f"git://{gateway}:{port}/own-buildpack"
        daemon.terminate()


@pytest.fixture
def web(gateway: str, tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "web"
    folder.mkdir()
    nested = {"own-1.0/bin/detect": SCRIPT % "zipped", "own-1.0/bin/compile": SCRIPT % "zipped"}
    (folder / "own.zip").write_bytes(zipped(nested).read())
    server = ThreadingHTTPServer((gateway, 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{gateway}:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("ref", "version"), [("", "second"), ("#main", "second"), ("#first", "first")])
def test_a_buildpack_is_cloned_from_git_at_a_branch_or_a_tag(bench: Bench, git: str, ref: str, version: str) -> None:
    _, built = _push(bench, git + ref)
    assert f"this is {version}" in bench.story.text
    assert [used.name for used in built.buildpacks] == [git + ref]


def test_a_branch_that_is_not_there_is_told(bench: Bench, git: str) -> None:
    with pytest.raises(BuildFailed, match=r"git could not clone it.*no-such-branch"):
        _push(bench, f"{git}#no-such-branch")


def test_a_buildpack_is_downloaded_as_a_zip_with_a_folder_inside(bench: Bench, web: str) -> None:
    _push(bench, f"{web}/own.zip")
    assert "this is zipped" in bench.story.text


def test_a_zip_that_is_not_there_is_told(bench: Bench, web: str) -> None:
    with pytest.raises(BuildFailed, match=r"could not be downloaded.*404"):
        _push(bench, f"{web}/other.zip")


@pytest.mark.parametrize("address", ["file:///etc/passwd.zip", "file:///build", "ext::sh -c id"])
def test_other_kinds_of_address_are_refused(bench: Bench, address: str) -> None:
    with pytest.raises(BuildFailed, match="cannot be used"):
        _push(bench, address)


def test_a_password_in_an_address_is_not_shown(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as failure:
        _push(bench, "http://me:hush-hush@127.0.0.1:1/own-buildpack")
    assert "hush-hush" not in failure.value.sentence + bench.story.text


def _push(bench: Bench, address: str):  # type: ignore[no-untyped-def]
    return bench.push({"app.txt": ""}, buildpacks=(BuildpackRef(address, "url", address),), detect=False)


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True)


def _until_listening(address: str, port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("git daemon does not listen.")
