"""Source from a git repository: a branch, a tag, a commit; and only what anybody could fetch."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from paas.seams.builders.base import BuildFailed
from tests.contracts.building import Bench


@dataclass(frozen=True)
class Repository:
    """Its address, and the commit of its first version."""

    url: str
    first: str


@pytest.fixture
def repository(install: str, tmp_path: Path) -> Iterator[Repository]:
    gateway = docker.from_env().networks.get(f"paas-{install}").attrs["IPAM"]["Config"][0]["Gateway"]
    folder = tmp_path / "git" / "site"
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch", "trunk")
    _git(folder, "config", "uploadpack.allowReachableSHA1InWant", "true")
    for version in ("first", "second"):
        (folder / "Procfile").write_text(f"web: echo {version}\n")
        (folder / "empty").mkdir(exist_ok=True)
        _git(folder, "add", ".")
        _git(folder, "-c", "user.name=x", "-c", "user.email=x@example.test", "commit", "--quiet", "-m", version)
        _git(folder, "tag", version)
    first = _git(folder, "rev-parse", "first").strip()
    with socket.create_server((gateway, 0)) as free:
        port = free.getsockname()[1]
    command = ["git", "daemon", "--export-all", f"--listen={gateway}", f"--port={port}", f"--base-path={folder.parent}"]
    with subprocess.Popen([*command, "--reuseaddr", str(folder.parent)]) as daemon:
        _until_listening(gateway, port)
        yield Repository(f"git://{gateway}:{port}/site", first)
        daemon.terminate()


@pytest.mark.parametrize(("ref", "version"), [("", "second"), ("trunk", "second"), ("first", "first")])
def test_a_branch_or_a_tag_is_built(bench: Bench, repository: Repository, ref: str, version: str) -> None:
    request, built = bench.push({}, source_key="", source_url=repository.url, source_ref=ref)
    assert built.process_types["web"] == f"echo {version}"
    assert version in bench.story.text
    assert bench.story.steps[:2] == ["download", "fetch"]
    assert not [name for name in bench.droplet(request) if ".git/" in name]


def test_a_commit_is_built(bench: Bench, repository: Repository) -> None:
    _, built = bench.push({}, source_key="", source_url=repository.url, source_ref=repository.first)
    assert built.process_types["web"] == "echo first"
    assert f"Commit {repository.first}, first" in bench.story.text


def test_a_branch_that_is_not_there_is_told(bench: Bench, repository: Repository) -> None:
    with pytest.raises(BuildFailed, match=r"git could not fetch it.*no-such-branch.*check the address"):
        bench.push({}, source_key="", source_url=repository.url, source_ref="no-such-branch")


@pytest.mark.parametrize("url", ["file:///build", "ext::sh -c id", "ssh://git@example.org/site"])
def test_other_kinds_of_address_are_refused(bench: Bench, url: str) -> None:
    with pytest.raises(BuildFailed, match="cannot be built"):
        bench.push({}, source_key="", source_url=url)


def test_a_ref_is_never_taken_for_an_option(bench: Bench, repository: Repository) -> None:
    with pytest.raises(BuildFailed, match="is not a branch"):
        bench.push({}, source_key="", source_url=repository.url, source_ref="--upload-pack=id")


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True).stdout


def _until_listening(address: str, port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("git daemon does not listen.")
