"""Accepting an invitation, as somebody who is signed in or as somebody new; looking at it accepts nothing."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from accounts import audit, mail, origin
from accounts.access import authorize
from accounts.actions import profile
from accounts.models import User
from accounts.tokens import digest
from paas.lib.errors import NotAuthorized, NotFound, Unprocessable
from tenants.actions import invitation as invitations
from tenants.actions import role as roles
from tenants.models import Invitation, Organization
from tenants.offers import Choices

GONE = "The invitation was used already, was taken back, or is older than 7 days. Ask for a new one."


def invitation_of(secret: str) -> Invitation | None:
    """Return the invitation whose link that is, if it can still be accepted."""
    rows = Invitation.objects.filter(digest=digest(secret), state=Invitation.State.PENDING)
    rows = rows.filter(expires_at__gt=timezone.now(), organization__deleting_at=None)
    return rows.select_related("organization", "invited_by").first()


@transaction.atomic
def accept(actor: User, secret: str) -> Invitation:
    """Give the person who holds the link its roles, in the name of whoever invited them."""
    authorize(actor, "invitation.accept", actor)
    found = invitation_of(secret)
    if found is None or actor.kind != User.Kind.PERSON:
        raise NotFound(GONE)
    organization = found.organization
    roles.lock(organization)
    invitation = Invitation.objects.lock(found.pk)
    if invitation.state != Invitation.State.PENDING or invitation.digest != found.digest:
        raise NotFound(GONE)
    if not is_for(actor, invitation) and not invitations.allowed(organization, actor.email or ""):
        raise Unprocessable(
            f"The invitation is for {invitation.email}, and your account's address may not be invited to "
            f"'{organization.name}'. Sign out, and open the link again."
        )
    _give(actor, invitation, organization)
    invitation.state, invitation.accepted_by = Invitation.State.ACCEPTED, actor
    invitation.save(update_fields=["state", "accepted_by", "updated_at"])
    mail.spent(invitation.digest)
    audit.record(actor, "audit.invitation.accept", invitation)
    return invitation


@transaction.atomic
def join(secret: str, *, password: str, given_name: str = "", family_name: str = "") -> User:
    """Make the account of somebody new, for the address that the link went to, and accept as them.

    Without a password they sign in with a passkey, which they add next.
    """
    invitation = invitation_of(secret)
    if invitation is None:
        raise NotFound(GONE)
    if invitations.account_of(invitation.email):
        raise Unprocessable(f"There is an account for {invitation.email} already. Sign in with it, then join.")
    person = profile.register(email=invitation.email, password=password, given_name=given_name, family_name=family_name)
    accept(person, secret)
    return person


def is_for(person: User, invitation: Invitation) -> bool:
    """Return whether the invitation went to the person's own address."""
    return person == invitations.account_of(invitation.email)


def _give(person: User, invitation: Invitation, organization: Organization) -> None:
    inviter = invitation.invited_by
    by = inviter.display_name if inviter else "whoever invited you"
    offered = Choices(organization).of(invitation)
    if not offered:
        raise Unprocessable("What the invitation offered has ended. Ask for a new one.")
    try:
        if inviter is None:
            raise NotAuthorized()
        with origin.coming_from(replace(origin.current(), via=f"invitation of {invitation.email}")):
            invitations.give(inviter, person, offered, reason="Invitation")
    except NotAuthorized as error:
        raise Unprocessable(
            f"The roles that {by} offered cannot be given in their name any more. "
            f"Ask a manager of '{organization.name}' to send the invitation again."
        ) from error
