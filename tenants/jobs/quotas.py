"""Quotas of which little is left: told to the managers once for each limit, until it has been below that again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import mail
from accounts.models import User
from tenants import quotas
from tenants.models import Limits, Organization, OrganizationRole, QuotaUse, Space, SpaceRole, granting

JOINED = ("organization__quota", "space__quota", "space__organization")


def warn() -> None:
    """Do one round; any number of workers may do it at once."""
    for pk in due().order_by("pk").values_list("pk", flat=True):
        _warn(pk)


def due() -> Any:
    """What has come near a limit, and what has been told of."""
    near = ~Q(warned=[])
    for what, limit in quotas.LIMITS.items():
        for place in ("organization", "space"):
            if place == "organization" or limit.column != "total_domains":
                most = f"{place}__quota__{limit.column}"
                near |= Q(**{f"{most}__gt": 0, f"{what}__gte": F(most) * quotas.HIGH / 100.0})
    here = Q(organization__deleting_at=None) & Q(space__deleting_at=None)
    return QuotaUse.objects.filter(near & here)


@transaction.atomic
def _warn(pk: int) -> None:
    """Write to the managers, and that it was written; what another worker is at is left to that one."""
    rows = QuotaUse.objects.filter(pk=pk).select_for_update(of=("self",), skip_locked=True)
    use = rows.select_related(*JOINED).first()
    if use is None:
        return
    place = use.space or use.organization
    now = quotas.near(use, place.quota)
    if sorted(now) == sorted(use.warned):
        return
    if new := [what for what in now if what not in use.warned]:
        _tell(place, [_line(use, place.quota, what) for what in new])
        use.warned_at = timezone.now()
    use.warned = now
    use.save(update_fields=["warned", "warned_at"])


def _line(use: QuotaUse, quota: Limits, what: str) -> str:
    limit = quotas.LIMITS[what]
    used, most = (
        quotas.in_words(limit.column, amount) for amount in (getattr(use, what), getattr(quota, limit.column))
    )
    return f"{limit.title}: {used} of {most}"


def _tell(place: Organization | Space, lines: list[str]) -> None:
    for address in _managers(place).exclude(email=None).values_list("email", flat=True):
        mail.send(
            address,
            "quota-warning",
            subject=f"{place.name} has used most of its quota",
            template="mail/quota-warning.txt",
            space=place if isinstance(place, Space) else None,
            organization=place.organization,
            lines=lines,
        )


def _managers(place: Organization | Space) -> Any:
    """Who manages it and can ask for more; of a space that has no manager, those of the organization."""
    of_organization = OrganizationRole.objects.filter(granting("quota.ask"), content_object=place.organization)
    people = User.objects.filter(is_active=True, kind=User.Kind.PERSON)
    if isinstance(place, Space):
        own = SpaceRole.objects.filter(granting("quota.ask"), content_object=place)
        if (found := people.filter(pk__in=own.values("user"))).exists():
            return found
    return people.filter(pk__in=of_organization.values("user"))
