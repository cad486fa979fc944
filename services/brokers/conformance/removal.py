"""Waits for operations, and removes what a check has made: also what was left by one that was broken off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.brokers.conformance.caller import Caller, Exhausted, Reply
from services.brokers.conformance.verdicts import Failed

STATES = ("in progress", "succeeded", "failed")
LONGEST_WAIT = 10.0  # seconds between two polls, however long the broker wants to be left alone


@dataclass(frozen=True)
class Made:
    """An instance that the broker may hold: the catalogue's ids, and the binding that it may have ("": none)."""

    service_id: str
    plan_id: str
    binding: str = ""

    @property
    def ids(self) -> dict[str, str]:
        return {"service_id": self.service_id, "plan_id": self.plan_id}


def finish(caller: Caller, path: str, ids: Mapping[str, str], reply: Reply) -> str:
    """Poll until the operation that was accepted has ended; return "succeeded", "failed" or "gone"."""
    operation = reply.text("operation")
    query = {**ids, "operation": operation} if operation else {**ids}
    while True:
        told = caller.ask("GET", f"{path}/last_operation", query=query)
        if told.status == 410:
            return "gone"
        state = (told.told or {}).get("state")
        if told.status != 200 or state not in STATES:
            raise Failed(
                f"The answer was {told.status} with the state {state!r}.",
                f"Answer last_operation with 200 and a state that is one of {', '.join(STATES)}.",
            )
        if state != "in progress":
            return str(state)
        caller.wait(_pause(told, caller.pause))


def _pause(reply: Reply, usual: float) -> float:
    said = str(reply.headers.get("Retry-After") or "").strip()
    return min(float(said), LONGEST_WAIT) if said.isdigit() and len(said) < 6 else usual


def removed(caller: Caller, guid: str, made: Made) -> bool:
    """Tell the broker to remove the instance, its binding first; return whether it has."""
    here = f"/v2/service_instances/{guid}"
    if made.binding:
        _gone(caller, f"{here}/service_bindings/{made.binding}", made.ids)
    return _gone(caller, here, made.ids)


def _gone(caller: Caller, path: str, ids: Mapping[str, str]) -> bool:
    try:
        reply = caller.ask("DELETE", path, query={**ids, "accepts_incomplete": "true"})
        if reply.status == 202:
            return finish(caller, path, ids, reply) != "failed"
    except (Failed, Exhausted):
        return False
    return reply.status in (200, 410)
