"""Inviting people by e-mail address: roles of an organization and its spaces wait for them until they accept."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts import audit, mail
from accounts.models import User
from accounts.tokens import digest
from paas.lib.errors import NotAuthorized, PaasError, Unprocessable
from tenants import access
from tenants.access import AlreadyHeld, authorize
from tenants.actions import organization as organizations
from tenants.actions import role as roles
from tenants.models import Invitation, Organization, Space
from tenants.offers import Choices, Offer, with_membership

DAYS = 7
MOST = 100  # addresses at once
MAIL_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


class Outcome(StrEnum):
    """What became of one address."""

    INVITED = "invited"
    ADDED = "added"
    MEMBER = "member"
    REFUSED = "refused"
    INVALID = "invalid"


@dataclass(frozen=True)
class Result:
    """What became of one address, in a sentence; ``link`` is there to be passed on where no mail is sent."""

    email: str
    outcome: Outcome
    detail: str
    invitation: Invitation | None = None
    link: str = ""


@transaction.atomic
def invite(actor: User, organization: Organization, *, emails: Iterable[str], offered: Sequence[Offer]) -> list[Result]:
    """Invite each address, or add its account at once where there is one; every address gets its own result."""
    authorize(actor, roles.VERB, organization)
    roles.lock(organization)
    offered = with_membership(organization, offered)
    _check(actor, organization, offered)
    addresses = list(dict.fromkeys(email.strip().lower() for email in emails))
    if not 0 < len(addresses) <= MOST:
        raise Unprocessable(f"Name from 1 to {MOST} e-mail addresses at once.")
    return [_invite(actor, organization, address, offered) for address in addresses]


@transaction.atomic
def send_again(actor: User, invitation: Invitation) -> Result:
    """Send a new link, good for another 7 days; the one before stops working. The sender now answers for the roles."""
    authorize(actor, roles.VERB, invitation.organization)
    organization = invitation.organization
    roles.lock(organization)
    invitation = Invitation.objects.lock(invitation.pk)
    if invitation.state != Invitation.State.PENDING:
        raise Unprocessable(f"The invitation of {invitation.email} was {invitation.state} already. Invite them anew.")
    _check_address(organization, invitation.email)
    offered = Choices(organization).of(invitation)
    _check(actor, organization, offered)
    link = _send(actor, invitation, organization)
    audit.record(actor, "audit.invitation.send", invitation)
    return Result(invitation.email, Outcome.INVITED, _told(invitation.email), invitation, link)


@transaction.atomic
def withdraw(actor: User, invitation: Invitation) -> Invitation:
    """Take the invitation back; its link stops working."""
    authorize(actor, roles.VERB, invitation.organization)
    invitation = Invitation.objects.lock(invitation.pk)
    if invitation.state == Invitation.State.ACCEPTED:
        raise Unprocessable(f"{invitation.email} has joined already. Remove them from the members instead.")
    if invitation.state == Invitation.State.PENDING:
        _end(invitation, Invitation.State.WITHDRAWN)
        audit.record(actor, "audit.invitation.withdraw", invitation)
    return invitation


@transaction.atomic
def set_mail_domains(actor: User, organization: Organization, *, domains: Iterable[str]) -> Organization:
    """Say at which mail domains, and below them, addresses may be invited; none of them means anywhere."""
    authorize(actor, "organization.update", organization)
    names = sorted({domain.strip().lower().removeprefix("@") for domain in domains} - {""})
    if wrong := [name for name in names if not MAIL_DOMAIN.fullmatch(name)]:
        raise Unprocessable(f"“{wrong[0][:100]}” is not a mail domain, like example.org.")
    return organizations.update(actor, organization, mail_domains=names)


def allowed(organization: Organization, email: str) -> bool:
    """Return whether the address may be invited: its domain, or one above it, is in the lists that there are."""
    return all(mail.among(email, domains) for domains in (settings.PAAS_MAIL_DOMAINS, organization.mail_domains))


def account_of(email: str) -> User | None:
    """Return whose address it is: by the account's e-mail address, or by its username where it has none."""
    people = User.objects.filter(kind=User.Kind.PERSON)
    return (
        people.filter(email__iexact=email).first()
        or people.filter(username__iexact=email, email=None, origin="uaa").first()
    )


def _invite(actor: User, organization: Organization, email: str, offered: Sequence[Offer]) -> Result:
    try:
        validate_email(email)
    except ValidationError:
        return Result(email, Outcome.INVALID, f"“{email[:100]}” is not an e-mail address.")
    try:
        _check_address(organization, email)
        if person := account_of(email):
            return _add(actor, organization, person, email, offered)
    except PaasError as error:
        return Result(email, Outcome.REFUSED, error.detail)
    invitation = Invitation.objects.filter(
        organization=organization, email__iexact=email, state=Invitation.State.PENDING
    )
    row = invitation.first() or Invitation(organization=organization, email=email)
    row.roles = [offer.kept() for offer in offered]
    link = _send(actor, row, organization)
    audit.record(actor, "audit.invitation.create", row, roles=row.roles)
    return Result(email, Outcome.INVITED, _told(email), row, link)


@transaction.atomic
def _add(actor: User, organization: Organization, person: User, email: str, offered: Sequence[Offer]) -> Result:
    if not person.is_active:
        raise Unprocessable(f"The account of {email} is switched off. Ask a platform admin about it.")
    for pending in Invitation.objects.filter(organization=organization, email__iexact=email, state="pending"):
        _end(pending, Invitation.State.WITHDRAWN)
    if not give(actor, person, offered):
        return Result(email, Outcome.MEMBER, f"{email} is a member already, and has these roles.")
    mail.send(
        email,
        "added",
        subject=f"{actor.display_name} added you to {organization.name}",
        template="mail/added.txt",
        inviter=actor.display_name,
        organization=organization.name,
        guid=organization.guid,
    )
    return Result(email, Outcome.ADDED, f"{email} has an account already, and was added at once.")


def give(actor: User, person: User, offered: Iterable[Offer], *, reason: str = "") -> int:
    """Give the roles that the person does not hold yet, membership first; return how many those were."""
    given = 0
    for offer in offered:
        try:
            roles.give(actor, person, role=offer.role, place=offer.place, expires_at=offer.expires_at, reason=reason)
            given += 1
        except AlreadyHeld:
            continue
    return given


def _send(actor: User, invitation: Invitation, organization: Organization) -> str:
    """Make a new link and write the mail; return the link where nobody but the sender can pass it on."""
    mail.spent(invitation.digest)
    secret, now = secrets.token_urlsafe(32), timezone.now()
    invitation.digest, invitation.invited_by = digest(secret), actor
    invitation.sent_at, invitation.expires_at = now, now + timedelta(days=DAYS)
    invitation.save()
    link = f"{settings.PAAS_URL}/join/{secret}"
    mail.send(
        invitation.email,
        "invitation",
        subject=f"{actor.display_name} invites you to {organization.name}",
        template="mail/invitation.txt",
        digest=invitation.digest,
        inviter=actor.display_name,
        organization=organization.name,
        link=link,
        until=f"{invitation.expires_at:%-d %B %Y, %H:%M}",
    )
    return "" if mail.is_sent_here() else link


def _end(invitation: Invitation, state: str) -> None:
    invitation.state = state
    invitation.save(update_fields=["state", "accepted_by", "updated_at"])
    mail.spent(invitation.digest)


def _told(email: str) -> str:
    if mail.is_sent_here():
        return f"{email} was sent an invitation. It is good for {DAYS} days."
    return f"{email} is invited. No mail server is set: copy the link and pass it on. It is good for {DAYS} days."


def _check_address(organization: Organization, email: str) -> None:
    if not allowed(organization, email):
        raise Unprocessable(
            f"Addresses at {email.rpartition('@')[2]} may not be invited to '{organization.name}': "
            "the domain is not in the list of mail domains."
        )


def _check(actor: User, organization: Organization, offered: Sequence[Offer]) -> None:
    """Refuse what could not be given, or not by this actor, before anybody hears of it."""
    choices, now = Choices(organization), timezone.now()
    member = next((offer for offer in offered if offer.role == roles.MEMBER), None)
    if member is None:
        raise Unprocessable("What was offered has ended. Invite them anew.")
    for offer in offered:
        space = offer.place.guid if isinstance(offer.place, Space) else None
        if choices.offer(offer.role, space) is None:
            raise Unprocessable("One of the roles, or of the spaces, is not there any more. Choose again.")
        if offer.expires_at and offer.expires_at <= now:
            raise Unprocessable("The end of a role must be in the future.")
        if _later(offer.expires_at, member.expires_at):
            raise Unprocessable("A role cannot last longer than the membership of the organization.")
    if not _may_offer(actor, organization, offered):
        raise NotAuthorized("You may offer only roles whose permissions you hold yourself. Ask a manager to do it.")


def _may_offer(actor: User, organization: Organization, offered: Sequence[Offer]) -> bool:
    verbs = {offer: access.verbs_of(offer.role) for offer in offered}
    if access.may_grant(actor, frozenset().union(*verbs.values()), organization):  # then in each of its spaces, too
        return True
    return all(access.may_grant(actor, verbs[offer], offer.place) for offer in offered)


def _later(one: datetime | None, other: datetime | None) -> bool:
    return other is not None and (one is None or one > other)
