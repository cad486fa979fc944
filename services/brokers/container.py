"""The platform's own services: an instance is a container on the region's engine, with an address and a volume of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from paas.lib import kinds
from paas.lib.errors import InsufficientResources, ServiceUnavailable, Unprocessable
from paas.seams.runtimes.authority import Authority
from paas.seams.runtimes.base import Observation, Peer, Runtime, Workload

from . import engine
from .base import (
    Accepted,
    Binding,
    Bound,
    Broker,
    BrokerError,
    CatalogOffering,
    Done,
    Fetched,
    Held,
    Instance,
    OperationInProgress,
    Outcome,
    Previous,
    Progress,
    Refused,
    Unknown,
)
from .engine import inventory, offers, room, secrets
from .engine.base import OWN_CA_FILE, Metrics, NotAllowed, NotKept, NotReady, Server, Site, User
from .engine.depot import Bucket, depots
from .engine.plans import Plan, Service
from .engine.workload import workload
from .keeping import Keeping

GRACE = 30  # seconds for the server to end its work and write what it holds
PATIENCE = 20.0  # seconds that one call waits for a server; after that it is polled
RETRY, PAUSE, LOOK = 2.0, 20.0, 0.1  # seconds; the pause is for what may take long
LATER = (NotReady, ServiceUnavailable)
NEVER = (NotAllowed, InsufficientResources, Unprocessable)


class ContainerBroker(Broker):
    """``images`` maps services to images; ``keys`` are the platform's own, the newest first; backups go to the ``bucket``, if any."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        addresses: room.Addresses,
        authority: Authority,
        services: Sequence[Service],
        images: Mapping[str, str],
        keys: Sequence[str],
        machine: room.Machine,
        bucket: Bucket | None = None,
    ) -> None:
        self.runtime, self.addresses, self.authority = runtime, addresses, authority
        self.images, self.keys, self.machine, self.access = images, keys, machine, depots(bucket)
        self.services = {each.id: each for each in services}
        self.keeping = Keeping(self)
        self.servers: dict[str, Server] = {each.id: kinds.load(engine.KINDS, each.name)(each.more) for each in services}

    def catalog(self) -> tuple[CatalogOffering, ...]:
        return tuple(offers.offering(each, self.servers[each.id]) for each in self.services.values())

    def provision(self, instance: Instance, *, by: str = "") -> Outcome:
        begun = self.addresses.of(instance.guid) is not None
        try:
            seen = self.observation(instance.guid)
            if seen and _plan_of(seen) != instance.plan_id:
                return Refused(BrokerError(f"The instance {instance.name} exists already, with another plan."))
            if instance.origin:
                self.keeping.restore(instance, instance.origin)
            self.run(instance)
            self._settle(instance)
        except LATER:
            return Accepted("provision", retry_after=RETRY)
        except NEVER as error:
            if begun:  # by a call before this one, which may have made more than this one can tell
                return Unknown(BrokerError(error.detail))
            self.clear(instance.guid)
            return Refused(BrokerError(error.detail))
        return Done()

    def update(self, instance: Instance, previous: Previous, *, by: str = "") -> Outcome:
        """Another plan or release, and a reboot, replace the container: the volume stays, connections are lost."""
        try:
            if self.addresses.of(instance.guid) is None:
                return Refused(BrokerError(f"The instance {instance.name} was never made, or is deleted."))
            seen = self.observation(instance.guid)
            self._check_change(instance, previous, seen)
            if (instance.parameters or {}).get("reboot") or (seen and seen.revision != self._revision(instance)):
                self.runtime.prune(instance.guid, (), grace=GRACE)
            self.run(instance)
        except LATER as error:
            return Refused(OperationInProgress(error.detail))
        except NEVER as error:
            return Refused(BrokerError(error.detail))
        return self._settled(instance)

    def bind(self, binding: Binding, *, by: str = "") -> Outcome:
        instance, server = binding.instance, self.server(binding.instance)
        try:
            site, user = self.site(instance), self._user(binding)
            self.wait(lambda: server.add_user(site, user, binding.parameters or {}))
        except LATER:
            return Accepted("bind", retry_after=RETRY)
        except NEVER as error:
            return Refused(BrokerError(error.detail))
        return Done(bound=Bound(server.credentials(site, user)))

    def remove(self, what: Instance | Binding, *, by: str = "") -> Outcome:
        operation = f"remove {int(time.time())}"
        done = self.poll(what, operation).state == "gone"
        return Done() if done else Accepted(operation, retry_after=RETRY)

    def poll(self, what: Instance | Binding, operation: str) -> Progress:
        verb, _, since = operation.partition(" ")
        if verb == "remove":
            return self._remove(what, float(since or 0))
        if isinstance(what, Binding):
            return _progress(self.bind(what))
        return _progress(self.provision(what) if operation == "provision" else self._settled(what))

    def fetch(self, what: Instance | Binding) -> Fetched | None:
        instance = what if isinstance(what, Instance) else what.instance
        try:
            seen = self.observation(instance.guid)
            if seen is None:
                return None
            plan, _, release = seen.revision.partition("@")
            site, server = self.site(instance), self.server(instance)
            if isinstance(what, Instance):
                return Fetched(server.parameters(site), plan_id=plan, maintenance_version=release)
            user = self._user(what)
            parameters = server.user_parameters(site, user.name)
        except (*LATER, *NEVER) as error:
            raise BrokerError(error.detail) from error
        return None if parameters is None else Fetched(parameters, bound=Bound(server.credentials(site, user)))

    def inventory(self) -> tuple[Held, ...]:
        return inventory.held(self.runtime, self.addresses)

    # What only the platform's own services can tell ---------------------------------------------------------------

    def run(self, instance: Instance) -> None:
        """Make the container run, unless it does, on the volume that it may have had before; do not ask whether it is well."""
        self.addresses.take(instance.guid)  # its own from now on
        site = self.site(instance)
        if site.depot and self.observation(instance.guid) is None:
            site = replace(site, depot=self.access.writer(site.depot))
        self.runtime.apply(self.workload(instance, site))

    def workload(self, instance: Instance, site: Site) -> Workload:
        """Return what runs as the instance."""
        service = self._service(instance)
        return workload(
            service,
            self._plan(instance),
            self.server(instance),
            site,
            name=instance.name,
            revision=self._revision(instance),
            image=self.images[service.name],
            parameters=instance.parameters or {},
            issued=self.authority.issue(site.host, site.address),
        )

    def metrics(self, instance: Instance) -> Metrics:
        """Ask the instance's server how it is; raise ``NotReady``."""
        return self.server(instance).metrics(self.site(instance))

    def lacks(self, offering_id: str, plan_id: str) -> str:
        """Return "" where an instance of the plan would find room right now, else a sentence that says what is missing."""
        plan = self.services[offering_id].plan(plan_id)
        if plan is None:
            return "The platform does not offer this plan any more."
        return room.lacks(plan.size, room.left(self.machine, self.runtime.observe()))

    def observation(self, guid: str) -> Observation | None:
        """Return how the instance's container is: its state, crashes, memory, CPU, and what its volume holds."""
        return next(iter(self.runtime.observe([guid])), None)

    def way(self, offering_id: str, guid: str) -> Peer | None:
        """Return where the instance's server listens, for the firewall of what is bound to it."""
        address = self.addresses.of(guid)
        return Peer(address, self.servers[offering_id].port) if address and offering_id in self.servers else None

    def _settle(self, instance: Instance) -> None:
        site, server = self.site(instance), self.server(instance)
        self.wait(lambda: server.settle(site, instance.parameters or {}))

    def _settled(self, instance: Instance) -> Outcome:
        try:
            self._settle(instance)
        except LATER:
            return Accepted("settle", retry_after=RETRY)
        except NEVER as error:
            return Refused(BrokerError(error.detail))
        return Done()

    def wait(self, work: Callable[[], Any]) -> None:
        """Do it as soon as the server answers; raise ``NotReady`` where it does not for a while."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                work()
            except NotReady:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK)
            else:
                return

    def _remove(self, what: Instance | Binding, since: float) -> Progress:
        try:
            if isinstance(what, Instance):
                self.keeping.write_last(what, since)
                self.clear(what.guid)
            elif self.addresses.of(what.instance.guid):
                site = self.site(what.instance)  # also where its container is away: it comes back with the user in it
                self.wait(lambda: self.server(what.instance).drop_user(site, self._user(what).name))
        except LATER as error:
            return Progress("in progress", error.detail, PAUSE if isinstance(error, NotKept) else RETRY)
        except NEVER as error:
            raise BrokerError(error.detail) from error
        return Progress("gone")

    def clear(self, guid: str) -> None:
        self.runtime.prune(guid, (), grace=GRACE)
        self.runtime.forget(guid)
        self.access.dismiss(guid)
        self.addresses.give_back(guid)

    def _check_change(self, instance: Instance, previous: Previous, seen: Observation | None) -> None:
        """Raise before anything is stopped where the new plan cannot be."""
        before, after = self._service(instance).plan(previous.plan_id), self._plan(instance)
        if before and after.size.disk_mb < before.size.disk_mb:
            raise NotAllowed(
                f"The plan {after.name} has {after.size.disk_mb} MB of disk, less than the {before.size.disk_mb} MB of "
                f"{before.name}, and a disk cannot shrink. Make a new instance and move the data."
            )
        if before and seen and _plan_of(seen) == previous.plan_id != instance.plan_id:
            told = room.lacks(room.more(before.size, after.size), room.left(self.machine, self.runtime.observe()))
            if told:
                raise NotAllowed(told)

    def site(self, instance: Instance) -> Site:
        address = self.addresses.of(instance.guid)
        if address is None:
            raise NotAllowed(f"The instance {instance.name} has no address: it was never made, or is deleted.")
        return Site(
            guid=instance.guid,
            address=address,
            host=f"{instance.guid}.service.internal",
            authority=self.authority.certificate(),
            size=self._plan(instance).size,
            passwords=secrets.passwords(self.keys, "superuser", instance.guid),
            depot=self.access.depot(instance.guid, instance.cipher) if instance.cipher else None,
            ca_file=OWN_CA_FILE,
        )

    def _user(self, binding: Binding) -> User:
        return User("u" + binding.guid.replace("-", ""), secrets.password(self.keys[0], "binding", binding.guid))

    def _revision(self, instance: Instance) -> str:
        return f"{instance.plan_id}@{self._service(instance).release}"

    def _service(self, instance: Instance) -> Service:
        if instance.offering_id not in self.services:
            raise NotAllowed("The platform does not offer this service any more. Ask the platform team to put it back.")
        return self.services[instance.offering_id]

    def _plan(self, instance: Instance) -> Plan:
        plan = self._service(instance).plan(instance.plan_id)
        if plan is None:
            raise NotAllowed("The platform does not offer this plan any more. Change the instance's plan.")
        return plan

    def server(self, instance: Instance) -> Server:
        return self.servers[self._service(instance).id]


def _plan_of(seen: Observation) -> str:
    return seen.revision.partition("@")[0]


def _progress(outcome: Outcome) -> Progress:
    if isinstance(outcome, Done):
        return Progress("succeeded", bound=outcome.bound)
    if isinstance(outcome, Accepted):
        return Progress("in progress", retry_after=outcome.retry_after)
    return Progress("failed", outcome.error.detail)
