"""Takes from and gives back to the quotas of a space and its organization, under their locks."""

from __future__ import annotations

import logging
from typing import Any

from paas.lib.errors import PaasError, Unprocessable
from tenants.models import Limits, Organization, OrganizationQuota, QuotaUse, Space

log = logging.getLogger(__name__)

DEFAULT = "default"  # the quota that every new organization gets

LIMITS = {
    "memory_mb": ("total_memory_mb", "memory limit"),
    "instances": ("total_instances", "instance limit"),
    "log_rate": ("log_rate", "log rate limit"),
    "routes": ("total_routes", "routes limit"),
    "service_instances": ("total_service_instances", "service instance limit"),
    "service_keys": ("total_service_keys", "service key limit"),
    "reserved_ports": ("total_reserved_ports", "reserved route ports limit"),
    "domains": ("total_domains", "private domains limit"),
}


class QuotaExceeded(PaasError):
    """Names the quota, the limit, what is used and what was asked for."""

    status, code, title = 422, 10008, "UnprocessableEntity"


def default() -> OrganizationQuota:
    """Return the quota that a new organization gets."""
    quota = OrganizationQuota.objects.filter(name=DEFAULT).first()
    if quota is None:
        raise Unprocessable(
            f"There is no organization quota named '{DEFAULT}', which every new organization gets. "
            "Ask the platform team to create it."
        )
    return quota


def locked_use(space: Space) -> tuple[QuotaUse, QuotaUse]:
    """Return the use rows of the organization and of the space, locked in that order."""
    organization = QuotaUse.objects.select_for_update().get(organization=space.organization_id)
    return organization, QuotaUse.objects.select_for_update().get(space=space.pk)


def locked(place: Organization | Space) -> QuotaUse:
    """Return what is used there, locked; the organization's before those of its spaces, always."""
    return QuotaUse.objects.select_for_update().get(**{type(place).__name__.lower(): place.pk})


def correct(use: QuotaUse, where: str, **real: int) -> int:
    """Set a locked row to what was really found; report and return how many figures were not the same."""
    wrong = {what: (getattr(use, what), amount) for what, amount in real.items() if getattr(use, what) != amount}
    for what, (counted, amount) in wrong.items():
        log.warning("The quota of %s counted %d %s, and there are %d; corrected.", where, counted, what, amount)
        setattr(use, what, amount)
    if wrong:
        use.save(update_fields=[*wrong])
    return len(wrong)


def take(space: Space, **amounts: int) -> None:
    """Count the amounts (MB, instances, bytes per second, ...) as used; negative ones are given back.

    Raises ``QuotaExceeded`` when a growing amount would pass a limit of the space or the organization.
    """
    organization_use, space_use = locked_use(space)
    fresh = Space.objects.select_related("quota", "organization__quota").get(pk=space.pk)
    checks: tuple[tuple[QuotaUse, Limits | None, str, str], ...] = (
        (organization_use, fresh.organization.quota, "organization", fresh.organization.name),
        (space_use, fresh.quota, "space", fresh.name),
    )
    for use, quota, place, name in checks:
        for what, amount in amounts.items():
            _add(use, quota, what, amount, place, name)
        use.save()


def take_from_organization(organization: Organization, **amounts: int) -> None:
    use = QuotaUse.objects.select_for_update().get(organization=organization)
    for what, amount in amounts.items():
        _add(use, organization.quota, what, amount, "organization", organization.name)
    use.save()


def give(space: Space, **amounts: int) -> None:
    """Give back what was taken."""
    take(space, **{what: -amount for what, amount in amounts.items()})


def check_process_memory(space: Space, memory_mb: int) -> None:
    """Raise ``QuotaExceeded`` if one instance of that size is more than a quota allows."""
    for quota, place in ((space.quota, "space"), (space.organization.quota, "organization")):
        if quota and quota.per_process_memory_mb is not None and memory_mb > quota.per_process_memory_mb:
            raise QuotaExceeded(
                f"{place}_instance_memory_limit_exceeded: the {place} quota '{quota.name}' allows instances of at most "
                f"{quota.per_process_memory_mb} MB, and {memory_mb} MB were asked for."
            )


def _add(use: QuotaUse, quota: Limits | None, what: str, amount: int, place: str, name: str) -> None:
    if not amount:
        return
    now: int = getattr(use, what) + amount
    field, words = LIMITS[what]
    limit: Any = getattr(quota, field, None) if quota else None
    if amount > 0 and limit is not None and now > limit:
        raise QuotaExceeded(
            f"{place}_quota_{what}_exceeded: the {words} of {place} '{name}' is {limit}, {now - amount} is used and "
            f"{amount} more was asked for. Stop or scale down something, or ask for a larger quota."
        )
    setattr(use, what, max(now, 0))
