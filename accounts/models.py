"""Who acts (people, robots, the system itself), and the append-only record of what was done."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper
from django.utils import timezone

from paas.lib.models import LockingQuerySet, Resource, new_guid

SYSTEM_USERNAME = "system"


class UserManager(BaseUserManager.from_queryset(LockingQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username: str) -> User:
        return self.get(username__iexact=username, origin="uaa")

    def person(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a person who signs in with an e-mail address and a password (none: by link only)."""
        user = self.model(username=email.strip(), email=email.strip().lower(), kind=User.Kind.PERSON, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def system(self) -> User:
        """The actor of what nobody asked for: crashes, expiries, automatic returns."""
        return self.get(username=SYSTEM_USERNAME, origin="system")


class User(AbstractBaseUser, PermissionsMixin, Resource):
    """A person, a robot or the system. ``is_superuser`` is never set; see ``platform_role``."""

    class Kind(models.TextChoices):
        PERSON = "person"
        ROBOT = "robot"
        SYSTEM = "system"

    class PlatformRole(models.TextChoices):
        NONE = "", "No platform role"
        ADMIN = "admin", "Platform admin"
        ADMIN_READ_ONLY = "admin_read_only", "Read-only platform admin"

    kind = models.CharField(max_length=16, choices=Kind, default=Kind.PERSON)
    username = models.CharField(max_length=255)
    origin = models.CharField(max_length=64, default="uaa")
    email = models.EmailField(null=True, blank=True)
    given_name = models.CharField(max_length=255, blank=True)
    family_name = models.CharField(max_length=255, blank=True)
    platform_role = models.CharField(max_length=32, choices=PlatformRole, blank=True, default="")
    is_active = models.BooleanField(default=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta(Resource.Meta):
        constraints = [
            models.UniqueConstraint(Upper("username"), "origin", name="user_username_origin"),
            models.UniqueConstraint(Upper("email"), name="user_email", condition=Q(email__isnull=False)),
            models.CheckConstraint(condition=Q(is_superuser=False), name="user_never_superuser"),
        ]
        indexes = [*Resource.Meta.indexes, models.Index(Lower("username"), name="user_username_lower")]

    @property
    def is_admin(self) -> bool:
        return self.platform_role == self.PlatformRole.ADMIN

    @property
    def is_staff(self) -> bool:
        return False

    @property
    def display_name(self) -> str:
        names = (self.given_name, self.family_name)
        # `cf create-user` gives the username as both.
        return " ".join(name for name in names if name not in ("", self.username)) or self.username


class EventQuerySet(models.QuerySet):
    """Events are written once; the database refuses the rest too."""

    def newest(self) -> Self:
        return self.order_by("-created_at", "-id")


class Event(models.Model):
    """What both kinds of event have. No foreign keys: what they name may be gone."""

    id = models.BigAutoField(primary_key=True)
    guid = models.CharField(max_length=64, default=new_guid, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    organization_guid = models.CharField(max_length=64, blank=True, default="")
    organization_name = models.CharField(max_length=255, blank=True, default="")
    space_guid = models.CharField(max_length=64, blank=True, default="")
    space_name = models.CharField(max_length=255, blank=True, default="")

    objects = EventQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["created_at", "id"]


class AuditEvent(Event):
    """Who did what to which thing; written in the same transaction as the change. Partitioned by month."""

    type = models.CharField(max_length=128)
    actor_guid = models.CharField(max_length=64)
    actor_type = models.CharField(max_length=32)
    actor_name = models.CharField(max_length=255)
    target_guid = models.CharField(max_length=64)
    target_type = models.CharField(max_length=64)
    target_name = models.CharField(max_length=255)
    data = models.JSONField(default=dict)

    class Meta(Event.Meta):
        indexes = [
            models.Index(fields=["guid"], name="audit_guid"),
            models.Index(fields=["target_guid", "-created_at"], name="audit_target"),
            models.Index(fields=["space_guid", "-created_at"], name="audit_space"),
            models.Index(fields=["organization_guid", "-created_at"], name="audit_organization"),
            models.Index(fields=["created_at", "id"], name="audit_created"),
            models.Index(fields=["type", "created_at"], name="audit_type"),
        ]


class UsageEvent(Event):
    """A change of what somebody consumes; the bill is computed from these. Partitioned by month."""

    class Kind(models.TextChoices):
        APP = "app"
        BUILD = "build"
        TASK = "task"
        SERVICE = "service"

    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=32)
    previous_state = models.CharField(max_length=32, blank=True, default="")
    resource_guid = models.CharField(max_length=64)
    resource_name = models.CharField(max_length=255)
    parent_guid = models.CharField(max_length=64, blank=True, default="")
    parent_name = models.CharField(max_length=255, blank=True, default="")
    process_type = models.CharField(max_length=255, blank=True, default="")
    instances = models.IntegerField(null=True)
    previous_instances = models.IntegerField(null=True)
    memory_mb = models.IntegerField(null=True)
    previous_memory_mb = models.IntegerField(null=True)
    plan_name = models.CharField(max_length=255, blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta(Event.Meta):
        indexes = [
            models.Index(fields=["guid"], name="usage_guid"),
            models.Index(fields=["kind", "created_at", "id"], name="usage_kind"),
            models.Index(fields=["organization_guid", "created_at"], name="usage_organization"),
        ]


class Job(Resource):
    """Background work as the v3 API shows it at ``/v3/jobs``."""

    class State(models.TextChoices):
        PROCESSING = "PROCESSING"
        POLLING = "POLLING"
        COMPLETE = "COMPLETE"
        FAILED = "FAILED"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="jobs")
    operation = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.PROCESSING)
    errors = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    resource_guid = models.CharField(max_length=64, blank=True, default="", db_index=True)


class ApiToken(Resource):
    """A token that somebody made for a script. Only its hash is kept: the text is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=255)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint("user", Upper("name"), name="apitoken_name")]


class SignInLink(models.Model):
    """A link that signs its person in, once; only its hash is kept."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()
