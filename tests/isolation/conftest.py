"""One machine with two tenants' instances, and a neighbour outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.seams.runtimes.base import Observation
from tests.cell.machine import Machine, wait_until
from tests.isolation.neighbour import PORT, PUBLIC, Neighbour, listening, reached_from_here


@pytest.fixture(scope="session")
def neighbour() -> Iterator[Neighbour]:
    made = Neighbour()
    try:
        made.open()
        wait_until(lambda: reached_from_here(PUBLIC, PORT), "the neighbour to listen")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def router_port() -> Iterator[int]:
    """A port on the machine that stands for the router's."""
    with listening() as port:
        yield port


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, router_port: int, neighbour: Neighbour) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("machine"), router_ports=[router_port])
    try:
        made.start_agent()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def mine(machine: Machine) -> Observation:
    return machine.run(machine.workload("mine", environment={"SECRET": "of mine"}, memory_mb=128))


@pytest.fixture(scope="module")
def theirs(machine: Machine) -> Observation:
    return machine.run(machine.workload("theirs", environment={"SECRET": "of theirs"}))


@pytest.fixture
def fresh(tmp_path: Path, router_port: int, neighbour: Neighbour) -> Iterator[Machine]:
    made = Machine(tmp_path, router_ports=[router_port])
    try:
        yield made
    finally:
        made.close()
