"""How an instance stands, in words, and the steps of what is under way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from services.models import Binding, Operation, ServiceInstance

CREATE, UPDATE, DELETE = Operation.Type.CREATE, Operation.Type.UPDATE, Operation.Type.DELETE
SUCCEEDED, FAILED = Operation.State.SUCCEEDED, Operation.State.FAILED
WORDS = {CREATE: "being created", UPDATE: "being changed", DELETE: "being deleted"}
FAILURES = {CREATE: "creation failed", UPDATE: "change failed", DELETE: "deletion failed"}
DID = {CREATE: "Created", UPDATE: "Changed", DELETE: "Deleted"}
NOUNS = {CREATE: "Creation", UPDATE: "Change", DELETE: "Deletion"}
OF_APP = {
    "being created": "being bound",
    "being deleted": "being unbound",
    "ready": "bound",
    "creation failed": "binding failed",
    "deletion failed": "unbinding failed",
}


@dataclass(frozen=True)
class Standing:
    """``words`` is what people read; ``kind`` only chooses the colour."""

    words: str
    kind: str


@dataclass(frozen=True)
class Step:
    """``state`` is done, now, failed or left."""

    title: str
    state: str
    started_at: datetime | None = None
    ended_at: datetime | None = None


def standing(row: ServiceInstance | Binding) -> Standing:
    kind = row.operation_type
    found = Standing("ready", "ready")
    if row.busy:
        found = Standing(WORDS[kind], "building")
    elif row.operation_state == FAILED:
        found = Standing(FAILURES[kind], "failed")
    of_app = isinstance(row, Binding) and row.type == Binding.Type.APP
    return Standing(OF_APP[found.words], found.kind) if of_app else found


def last_operation(instance: ServiceInstance) -> str:
    """Return the last operation in a word; when it was stands beside it."""
    return (DID if instance.operation_state == SUCCEEDED else NOUNS)[instance.operation_type]


def was_made(instance: ServiceInstance) -> bool:
    """Whether there is, or was, something to use; a creation that failed or goes on has left nothing yet."""
    return instance.operation_type != CREATE or instance.operation_state == SUCCEEDED


def progress(instance: ServiceInstance, bound: Collection[Binding]) -> dict[str, Any]:
    """What changes while an operation goes on: of the instance, or of its bindings."""
    going_on = instance.busy or any(binding.busy for binding in bound)
    failed = instance.operation_state == FAILED
    return {
        "standing": standing(instance),
        "last": last_operation(instance),
        "steps": list(_steps(instance, bound)) if going_on or failed else [],
        "going_on": going_on,
        "failed": failed,
        "stage": stage(instance, bound),
    }


def stage(instance: ServiceInstance, bound: Collection[Binding]) -> str:
    """A word that changes with every state: a page that was made with another is out of date."""
    states = [(row.operation_type, row.operation_state, row.operation_created_at) for row in (instance, *bound)]
    return sha256(repr(states).encode()).hexdigest()[:16]


def _steps(instance: ServiceInstance, bound: Collection[Binding]) -> list[Step]:
    by = f" by {instance.asked_by.display_name}" if instance.asked_by else ""
    kind, begun = instance.operation_type, instance.operation_created_at
    asked = Step(f"Asked for{by}", "done", begun, begun)
    if kind == DELETE:
        leaving = [_of(binding, f"Unbind {_user_of(binding)}") for binding in bound if binding.operation_type == DELETE]
        return [asked, *leaving, _of(instance, "Delete it")]
    if not instance.busy and instance.operation_state == SUCCEEDED:
        return [_of_binding(binding) for binding in bound if binding.busy]
    titles = {CREATE: f"Create it, with {_plan_of(instance)}", UPDATE: "Change it"}
    joining = [_of_binding(binding) for binding in bound if kind == CREATE and binding.operation_created_at >= begun]
    return [asked, _of(instance, titles[kind]), *joining]


def _of_binding(binding: Binding) -> Step:
    verb = "Unbind" if binding.operation_type == DELETE else "Bind"
    return _of(binding, f"{verb} {_user_of(binding)}")


def _user_of(binding: Binding) -> str:
    app: Any = binding.app
    return str(app.name) if app else f"the key {binding.name}"


def _plan_of(instance: ServiceInstance) -> str:
    return f"the plan {instance.plan.name}" if instance.plan else "your credentials"


def _of(row: ServiceInstance | Binding, title: str) -> Step:
    if row.busy:
        waits = row.operation_state == Operation.State.INITIAL
        return Step(title, "left" if waits and isinstance(row, Binding) else "now", row.operation_created_at)
    state = "done" if row.operation_state == SUCCEEDED else "failed"
    return Step(title, state, row.operation_created_at, row.operation_updated_at)
