"""Giving and taking the roles that hold on the whole platform."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.access import authorize
from accounts.models import User
from paas.lib.errors import Unprocessable


@transaction.atomic
def set_platform_role(actor: User, user: User, *, role: str) -> User:
    """Make somebody platform admin (``admin``), one who only reads (``admin_read_only``), or neither (empty)."""
    authorize(actor, "account.manage")
    if role != User.PlatformRole.ADMIN:
        admin_stays(user)
    user = User.objects.lock(user.pk)
    if user.kind == User.Kind.SYSTEM:
        raise Unprocessable("The system's own account has no platform role.")
    before = audit.state(user, ("platform_role",))
    user.platform_role = role
    user.save(update_fields=["platform_role", "updated_at"])
    after = audit.state(user, ("platform_role",))
    audit.record(actor, "audit.user.platform-role", user, before=before, after=after)
    return user


def admin_stays(user: User) -> None:
    """Refuse what would leave the platform without an admin who can sign in; all admins stay locked meanwhile."""
    admins = User.objects.select_for_update().filter(platform_role=User.PlatformRole.ADMIN, is_active=True)
    people = [admin for admin in admins.order_by("pk") if admin.kind == User.Kind.PERSON]
    if user in people and len(people) == 1:
        raise Unprocessable(f"'{user.username}' is the last platform admin. Make somebody else platform admin first.")
