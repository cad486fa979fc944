"""A machine with the platform's own services on it, and apps that are bound to them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from paas.host import images
from paas.seams.runtimes.base import Observation
from services.brokers.base import Accepted, Binding, Done, Instance, OperationInProgress, Outcome, Place, Refused
from services.brokers.container import ContainerBroker
from services.brokers.engine import plans, room
from services.brokers.engine.base import Size
from tests.cell.machine import ROOT, Machine, docker, wait_until

PLACE = Place("org-guid", "ministry", "space-guid", "production")
KEYS = ("k" * 40,)
SCALE = 10  # percent

# The stack has PostgreSQL's own client library, which every language's driver stands on or follows.
LIBPQ = """
import ctypes, sys
pq = ctypes.CDLL("libpq.so.5")
for name in ("PQconnectdb", "PQexec"):
    getattr(pq, name).restype = ctypes.c_void_p
for name in ("PQerrorMessage", "PQgetvalue"):
    getattr(pq, name).restype = ctypes.c_char_p
connection = ctypes.c_void_p(pq.PQconnectdb(sys.argv[1].encode()))
if pq.PQstatus(connection):
    sys.stdout.write(pq.PQerrorMessage(connection).decode())
else:
    result = ctypes.c_void_p(pq.PQexec(connection, sys.argv[2].encode()))
    if pq.PQresultStatus(result) == 2:
        sys.stdout.write(pq.PQgetvalue(result, 0, 0).decode())
    else:
        sys.stdout.write(pq.PQerrorMessage(connection).decode())
"""


def settled(call: Callable[[], Outcome]) -> Outcome:
    """Ask as the platform does: again as long as it is under way."""

    def told() -> Outcome | None:
        outcome = call()
        busy = isinstance(outcome, Refused) and isinstance(outcome.error, OperationInProgress)
        return None if busy or isinstance(outcome, Accepted) else outcome

    return wait_until(told, "the broker", seconds=180)  # type: ignore[no-any-return]


class Handed:
    """Addresses of the machine, each handed out once."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.taken: dict[str, str] = {}

    def take(self, owner: str) -> str:
        return self.taken.setdefault(owner, self.machine.address() if owner not in self.taken else "")

    def of(self, owner: str) -> str | None:
        return self.taken.get(owner)

    def owners(self) -> list[str]:
        return [*self.taken]

    def give_back(self, owner: str) -> None:
        self.taken.pop(owner, None)


class Bed:
    def __init__(self, machine: Machine) -> None:
        images.ensure_services(lambda text: None)
        self.machine = machine
        self.addresses = Handed(machine)
        self.broker = self.broker_with()

    def broker_with(self, *, keys: tuple[str, ...] = KEYS, scale: int = SCALE, **fields: Any) -> ContainerBroker:
        given = {"runtime": self.machine.runtime, "addresses": self.addresses, **fields}
        services = plans.read(ROOT / "services/plans.toml", scale=scale)
        authority = self.machine.runtime.authority
        return ContainerBroker(
            authority=authority,
            services=services,
            images=images.service_names(),
            keys=keys,
            machine=room.Machine(self.machine.folder, self.machine.runtime.memory_mb),
            **given,
        )

    def instance(self, service: str, plan: str, *, guid: str = "", **parameters: Any) -> Instance:
        ids = plans.identity(service), plans.identity(service, plan)
        return Instance(guid or str(uuid4()), "our-data", *ids, PLACE, parameters or None)

    def binding(self, instance: Instance, **parameters: Any) -> Binding:
        return Binding(str(uuid4()), instance, parameters=parameters or None)

    def made(self, service: str, plan: str, **parameters: Any) -> Instance:
        instance = self.instance(service, plan, **parameters)
        self.provision(instance)
        return instance

    def provision(self, instance: Instance) -> None:
        assert settled(lambda: self.broker.provision(instance)) == Done()

    def credentials(self, binding: Binding) -> dict[str, Any]:
        outcome = settled(lambda: self.broker.bind(binding))
        assert isinstance(outcome, Done) and outcome.bound, outcome
        return dict(outcome.bound.credentials)

    def app(self, name: str, *instances: Instance, **fields: Any) -> Observation:
        """Run an app with ways to these instances and to nothing else."""
        ways = tuple(way for each in instances if (way := self.broker.way(each.offering_id, each.guid)))
        return self.machine.run(self.machine.workload(name, reaches=ways, **fields))

    def libpq(self, app: Observation, uri: str, statement: str) -> str:
        """Run a statement from inside an app's container; return the first value, or the error as libpq words it."""
        ended = self.machine.inside(app.instance, "python3", "-c", LIBPQ, uri, statement)
        assert not ended.stderr, ended.stderr
        return ended.stdout

    def container(self, instance: Instance) -> str:
        return self.machine.container(instance.guid)

    def size(self, instance: Instance) -> Size:
        """Return what the instance's plan has on this machine."""
        plan = self.broker.services[instance.offering_id].plan(instance.plan_id)
        assert plan
        return plan.size

    def limited(self, instance: Instance) -> bool:
        """Whether the engine holds the container to its plan's memory and processors."""
        size, told = self.size(instance), "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"
        limits = docker("inspect", "--format", told, self.container(instance)).split()
        return limits == [str(size.memory_mb << 20), str(int(size.cpus * 10**9))]

    def kill(self, instance: Instance) -> None:
        """Kill the server as if it had crashed."""
        pid = docker("inspect", "--format", "{{.State.Pid}}", self.container(instance)).strip()
        subprocess.run(["kill", "-KILL", pid], check=True)


def bed_in(folder: Path) -> Bed:
    machine = Machine(folder)
    try:
        machine.start_agent()
        return Bed(machine)
    except BaseException:
        machine.close()
        raise
