"""Rows of a platform with many apps, written straight into the database: ten apps an organization, one route each."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission

from accounts import tokens
from accounts.models import User
from apps.models import App, Destination, Domain, Process, Route
from paas.lib.models import new_guid
from tenants.models import Organization, OrganizationQuota, OrganizationRole, Region, Space, SpaceRole

APPS_PER_SPACE = 10
BATCH = 1000


class Tenancy:
    """``alice`` develops in every space; ``grow`` adds apps until there are so many."""

    def __init__(self) -> None:
        self.alice = User.objects.person("alice@example.org")
        self.quota = OrganizationQuota.objects.get_or_create(name="default")[0]
        self.region = Region.objects.get_or_create(name="local", defaults={"is_default": True})[0]
        self.domain = Domain.objects.get_or_create(name="apps.localhost")[0]
        self.apps = 0

    @property
    def token(self) -> str:
        return tokens.issue(self.alice, seconds=3600)

    def grow(self, apps: int) -> None:
        spaces = self._spaces((apps - self.apps) // APPS_PER_SPACE)
        new = [App(space=space, name=f"app-{number}") for space in spaces for number in range(APPS_PER_SPACE)]
        App.objects.bulk_create(new, BATCH)
        Process.objects.bulk_create([Process(guid=app.guid, app=app) for app in new], BATCH)
        routes = [Route(space=app.space, domain=self.domain, host=f"host-{app.pk}") for app in new]
        Route.objects.bulk_create(routes, BATCH)
        ends = zip(routes, new, strict=True)
        Destination.objects.bulk_create([Destination(guid=new_guid(), route=r, app=app) for r, app in ends], BATCH)
        self.apps = apps

    def _spaces(self, count: int) -> list[Space]:
        first = self.apps // APPS_PER_SPACE
        organizations = [Organization(name=f"org-{first + number}", quota=self.quota) for number in range(count)]
        Organization.objects.bulk_create(organizations, BATCH)
        spaces = [Space(organization=each, name="production", region=self.region) for each in organizations]
        Space.objects.bulk_create(spaces, BATCH)
        self._hold(OrganizationRole, "organization_user", organizations)
        self._hold(SpaceRole, "space_developer", spaces)
        return spaces

    def _hold(self, model: Any, role: str, places: list[Any]) -> None:
        permission = Permission.objects.get(codename=role, content_type__app_label="tenants")
        held = [model(user=self.alice, permission=permission, content_object=at, cf_type=role) for at in places]
        model.objects.bulk_create(held, BATCH)
