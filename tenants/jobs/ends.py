"""Roles that end: told to their holders seven days before and one day before, and cleared away when it is so far.

A role that has ended gives nothing from that moment on, whether or not this round has come by.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, When
from django.utils import timezone

from accounts import mail
from accounts.models import User
from tenants import access
from tenants.actions.role import MEMBER, ROLE, lapse
from tenants.jobs.announce_key import keepers
from tenants.models import Organization, OrganizationRole, Robot, Role, Space, SpaceRole

NOTICES = (timedelta(days=7), timedelta(days=1))
KINDS: tuple[tuple[Any, str], ...] = ((SpaceRole, "content_object__organization"), (OrganizationRole, "content_object"))


def end_roles() -> None:
    """Do one round; any number of workers may do it at once."""
    for model, organization in KINDS:  # those in spaces first: membership is the last to go
        due = model.objects.filter(expires_at__lte=timezone.now())
        last = Case(When(permission__codename=MEMBER, then=1), default=0)
        for pk, place in due.order_by("expires_at", last, "id").values_list("pk", organization):
            _clear(model, pk, place)
    for model, _ in KINDS:
        for pk in to_announce(model, timezone.now()).order_by("expires_at", "id").values_list("pk", flat=True):
            _announce(model, pk)


def to_announce(model: type[Role], now: datetime) -> Any:
    """The roles whose holders have not been told since the last notice was due."""
    due = Q()
    for ahead in NOTICES:
        untold = Q(announced_at=None) | Q(announced_at__lt=F("expires_at") - ahead)
        due |= Q(expires_at__lte=now + ahead) & untold
    here = Q(content_object__deleting_at=None)
    return model._default_manager.filter(due & here, expires_at__gt=now)


@transaction.atomic
def _clear(model: Any, pk: int, organization: int) -> None:
    """Once only: the organization's lock lets workers and managers in one after the other."""
    if Organization.objects.select_for_update().filter(pk=organization).exists():
        rows = model.objects.filter(pk=pk, expires_at__lte=timezone.now())
        for row in rows.select_related(*ROLE, "content_object"):
            lapse(row)


@transaction.atomic
def _announce(model: Any, pk: int) -> None:
    """Write to the holder, and that it was written; what another worker is at is left to that one."""
    now = timezone.now()
    rows = to_announce(model, now).filter(pk=pk).select_for_update(of=("self",), skip_locked=True)
    row = rows.select_related(*ROLE, "content_object").first()
    if row is None:
        return
    for address in _addresses(row.user):
        place = row.content_object
        label, days = access.role_label(row.permission), -((now - row.expires_at) // timedelta(days=1))
        when = "within a day" if days <= 1 else f"in {days} days"
        mail.send(
            address,
            "role-ends",
            subject=f"{label} in {place.name} ends {when}",
            template="mail/role-ends.txt",
            row=row,
            role=label,
            when=when,
            robot=row.user.display_name if row.user.kind == User.Kind.ROBOT else "",
            space=place if isinstance(place, Space) else None,
            organization=place.organization,
        )
    row.announced_at = now
    row.save(update_fields=["announced_at"])


def _addresses(user: User) -> list[str]:
    """Return where the holder reads mail; a robot's is told to whoever looks after it."""
    if user.kind == User.Kind.ROBOT:
        robot = Robot.objects.select_related("organization", "caretaker").filter(user=user).first()
        return keepers(robot) if robot else []
    return [user.email] if user.email and user.is_active else []
