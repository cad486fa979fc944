"""Who may use a plan, its labels, and deleting those that nothing uses."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from paas.lib.errors import Unprocessable
from paas.lib.v3.bodies import merged
from services.actions import broker as brokers
from services.models import Plan, PlanVisibility, ServiceInstance
from tenants.access import authorize
from tenants.models import Organization

BATCH = 1000
NAMED = 100  # organizations that an event lists


@transaction.atomic
def update(actor: User, plan: Plan, *, metadata: dict[str, Any] | None = None) -> Plan:
    """Change labels and annotations; everything else is the broker's."""
    brokers.authorize_for(actor, plan.offering.broker.space)
    plan = _locked(plan)
    for name, value in merged(plan, metadata or {}).items():
        setattr(plan, name, value)
    plan.save(update_fields=["labels", "annotations", "updated_at"])
    _record(actor, "audit.service_plan.update", plan, metadata=metadata or {})
    return plan


@transaction.atomic
def delete(actor: User, plan: Plan) -> None:
    """Delete a plan without instances; it comes back with the next catalogue that names it."""
    brokers.authorize_for(actor, plan.offering.broker.space)
    plan = _locked(plan)
    if ServiceInstance.objects.filter(plan=plan).exists():
        raise Unprocessable("Service plan has instances. Delete them first, or move them to another plan.")
    _record(actor, "audit.service_plan.delete", plan)
    plan.delete()


@transaction.atomic
def set_visibility(actor: User, plan: Plan, *, type: str, organizations: Collection[Organization] = ()) -> Plan:
    """Open the plan to everybody, to admins, or to exactly these organizations."""
    authorize(actor, "platform.manage")
    plan = _locked(plan)
    _check_global(plan)
    PlanVisibility.objects.filter(plan=plan).exclude(organization__in=organizations).delete()
    _write(actor, plan, type, organizations)
    return plan


@transaction.atomic
def add_visibility(actor: User, plan: Plan, *, type: str, organizations: Collection[Organization] = ()) -> Plan:
    """Open the plan to these organizations too; a plan that is not by organization becomes so."""
    authorize(actor, "platform.manage")
    plan = _locked(plan)
    _check_global(plan)
    if type != Plan.Visibility.ORGANIZATION:
        PlanVisibility.objects.filter(plan=plan).delete()
    _write(actor, plan, type, organizations)
    return plan


@transaction.atomic
def remove_visibility(actor: User, plan: Plan, *, organization: Organization) -> None:
    """Close the plan to an organization; what it made of the plan stays."""
    authorize(actor, "platform.manage")
    plan = _locked(plan)
    if plan.visibility_type != Plan.Visibility.ORGANIZATION:
        raise Unprocessable(f"Cannot delete organizations from a plan with visibility type '{plan.visibility_type}'.")
    if PlanVisibility.objects.filter(plan=plan, organization=organization).delete()[0]:
        audit.record(
            actor, "audit.service_plan_visibility.delete", plan, organization=organization, offering=plan.offering.name
        )


def _locked(plan: Plan) -> Plan:
    found: Plan = Plan.objects.select_related("offering__broker__space__organization").lock(plan.pk)
    return found


def _check_global(plan: Plan) -> None:
    if plan.offering.broker.space_id:
        raise Unprocessable("cannot update plans with visibility type 'space'")


def _write(actor: User, plan: Plan, type: str, organizations: Collection[Organization]) -> None:
    rows = [PlanVisibility(plan=plan, organization=each) for each in organizations]
    PlanVisibility.objects.bulk_create(rows, BATCH, ignore_conflicts=True)
    before, plan.visibility_type = {"visibility_type": plan.visibility_type}, type
    Plan.objects.filter(pk=plan.pk).update(visibility_type=type, updated_at=timezone.now())
    after = {"visibility_type": type, "organizations": [each.name for each in organizations][:NAMED]}
    _record(actor, "audit.service_plan_visibility.update", plan, before=before, after=after)


def _record(actor: User, type: str, plan: Plan, **data: Any) -> None:
    offering = plan.offering
    audit.record(actor, type, plan, space=offering.broker.space, offering=offering.name, **data)
