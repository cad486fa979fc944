"""Where you are and what you may do: organizations, spaces, roles as guardian rows, quotas, regions."""

from __future__ import annotations

from typing import Self

from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone
from guardian.models import UserObjectPermissionBase

from accounts.models import User
from paas.lib.models import LockingQuerySet, Resource, Work, WorkQuerySet, new_guid

ORGANIZATION_ROLES = {
    "organization_user": "Organization user",
    "organization_manager": "Organization manager",
    "organization_billing_manager": "Billing manager",
    "organization_auditor": "Organization auditor",
}
SPACE_ROLES = {
    "space_developer": "Space developer",
    "space_manager": "Space manager",
    "space_auditor": "Space auditor",
    "space_supporter": "Space supporter",
}
UNLIMITED = None


def in_force(prefix: str = "") -> Q:
    """The roles that have not lapsed."""
    return Q(**{f"{prefix}expires_at": None}) | Q(**{f"{prefix}expires_at__gt": timezone.now()})


class Limits(Resource):
    """What a quota limits; null is without limit. Memory in MB, log rate in bytes per second."""

    name = models.CharField(max_length=255)
    total_memory_mb = models.BigIntegerField(null=True, blank=True)
    per_process_memory_mb = models.BigIntegerField(null=True, blank=True)
    total_instances = models.BigIntegerField(null=True, blank=True)
    per_app_tasks = models.BigIntegerField(null=True, blank=True)
    log_rate = models.BigIntegerField(null=True, blank=True)
    paid_services_allowed = models.BooleanField(default=True)
    total_service_instances = models.BigIntegerField(null=True, blank=True)
    total_service_keys = models.BigIntegerField(null=True, blank=True)
    total_routes = models.BigIntegerField(null=True, blank=True)
    total_reserved_ports = models.BigIntegerField(null=True, blank=True)

    class Meta(Resource.Meta):
        abstract = True


class OrganizationQuota(Limits):
    total_domains = models.BigIntegerField(null=True, blank=True)

    class Meta(Limits.Meta):
        constraints = [models.UniqueConstraint(Upper("name"), name="organizationquota_name")]


class Region(Resource, Work):
    """One engine in one cloud. Its work is watching: what runs there is looked at every few seconds."""

    name = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=32, default="docker")
    is_default = models.BooleanField(default=False)
    happenings_seen = models.BigIntegerField(default=0)
    watched_at = models.DateTimeField(null=True, blank=True)

    objects = WorkQuerySet.as_manager()


class OrganizationQuerySet(LockingQuerySet):
    def visible_to(self, user: User) -> Self:
        """The organizations that the user holds any role in, or all of them for platform roles.

        What is being deleted is gone for everybody at once.
        """
        there = self.filter(deleting_at=None)
        if user.platform_role:
            return there
        held = OrganizationRole.objects.filter(in_force(), user=user).values("content_object")
        through_spaces = SpaceRole.objects.filter(in_force(), user=user, content_object__deleting_at=None)
        return there.filter(Q(pk__in=held) | Q(pk__in=through_spaces.values("content_object__organization")))


class Organization(Resource):
    name = models.CharField(max_length=255)
    suspended = models.BooleanField(default=False)
    quota = models.ForeignKey(OrganizationQuota, on_delete=models.PROTECT, related_name="organizations")
    deleting_at = models.DateTimeField(null=True, blank=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(Upper("name"), name="organization_name", condition=Q(deleting_at=None))]
        permissions = list(ORGANIZATION_ROLES.items())

    @property
    def organization(self) -> Organization:
        return self


class SpaceQuota(Limits):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="space_quotas")

    class Meta(Limits.Meta):
        constraints = [models.UniqueConstraint(Upper("name"), "organization", name="spacequota_name")]


class SpaceQuerySet(WorkQuerySet):
    def visible_to(self, user: User) -> Self:
        """The spaces that the user holds a role in, and those of organizations that the user manages."""
        there = self.filter(deleting_at=None)
        if user.platform_role:
            return there
        held = SpaceRole.objects.filter(in_force(), user=user).values("content_object")
        managed = OrganizationRole.objects.filter(
            in_force(), user=user, permission__codename="organization_manager"
        ).values("content_object")
        return there.filter(Q(pk__in=held) | Q(organization__in=managed))


class Space(Resource, Work):
    """Where apps live. Its work is its deletion: the top floor walks down what is in it."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="spaces")
    name = models.CharField(max_length=255)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="spaces")
    quota = models.ForeignKey(SpaceQuota, on_delete=models.SET_NULL, null=True, blank=True, related_name="spaces")
    ssh_allowed = models.BooleanField(default=False)
    deleting_at = models.DateTimeField(null=True, blank=True)

    objects = SpaceQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [
            models.UniqueConstraint(Upper("name"), "organization", name="space_name", condition=Q(deleting_at=None))
        ]
        permissions = list(SPACE_ROLES.items())
        indexes = [*Resource.Meta.indexes, Work.due_index("space_due")]

    @property
    def space(self) -> Space:
        return self


class QuotaUse(models.Model):
    """What is used of a quota; the row is the lock. Only ``tenants.quotas`` writes it."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, null=True, related_name="use")
    space = models.OneToOneField(Space, on_delete=models.CASCADE, null=True, related_name="use")
    memory_mb = models.BigIntegerField(default=0)
    instances = models.BigIntegerField(default=0)
    log_rate = models.BigIntegerField(default=0)
    routes = models.BigIntegerField(default=0)
    service_instances = models.BigIntegerField(default=0)
    service_keys = models.BigIntegerField(default=0)
    reserved_ports = models.BigIntegerField(default=0)
    domains = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(organization=None, space__isnull=False) | Q(organization__isnull=False, space=None),
                name="quotause_one_owner",
            )
        ]


class Role(UserObjectPermissionBase):
    """A role held: guardian's row (user, permission, object), whose permission's codename is the role's name."""

    guid = models.CharField(max_length=64, unique=True, default=new_guid, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    cf_type = models.CharField(max_length=64, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    granted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True
        ordering = ["created_at", "id"]

    @property
    def type(self) -> str:
        return self.cf_type


class OrganizationRole(Role):
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="organization_roles")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="organization_roles")
    content_object = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="roles")

    class Meta(Role.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["user", "content_object"], name="orgrole_user"),
            models.Index(fields=["created_at", "id"], name="orgrole_created"),
        ]


class SpaceRole(Role):
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="space_roles")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="space_roles")
    content_object = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="roles")

    class Meta(Role.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["user", "content_object"], name="spacerole_user"),
            models.Index(fields=["created_at", "id"], name="spacerole_created"),
        ]


class FeatureFlag(models.Model):
    """A switch that a platform admin turns; the names and defaults are in ``tenants.access``."""

    name = models.CharField(max_length=64, unique=True)
    enabled = models.BooleanField()
    custom_error_message = models.CharField(max_length=255, blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    @property
    def guid(self) -> str:
        """A flag's name is its id."""
        return self.name
