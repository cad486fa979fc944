"""Rows of a platform with very many plans, written straight into the database: each plan is open to some organizations."""

from __future__ import annotations

from accounts.models import User
from paas.lib.models import new_guid
from services.models import Offering, Plan, PlanVisibility, ServiceBroker
from tenants import access
from tenants.models import Organization, OrganizationQuota, QuotaUse, Region, Space

BROKERS, OFFERINGS, PLANS = 30, 900, 9_000
ORGANIZATIONS, VISIBILITIES = 2_000, 600_000
BATCH = 5_000
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {f"option_{n}": {"type": "string", "description": f"What option {n} does."} for n in range(8)},
}
PLAN = {
    "description": "So much of everything, for a service that many depend on",
    "visibility_type": Plan.Visibility.ORGANIZATION,
    "costs": [{"currency": "GBP", "amount": 37.3, "unit": "Monthly"}],
    "create_schema": SCHEMA,
    "update_schema": SCHEMA,
    "broker_metadata": {"bullets": ["2 GB of memory", "20 GB of disk", "200 connections"]},
}


class Catalogue:
    """``admin`` sees everything; ``alice`` develops in the one ``space`` of one of the organizations."""

    def __init__(self) -> None:
        self.admin = User.objects.person("root@example.org", platform_role=User.PlatformRole.ADMIN)
        self.alice = User.objects.person("alice@example.org")
        organizations = self._organizations()
        self.space = self._space(organizations[0])
        self._open(self._plans(), organizations)

    def _organizations(self) -> list[Organization]:
        quota = OrganizationQuota.objects.get_or_create(name="default")[0]
        return Organization.objects.bulk_create(
            [Organization(name=f"org-{n}", quota=quota) for n in range(ORGANIZATIONS)], BATCH
        )

    def _space(self, organization: Organization) -> Space:
        region = Region.objects.get_or_create(name="local", defaults={"is_default": True})[0]
        space = Space.objects.create(organization=organization, name="production", region=region)
        QuotaUse.objects.bulk_create([QuotaUse(organization=organization), QuotaUse(space=space)])
        access.give(self.alice, "organization_user", organization, by=self.admin)
        access.give(self.alice, "space_developer", space, by=self.admin)
        return space

    def _plans(self) -> list[Plan]:
        brokers = [ServiceBroker.objects.create(name=f"broker-{n}", state="available") for n in range(BROKERS)]
        offerings = [
            Offering(broker=brokers[n % BROKERS], catalog_id=new_guid(), name=f"offering-{n}", description="Data")
            for n in range(OFFERINGS)
        ]
        Offering.objects.bulk_create(offerings, BATCH)
        plans = [
            Plan(offering=offerings[n % OFFERINGS], catalog_id=new_guid(), name=f"plan-{n}", **PLAN)
            for n in range(PLANS)
        ]
        return Plan.objects.bulk_create(plans, BATCH)

    def _open(self, plans: list[Plan], organizations: list[Organization]) -> None:
        """Open each plan to as many organizations, and to each organization as many plans."""
        given = (
            PlanVisibility(plan=plans[n % PLANS], organization=organizations[_nth(n)]) for n in range(VISIBILITIES)
        )
        PlanVisibility.objects.bulk_create(given, BATCH)


def _nth(number: int) -> int:
    """The rounds over the plans begin at another organization each time, so that no pair comes twice."""
    return (number + number // PLANS) % ORGANIZATIONS
