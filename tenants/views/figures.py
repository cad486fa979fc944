"""What pages about quotas tell of figures: all that is counted, what is nearly used up, and each space's part."""

from __future__ import annotations

from collections.abc import Callable

from tenants import quotas
from tenants.models import Limits, Organization, QuotaUse, Space
from tenants.templatetags.console import mb, size
from tenants.views.places import Figure, figures

ALWAYS = ("memory_mb", "instances", "routes", "service_instances")  # shown without a limit and at nothing, too


def all_figures(use: QuotaUse, quota: Limits | None) -> list[Figure]:
    """Return all that is counted against a quota, but for what is neither used nor limited."""
    found = []
    for what, limit in quotas.LIMITS.items():
        used, most = getattr(use, what), getattr(quota, limit.column, None)
        if what in ALWAYS or used or most is not None:
            found.append(figure(what, used, most))
    return found


def high(use: QuotaUse, quota: Limits | None) -> list[Figure]:
    """Return that of which little is left."""
    return [
        figure(what, getattr(use, what), getattr(quota, quotas.LIMITS[what].column)) for what in quotas.near(use, quota)
    ]


def figure(what: str, used: int, most: int | None) -> Figure:
    words = _words(what)
    told = f"{words(used)} of {words(most)}" if most is not None else f"{words(used)}, no limit"
    return Figure(quotas.LIMITS[what].title, used, most, words(used), told)


def in_organization(space: Space, organization: Organization) -> list[Figure]:
    """Return what the space uses: of its own quota or, without one, of the organization's."""
    theirs = figures(space.use, organization.quota)
    if space.quota is None:
        return [_of_all(each) for each in theirs]
    pairs = zip(figures(space.use, space.quota), theirs, strict=True)
    return [own if own.limit is not None else _of_all(other) for own, other in pairs]


def _of_all(each: Figure) -> Figure:
    words = each.words.replace(" of ", " of the organization's ") if each.limit is not None else each.amount
    return Figure(each.title, each.used, each.limit, each.amount, words)


def _words(what: str) -> Callable[[int], str]:
    if what == "memory_mb":
        return mb
    return (lambda rate: f"{size(rate)} per second") if what == "log_rate" else str
