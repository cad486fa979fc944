"""Seeing an organization as one of its members does, for who manages its members: reading only, and on the record."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.authority import Authority
from accounts.models import User
from paas.lib.errors import NotFound, Unprocessable
from tenants import access
from tenants.access import authorize
from tenants.actions.role import VERB
from tenants.models import Organization
from tenants.permissions import READING, SECRETS

VERBS = READING - SECRETS


@transaction.atomic
def begin(actor: User, member: User, *, organization: Organization) -> None:
    """Record that the actor looks at the organization as the member from now on."""
    authorize(actor, VERB, organization)
    if member == actor:
        raise Unprocessable("You see the organization as yourself already.")
    if not access.people_of(organization).filter(pk=member.pk).exists():
        raise NotFound("There is no such person in the organization.")
    audit.record(actor, "audit.organization.view-as", member, organization=organization)


@transaction.atomic
def finish(actor: User, member: User, *, organization: Organization) -> None:
    """Record that it is over; who may not look any more ends it too."""
    audit.record(actor, "audit.organization.view-as-end", member, organization=organization)


def seen_as(actor: User, member: User, organization: Organization) -> User:
    """Return the member with what is left to look at: what both may see in this organization, and no secret."""
    member.authority = Authority(
        verbs=VERBS, organization=organization.pk, beside=actor, via=f"{actor.username} viewing as {member.username}"
    )
    return member
