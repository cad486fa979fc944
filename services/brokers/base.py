"""The broker's contract: what is asked of whoever makes service instances, and how it can end.

Every call may be made again with the same arguments, by a worker that adopted the work of a dead one: what exists
already as asked for is ``Done``, what is gone already is ``Done`` too. Names outside follow from the guids.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from paas.lib.errors import PaasError

Json = Mapping[str, Any]


class BrokerError(PaasError):
    """The broker could not be asked, or did not do it; ``detail`` says what it said, never a secret."""

    status, code, title = 502, 10001, "ServiceBrokerBadResponse"


class RequestRejected(BrokerError):
    """The broker would not do what it was asked: nothing was changed. Of a deletion that is polled: it has failed."""

    status, code, title = 502, 10001, "ServiceBrokerRequestRejected"


class OperationInProgress(BrokerError):
    """The broker is at work on that instance already: the call is to be made again later, and nothing was changed."""

    status, code, title = 422, 10001, "ConcurrencyError"


# The catalogue -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CatalogPlan:
    """A plan as the broker tells of it. Null in ``bindable`` and ``plan_updateable`` leaves it to the offering."""

    id: str
    name: str
    description: str
    free: bool = True
    bindable: bool | None = None
    plan_updateable: bool | None = None
    maximum_polling_duration: int | None = None  # seconds
    maintenance_info: Json = field(default_factory=dict)
    create_schema: Json = field(default_factory=dict)
    update_schema: Json = field(default_factory=dict)
    bind_schema: Json = field(default_factory=dict)
    metadata: Json = field(
        default_factory=dict
    )  # "costs": [{"amount": {"gbp": 12.5}, "unit": "MONTHLY"}], "bullets", ...


@dataclass(frozen=True)
class CatalogOffering:
    id: str
    name: str
    description: str
    plans: tuple[CatalogPlan, ...]
    bindable: bool = True
    plan_updateable: bool = False
    instances_retrievable: bool = False
    bindings_retrievable: bool = False
    allow_context_updates: bool = False
    tags: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    dashboard_client: str = ""  # its id
    metadata: Json = field(default_factory=dict)  # "displayName", "shareable", "documentationUrl", ...


# What is asked for ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """The space that something stands in; annotations are those whose keys have a prefix."""

    organization_guid: str
    organization_name: str
    space_guid: str
    space_name: str
    organization_annotations: Json = field(default_factory=dict)
    space_annotations: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """Whose backups an instance is made from: the named one, the state at a time, or (neither) the newest state."""

    guid: str
    cipher: str = field(repr=False)  # what they are encrypted with
    backup: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Instance:
    """An instance as it is wished for. ``parameters`` are the user's own, null where none were given.

    ``cipher`` is what its own backups are encrypted with, where the platform makes them.
    """

    guid: str
    name: str
    offering_id: str  # both ids are the catalogue's
    plan_id: str
    place: Place
    parameters: Json | None = field(default=None, repr=False)
    maintenance_version: str = ""
    annotations: Json = field(default_factory=dict)
    cipher: str = field(default="", repr=False)
    origin: Origin | None = None


@dataclass(frozen=True)
class Previous:
    """What an instance was before an update."""

    plan_id: str
    maintenance_version: str = ""


@dataclass(frozen=True)
class AppUser:
    """The app that a binding is for."""

    guid: str
    name: str
    place: Place
    annotations: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """A binding as it is wished for; a key has no app. The last two are the offering's."""

    guid: str
    instance: Instance
    app: AppUser | None = None
    parameters: Json | None = field(default=None, repr=False)
    requires: tuple[str, ...] = ()  # what its answer may hold beside credentials: syslog_drain, volume_mount, ...
    retrievable: bool = False  # whether it can be fetched: otherwise it has to be made at once


# How it ended --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bound:
    """What a binding holds."""

    credentials: Json = field(default_factory=dict, repr=False)
    syslog_drain_url: str = field(default="", repr=False)
    route_service_url: str = field(default="", repr=False)
    volume_mounts: tuple[Json, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Done:
    """It is so now. ``bound`` comes with a binding; ``dashboard_url`` null says nothing new of it."""

    dashboard_url: str | None = None
    bound: Bound | None = None


@dataclass(frozen=True)
class Accepted:
    """The broker works on it: poll with ``operation`` in ``retry_after`` seconds (null: when the caller likes)."""

    operation: str = ""
    retry_after: float | None = None
    dashboard_url: str | None = None


@dataclass(frozen=True)
class Refused:
    """Nothing was made, changed or removed. An ``OperationInProgress`` may be tried again later."""

    error: BrokerError


@dataclass(frozen=True)
class Unknown:
    """Nobody can tell whether it was done. What a creation may have left is an orphan, to be removed."""

    error: BrokerError


Outcome = Done | Accepted | Refused | Unknown


@dataclass(frozen=True)
class Progress:
    """How far an operation is. ``gone``: what was asked about does not exist (any more); a deletion has succeeded then.

    A creation that failed leaves an orphan. ``bound`` comes with a binding that has succeeded.
    ``usable`` is false where a failed update or deletion left the instance in a state that cannot be used.
    """

    state: Literal["in progress", "succeeded", "failed", "gone"]
    description: str = ""
    retry_after: float | None = None
    bound: Bound | None = None
    usable: bool = True


@dataclass(frozen=True)
class Fetched:
    """What the broker holds of an instance or binding right now."""

    parameters: Json = field(default_factory=dict, repr=False)
    plan_id: str = ""
    dashboard_url: str = ""
    maintenance_version: str = ""
    bound: Bound | None = None


@dataclass(frozen=True)
class Held:
    """Something that the broker has of an instance; what is ``kept`` may outlive it, as backups do."""

    guid: str
    what: str
    kept: bool = False


class Broker(ABC):
    """One broker. ``by`` is the guid of the person who asks, "" where it is the platform itself.

    No call takes longer than a minute: what needs more is ``Accepted`` and polled. Calls that cannot end as an
    ``Outcome`` raise ``BrokerError`` (also when the broker cannot be reached).
    """

    @abstractmethod
    def catalog(self) -> tuple[CatalogOffering, ...]:
        """Return what is offered; raise ``BrokerError``, whose detail lists everything that is wrong with it."""

    @abstractmethod
    def provision(self, instance: Instance, *, by: str = "") -> Outcome:
        """Make the instance. One that exists with another plan or other parameters is ``Refused``."""

    @abstractmethod
    def update(self, instance: Instance, previous: Previous, *, by: str = "") -> Outcome:
        """Give the instance its new plan, parameters, version or name; parameters null leaves them as they are."""

    @abstractmethod
    def bind(self, binding: Binding, *, by: str = "") -> Outcome:
        """Make credentials; ``Done`` has ``bound``."""

    @abstractmethod
    def remove(self, what: Instance | Binding, *, by: str = "") -> Outcome:
        """Deprovision the instance or unbind; what is not there is ``Done``. Never ``Refused`` for having failed before."""

    @abstractmethod
    def poll(self, what: Instance | Binding, operation: str) -> Progress:
        """Return how far the operation that was ``Accepted`` is; raise ``BrokerError`` where the next poll may know.

        A creation of a binding that has succeeded without ``bound`` is one that nobody can use: an orphan.
        """

    @abstractmethod
    def fetch(self, what: Instance | Binding) -> Fetched | None:
        """Return what the broker holds, or None where it has nothing of it; raise ``BrokerError`` if it cannot say."""

    def inventory(self) -> tuple[Held, ...] | None:
        """Return all that it has of instances, also of those that nobody knows any more; None where it cannot tell."""
        return None
