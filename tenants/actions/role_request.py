"""Asking for a role, and deciding about it: whoever manages members there accepts or refuses, and only once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit, mail
from accounts.models import User
from paas.lib.errors import NotAuthorized, Unprocessable
from tenants import access
from tenants.access import AlreadyHeld, authorize
from tenants.actions import decision
from tenants.actions import role as roles
from tenants.models import (
    CustomRole,
    Organization,
    OrganizationRole,
    RoleRequest,
    Space,
    SpaceRole,
    granting,
)

VERB, ASK = roles.VERB, "organization.view"
MOST = 20  # that wait for an answer, of one person in one organization
State = RoleRequest.State
JOINED = ("user", "permission__custom_role")  # what a request is told with


@transaction.atomic
def ask(
    actor: User, place: Organization | Space, *, role: str, reason: str = "", expires_at: datetime | None = None
) -> RoleRequest:
    """Ask for a role, until a moment or for good; asking again while it waits changes reason and end."""
    authorize(actor, ASK, place.organization)
    _as_oneself(actor)
    roles.lock(place)
    permission = access.permission_of(place, role)
    _check(actor, place, role, expires_at)
    space = place if isinstance(place, Space) else None
    pending = RoleRequest.objects.filter(user=actor, organization=place.organization, state=State.PENDING)
    request = pending.filter(permission=permission, space=space).first()
    if request is None and pending.count() >= MOST:
        raise Unprocessable(f"{MOST} of your requests wait for an answer. Withdraw one, or wait.")
    wish = {"reason": reason, "expires_at": expires_at}
    if request is None:
        request = RoleRequest(user=actor, organization=place.organization, permission=permission, space=space, **wish)
        request.save()
        _record(actor, request, "create", after=wish)
        _tell_managers(request)
    elif wish != (before := {name: getattr(request, name) for name in wish}):
        request.reason, request.expires_at = reason, expires_at
        request.save()
        _record(actor, request, "update", before=before, after=wish)
    return request


@transaction.atomic
def withdraw(actor: User, request: RoleRequest) -> RoleRequest:
    """Take one's own request back."""
    authorize(actor, ASK, request.organization)
    _as_oneself(actor)
    if request.user_id != actor.pk:
        raise NotAuthorized("Only who asked can withdraw a request. You can refuse it.")
    request = decision.locked(request, *JOINED)
    if request.state == State.WITHDRAWN:
        return request
    decision.still_open(request)
    return _end(actor, request, State.WITHDRAWN, "withdraw")


@transaction.atomic
def accept(actor: User, request: RoleRequest, *, answer: str = "") -> tuple[RoleRequest, bool]:
    """Give the role that was asked for; return the request, and whether that changed what its person holds.

    Who holds the role already, but not for as long, has it for longer then.
    """
    authorize(actor, VERB, request)
    request = decision.locked(request, *JOINED)
    _within_reach(actor, request)
    if request.state == State.ACCEPTED:
        return request, False
    decision.still_open(request)
    if not access.may(request.user, ASK, request.organization):
        raise Unprocessable(
            f"User '{request.user.username}' is not in organization '{request.organization.name}' any more. "
            "Refuse the request, or add them again first."
        )
    given = _give(actor, request)
    request = _end(actor, request, State.ACCEPTED, "accept", answer)
    _tell_asker(actor, request)
    return request, given


@transaction.atomic
def refuse(actor: User, request: RoleRequest, *, answer: str = "") -> RoleRequest:
    """Say no; the answer goes to who asked."""
    authorize(actor, VERB, request)
    request = decision.locked(request, *JOINED)
    _within_reach(actor, request)
    if request.state == State.REFUSED:
        return request
    decision.still_open(request)
    request = _end(actor, request, State.REFUSED, "refuse", answer)
    _tell_asker(actor, request)
    return request


def close(role: CustomRole, *, by: User) -> None:
    """Refuse what still asks for a role of an organization that is locked, since the role goes."""
    waiting = RoleRequest.objects.filter(permission=role.permission_id, state=State.PENDING)
    for request in waiting.select_related("user", "organization", "space__organization", "permission__custom_role"):
        _tell_asker(by, _end(by, request, State.REFUSED, "refuse", "The role is not there any more."))


def place_named(organization: Organization, *, guid: str = "", name: str = "") -> Space:
    """Return the space of the organization that somebody asks about who need not see it."""
    spaces = Space.objects.filter(organization=organization, deleting_at=None).select_related("organization")
    space: Space | None = spaces.filter(guid=guid).first() if guid else spaces.filter(name__iexact=name).first()
    if space is None:
        raise Unprocessable(f"There is no space '{name or guid}' in organization '{organization.name}'.")
    return space


def decided_by(user: User, organization: Organization) -> Q:
    """The requests of the organization that the user, who manages members, decides about."""
    if access.may(user, VERB, organization):
        return Q(organization=organization)
    return Q(organization=organization, space__in=Space.objects.where(user, VERB))


def _as_oneself(actor: User) -> None:
    """Asking is no permission of its own, so whatever leaves only some of them leaves none to ask."""
    if actor.authority.is_narrow:
        raise NotAuthorized("Ask for a role as yourself, not with a token that is good for some permissions only.")


def _check(actor: User, place: Organization | Space, role: str, expires_at: datetime | None) -> None:
    if expires_at and expires_at <= timezone.now():
        raise Unprocessable("The end of a role must be in the future.")
    held = access.role_rows(place).filter(user=actor, permission__codename=role).first()
    if held and (held.expires_at is None or (expires_at and held.expires_at >= expires_at)):
        ends = f" until {held.expires_at:%-d %B %Y %H:%M} UTC" if held.expires_at else ""
        raise Unprocessable(f"You hold that role in '{place.name}' already{ends}.")


def _within_reach(actor: User, request: RoleRequest) -> None:
    verbs = access.verbs_of(request.permission.codename)
    if not access.may_grant(actor, verbs, request.place):
        raise NotAuthorized(
            "You decide only about roles whose permissions you hold yourself. Leave it to an organization manager."
        )


def _give(actor: User, request: RoleRequest) -> bool:
    place, role = request.place, request.permission.codename
    wish = {"expires_at": request.expires_at, "reason": request.reason}
    try:
        roles.give(actor, request.user, role=role, place=place, **wish)
    except AlreadyHeld:
        row = access.role_rows(place).get(user=request.user, permission=request.permission)
        if row.expires_at is None or (request.expires_at and row.expires_at >= request.expires_at):
            return False
        roles.set_end(actor, row, **wish)
    return True


def _end(actor: User, request: RoleRequest, state: Any, did: str, answer: str = "") -> RoleRequest:
    decision.end(request, state, by=actor, answer=answer)
    _record(actor, request, did, answer=answer)
    return request


def _record(actor: User, request: RoleRequest, did: str, **more: Any) -> None:
    """The record's target is whoever asked."""
    own = getattr(request.permission, "custom_role", None)
    audit.record(
        actor,
        f"audit.role_request.{did}",
        request.user,
        space=request.space,
        organization=request.organization,
        role=own.name if own else request.permission.codename,
        request_guid=request.guid,
        **more,
    )


def _tell_managers(request: RoleRequest) -> None:
    """Write to everybody who may decide about it."""
    where = [OrganizationRole.objects.filter(granting(VERB), content_object=request.organization)]
    if request.space:
        where.append(SpaceRole.objects.filter(granting(VERB), content_object=request.space))
    deciders = User.objects.filter(Q(*(("pk__in", rows.values("user")) for rows in where), _connector=Q.OR))
    reached = deciders.filter(is_active=True).exclude(pk=request.user_id).exclude(email=None)
    for address in reached.values_list("email", flat=True):
        mail.send(
            address,
            "role-request",
            subject=f"{request.user.display_name} asks for a role in {request.organization.name}",
            template="mail/role-request.txt",
            **_told(request),
        )


def _tell_asker(actor: User, request: RoleRequest) -> None:
    if request.user.email and request.user != actor:
        answered = decision.answered(request)
        mail.send(
            request.user.email,
            "role-decided",
            subject=f"Your request for a role in {request.organization.name} was {answered}",
            template="mail/role-decided.txt",
            answered=answered,
            by=actor.display_name,
            **_told(request),
        )


def _told(request: RoleRequest) -> dict[str, Any]:
    return {"request": request, "role": access.role_label(request.permission), "organization": request.organization}
