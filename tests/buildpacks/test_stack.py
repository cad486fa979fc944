"""The stack's image: its name follows its definition, and it is there after one call."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import docker

from apps import stacks

HERE = Path(stacks.__file__).parent


def name_in(folder: Path) -> str:
    """Return the name that the system's own Python gives, with nothing installed."""
    command = ["/usr/bin/python3", "-I", "-S", "-c", "import sys; sys.path[:0] = ['.']; import runpy"]
    command[-1] += "; sys.argv[1:] = ['name']; runpy.run_module('apps.stacks', run_name='__main__')"
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def copy(tmp_path: Path) -> Path:
    shutil.copytree(HERE, tmp_path / "apps" / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "apps" / "stacks"


def test_the_name_is_told_without_anything_installed(tmp_path: Path) -> None:
    copy(tmp_path)
    assert name_in(tmp_path) == stacks.image_name()


def test_another_definition_of_the_stack_or_of_its_base_is_another_image(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    with (folder / "debian12" / "launch").open("a") as file:
        file.write("# changed\n")
    changed = name_in(tmp_path)
    with (folder / "base" / "Dockerfile").open("a") as file:
        file.write("# changed\n")
    assert len({stacks.image_name(), changed, name_in(tmp_path)}) == 3


def test_once_built_it_is_there_at_once(image: str) -> None:
    said: list[str] = []
    assert stacks.ensure(said.append) == image == stacks.image_name()
    assert said == []
    assert docker.from_env().images.get(stacks.base_image_name())
