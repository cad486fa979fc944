"""What a team is made of beside its roles: roles of its own, requests, invitations, robots, and those who left."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.auth.models import Permission
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.models import User
from paas.lib.models import LockingQuerySet, Resource
from tenants.models.places import Organization, Space
from tenants.permissions import ORGANIZATION, SPACE


class CustomRoleQuerySet(LockingQuerySet):
    def visible_to(self, user: User) -> Self:
        """The roles of the organizations that the user sees."""
        return self.filter(organization__in=Organization.objects.visible_to(user))


class CustomRole(Resource):
    """A role that an organization made of named permissions; its guid is its permission's codename."""

    class Where(models.TextChoices):
        ORGANIZATION = ORGANIZATION, "For the organization"
        SPACE = SPACE, "For spaces"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="custom_roles")
    name = models.CharField(max_length=64)
    description = models.CharField(max_length=255, blank=True, default="")
    where = models.CharField(max_length=16, choices=Where)
    verbs: Any = ArrayField(models.CharField(max_length=64))
    permission = models.OneToOneField(Permission, on_delete=models.PROTECT, related_name="custom_role")

    objects = CustomRoleQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint("organization", Upper("name"), name="customrole_name")]


class Decision(Resource):
    """Something that somebody asks for with a reason and somebody else accepts or refuses."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting for an answer"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="%(class)ss")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, null=True, blank=True, related_name="%(class)ss")
    reason = models.TextField(blank=True, default="")
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, default="")

    class Meta(Resource.Meta):
        abstract = True

    @property
    def place(self) -> Organization | Space:
        return self.space or self.organization


class RoleRequestQuerySet(LockingQuerySet):
    def visible_to(self, user: User) -> Self:
        """One's own requests, and those of others where one manages members."""
        own = Q(user=user, organization__in=Organization.objects.visible_to(user))
        here = Q(space=None, organization__in=Organization.objects.where(user, "member.manage"))
        return self.filter(own | here | Q(space__in=Space.objects.where(user, "member.manage")))


class RoleRequest(Decision):
    """A member asks for a role (its permission) in the organization or one of its spaces, until a day or for good."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_requests")
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = RoleRequestQuerySet.as_manager()


class QuotaRequestQuerySet(LockingQuerySet):
    def visible_to(self, user: User) -> Self:
        """The requests about places where the user may ask as well, and about the spaces whose quotas they set."""
        here = Q(space=None, organization__in=Organization.objects.where(user, "quota.ask"))
        asked = Q(space__in=Space.objects.where(user, "quota.ask"))
        set_by = Q(space__deleting_at=None, organization__in=Organization.objects.where(user, "quota.manage"))
        return self.filter(here | asked | (set_by & ~Q(space=None)))


class QuotaRequest(Decision):
    """Somebody asks for more; ``limits`` are the wished figures by the names of ``Limits``."""

    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="quota_requests")
    limits = models.JSONField()

    objects = QuotaRequestQuerySet.as_manager()


class Invitation(Resource):
    """Roles that wait for whoever opens the link that went to an e-mail address; only the link's hash is kept.

    ``roles``: [{"role": codename, "space": guid or null, "expires_at": ISO time or null}].
    """

    class State(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        WITHDRAWN = "withdrawn"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    roles = models.JSONField(default=list)
    digest = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta(Resource.Meta):
        constraints = [
            models.UniqueConstraint(
                "organization", Upper("email"), name="invitation_pending", condition=Q(state="pending")
            )
        ]

    @property
    def name(self) -> str:
        return self.email


class RobotQuerySet(LockingQuerySet):
    def visible_to(self, user: User) -> Self:
        """The robots of the organizations that the user sees."""
        return self.filter(organization__in=Organization.objects.visible_to(user))


class Robot(Resource):
    """A robot account of an organization: a user of kind robot that belongs to no person, and shares its guid."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="robot")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="robots")
    description = models.CharField(max_length=255, blank=True, default="")
    caretaker = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="robots_kept")

    objects = RobotQuerySet.as_manager()


class Departure(Resource):
    """What a person who was removed from an organization held there, so that it can be given back.

    ``snapshot``: {"roles": [{"role", "label", "space", "place", "expires_at", "reason"}], "robots": [guid]}.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="departures")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="departures")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    snapshot = models.JSONField()
    until = models.DateTimeField()
    restored_at = models.DateTimeField(null=True, blank=True)
