"""From source to droplet: packages, builds, droplets, buildpacks, stacks."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Upper

from apps.models.app import App, OfAppQuerySet
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import LockingQuerySet, Resource, Work
from tenants.models import Organization, Space


class Stack(Resource):
    """The root file system that droplets are built for and run on."""

    name = models.CharField(max_length=64, unique=True)
    description = models.CharField(max_length=255, blank=True, default="")
    is_default = models.BooleanField(default=False)

    objects = LockingQuerySet.as_manager()


class Buildpack(Resource):
    """A buildpack that apps may name and detection tries by position. ``key`` is the blob of an uploaded one."""

    name = models.CharField(max_length=255)
    stack = models.CharField(max_length=64, null=True, blank=True)
    position = models.PositiveIntegerField(default=1)
    enabled = models.BooleanField(default=True)
    locked = models.BooleanField(default=False)
    filename = models.CharField(max_length=255, blank=True, default="")
    builtin = models.CharField(max_length=64, blank=True, default="")  # folder under apps/buildpacks
    key = models.CharField(max_length=255, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=32, default="AWAITING_UPLOAD")

    objects = LockingQuerySet.as_manager()

    class Meta(Resource.Meta):
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(Upper("name"), "stack", name="buildpack_name", nulls_distinct=False)]


class SourceFile(models.Model):
    """A file known from an earlier push of the organization; never matched across organizations."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="source_files")
    sha1 = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    key = models.CharField(max_length=255)
    used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "sha1"], name="sourcefile_sha1")]
        indexes = [models.Index(fields=["used_at"], name="sourcefile_used")]


class Package(Resource):
    """Source as it was uploaded (a zip in the blob store), a git repository that the build fetches, or an image's name."""

    class State(models.TextChoices):
        AWAITING_UPLOAD = "AWAITING_UPLOAD"
        PROCESSING_UPLOAD = "PROCESSING_UPLOAD"
        READY = "READY"
        FAILED = "FAILED"
        COPYING = "COPYING"
        EXPIRED = "EXPIRED"

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="packages")
    type = models.CharField(max_length=16, default="bits")  # or "docker"
    state = models.CharField(max_length=32, choices=State, default=State.AWAITING_UPLOAD)
    error = models.TextField(blank=True, default="")
    key = models.CharField(max_length=255, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    content_sha256 = models.CharField(max_length=64, blank=True, default="")  # of names, modes and contents
    size = models.BigIntegerField(default=0)
    source_url = models.CharField(max_length=512, blank=True, default="")  # of a git repository; then there is no key
    source_ref = models.CharField(max_length=255, blank=True, default="")  # branch, tag or commit; "" is the main one
    image = models.CharField(max_length=512, blank=True, default="")
    credentials = EncryptedJSONField(default=dict)

    objects = OfAppQuerySet.as_manager()


class Droplet(Resource):
    """A built app: Cloud Foundry's .tgz in the blob store, or an image."""

    class State(models.TextChoices):
        AWAITING_UPLOAD = "AWAITING_UPLOAD"
        PROCESSING_UPLOAD = "PROCESSING_UPLOAD"
        STAGED = "STAGED"
        COPYING = "COPYING"
        FAILED = "FAILED"
        EXPIRED = "EXPIRED"

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="droplets")
    package = models.ForeignKey(Package, on_delete=models.SET_NULL, null=True, blank=True, related_name="droplets")
    state = models.CharField(max_length=32, choices=State, default=State.AWAITING_UPLOAD)
    error = models.TextField(blank=True, default="")
    key = models.CharField(max_length=255, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size = models.BigIntegerField(default=0)
    stack = models.CharField(max_length=64, blank=True, default="")
    image = models.CharField(max_length=512, blank=True, default="")
    process_types = models.JSONField(default=dict)
    sidecars = models.JSONField(default=list)
    buildpacks = models.JSONField(default=list)
    staged_as = models.CharField(max_length=64, blank=True, default="")  # sha256 of all that went into the build

    objects = OfAppQuerySet.as_manager()

    class Meta(Resource.Meta):
        indexes = [*Resource.Meta.indexes, models.Index(fields=["app", "staged_as"], name="droplet_staged_as")]


class Build(Resource, Work):
    """The work of making a droplet from a package."""

    class State(models.TextChoices):
        STAGING = "STAGING"
        STAGED = "STAGED"
        FAILED = "FAILED"

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="builds")
    package = models.ForeignKey(Package, on_delete=models.SET_NULL, null=True, related_name="builds")
    droplet = models.ForeignKey(Droplet, on_delete=models.SET_NULL, null=True, blank=True, related_name="builds")
    state = models.CharField(max_length=16, choices=State, default=State.STAGING)
    error = models.TextField(blank=True, default="")
    error_title = models.CharField(max_length=64, blank=True, default="")
    memory_mb = models.PositiveIntegerField(default=1024)
    disk_mb = models.PositiveIntegerField(default=4096)
    log_rate = models.BigIntegerField(default=-1)
    lifecycle = models.CharField(max_length=16, default="buildpack")
    buildpacks = models.JSONField(default=list)
    stack = models.CharField(max_length=64, blank=True, default="")
    environment = EncryptedJSONField(default=dict)
    fresh = models.BooleanField(default=False)  # a restage: never answered by an earlier droplet
    deploys = models.BooleanField(default=False)  # the console's push: goes live when it is staged
    cancelled = models.BooleanField(default=False)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="builds")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OfAppQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [
            models.UniqueConstraint(fields=["app"], condition=models.Q(state="STAGING"), name="build_one_staging")
        ]
        indexes = [*Resource.Meta.indexes, Work.due_index("build_due")]

    @property
    def space(self) -> Space:
        return self.app.space

    @property
    def name(self) -> str:
        return self.app.name


class BuildStep(models.Model):
    """One step of a build with its duration, for the build page."""

    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=64)
    title = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    failed = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
