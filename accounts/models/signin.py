"""Ways in, and who came in by them: links, changes of address, devices, sessions."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models.user import User
from paas.lib.models import LockingQuerySet, Resource, Work, WorkQuerySet


class SignInLink(models.Model):
    """A link that signs its person in, once; only its hash is kept."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()


class EmailChange(models.Model):
    """A new e-mail address that takes effect when both addresses have confirmed it."""

    id = models.BigAutoField(primary_key=True)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="email_change")
    email = models.EmailField()
    old_digest = models.CharField(max_length=64, unique=True)
    new_digest = models.CharField(max_length=64, unique=True)
    old_confirmed_at = models.DateTimeField(null=True, blank=True)
    new_confirmed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()

    objects = LockingQuerySet.as_manager()


class Device(models.Model):
    """A browser that somebody has signed in with; a cookie names it, so that a new one is noticed."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="device_user")]


class UserSession(Resource):
    """A sign-in that goes on, of a browser or of a command line; without its row it is over."""

    class Client(models.TextChoices):
        BROWSER = "browser", "Browser"
        COMMAND_LINE = "command_line", "Command line"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    client = models.CharField(max_length=16, choices=Client)
    family = models.UUIDField(null=True, blank=True, unique=True)  # of a command line's tokens
    agent = models.CharField(max_length=255, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    seen_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()


class PasswordReset(Resource, Work):
    """Somebody's wish for a new password. Its work is to find out whose it is and to mail a link, which is then in force.

    Whoever asks learns nothing from the answer or its time, for nothing has been looked up by then.
    """

    login = models.CharField(max_length=255)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="password_resets")
    digest = models.CharField(max_length=64, null=True, blank=True, unique=True)
    expires_at = models.DateTimeField()

    objects = WorkQuerySet.as_manager()

    class Meta(Resource.Meta):
        indexes = [*Resource.Meta.indexes, Work.due_index("password_reset_due")]
