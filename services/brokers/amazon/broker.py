"""Services at Amazon: made with the operator's credentials, each by its own kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jsonschema import Draft7Validator

from paas.lib import kinds
from services.brokers.base import (
    Accepted,
    Binding,
    Bound,
    Broker,
    BrokerError,
    CatalogOffering,
    Done,
    Fetched,
    Instance,
    Json,
    OperationInProgress,
    Outcome,
    Previous,
    Progress,
    Refused,
    Unknown,
)
from services.brokers.engine.base import NotAllowed, NotReady

from . import KINDS, offers
from .base import Kind
from .cloud import Account, Cloud
from .plans import Offer

RETRY = 15.0  # seconds between looks at what takes minutes


class AmazonBroker(Broker):
    """``keys`` are the platform's own, the newest first; ``trust`` has the authorities that vouch for its databases."""

    def __init__(self, *, account: Account, services: Sequence[Offer], keys: Sequence[str], trust: Path) -> None:
        self.cloud = Cloud(account)
        self.services = {each.id: each for each in services}
        self.kinds: dict[str, Kind] = {
            each.id: kinds.load(KINDS, each.kind)(self.cloud, each, keys=keys, trust=trust) for each in services
        }

    def catalog(self) -> tuple[CatalogOffering, ...]:
        if not self.cloud.account.region:
            return ()
        return tuple(offers.offering(each, self.kinds[each.id]) for each in self.services.values())

    def provision(self, instance: Instance, *, by: str = "") -> Outcome:
        try:
            kind = self._kind(instance)
            _check(kind.schemas.create, instance.parameters)
            kind.make(instance)
        except NotReady:
            return Accepted("provision", retry_after=RETRY)
        except NotAllowed as error:
            return Refused(BrokerError(error.detail))
        return Done()

    def update(self, instance: Instance, previous: Previous, *, by: str = "") -> Outcome:
        try:
            kind = self._kind(instance)
            _check(kind.schemas.update, instance.parameters)
            kind.change(instance, previous)
        except NotReady as error:
            return Refused(OperationInProgress(error.detail))
        except NotAllowed as error:
            return Refused(BrokerError(error.detail))
        progress = self.poll(instance, "update")
        if progress.state == "failed":
            return Unknown(BrokerError(progress.description))
        return Done() if progress.state == "succeeded" else Accepted("update", retry_after=RETRY)

    def bind(self, binding: Binding, *, by: str = "") -> Outcome:
        try:
            kind = self._kind(binding.instance)
            _check(kind.schemas.bind, binding.parameters)
            return Done(bound=Bound(kind.add_user(binding)))
        except NotReady:
            return Accepted("bind", retry_after=RETRY)
        except NotAllowed as error:
            return Refused(BrokerError(error.detail))

    def remove(self, what: Instance | Binding, *, by: str = "") -> Outcome:
        try:
            if isinstance(what, Instance):
                self._kind(what).drop(what)
            else:
                self._kind(what.instance).drop_user(what)
        except NotReady:
            return Accepted("remove", retry_after=RETRY)
        except NotAllowed as error:
            return Refused(BrokerError(error.detail))
        return Done()

    def poll(self, what: Instance | Binding, operation: str) -> Progress:
        """Do it once more: every step of it sees what the others have done."""
        bound = None
        try:
            kind = self._kind(what if isinstance(what, Instance) else what.instance)
            if isinstance(what, Binding):
                if operation == "remove":
                    kind.drop_user(what)
                else:
                    bound = Bound(kind.add_user(what))
            else:
                {"remove": kind.drop, "provision": kind.make, "update": kind.settle}[operation](what)
        except NotReady as error:
            return Progress("in progress", error.detail, retry_after=RETRY)
        except NotAllowed as error:
            return Progress("failed", error.detail)
        return Progress("gone") if operation == "remove" else Progress("succeeded", bound=bound)

    def fetch(self, what: Instance | Binding) -> Fetched | None:
        try:
            if isinstance(what, Instance):
                return self._kind(what).look(what)
            return self._kind(what.instance).look_user(what)
        except (NotReady, NotAllowed) as error:
            raise BrokerError(error.detail) from error

    def forget(self, before: datetime) -> None:
        """Remove what is kept of instances that were deleted before."""
        for kind in self.kinds.values():
            kind.forget(before)

    def _kind(self, instance: Instance) -> Kind:
        if instance.offering_id not in self.kinds:
            raise NotAllowed("The platform does not offer this service any more. Ask the platform team to put it back.")
        return self.kinds[instance.offering_id]


def _check(schema: Json, parameters: Json | None) -> None:
    """Raise where the parameters are not what the plan takes, before anything is asked for."""
    problems = [
        f"{'.'.join(map(str, error.absolute_path)) or 'parameters'}: {error.message}"
        for error in Draft7Validator(schema).iter_errors(dict(parameters or {}))
    ]
    if problems:
        raise NotAllowed(f"The parameters are not right. {'; '.join(sorted(problems))}.")
