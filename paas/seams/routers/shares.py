"""How a route's requests are split: by target first, then evenly over the target's instances."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from paas.seams.routers.base import Endpoint, Route

_FINENESS = 10_000


@dataclass(frozen=True)
class Share:
    """One instance of an app behind a route, and its weight against the others."""

    app: str
    endpoint: Endpoint
    weight: int


def shares(route: Route) -> list[Share]:
    """Return every instance that may be sent a request, with the smallest whole weights."""
    found = [
        Share(app=target.app, endpoint=endpoint, weight=round(target.weight * _FINENESS / len(target.endpoints)) or 1)
        for target in route.targets
        if target.weight
        for endpoint in target.endpoints
    ]
    divisor = gcd(*(share.weight for share in found)) or 1
    return [Share(app=share.app, endpoint=share.endpoint, weight=share.weight // divisor) for share in found]
