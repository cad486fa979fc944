"""Creating, changing, applying and deleting the quotas that an organization sets for its spaces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from tenants.access import authorize
from tenants.models import LIMITS, Organization, Space, SpaceQuota

VERB = "quota.manage"


@transaction.atomic
def create(
    actor: User, organization: Organization, *, name: str, spaces: Iterable[Space] = (), **limits: Any
) -> SpaceQuota:
    """Write a quota for spaces of one organization and apply it to some of them."""
    authorize(actor, VERB, organization)
    quota = SpaceQuota(organization=organization, name=name, **limits)
    _save(quota)
    audit.record(actor, "audit.space_quota.create", quota, after={"name": name, **limits})
    for space in spaces:
        _apply(actor, quota, space)
    return quota


@transaction.atomic
def update(actor: User, quota: SpaceQuota, **fields: Any) -> SpaceQuota:
    """Change name and limits; what is used above a new limit stays, and nothing may be added to it."""
    authorize(actor, VERB, quota)
    quota = SpaceQuota.objects.lock(quota.pk)
    before = audit.state(quota, fields)
    for name, value in fields.items():
        setattr(quota, name, value)
    _save(quota)
    audit.record(actor, "audit.space_quota.update", quota, before=before, after=audit.state(quota, fields))
    return quota


@transaction.atomic
def apply(actor: User, quota: SpaceQuota, *, spaces: Iterable[Space]) -> None:
    """Give spaces of the quota's organization this quota instead of the one they have."""
    authorize(actor, VERB, quota)
    for space in spaces:
        _apply(actor, quota, space)


@transaction.atomic
def remove(actor: User, quota: SpaceQuota, *, space: Space) -> None:
    """Leave the space with its organization's limits only."""
    authorize(actor, VERB, quota)
    if Space.objects.filter(pk=space.pk, quota=quota).update(quota=None):
        audit.record(actor, "audit.space_quota.remove", quota, space=space, before={"quota": quota.name})


@transaction.atomic
def delete(actor: User, quota: SpaceQuota) -> Job:
    """Delete the quota; its spaces go on with their organization's limits only."""
    authorize(actor, VERB, quota)
    quota = SpaceQuota.objects.lock(quota.pk)
    audit.record(actor, "audit.space_quota.delete", quota, before=audit.state(quota, LIMITS))
    quota.delete()
    return Job.objects.create(
        owner=actor, operation="space_quota.delete", state=Job.State.COMPLETE, resource_guid=quota.guid
    )


def _apply(actor: User, quota: SpaceQuota, space: Space) -> None:
    if space.organization_id != quota.organization_id:
        raise Unprocessable("Space quotas cannot be applied outside of their owning organization.")
    had = Space.objects.lock(space.pk).quota
    if had != quota:
        Space.objects.filter(pk=space.pk).update(quota=quota)
        before = {"quota": had.name} if had else {}
        audit.record(actor, "audit.space_quota.apply", quota, space=space, before=before, after={"quota": quota.name})


def _save(quota: SpaceQuota) -> None:
    try:
        with transaction.atomic():
            quota.save()
    except IntegrityError as error:
        raise Unprocessable(f"Space Quota '{quota.name}' already exists.") from error
