"""Where you are: regions, organizations, spaces, and the roles held there as guardian rows."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.auth.models import Permission
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone
from guardian.models import UserObjectPermissionBase

from accounts import factors
from accounts.models import User
from paas.lib.models import LockingQuerySet, Resource, Work, WorkQuerySet, new_guid
from tenants.models.quotas import OrganizationQuota, SpaceQuota
from tenants.permissions import ORGANIZATION_ROLES, SPACE_ROLES, TABLE, everywhere


def in_force(prefix: str = "") -> Q:
    """The roles that have not lapsed."""
    return Q(**{f"{prefix}expires_at": None}) | Q(**{f"{prefix}expires_at__gt": timezone.now()})


def granting(verb: str) -> Q:
    """The roles in force that give the verb: Cloud Foundry's by the table, custom ones by what they are made of."""
    return in_force() & (
        Q(permission__codename__in=TABLE[verb].roles) | Q(permission__custom_role__verbs__contains=[verb])
    )


def sees_all(user: User, verb: str) -> bool:
    """Return whether nothing narrows what the user sees by that verb; who asks then needs no filter."""
    authority = user.authority
    return (
        user.is_active
        and everywhere(user, verb)
        and authority.leaves(verb)
        and authority.organization is None
        and authority.beside is None
    )


class Region(Resource, Work):
    """One engine in one cloud. Its work is watching: what runs there is looked at every few seconds."""

    name = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=32, default="docker")
    is_default = models.BooleanField(default=False)
    happenings_seen = models.BigIntegerField(default=0)
    watched_at = models.DateTimeField(null=True, blank=True)

    objects = WorkQuerySet.as_manager()


class PlaceQuerySet(LockingQuerySet):
    """Organizations or spaces; what is being deleted is gone for everybody at once."""

    organization, second_factor = "pk", "second_factor_required"

    def where(self, user: User, verb: str) -> Self:
        """The places where the user holds the verb right now, within the authority that is at hand."""
        there, authority = self.filter(deleting_at=None), user.authority
        if not user.is_active or not authority.leaves(verb):
            return there.none()
        for person in (user, authority.beside):
            if person is not None and not everywhere(person, verb):
                there = there.filter(self._held(person, verb), self._open_to(person))
        return there.filter(**{self.organization: authority.organization}) if authority.organization else there

    def _held(self, person: User, verb: str) -> Q:
        raise NotImplementedError

    def _open_to(self, person: User) -> Q:
        """Where a second factor is required, whoever has none sees nothing."""
        if factors.may_lack(person):
            return Q()
        return Q(**{self.second_factor: False}) | Q(factors.held(person))


class OrganizationQuerySet(PlaceQuerySet):
    def visible_to(self, user: User) -> Self:
        """The organizations that the user holds any role in, or all of them for platform roles."""
        return self.where(user, "organization.view")

    def _held(self, person: User, verb: str) -> Q:
        held = Q(pk__in=OrganizationRole.objects.filter(granting(verb), user=person).values("content_object"))
        if verb != "organization.view":
            return held
        through_spaces = SpaceRole.objects.filter(in_force(), user=person, content_object__deleting_at=None)
        return held | Q(pk__in=through_spaces.values("content_object__organization"))


class Organization(Resource):
    name = models.CharField(max_length=255)
    suspended = models.BooleanField(default=False)
    quota = models.ForeignKey(OrganizationQuota, on_delete=models.PROTECT, related_name="organizations")
    deleting_at = models.DateTimeField(null=True, blank=True)
    mail_domains: Any = ArrayField(models.CharField(max_length=253), default=list, db_default=[], blank=True)
    second_factor_required = models.BooleanField(default=False, db_default=False)

    objects = OrganizationQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(Upper("name"), name="organization_name", condition=Q(deleting_at=None))]
        permissions = list(ORGANIZATION_ROLES.items())

    @property
    def organization(self) -> Organization:
        return self


class SpaceQuerySet(PlaceQuerySet, WorkQuerySet):
    organization, second_factor = "organization", "organization__second_factor_required"

    def visible_to(self, user: User) -> Self:
        """The spaces that the user holds a role in, and those of organizations that the user manages."""
        return self.where(user, "space.view")

    def _held(self, person: User, verb: str) -> Q:
        held = SpaceRole.objects.filter(granting(verb), user=person).values("content_object")
        through = OrganizationRole.objects.filter(granting(verb), user=person).values("content_object")
        return Q(pk__in=held) | Q(organization__in=through)


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


class Role(UserObjectPermissionBase):
    """A role held: guardian's row (user, permission, object), whose permission's codename is the role's name."""

    guid = models.CharField(max_length=64, unique=True, default=new_guid, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    cf_type = models.CharField(max_length=64, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    granted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    announced_at = models.DateTimeField(null=True, blank=True)  # when its end was told to its holder

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
