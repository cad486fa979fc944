"""What the checks know of each other: the catalogue, and the throw-away instance and binding that are there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from services.brokers.base import CatalogOffering, CatalogPlan
from services.brokers.conformance.caller import Caller, Reply
from services.brokers.conformance.removal import Made, finish

NAMES = ("refused", "incomplete", "hasty", "outdated", "main")  # of the instances that may come to be
EXTRA = {"x-unknown-field": {"of": "a later version"}}


@dataclass
class Trial:
    """``standing`` are the instances that the broker may hold, by guid: from before it is asked until it has let go."""

    caller: Caller
    seed: str  # guid of this run: ids follow from it
    document: dict[str, Any] | None = None
    offered: tuple[CatalogOffering, ...] | None = None
    offering: CatalogOffering | None = None
    plan: CatalogPlan | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    standing: dict[str, Made] = field(default_factory=dict)
    creation: Reply | None = None  # the answer that began it, where it takes time
    instance: bool = False
    removed: bool = False
    binding: bool = False
    unbound: bool = False
    bound: dict[str, Any] = field(default_factory=dict)  # what the binding holds, never shown

    def guid(self, name: str) -> str:
        return str(uuid.uuid5(uuid.UUID(self.seed), name))

    @property
    def main(self) -> str:
        return f"/v2/service_instances/{self.guid('main')}"

    @property
    def binding_path(self) -> str:
        return f"{self.main}/service_bindings/{self.guid('binding')}"

    @property
    def other_plan(self) -> CatalogPlan | None:
        """Another plan of the same offering."""
        assert self.offering and self.plan
        return next((each for each in self.offering.plans if each.id != self.plan.id), None)

    @property
    def retrievable(self) -> bool:
        return bool(self.offering and self.offering.bindings_retrievable)

    def ids(self) -> dict[str, str]:
        assert self.offering and self.plan
        return {"service_id": self.offering.id, "plan_id": self.plan.id}

    def context(self) -> dict[str, Any]:
        place = {"organization_guid": self.guid("organization"), "space_guid": self.guid("space")}
        names = {"organization_name": "conformance", "space_name": "conformance", "instance_name": "conformance"}
        return {"platform": "cloudfoundry", **place, **names, **EXTRA}

    def wish(self, **changes: Any) -> dict[str, Any]:
        """The body of a creation, with a field that nobody knows; what is changed to None is left out."""
        assert self.plan
        version = self.plan.maintenance_info.get("version")
        body = {
            **self.ids(),
            "organization_guid": self.guid("organization"),
            "space_guid": self.guid("space"),
            "context": self.context(),
            "parameters": self.parameters or None,
            "maintenance_info": {"version": version} if version else None,
            **EXTRA,
        }
        return {key: value for key, value in (body | changes).items() if value is not None}

    def made(self, name: str) -> Made:
        return Made(**self.ids(), binding=self.guid("binding") if name == "main" else "")

    def create(self, name: str, body: dict[str, Any], *, waits: bool = True) -> Reply:
        """Ask for an instance; one that was refused does not stand."""
        guid = self.guid(name)
        before = self.standing.get(guid)
        self.standing[guid] = before or self.made(name)
        query = {"accepts_incomplete": "true"} if waits else {}
        reply = self.caller.ask("PUT", f"/v2/service_instances/{guid}", body, query=query)
        if before is None and 400 <= reply.status < 500:
            self.standing.pop(guid)
        return reply

    def finish(self, path: str, reply: Reply) -> str:
        return finish(self.caller, path, self.ids(), reply)
