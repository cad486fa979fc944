"""Takes from and gives back to the quotas of a space and its organization, under their locks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from paas.lib.errors import PaasError, Unprocessable
from tenants.models import Limits, Organization, OrganizationQuota, QuotaUse, Space

log = logging.getLogger(__name__)

DEFAULT = "default"  # the quota that every new organization gets
HIGH = 80  # percent of a limit; from there on its managers are warned


class Limit(NamedTuple):
    """What limits a figure of ``QuotaUse``: the quota's column, what it is called, its unit, what Cloud Foundry says."""

    column: str
    title: str
    unit: str
    says: str


LIMITS = {
    "memory_mb": Limit("total_memory_mb", "Memory", " MB", "memory {space_}quota_exceeded"),
    "instances": Limit("total_instances", "App instances", "", "app_instance_limit {space_}app_instance_limit_exceeded"),
    "log_rate": Limit(
        "log_rate", "Log rate", " bytes per second", "log_rate_limit exceeds {place} log rate quota"
    ),
    "routes": Limit("total_routes", "Routes", "", "Routes quota exceeded for {place} '{name}'"),
    "reserved_ports": Limit(
        "total_reserved_ports", "Reserved ports", "", "Reserved route ports quota exceeded for {place} '{name}'"
    ),
    "service_instances": Limit(
        "total_service_instances", "Services", "", "You have exceeded your {place}'s services limit"
    ),
    "service_keys": Limit(
        "total_service_keys",
        "Service keys",
        "",
        "You have exceeded your {place}'s limit for service binding of type key",
    ),
    "domains": Limit(
        "total_domains", "Private domains", "", 'The number of private domains exceeds the quota for {place} "{name}"'
    ),
}  # fmt: skip
INSTANCE_MEMORY = "memory {space_}instance_memory_limit_exceeded"
TASK = {"memory_mb": "memory_in_mb exceeds {place} memory quota"}  # what differs where a task asks
TASK_MEMORY, TASKS = "memory_in_mb exceeds {place} instance memory quota", "app_task_limit quota exceeded"
# What a quota's columns are called, those included of which no use is counted
TITLES = {limit.column: limit.title for limit in LIMITS.values()} | {
    "per_process_memory_mb": "Memory of one instance",
    "per_app_tasks": "Tasks of one app at a time",
    "paid_services_allowed": "Paid services",
}
UNITS = {limit.column: limit.unit for limit in LIMITS.values()} | {"per_process_memory_mb": " MB"}


def in_words(column: str, amount: int) -> str:
    """Return a figure of a quota's column as people write it: 512 MB, 2 GB, 20."""
    unit = UNITS.get(column, "")
    return f"{amount // 1024} GB" if unit == " MB" and amount and amount % 1024 == 0 else f"{amount}{unit}"


class QuotaExceeded(PaasError):
    """Begins as Cloud Foundry says it; then names the limit, what is used and what was asked for."""

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
    _take(space, amounts)


def take_for_task(space: Space, **amounts: int) -> None:
    """The same, and what is refused is told as Cloud Foundry tells it of tasks."""
    _take(space, amounts, of_task=True)


def _take(space: Space, amounts: Mapping[str, int], *, of_task: bool = False) -> None:
    organization_use, space_use = locked_use(space)
    for use, place in zip((organization_use, space_use), _places(space), strict=True):
        for what, amount in amounts.items():
            _add(use, place, what, amount, of_task=of_task)
        use.save(update_fields=[*amounts])


def take_from_organization(organization: Organization, **amounts: int) -> None:
    use = QuotaUse.objects.select_for_update().get(organization=organization)
    fresh = Organization.objects.select_related("quota").get(pk=organization.pk)
    for what, amount in amounts.items():
        _add(use, fresh, what, amount)
    use.save(update_fields=[*amounts])


def give(space: Space, **amounts: int) -> None:
    """Give back what was taken."""
    take(space, **{what: -amount for what, amount in amounts.items()})


def check_process_memory(space: Space, memory_mb: int, *, of_task: bool = False) -> None:
    """Raise ``QuotaExceeded`` if one instance of that size is more than a quota allows."""
    for place in _places(space):
        most = place.quota and place.quota.per_process_memory_mb
        if most is not None and memory_mb > most:
            raise QuotaExceeded(
                f"{_said(TASK_MEMORY if of_task else INSTANCE_MEMORY, place)}. The quota of {_called(place)} lets an "
                f"instance have at most {most} MB of memory, and {memory_mb} MB were asked for."
            )


def check_log_rate(space: Space, log_rate: int) -> None:
    """Raise ``QuotaExceeded`` if an instance may log without limit (-1) where a quota limits that."""
    for place in _places(space):
        if log_rate < 0 and place.quota and place.quota.log_rate is not None:
            raise QuotaExceeded(
                f"{_said(LIMITS['log_rate'].says, place)}. The quota of {_called(place)} limits how much is logged: "
                "give the process or task a limit of its own (log-rate-limit)."
            )


def check_tasks(space: Space, running: int) -> None:
    """Raise ``QuotaExceeded`` if an app that has so many tasks under way may have no more of them."""
    for place in _places(space):
        most = place.quota and place.quota.per_app_tasks
        if most is not None and running >= most:
            raise QuotaExceeded(
                f"{TASKS}. An app in {_called(place)} may have {most} tasks at a time, and {running} are running. "
                "Wait until one has ended, or ask for a larger quota."
            )


def near(use: QuotaUse, quota: Limits | None) -> list[str]:
    """Return of what little is left: the figures that have come to the share of their limit that is warned of."""
    found = []
    for what, limit in LIMITS.items():
        most = getattr(quota, limit.column, None)
        if most and getattr(use, what) * 100 >= most * HIGH:
            found.append(what)
    return found


def _places(space: Space) -> tuple[Organization, Space]:
    """Read the organization and the space with the quotas that they have by now."""
    fresh = Space.objects.select_related("quota", "organization__quota").get(pk=space.pk)
    return fresh.organization, fresh


def _add(use: QuotaUse, place: Organization | Space, what: str, amount: int, *, of_task: bool = False) -> None:
    if not amount:
        return
    limit, now = LIMITS[what], getattr(use, what) + amount
    most: Any = getattr(place.quota, limit.column, None)
    if amount > 0 and most is not None and now > most:
        says = TASK.get(what, limit.says) if of_task else limit.says
        raise QuotaExceeded(
            f"{_said(says, place)}. {limit.title} of {_called(place)}: {in_words(limit.column, most)} at most, "
            f"{in_words(limit.column, now - amount)} used, {in_words(limit.column, amount)} more asked for. "
            "Stop, delete or scale down something, or ask for a larger quota."
        )
    setattr(use, what, max(now, 0))


def _said(says: str, place: Organization | Space) -> str:
    space_ = "space_" if isinstance(place, Space) else ""
    return says.format(place=_noun(place), space_=space_, name=place.name)


def _noun(place: Organization | Space) -> str:
    return type(place).__name__.lower()


def _called(place: Organization | Space) -> str:
    return f"{_noun(place)} '{place.name}'"
