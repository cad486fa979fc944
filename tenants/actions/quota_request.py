"""Asking for a larger quota, and deciding about it: an organization's by the platform's admins, a space's by who sets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts import audit, mail
from accounts.models import User
from paas.lib.errors import NotAuthorized, Unprocessable
from tenants import quotas
from tenants.access import authorize
from tenants.actions import decision, organization_quota, space_quota
from tenants.actions import role as roles
from tenants.models import (
    LIMITS,
    Limits,
    Organization,
    OrganizationQuota,
    OrganizationRole,
    QuotaRequest,
    Space,
    SpaceQuota,
    granting,
)

ASK = "quota.ask"
State = QuotaRequest.State
JOINED = ("asked_by",)  # what a request is told with
Wish = Mapping[str, Any]


def decided_by(place: Organization | Space) -> str:
    """Return the verb that deciding about a quota there takes."""
    return "platform.manage" if isinstance(place, Organization) else space_quota.VERB


@transaction.atomic
def ask(actor: User, place: Organization | Space, *, limits: Wish, reason: str = "") -> QuotaRequest:
    """Ask for more than the quota gives (``limits`` by the names of ``Limits``); asking again while it waits changes that."""
    authorize(actor, ASK, place)
    roles.lock(place)
    _check(place, limits)
    here = {"organization": place.organization, "space": place if isinstance(place, Space) else None}
    request = QuotaRequest.objects.filter(asked_by=actor, state=State.PENDING, **here).first()
    wish: dict[str, Any] = {"limits": dict(limits), "reason": reason}
    if request is None:
        request = QuotaRequest.objects.create(asked_by=actor, **here, **wish)
        _record(actor, request, "create", after=_shown(request))
        _tell_deciders(request)
    elif wish != {name: getattr(request, name) for name in wish}:
        before = _shown(request)
        request.limits, request.reason = wish["limits"], reason
        request.save()
        _record(actor, request, "update", before=before, after=_shown(request))
    return request


@transaction.atomic
def withdraw(actor: User, request: QuotaRequest) -> QuotaRequest:
    """Take one's own request back."""
    authorize(actor, ASK, request.place)
    if request.asked_by_id != actor.pk:
        raise NotAuthorized("Only who asked can withdraw a request. Whoever decides about it can refuse it.")
    request = decision.locked(request, *JOINED)
    if request.state == State.WITHDRAWN:
        return request
    decision.still_open(request)
    return _end(actor, request, State.WITHDRAWN, "withdraw")


@transaction.atomic
def accept(
    actor: User, request: QuotaRequest, *, quota: OrganizationQuota | SpaceQuota | None = None, answer: str = ""
) -> QuotaRequest:
    """Apply the quota that is named, or one that gives what was asked for and is called as the organization or space."""
    authorize(actor, decided_by(request.place), request.organization)
    request = decision.locked(request, *JOINED)
    if request.state == State.ACCEPTED:
        return request
    decision.still_open(request)
    _apply(actor, request.place, quota or _sized(actor, request))
    request = _end(actor, request, State.ACCEPTED, "accept", answer)
    _tell_asker(actor, request)
    return request


@transaction.atomic
def refuse(actor: User, request: QuotaRequest, *, answer: str = "") -> QuotaRequest:
    """Say no; the answer goes to who asked."""
    authorize(actor, decided_by(request.place), request.organization)
    request = decision.locked(request, *JOINED)
    if request.state == State.REFUSED:
        return request
    decision.still_open(request)
    request = _end(actor, request, State.REFUSED, "refuse", answer)
    _tell_asker(actor, request)
    return request


def quota_of(place: Organization | Space) -> OrganizationQuota | SpaceQuota:
    """Read the quota that the place has by now; a space without one of its own cannot have a larger one."""
    model: Any = type(place)
    quota: OrganizationQuota | SpaceQuota | None = model.objects.select_related("quota").get(pk=place.pk).quota
    if quota is None:
        raise Unprocessable(
            f"The space '{place.name}' has no quota of its own: it shares that of the organization "
            f"'{place.organization.name}'. Ask for more for the organization."
        )
    return quota


def columns(quota: Limits) -> tuple[str, ...]:
    """Return what the quota limits, by the names of its columns."""
    return (*LIMITS[1:], *(("total_domains",) if isinstance(quota, OrganizationQuota) else ()))


def is_more(quota: Limits, name: str, wanted: Any) -> bool:
    """Return whether the quota gives less than that; no limit is never less."""
    has = getattr(quota, name)
    return bool(has is not None and (wanted and not has if isinstance(has, bool) else wanted > has))


def worded(limits: Wish) -> list[str]:
    """Return the figures of a request in words, one each: "Memory: 2 GB"."""
    return [
        title if limits[name] is True else f"{title}: {quotas.in_words(name, limits[name])}"
        for name, title in quotas.TITLES.items()
        if name in limits
    ]


def compared(request: QuotaRequest) -> list[str]:
    """Return the figures of a request that waits beside what there is: "Memory: 2 GB instead of 1 GB"."""
    names = [name for name in quotas.TITLES if name in request.limits]
    has = [getattr(request.place.quota, name, None) for name in names]
    return [
        words if now is None or now is False else f"{words} instead of {quotas.in_words(name, now)}"
        for words, name, now in zip(worded(request.limits), names, has, strict=True)
    ]


def _check(place: Organization | Space, limits: Wish) -> None:
    quota = quota_of(place)
    if not limits:
        raise Unprocessable("Say what there should be more of.")
    if unknown := [name for name in limits if name not in columns(quota)]:
        raise Unprocessable(f"A quota of this kind does not limit {', '.join(unknown)}.")
    for name, wanted in limits.items():
        if not is_more(quota, name, wanted):
            has = getattr(quota, name)
            gives = "does not limit that" if has in (None, True) else f"gives {quotas.in_words(name, has)}"
            raise Unprocessable(
                f"{quotas.TITLES[name]}: the quota '{quota.name}' {gives}. Ask for more than that, or leave it out."
            )


def _sized(actor: User, request: QuotaRequest) -> OrganizationQuota | SpaceQuota:
    """Return a quota like the one there is, with more of what was asked for.

    The place's own, if it was made so and nothing else has it, is enlarged; one that others share is left as it is.
    """
    place, quota = request.place, quota_of(request.place)
    more = {name: wanted for name, wanted in request.limits.items() if is_more(quota, name, wanted)}
    if not more:
        return quota
    wish = {name: getattr(quota, name) for name in columns(quota)} | more
    if isinstance(quota, OrganizationQuota):
        if quota.name == place.name and quota.organizations.count() == 1 and quota.name != quotas.DEFAULT:
            return organization_quota.update(actor, quota, **more)
        name = _free(place.name, OrganizationQuota.objects.all())
        return organization_quota.create(actor, name=name, **wish)
    if quota.name == place.name and quota.spaces.count() == 1:
        return space_quota.update(actor, quota, **more)
    name = _free(place.name, SpaceQuota.objects.filter(organization=place.organization))
    return space_quota.create(actor, place.organization, name=name, **wish)


def _free(name: str, there: Any) -> str:
    """Return the name, or the name with the first number that makes it one that no quota has."""
    number, free = 1, name[:240]
    while there.filter(name__iexact=free).exists():
        number += 1
        free = f"{name[:240]} {number}"
    return free


def _apply(actor: User, place: Organization | Space, quota: OrganizationQuota | SpaceQuota) -> None:
    if isinstance(place, Space):
        assert isinstance(quota, SpaceQuota)
        space_quota.apply(actor, quota, spaces=[place])
    else:
        assert isinstance(quota, OrganizationQuota)
        organization_quota.apply(actor, quota, organizations=[place])


def _end(actor: User, request: QuotaRequest, state: Any, did: str, answer: str = "") -> QuotaRequest:
    decision.end(request, state, by=actor, answer=answer)
    _record(actor, request, did, answer=answer)
    return request


def _shown(request: QuotaRequest) -> dict[str, Any]:
    return {**request.limits, "reason": request.reason}


def _record(actor: User, request: QuotaRequest, did: str, **more: Any) -> None:
    """The record's target is the organization or the space."""
    audit.record(
        actor,
        f"audit.quota_request.{did}",
        request.place,
        space=request.space,
        organization=request.organization,
        request_guid=request.guid,
        **more,
    )


def _tell_deciders(request: QuotaRequest) -> None:
    deciders = User.objects.filter(platform_role=User.PlatformRole.ADMIN)
    if request.space:
        rows = OrganizationRole.objects.filter(granting(space_quota.VERB), content_object=request.organization)
        deciders = User.objects.filter(pk__in=rows.values("user"))
    reached = deciders.filter(is_active=True).exclude(pk=request.asked_by_id).exclude(email=None)
    for address in reached.values_list("email", flat=True):
        mail.send(
            address,
            "quota-request",
            subject=f"{request.place.name} asks for a larger quota",
            template="mail/quota-request.txt",
            **_told(request),
        )


def _tell_asker(actor: User, request: QuotaRequest) -> None:
    if request.asked_by and request.asked_by.email and request.asked_by != actor:
        answered = decision.answered(request)
        mail.send(
            request.asked_by.email,
            "quota-decided",
            subject=f"The request for a larger quota of {request.place.name} was {answered}",
            template="mail/quota-decided.txt",
            answered=answered,
            by=actor.display_name,
            **_told(request),
        )


def _told(request: QuotaRequest) -> dict[str, Any]:
    return {"request": request, "place": request.place, "wishes": worded(request.limits)}
