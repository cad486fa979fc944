"""What lists of plans and offerings are narrowed by: where a plan can be used, and whether it can be."""

from __future__ import annotations

from django.db.models import Q

from paas.lib.errors import BadQueryParameter
from paas.lib.v3.query import values
from services.models import Plan, PlanVisibility, ServiceInstance
from tenants.models import Space

TRUE_OR_FALSE = "{} must be 'true' or 'false'"


def usable_in_spaces(name: str, text: str) -> Q:
    """Plans that can be used in any of these spaces."""
    spaces = Space.objects.filter(guid__in=values(text))
    granted = PlanVisibility.objects.filter(organization__in=spaces.values("organization")).values("plan")
    return _public() | Q(pk__in=granted) | Q(offering__broker__space__in=spaces.values("pk"))


def usable_in_organizations(name: str, text: str) -> Q:
    """Plans that can be used in any space of these organizations, or in some of them."""
    guids = values(text)
    granted = PlanVisibility.objects.filter(organization__guid__in=guids).values("plan")
    spaces = Space.objects.filter(organization__guid__in=guids).values("pk")
    return _public() | Q(pk__in=granted) | Q(offering__broker__space__in=spaces)


def of_instances(name: str, text: str) -> Q:
    """The plans of these instances."""
    return Q(pk__in=ServiceInstance.objects.there().filter(guid__in=values(text)).exclude(plan=None).values("plan"))


def available(name: str, text: str) -> Q:
    """Plans that the broker still offers."""
    if text not in ("true", "false"):
        raise BadQueryParameter(TRUE_OR_FALSE.format(name))
    offered = Q(available=True, offering__available=True)
    return offered if text == "true" else ~offered


def with_plans_usable_in_spaces(name: str, text: str) -> Q:
    """Offerings with such plans."""
    return Q(pk__in=Plan.objects.filter(usable_in_spaces(name, text)).values("offering"))


def with_plans_usable_in_organizations(name: str, text: str) -> Q:
    """Offerings with such plans."""
    return Q(pk__in=Plan.objects.filter(usable_in_organizations(name, text)).values("offering"))


def _public() -> Q:
    return Q(visibility_type=Plan.Visibility.PUBLIC)
