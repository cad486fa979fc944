"""The contract of one kind of service at Amazon: how an instance is made there, and the users of its bindings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from services.brokers.base import Binding, Fetched, Instance, Json, Previous
from services.brokers.engine import window
from services.brokers.engine.base import NotAllowed, Schemas

from .cloud import Cloud
from .plans import Offer, Plan

PLAN = "paas:plan"
PARAMETER = "parameter:"
WINDOW = window.NAME
WEEKLY = {
    "type": "string",
    "pattern": window.PATTERN,
    "description": "When Amazon may work on it each week, like Tue:04:00-Tue:05:00 (UTC).",
}
FINAL = "-final"  # how the last snapshot of a deleted instance ends


class Kind(ABC):
    """One kind of service. Every call may be made again.

    Raises ``NotReady`` until it is so (the call is then made again), ``NotAllowed`` where it cannot be and nothing was
    made or changed, any other ``BrokerError`` where nobody can tell.
    """

    tags: ClassVar[tuple[str, ...]]
    plan_updateable: ClassVar[bool]
    schemas: Schemas

    def __init__(self, cloud: Cloud, offer: Offer, *, keys: Sequence[str], trust: Path) -> None:
        self.cloud, self.offer, self.keys, self.trust = cloud, offer, keys, trust

    @abstractmethod
    def make(self, instance: Instance) -> None:
        """Make the instance, unless it is there."""

    @abstractmethod
    def change(self, instance: Instance, previous: Previous) -> None:
        """Begin to give it the plan and the parameters, null leaves these as they are; ``NotReady`` while it cannot be begun."""

    @abstractmethod
    def settle(self, instance: Instance) -> None:
        """Return once a change is done. The plan is whatever it was changed to, not the given one."""

    @abstractmethod
    def drop(self, instance: Instance) -> None:
        """Remove it; ``NotReady`` until it is gone."""

    @abstractmethod
    def look(self, instance: Instance) -> Fetched | None: ...

    @abstractmethod
    def add_user(self, binding: Binding) -> dict[str, Any]:
        """Make the binding's own user and return the credentials, the same ones each time."""

    @abstractmethod
    def drop_user(self, binding: Binding) -> None: ...

    @abstractmethod
    def look_user(self, binding: Binding) -> Fetched | None: ...

    @abstractmethod
    def forget(self, before: datetime) -> None:
        """Remove the last snapshots of deleted instances that were taken before that time."""

    def plan(self, instance: Instance) -> Plan:
        return self.plan_by(instance.plan_id)

    def plan_by(self, plan_id: str) -> Plan:
        found = self.offer.plan(plan_id)
        if found is None:
            raise NotAllowed("The platform does not offer this plan any more. Change the instance's plan.")
        return found

    def labels(self, instance: Instance) -> dict[str, str]:
        """Return the tags of what an instance is made of: whose it is, for the bill and for whoever looks there."""
        place = instance.place
        return {
            "paas:prefix": self.cloud.account.prefix,
            "paas:organization": place.organization_guid,
            "paas:space": place.space_guid,
            "paas:instance": instance.guid,
            PLAN: instance.plan_id,
        }

    def check_plan(self, instance: Instance, labels: Mapping[str, str]) -> None:
        """Raise where there is such an instance already, with another plan."""
        if labels.get(PLAN, instance.plan_id) != instance.plan_id:
            raise NotAllowed(f"The instance {instance.name} exists already, with another plan.")


def weekly(parameters: Json) -> dict[str, Any]:
    """Return the window as Amazon wants it, where one is given."""
    return {"PreferredMaintenanceWindow": parameters[WINDOW].lower()} if parameters.get(WINDOW) else {}


def kept(parameters: Json | None) -> dict[str, str]:
    """Return parameters as tags, from which they can be told again."""
    return {PARAMETER + name: str(value).lower() for name, value in (parameters or {}).items()}


def told(labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters that tags tell."""
    words = {"true": True, "false": False}
    given = {name.removeprefix(PARAMETER): value for name, value in labels.items() if name.startswith(PARAMETER)}
    return {name: words.get(value, value) for name, value in given.items()}
