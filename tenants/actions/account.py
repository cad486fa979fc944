"""Closing one's own account: what one holds in organizations goes first, and none of them is left without a manager."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from accounts import audit
from accounts.access import authorize
from accounts.actions import profile
from accounts.models import User
from paas.lib.errors import Unprocessable
from tenants import personal
from tenants.actions import role as roles
from tenants.models import Organization


@transaction.atomic
def close(actor: User) -> None:
    """Delete one's own account with its roles, tokens and sessions; what was recorded stays."""
    authorize(actor, "account.close", actor)
    held = Organization.objects.filter(deleting_at=None, roles__user=actor).distinct().order_by("pk")
    organizations = list(held)
    for organization in organizations:
        roles.lock(organization)
    if alone := managed_alone(actor, organizations):
        names = ", ".join(f"'{organization.name}'" for organization in alone)
        raise Unprocessable(
            f"You are the last organization manager of {names}. Make somebody else organization manager first, "
            "or have a platform admin delete what nobody needs."
        )
    for organization in organizations:
        for row in (*roles.in_spaces(actor, organization), *roles.of_member(actor, organization)):
            roles.note(actor, row, "remove")
    profile.end(actor)


def managed_alone(person: User, organizations: list[Organization] | None = None) -> list[Organization]:
    """Return the organizations that would be left without a manager if the person went."""
    if organizations is None:
        organizations = list(Organization.objects.filter(deleting_at=None, roles__user=person).distinct())
    return [organization for organization in organizations if _alone(person, organization)]


def _alone(person: User, organization: Organization) -> bool:
    lasting = roles.lasting_managers(organization)
    return lasting.filter(user=person).exists() and not lasting.exclude(user=person).exists()


def export(actor: User) -> Iterator[str]:
    """Return the text of all that is kept about oneself; that it was taken is recorded."""
    authorize(actor, "account.export", actor)
    audit.record(actor, "audit.user.export", actor)
    return personal.document(actor)
