"""Where what an app is bound to can be reached: the firewall lets it go exactly there."""

from __future__ import annotations

from collections.abc import Iterable

from paas.seams.runtimes.base import Peer
from services import outside
from services.models import Binding


def to(bindings: Iterable[Binding]) -> tuple[Peer, ...]:
    """Return the address of each instance that runs on the platform's own engine; others are outside."""
    peers = []
    for binding in bindings:
        plan = binding.instance.plan
        if plan and (way := getattr(outside.broker(plan.offering.broker), "way", None)):
            peers.append(way(plan.offering.catalog_id, binding.instance.guid))
    return tuple(dict.fromkeys(peer for peer in peers if peer))
