"""Creating, changing, applying and deleting the quotas of organizations; the platform's admins only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from tenants import quotas
from tenants.access import authorize
from tenants.models import LIMITS, Organization, OrganizationQuota


@transaction.atomic
def create(actor: User, *, name: str, organizations: Iterable[Organization] = (), **limits: Any) -> OrganizationQuota:
    """Write a quota (limits are fields of ``Limits``; what is not given has no limit) and apply it."""
    authorize(actor, "platform.manage")
    quota = OrganizationQuota(name=name, **limits)
    _save(quota)
    audit.record(actor, "audit.organization_quota.create", quota, after={"name": name, **limits})
    for organization in organizations:
        _apply(actor, quota, organization)
    return quota


@transaction.atomic
def update(actor: User, quota: OrganizationQuota, **fields: Any) -> OrganizationQuota:
    """Change name and limits; what is used above a new limit stays, and nothing may be added to it."""
    authorize(actor, "platform.manage")
    quota = OrganizationQuota.objects.lock(quota.pk)
    if quota.name == quotas.DEFAULT and fields.get("name", quota.name) != quota.name:
        raise Unprocessable(f"The quota '{quotas.DEFAULT}' is what new organizations get; it cannot be renamed.")
    before = audit.state(quota, fields)
    for name, value in fields.items():
        setattr(quota, name, value)
    _save(quota)
    audit.record(actor, "audit.organization_quota.update", quota, before=before, after=audit.state(quota, fields))
    return quota


@transaction.atomic
def apply(actor: User, quota: OrganizationQuota, *, organizations: Iterable[Organization]) -> None:
    """Give the organizations this quota instead of the one they have."""
    authorize(actor, "platform.manage")
    for organization in organizations:
        _apply(actor, quota, organization)


@transaction.atomic
def delete(actor: User, quota: OrganizationQuota) -> Job:
    """Delete a quota that no organization has."""
    authorize(actor, "platform.manage")
    quota = OrganizationQuota.objects.lock(quota.pk)
    if quota.name == quotas.DEFAULT:
        raise Unprocessable(f"The quota '{quotas.DEFAULT}' is what new organizations get; it cannot be deleted.")
    if quota.organizations.exists():
        raise Unprocessable(
            "This quota is applied to one or more organizations. "
            "Apply different quotas to those organizations before deleting."
        )
    audit.record(actor, "audit.organization_quota.delete", quota, before=audit.state(quota, (*LIMITS, "total_domains")))
    quota.delete()
    return Job.objects.create(
        owner=actor, operation="organization_quota.delete", state=Job.State.COMPLETE, resource_guid=quota.guid
    )


def _apply(actor: User, quota: OrganizationQuota, organization: Organization) -> None:
    before = Organization.objects.lock(organization.pk).quota
    if before != quota:
        Organization.objects.filter(pk=organization.pk).update(quota=quota)
        audit.record(
            actor,
            "audit.organization_quota.apply",
            quota,
            organization=organization,
            before={"quota": before.name},
            after={"quota": quota.name},
        )


def _save(quota: OrganizationQuota) -> None:
    try:
        with transaction.atomic():
            quota.save()
    except IntegrityError as error:
        raise Unprocessable(f"Organization Quota '{quota.name}' already exists.") from error
