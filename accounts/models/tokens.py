"""What scripts show instead of a password."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Upper

from accounts.models.user import User
from paas.lib.models import Resource, Work, WorkQuerySet


class ApiToken(Resource):
    """A token that somebody made for a script. Only its hash is kept: the text is shown once.

    ``verbs`` narrows it to some of the named permissions; null is everything that its scope and its person allow.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=255)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.CharField(max_length=64, blank=True, default="", db_default="")
    verbs = ArrayField(models.CharField(max_length=64), null=True, blank=True)

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint("user", Upper("name"), name="apitoken_name")]


class RobotKey(Resource, Work):
    """A secret of a robot. Only its hash is kept; the one who made it is the one who saw it.

    Its work is telling whoever looks after the robot that the key ends soon.
    """

    robot = models.ForeignKey(User, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, unique=True)
    seen_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="keys_seen")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.CharField(max_length=64, blank=True, default="")

    objects = WorkQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint("robot", Upper("name"), name="robotkey_name")]
        indexes = [*Resource.Meta.indexes, Work.due_index("robotkey_due")]
