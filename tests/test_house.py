"""The house keeps its own rules: who imports whom, jobs that exist, actions that authorise first and have doors."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.celery import load_jobs
from paas.lib import queue

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("accounts", "tenants", "services", "apps")
OURS = (*FLOORS, "paas")
# Steps of other actions, called in their transaction; they are no door's business.
INNER = {
    "accounts.actions.people.account_ends", "accounts.actions.profile.end", "tenants.actions.account.ends",
    "tenants.actions.invitation.give",
    "apps.actions.app.check_environment", "apps.actions.app.remove", "apps.actions.deployment.adopt",
    "apps.actions.deployment.begin", "apps.actions.deployment.snapshot",
    "apps.actions.push.check_buildpacks", "apps.actions.push.fail", "apps.actions.push.succeed",
    "accounts.actions.tokens.create_api_token", "apps.actions.task.ended", "tenants.actions.robot.leave",
    "services.actions.binding.forget", "services.actions.binding.remove", "services.actions.instance.remove",
    "tenants.actions.role.note", "tenants.actions.role.take_all", "tenants.actions.space.leave",
    # What a browser's session looks at: the API has no sessions.
    "tenants.actions.view_as.begin", "tenants.actions.view_as.finish", "tenants.actions.view_as.seen_as",
}  # fmt: skip

# Several actions that have doors of their own, in one transaction, for a form that saves them together.
TOGETHER = {
    "tenants.actions.role.change", "tenants.actions.space.create_and_join",
}  # fmt: skip


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts and "buildpacks" not in path.parts[-4:]:
                yield path, path.read_text()


def actions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for floor in FLOORS:
        for path, text in sources(floor):
            if "actions" not in path.parts and path.name != "actions.py":
                continue
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for node in ast.parse(text).body:
                public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
                if public and node.args.args and node.args.args[0].arg == "actor":
                    yield f"{module}.{node.name}", node


def test_imports_go_downwards_only() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_job_that_is_named_exists() -> None:
    load_jobs()
    named = {name for _, text in sources(*OURS) for name in re.findall(r'\b(?:later|hint)\(\s*"([^"]+)"', text)}
    assert named
    assert named <= set(queue.JOBS)


def test_every_action_authorises_first() -> None:
    found = dict(actions())
    assert found
    late = []
    for name, node in found.items():
        body = (
            node.body[1:]
            if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
            else node.body
        )
        first = ast.unparse(body[0])
        if name not in INNER and not re.match(r"(\w+\.)*authori[sz]e\w*\(actor", first):
            late.append(f"{name}: {first.splitlines()[0]}")
    assert not late, "\n".join(late)


@pytest.mark.parametrize("floor", FLOORS)
def test_every_action_has_an_api_door(floor: str) -> None:
    doors = "\n".join(
        text for path, text in sources(*FLOORS) if {"v3", "uploads"} & {*path.parts} or path.name == "uaa.py"
    )
    doors += "\n".join(text for path, text in sources("accounts") if "uaa" in path.parts)
    missing = [
        name
        for name, _ in actions()
        if name.startswith(floor)
        and name not in INNER | TOGETHER
        and not re.search(rf"\b{name.rpartition('.')[2]}\(", doors)
    ]
    assert not missing, "\n".join(missing)


def test_no_file_is_a_drawer() -> None:
    drawers = [str(path) for path, _ in sources(*OURS) if path.stem in ("utils", "helpers", "common", "misc")]
    assert not drawers


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    long = [f"{path}: {len(text.splitlines())}" for path, text in sources(*OURS) if len(text.splitlines()) > 300]
    assert not long, "\n".join(long)
