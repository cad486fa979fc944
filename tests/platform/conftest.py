"""A whole platform, started as `make run` starts it, for the tests that drive it from outside."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.host.house import House
from tests.platform.client import Client

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    made = House.new("tests")
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def root(house: House) -> Client:
    """The first admin."""
    return Client(house.port)


@pytest.fixture
def space(root: Client) -> Iterator[Any]:
    """A space of an organization of its own, gone with all that is in it after the test."""
    made = root.space(f"org-{secrets.token_hex(3)}", "production")
    yield made
    root.call("DELETE", f"/v3/organizations/{made['relationships']['organization']['data']['guid']}")


@pytest.fixture
def alice(root: Client, space: Any) -> Client:
    """Develops in the space."""
    return root.person("alice", space)


@pytest.fixture
def name() -> str:
    """An app's name that is nobody else's host."""
    return f"app-{secrets.token_hex(3)}"
