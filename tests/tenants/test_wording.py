"""Every event that is recorded anywhere can be told in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import AuditEvent
from tenants.details import details_of
from tenants.wording import WORDS, is_told, words_for

FLOORS = ("accounts", "tenants", "services", "apps")
TYPE = re.compile(r"(audit\.[a-z_.-]+\.[a-z_-]+|app\.crash)")
ELSEWHERE = {"tenants/wording.py", "tenants/event_forms.py"}  # they speak of types and record none
VARIANTS = {  # what the moving parts of a type can be
    "apps/actions/push.py": ["audit.app.build.staged", "audit.app.build.failed"],
    "apps/actions/app.py": ["audit.app.start", "audit.app.restart"],
    "apps/actions/labels.py": [
        f"audit.app.{kind}.update" for kind in ("build", "deployment", "droplet", "package", "revision", "task")
    ],
    "tenants/actions/role.py": [
        f"audit.user.{role}_{did}"
        for role in ("custom_role", "organization_manager", "space_auditor")
        for did in ("add", "remove", "update", "lapse")
    ],
    "tenants/actions/robot.py": [f"audit.robot.{did}" for did in ("create", "update", "delete")],
    "tenants/actions/robot_key.py": [f"audit.robot.key.{did}" for did in ("create", "rotate", "revoke")],
    "tenants/actions/quota_request.py": [
        f"audit.quota_request.{did}" for did in ("create", "update", "withdraw", "accept", "refuse")
    ],
    "tenants/actions/role_request.py": [
        f"audit.role_request.{did}" for did in ("create", "update", "withdraw", "accept", "refuse")
    ],
    "services/actions/binding.py": [
        f"audit.{kind}.{did}"
        for kind in ("service_binding", "service_key")
        for did in ("create", "start_create", "update", "delete", "start_delete", "show")
    ],
}


def _files() -> Iterator[tuple[str, str]]:
    for floor in FLOORS:
        for file in sorted((settings.BASE_DIR / floor).rglob("*.py")):
            name = str(file.relative_to(settings.BASE_DIR))
            if "migrations" not in file.parts and name not in ELSEWHERE:
                yield name, Path(file).read_text()


def _texts(source: str) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The strings of a file; of one with moving parts only the whole."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node
        else:
            waiting += ast.iter_child_nodes(node)


def recorded() -> set[str]:
    """The types that are written out, and the variants of those that are put together."""
    found = {type for variants in VARIANTS.values() for type in variants}
    for name, source in _files():
        for node in _texts(source):
            if isinstance(node, ast.Constant) and TYPE.fullmatch(str(node.value)):
                found.add(str(node.value))
            elif isinstance(node, ast.JoinedStr) and ast.unparse(node)[2:].startswith("audit."):
                assert name in VARIANTS, f"{name} puts a type together; say in VARIANTS what comes of it"
    return found


def test_there_are_words_for_every_type_that_is_recorded() -> None:
    types = recorded()
    assert len(types) > 100
    assert sorted(type for type in types if not is_told(type)) == []


def test_there_are_no_words_for_what_is_recorded_nowhere() -> None:
    assert sorted(set(WORDS) - recorded()) == []


@pytest.mark.parametrize(
    ("type", "data", "words"),
    [
        ("audit.app.update", {}, "changed the app site"),
        ("audit.app.sidecar.create", {}, "created a sidecar of the app site"),
        ("audit.app.environment.show", {}, "read the environment of the app site"),
        ("audit.access_token.delete", {}, "deleted the API token site"),
        ("audit.user.space_developer_add", {"role": "space_developer"}, "gave site the role space developer in the space production"),
        ("audit.user.custom_role_lapse", {"role": "On call"}, "ended the role On call of site in the space production, as it was given until then"),
        ("app.crash", {}, "saw an instance of the app site crash"),
    ],
)  # fmt: skip
def test_events_read_as_sentences(type: str, data: dict[str, str], words: str) -> None:
    event = AuditEvent(type=type, target_name="site", space_name="production", organization_name="ministry", data=data)
    assert words_for(event) == words


def test_changes_are_told_a_line_each() -> None:
    changes = {
        "memory_mb": [256, 512],
        "enabled": [False, True],
        "buildpacks": [None, ["python", "nodejs"]],
        "name": ["old", None],
        "environment.KEY": [None, "[PRIVATE DATA HIDDEN]"],
        "labels.team": ["a", "b"],
        "droplet": ["1", "2"],
    }
    assert details_of({"changes": changes, "process_type": "web", "process_guid": "x", "reason": "It was full."}) == [
        "memory: 256 MB → 512 MB",
        "enabled: no → yes",
        "buildpacks: python, nodejs",
        "name: old → none",
        "variable KEY: set",
        "label team: a → b",
        "process type: web",
        "It was full.",
    ]
