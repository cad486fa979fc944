"""The Java library that many teams script with, unmodified: its v3 calls, from signing in to an app that answers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.platform import apps
from tests.platform.client import PASSWORD, Client, zipped

HERE = Path(__file__).parent / "java"
pytestmark = pytest.mark.timeout(900)
Java = Callable[..., Any]


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program and its libraries, as a class path."""
    target = tmp_path_factory.mktemp("java")
    run("mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), f"-DbuildDirectory={target}", "compile")
    return f"{target / 'classes'}:{(target / 'classpath').read_text().strip()}"


@pytest.fixture
def java(classes: str, alice: Client) -> Java:
    """Runs the program as alice; returns what it said of each step, or where it should fail, what it complained of."""

    def said(mode: str, *words: str, password: str = PASSWORD, status: int = 0) -> Any:
        person = ["localhost", str(alice.port), alice.username, password]
        done = run("java", "-cp", classes, "Push", mode, *person, *words, status=status)
        return done.stderr if status else dict(line.split(" ", 1) for line in done.stdout.splitlines())

    return said


def run(*words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    assert done.returncode == status, f"{words[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def test_it_pushes_runs_a_task_and_deletes(java: Java, alice: Client, space: Any, name: str, tmp_path: Path) -> None:
    (tmp_path / "app.zip").write_bytes(zipped(apps.server("from Java")))
    said = java("push", name, space["name"], "apps.localhost", str(tmp_path / "app.zip"))
    assert alice.fetch(name).text == "from Java"
    app = alice.only(f"/v3/apps?names={name}")
    assert (said["app"], said["space"], app["state"]) == (app["guid"], space["guid"], said["state"])
    assert said["current"] == said["droplet"]
    assert said["processes"] == "{web=python3 server.py}"
    assert (said["destinations"], said["running"], said["deployments"], said["task"]) == ("1", "1", "1", "SUCCEEDED")

    assert java("delete", name) == {"deleted": app["guid"]}
    assert alice.call("GET", f"/v3/apps?names={name}")["resources"] == []
    assert alice.fetch(name).status_code == 404


def test_it_reads_our_refusals(java: Java, alice: Client, space: Any, name: str) -> None:
    alice.create_app(space, name)
    said = java("push", name, space["name"], "apps.localhost", "never-read.zip", status=1)
    assert f"CF-UnprocessableEntity(10008): App with the name '{name}' already exists." in said
    assert "unauthorized: Bad credentials" in java("delete", name, password="wrong", status=1)
