"""Writes the first data of an install; run at every start, and harmless then."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections, transaction
from django.utils import timezone

from accounts import actions as accounts
from accounts import partitions
from accounts.models import User
from apps import addresses
from apps.models import Address, Buildpack, Domain, Stack
from services.brokers.engine import plans
from tenants.models import OrganizationQuota, Region

BUILDPACKS = (
    ("staticfile_buildpack", "staticfile"),
    ("python_buildpack", "python"),
    ("nodejs_buildpack", "nodejs"),
    ("binary_buildpack", "binary"),
)
STACK = "debian12"


class Command(BaseCommand):
    help = "Write regions, the default quota, the apps domain, stacks, built-in buildpacks and the first admin."

    def handle(self, *args: Any, **options: Any) -> None:
        _check_plans()
        partitions.ensure(connections["owner"], today=timezone.now().date())
        with transaction.atomic():
            accounts.ensure_oauth_client()
            region = _region()
            _defaults(region)
            _buildpacks()
            _admin()


def _region() -> Region:
    region, _ = Region.objects.get_or_create(name="local", defaults={"is_default": True, "due_at": timezone.now()})
    if region.due_at is None:
        Region.objects.filter(pk=region.pk).update(due_at=timezone.now())
    if not Address.objects.filter(region=region).exists():
        addresses.fill(region, settings.PAAS_SUBNET)
    return region


def _defaults(region: Region) -> None:
    OrganizationQuota.objects.get_or_create(
        name="default",
        defaults={
            "total_memory_mb": 100 * 1024,
            "total_routes": 1000,
            "total_service_instances": 100,
            "paid_services_allowed": True,
        },
    )
    Domain.objects.get_or_create(name=settings.PAAS_APPS_DOMAIN, defaults={"region": region})
    Stack.objects.get_or_create(
        name=STACK, defaults={"description": "Debian 12 with the built-in buildpacks' runtimes", "is_default": True}
    )


def _buildpacks() -> None:
    for position, (name, folder) in enumerate(BUILDPACKS, start=1):
        Buildpack.objects.get_or_create(
            name=name,
            stack=STACK,
            defaults={"position": position, "builtin": folder, "filename": f"{folder} (built in)", "state": "READY"},
        )


def _check_plans() -> None:
    """Refuse a file of plans that is wrong while the operator still looks."""
    try:
        plans.read(settings.PAAS_SERVICES_PLANS, scale=settings.PAAS_SERVICES_SCALE)
    except plans.PlansWrong as error:
        raise CommandError(str(error)) from error


def _admin() -> None:
    """The first admin comes from PAAS_ADMIN_EMAIL and PAAS_ADMIN_PASSWORD; without them from a one-time link."""
    email, password = settings.PAAS_ADMIN_EMAIL, settings.PAAS_ADMIN_PASSWORD
    if bool(email) != bool(password):
        raise CommandError("PAAS_ADMIN_EMAIL and PAAS_ADMIN_PASSWORD go together: set both, or neither.")
    if email and not User.objects.filter(email__iexact=email).exists():
        User.objects.person(email, password, platform_role=User.PlatformRole.ADMIN)
