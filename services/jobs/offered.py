"""Writes what a broker offers as rows, and says in sentences what that changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from services.brokers.base import CatalogOffering, CatalogPlan
from services.brokers.errors import CatalogInvalid
from services.jobs.differing import sentences
from services.models import Offering, Plan, ServiceBroker, ServiceInstance

BATCH = 500
ONE_AT_A_TIME = 8_315_044  # the advisory lock's number, while dashboard clients are looked at


@dataclass
class Changes:
    """``sentences`` tell everything; ``kept`` names the plans that are gone from the catalogue and still have instances."""

    sentences: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def accept(broker: ServiceBroker, offered: Iterable[CatalogOffering]) -> Changes:
    """Make the rows of a locked broker what it offers now; what has instances is kept, and no longer available.

    Raise ``CatalogInvalid`` where that cannot stand beside what other brokers offer.
    """
    changes = Changes()
    offered = tuple(offered)
    _check_clients(broker, offered)
    offerings = _offerings(broker, offered, changes)
    _plans(broker, offered, offerings, changes)
    gone = Offering.objects.filter(broker=broker).exclude(pk__in=[row.pk for row in offerings.values()])
    gone.filter(plans=None).delete()
    gone.filter(available=True).update(available=False, updated_at=timezone.now())
    return changes


def _check_clients(broker: ServiceBroker, offered: tuple[CatalogOffering, ...]) -> None:
    """Each dashboard client is one service's alone; which other broker has it is not everybody's business."""
    wanted = {each.dashboard_client: each.name for each in offered if each.dashboard_client}
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
    others = Offering.objects.filter(dashboard_client__in=wanted, available=True).exclude(broker=broker)
    if taken := others.order_by("dashboard_client").values_list("dashboard_client", flat=True).distinct():
        raise CatalogInvalid(
            *(
                f"Service '{wanted[each]}': Service dashboard client id must be unique: another broker has '{each}'."
                for each in taken
            )
        )


def _offerings(broker: ServiceBroker, offered: Iterable[CatalogOffering], changes: Changes) -> dict[str, Offering]:
    """Write the offerings; return those in the catalogue by the broker's id."""
    known = {row.catalog_id: row for row in Offering.objects.filter(broker=broker)}
    new, changed = [], []
    for each in offered:
        columns = _offering_columns(each)
        row = known.get(each.id)
        if row is None:
            new.append(Offering(broker=broker, catalog_id=each.id, **columns))
            changes.sentences.append(f"Offering '{each.name}' is new.")
        elif told := _apply(row, columns):
            changed.append(row)
            changes.sentences += [f"Offering '{each.name}': {sentence}" for sentence in told]
    Offering.objects.bulk_create(new, BATCH)
    _save(Offering, changed)
    ids = {each.id for each in offered}
    changes.sentences += [
        f"Offering '{row.name}' is no longer offered."
        for row in known.values()
        if row.available and row.catalog_id not in ids
    ]
    return {row.catalog_id: row for row in (*known.values(), *new) if row.catalog_id in ids}


def _plans(
    broker: ServiceBroker, offered: Iterable[CatalogOffering], offerings: dict[str, Offering], changes: Changes
) -> None:
    rows = Plan.objects.filter(offering__broker=broker).select_related("offering")
    known = {(row.offering_id, row.catalog_id): row for row in rows}
    new, changed = [], []
    for offering, each in ((offerings[one.id], plan) for one in offered for plan in one.plans):
        columns = _plan_columns(each)
        row = known.pop((offering.pk, each.id), None)
        name = f"Plan '{each.name}' of '{offering.name}'"
        if row is None:
            new.append(Plan(offering=offering, catalog_id=each.id, visibility_type=_visibility(broker), **columns))
            changes.sentences.append(f"{name} is new.")
        elif told := _apply(row, columns):
            changed.append(row)
            changes.sentences += [f"{name}: {sentence}" for sentence in told]
    Plan.objects.bulk_create(new, BATCH)
    _save(Plan, changed)
    _drop(list(known.values()), changes)


def _drop(rows: list[Plan], changes: Changes) -> None:
    """Delete plans that are no longer offered, but for those with instances: nothing new can be made of these."""
    counted = ServiceInstance.objects.filter(plan__in=rows).order_by().values("plan").annotate(number=Count("pk"))
    instances = dict(counted.values_list("plan", "number"))
    for row in rows:
        name = f"Plan '{row.name}' of '{row.offering.name}'"
        if row.pk in instances:
            changes.kept.append(name)
        if row.available:
            stay = f"; it has {instances[row.pk]} instances, which stay" if row.pk in instances else ""
            changes.sentences.append(f"{name} is no longer offered{stay}.")
    Plan.objects.filter(pk__in=[row.pk for row in rows if row.pk not in instances]).delete()
    Plan.objects.filter(pk__in=[*instances]).update(available=False, updated_at=timezone.now())


def _visibility(broker: ServiceBroker) -> str:
    """Who sees a new plan: the broker's space; everybody, if it is the platform's own; else admins until they open it."""
    if broker.space_id:
        return Plan.Visibility.SPACE
    return Plan.Visibility.ADMIN if broker.kind == "osb" else Plan.Visibility.PUBLIC


def _apply(row: Offering | Plan, columns: dict[str, Any]) -> list[str]:
    """Set what differs, and return sentences that tell it."""
    told = sentences({name: getattr(row, name) for name in columns}, columns)
    for name, value in columns.items():
        setattr(row, name, value)
    return told


def _save(model: Any, rows: list[Any]) -> None:
    for row in rows:
        row.updated_at = timezone.now()
    model.objects.bulk_update(rows, [*COLUMNS[model], "updated_at"], BATCH)


def _offering_columns(offered: CatalogOffering) -> dict[str, Any]:
    said = offered.metadata
    return {
        "name": offered.name,
        "description": offered.description,
        "available": True,
        "bindable": offered.bindable,
        "plan_updateable": offered.plan_updateable,
        "instances_retrievable": offered.instances_retrievable,
        "bindings_retrievable": offered.bindings_retrievable,
        "allow_context_updates": offered.allow_context_updates,
        "shareable": said.get("shareable") is True,
        "documentation_url": _text(said.get("documentationUrl"))[:2048],
        "tags": [*offered.tags],
        "requires": [*offered.requires],
        "dashboard_client": offered.dashboard_client,
        "broker_metadata": dict(said),
    }


def _plan_columns(offered: CatalogPlan) -> dict[str, Any]:
    return {
        "name": offered.name,
        "description": offered.description,
        "available": True,
        "free": offered.free,
        "costs": _costs(offered.metadata.get("costs")),
        "bindable": offered.bindable,
        "plan_updateable": offered.plan_updateable,
        "maximum_polling_duration": offered.maximum_polling_duration,
        "maintenance_info": dict(offered.maintenance_info),
        "create_schema": dict(offered.create_schema),
        "update_schema": dict(offered.update_schema),
        "bind_schema": dict(offered.bind_schema),
        "broker_metadata": dict(offered.metadata),
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _costs(told: Any) -> list[dict[str, Any]]:
    """Return one cost for each currency of each unit; brokers are free in what they write there."""
    return [
        {"currency": str(currency).upper(), "amount": amount, "unit": _text(cost.get("unit"))}
        for cost in (told if isinstance(told, list) else [])
        if isinstance(cost, dict) and isinstance(cost.get("amount"), dict)
        for currency, amount in cost["amount"].items()
        if isinstance(amount, int | float)
    ]


COLUMNS = {
    Offering: [*_offering_columns(CatalogOffering("", "", "", ()))],
    Plan: [*_plan_columns(CatalogPlan("", "", ""))],
}
