"""Who acts: people, robots, the system itself."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper

from accounts.authority import WHOLE, Authority
from paas.lib.models import LockingQuerySet, Resource

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
    """A person, a robot or the system. ``is_superuser`` is never set; see ``platform_role``.

    ``authority`` is how much of what the user may do is at hand in this request: all, unless a token or "view as"
    narrows it. Doors set it; ``tenants.access`` and every ``visible_to`` follow it.
    """

    authority: Authority = WHOLE

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
    address_ranges: Any = ArrayField(models.CharField(max_length=64), default=list, db_default=[], blank=True)

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
