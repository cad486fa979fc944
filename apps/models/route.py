"""How apps are reached: domains, routes and the apps they lead to."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User
from apps.models.app import App, InSpaceQuerySet
from paas.lib.models import LockingQuerySet, Resource
from tenants.models import Organization, Region, Space, sees_all


class DomainQuerySet(LockingQuerySet):
    def visible_to(self, user: User) -> Self:
        """Shared domains, and private ones of organizations that the user is in."""
        if sees_all(user, "organization.view"):
            return self
        mine = Organization.objects.visible_to(user).values("pk")
        return self.filter(Q(organization=None) | Q(organization__in=mine) | Q(shared_with__in=mine)).distinct()

    def usable_in(self, organization: Organization) -> Self:
        return self.filter(Q(organization=None) | Q(organization=organization) | Q(shared_with=organization)).distinct()


class Domain(Resource):
    """A domain; without an organization it is shared by all."""

    name = models.CharField(max_length=253, unique=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="private_domains"
    )
    shared_with = models.ManyToManyField(Organization, blank=True, related_name="shared_domains")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="domains", null=True, blank=True)
    internal = models.BooleanField(default=False)

    objects = DomainQuerySet.as_manager()


class Route(Resource):
    """A host and path on a domain. One route, one space; the URL carries the port where it is not the usual one."""

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="routes")
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="routes")
    host = models.CharField(max_length=63, blank=True, default="")
    path = models.CharField(max_length=128, blank=True, default="")
    options = models.JSONField(default=dict)

    objects = InSpaceQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["domain", "host", "path"], name="route_once")]

    @property
    def fqdn(self) -> str:
        return f"{self.host}.{self.domain.name}" if self.host else self.domain.name

    @property
    def url(self) -> str:
        """Host, port where it must be named, and path: what ``cf app`` prints and a browser opens."""
        return f"{self.fqdn}{settings.PAAS_PORT_SUFFIX}{self.path}"

    @property
    def name(self) -> str:
        return self.url


class Destination(models.Model):
    """A route leads to a process type of an app."""

    guid = models.CharField(max_length=64, unique=True)
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="destinations")
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="destinations")
    process_type = models.CharField(max_length=255, default="web")
    port = models.PositiveIntegerField(default=8080)
    weight = models.PositiveIntegerField(null=True, blank=True)
    protocol = models.CharField(max_length=16, default="http1")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["route", "app", "process_type", "port"], name="destination_once")
        ]
