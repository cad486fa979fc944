"""An app and its processes: the wish."""

from __future__ import annotations

import re
from typing import Any, Self

from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.models import User
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import Resource, Work, WorkQuerySet, bump
from tenants.models import Space, sees_all

HEALTH_TYPES = [("port", "Port"), ("process", "Process"), ("http", "HTTP")]
PROCESS_TYPE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,254}")  # a part of addresses and of log sources
MOST_PROCESS_TYPES = 100  # of one droplet


class InSpaceQuerySet(WorkQuerySet):
    """Things that live in a space, found through ``space``; who sees the space sees them."""

    verb = "space.view"

    def visible_to(self, user: User) -> Self:
        if sees_all(user, self.verb):
            return self
        return self.filter(space__in=Space.objects.where(user, self.verb).values("pk"))


class AppQuerySet(InSpaceQuerySet):
    verb = "app.view"


class OfAppQuerySet(WorkQuerySet):
    """Things that belong to an app, found through ``app``."""

    def visible_to(self, user: User) -> Self:
        if sees_all(user, AppQuerySet.verb):
            return self
        return self.filter(app__space__in=Space.objects.where(user, AppQuerySet.verb).values("pk"))


class App(Resource, Work):
    """What a team runs. ``generation`` counts wishes, ``observed_generation`` those that came true."""

    class State(models.TextChoices):
        STARTED = "STARTED"
        STOPPED = "STOPPED"

    class Lifecycle(models.TextChoices):
        BUILDPACK = "buildpack"
        DOCKER = "docker"

    class ServiceFiles(models.TextChoices):
        """How credentials of services come into an instance; the names are those of Cloud Foundry's features."""

        NONE = "", "in VCAP_SERVICES"
        K8S = "service-binding-k8s", "as one file each"
        VCAP = "file-based-vcap-services", "as one file for all"

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="apps")
    name = models.CharField(max_length=255)
    state = models.CharField(max_length=8, choices=State, default=State.STOPPED)
    lifecycle = models.CharField(max_length=16, choices=Lifecycle, default=Lifecycle.BUILDPACK)
    buildpacks = models.JSONField(default=list)  # names or URLs asked for; empty is detection
    stack = models.CharField(max_length=64, default="debian12")
    environment: Any = EncryptedJSONField(default=dict)
    droplet = models.ForeignKey("Droplet", on_delete=models.SET_NULL, null=True, blank=True, related_name="current_for")
    target = models.ForeignKey("Deployment", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    serving = models.ForeignKey("Deployment", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    revisions_enabled = models.BooleanField(default=True)
    service_files = models.CharField(max_length=32, choices=ServiceFiles, blank=True, default="", db_default="")
    last_version = models.PositiveIntegerField(default=0)  # of revisions
    last_task = models.PositiveIntegerField(default=0)
    generation = models.BigIntegerField(default=0)
    observed_generation = models.BigIntegerField(default=0)
    cache_key = models.CharField(max_length=255, blank=True, default="")

    objects = AppQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(Upper("name"), "space", name="app_name")]
        indexes = [*Resource.Meta.indexes, Work.due_index("app_due")]

    @property
    def organization(self) -> Any:
        return self.space.organization

    def wish(self, **fields: Any) -> None:
        """Save the fields, raise the generation and make the app due for its job."""
        for name, value in fields.items():
            setattr(self, name, value)
        App.objects.filter(pk=self.pk).update(
            **fields, generation=bump("generation"), due_at=timezone.now(), updated_at=timezone.now()
        )

    @property
    def converged(self) -> bool:
        return self.observed_generation >= self.generation


class Process(Resource):
    """One process type of an app and how much of it is wished for. The web process has the app's guid."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="processes")
    type = models.CharField(max_length=255, default="web")
    command = models.TextField(null=True, blank=True)  # null: the droplet's own
    instances = models.PositiveIntegerField(default=1)
    memory_mb = models.PositiveIntegerField(default=1024)
    disk_mb = models.PositiveIntegerField(default=1024)
    log_rate = models.BigIntegerField(default=-1)
    health_type = models.CharField(max_length=16, choices=HEALTH_TYPES, default="port")
    health_endpoint = models.CharField(max_length=255, blank=True, default="")
    health_timeout = models.PositiveIntegerField(null=True, blank=True)
    health_invocation_timeout = models.PositiveIntegerField(null=True, blank=True)
    health_interval = models.PositiveIntegerField(null=True, blank=True)
    readiness_type = models.CharField(max_length=16, choices=HEALTH_TYPES, default="process")
    readiness_endpoint = models.CharField(max_length=255, blank=True, default="")
    readiness_invocation_timeout = models.PositiveIntegerField(null=True, blank=True)
    readiness_interval = models.PositiveIntegerField(null=True, blank=True)

    objects = OfAppQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["app", "type"], name="process_type")]

    @property
    def space(self) -> Space:
        return self.app.space

    @property
    def name(self) -> str:
        return self.app.name


class Sidecar(Resource):
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="sidecars")
    name = models.CharField(max_length=255)
    command = models.TextField()
    process_types = models.JSONField(default=list)
    memory_mb = models.PositiveIntegerField(null=True, blank=True)
    origin = models.CharField(max_length=16, default="user")  # or "buildpack"

    objects = OfAppQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["app", "name"], name="sidecar_name")]
