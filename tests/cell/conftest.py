"""One machine for each test file, and fresh ones for those that stop, break or restrict theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cell.machine import Machine
from tests.cell.relay import relay, relayed

__all__ = ["relay", "relayed"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("machine"))
    try:
        made.start_agent()
        yield made
    finally:
        made.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    try:
        made.start_agent()
        yield made
    finally:
        made.close()
