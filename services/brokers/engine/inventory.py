"""Tells what the machine holds of instances, whoever knows of them: by the names that followed from their guids."""

from __future__ import annotations

from collections.abc import Iterator

from paas.lib.errors import ServiceUnavailable
from paas.seams.runtimes.base import Runtime

from ..base import BrokerError, Held
from .depot import PROOF, STORE
from .room import Addresses


def held(runtime: Runtime, addresses: Addresses) -> tuple[Held, ...]:
    """Return it; raise ``BrokerError`` where the machine does not answer."""
    try:
        return tuple(_held(runtime, addresses))
    except ServiceUnavailable as error:
        raise BrokerError(error.detail) from error


def _held(runtime: Runtime, addresses: Addresses) -> Iterator[Held]:
    for seen in runtime.observe():
        if "@" in seen.revision:  # a plan's and a release: apps have guids
            yield _named(seen.app, "container")
    for source in sorted(runtime.kept()):  # apps keep nothing there
        yield _named(source, "volume")
    for owner in addresses.owners():
        yield _named(owner, "address")


def _named(name: str, what: str) -> Held:
    """Return whose it is: a store of backups, and what a proof has for a while, have the instance's guid with a word behind."""
    if name.endswith(f"-{STORE}"):
        return Held(name.removesuffix(f"-{STORE}"), "backups", kept=True)
    if name.endswith(f"-{PROOF}"):
        return Held(name.removesuffix(f"-{PROOF}"), f"{what} of a proof", kept=True)
    return Held(name, what)
