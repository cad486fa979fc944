"""What the record keeps of a change: what was and what is, and nothing that is secret."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts import audit
from accounts.audit import HIDDEN, changed
from accounts.models import User


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"name": "old", "stack": "a"}, {"name": "new", "stack": "a"}, {"name": ["old", "new"]}),
        ({}, {"name": "new", "memory_mb": 0, "enabled": False}, {"name": [None, "new"], "memory_mb": [None, 0], "enabled": [None, False]}),
        ({"name": "old", "weight": None}, {}, {"name": ["old", None]}),
        ({"host": None, "types": []}, {"host": "", "types": ()}, {}),
        ({"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "1", "c": "3"}}, {"labels.b": ["2", None], "labels.c": [None, "3"]}),
        ({"ends": datetime(2030, 1, 1, tzinfo=UTC)}, {}, {"ends": ["2030-01-01T00:00:00+00:00", None]}),
        ({}, {"buildpacks": ["https://me:pw@example.org/x"]}, {"buildpacks": [None, ["https://***:***@example.org/x"]]}),
        ({}, {"verbs": {"b", "a"}}, {"verbs": [None, ["a", "b"]]}),
    ],
)  # fmt: skip
def test_only_what_differs_is_kept(before: Any, after: Any, said: Any) -> None:
    assert changed(before, after) == said


def test_of_secrets_only_the_names_are_kept() -> None:
    before = {"environment": {"KEPT": "1", "GONE": "2", "OTHER": "3"}, "command": "run --key 1"}
    after = {"environment": {"KEPT": "1", "OTHER": "4", "NEW": "5"}, "command": "run --key 2"}
    assert changed(before, after) == {
        "environment.GONE": [HIDDEN, None],
        "environment.OTHER": [HIDDEN, HIDDEN],
        "environment.NEW": [None, HIDDEN],
        "command": [HIDDEN, HIDDEN],
    }
    assert changed({}, {"credentials": {"password": {"deep": "x"}}, "parameters": ["x"]}) == {
        "credentials.password": [None, HIDDEN],
        "parameters": [None, HIDDEN],
    }


def test_a_state_has_the_fields_and_what_everything_is_described_by(alice: User) -> None:
    alice.labels = {"team": "web"}
    assert audit.state(alice, ["email"]) == {"email": alice.email, "labels": {"team": "web"}, "annotations": {}}


def test_an_event_keeps_changes_beside_what_else_is_known(root: User, alice: User) -> None:
    event = audit.record(root, "audit.user.update", alice, before={"email": "a"}, after={"email": "b"}, how="form")
    assert event.data == {"changes": {"email": ["a", "b"]}, "how": "form"}
    assert audit.record(root, "audit.user.password", alice).data == {}


def test_a_crash_is_about_an_app(system: User, alice: User) -> None:
    assert audit.record(system, "app.crash", alice).target_type == "app"
