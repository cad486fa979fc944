"""Once a day, each broker is asked about all that it should have; what it has not, or still has, is told to admins."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from services import crossing, outside
from services.brokers.base import Broker, BrokerError
from services.models import Binding, Operation, Repository, ServiceBroker, ServiceInstance

log = logging.getLogger(__name__)

ONE_AT_A_TIME = 8_315_043  # the advisory lock's number
EVERY = timedelta(days=1)
GRACE = timedelta(hours=1)  # in which a broker may let go of what was removed before it is called a difference
MOST = 1000  # sentences that are kept of one broker


def compare() -> None:
    """Compare every broker that has not been for a day, unless another worker is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            return
        try:
            long_ago = Q(compared_at=None) | Q(compared_at__lt=timezone.now() - EVERY)
            for broker in ServiceBroker.objects.filter(long_ago, state=ServiceBroker.State.AVAILABLE).order_by("pk"):
                compare_one(broker)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])


def compare_one(broker: ServiceBroker) -> list[str]:
    """Write down and return where the broker and the database disagree, in sentences."""
    found = [*_left_over(broker), *_missing(broker), *_unknown(broker)]
    if found:
        log.warning("The broker %s and the platform disagree about %d things.", broker.name, len(found))
    ServiceBroker.objects.filter(pk=broker.pk).update(differences=found[:MOST], compared_at=timezone.now())
    return found


def _left_over(row: ServiceBroker) -> Iterator[str]:
    """What the broker has been told to remove for a while, and has not."""
    late = Q(operation_created_at__lt=timezone.now() - GRACE) & (Q(removed_at__isnull=False) | Q(orphan=True))
    for instance in (
        ServiceInstance.objects.filter(late, plan__offering__broker=row).select_related(*PLACE).order_by("pk")
    ):
        yield f"{_called(instance)} was removed here, and the broker has not let go of it. {instance.operation_description}"
    of_broker = Binding.objects.filter(late, instance__plan__offering__broker=row)
    for binding in of_broker.select_related(*(f"instance__{name}" for name in PLACE)).order_by("pk"):
        yield (
            f"A binding ({binding.guid}) of {_called(binding.instance)} was removed here, and the broker has not let go "
            f"of it. {binding.operation_description}"
        )


def _missing(row: ServiceBroker) -> Iterator[str]:
    """What should be there and is not, as far as the broker can say; what was never made and is there all the same."""
    broker, silent = outside.broker(row), 0
    for thing in _retrievable(row):
        made = thing.operation_type != Operation.Type.CREATE or thing.operation_state == Operation.State.SUCCEEDED
        try:
            told = _ask(broker, thing)
        except BrokerError:
            silent += 1
            continue
        instance = thing.instance if isinstance(thing, Binding) else thing
        called = f"A binding ({thing.guid}) of {_called(instance)}" if isinstance(thing, Binding) else _called(instance)
        if made and told is None:
            yield f"{called} is not known to the broker."
        elif not made and told is not None:
            yield f"{called} was never created here, and the broker has it."
        elif told and told.plan_id and isinstance(thing, ServiceInstance) and told.plan_id != instance.plan.catalog_id:
            yield f"{called} has the plan {instance.plan.name} here and another one at the broker ({told.plan_id})."
    if silent:
        yield f"The broker gave no answer about {silent} of the instances and bindings that it should have."


def _unknown(row: ServiceBroker) -> Iterator[str]:
    """What the broker has of instances without a row; what comes or goes meanwhile has one before or after."""
    known = _known()
    try:
        inventory = outside.broker(row).inventory()
    except BrokerError as error:
        yield f"The broker could not tell whether it has instances that are not known here. {error.detail}"
        return
    if inventory is None:
        return
    known |= _known()
    found: dict[str, list[str]] = {}
    for held in inventory:
        if (held.guid, held.kept) not in known:
            found.setdefault(held.guid, []).append(held.what)
    for guid, what in found.items():
        yield (
            f"The broker has what is left of an instance ({guid}) that is not known here: {', '.join(what)}. It was purged, "
            "or made after the backup that the platform's database was restored from. When nobody needs its data any "
            f"more, run 'manage.py remove_left_over {guid}' on the platform's machine."
        )


def _known() -> set[tuple[str, bool]]:
    """Return the guids of all instances, and of all whose backups are kept; ``True`` is what these may have."""
    instances, repositories = (model.objects.values_list("guid", flat=True) for model in (ServiceInstance, Repository))
    return {(guid, kept) for guid in instances for kept in (False, True)} | {(guid, True) for guid in repositories}


PLACE = ("space__organization", "plan__offering")


def _retrievable(row: ServiceBroker) -> Iterator[Any]:
    """The instances and bindings that the broker can be asked about, while nothing is being done to them."""
    idle = Q(operation_state__in=(Operation.State.SUCCEEDED, Operation.State.FAILED), orphan=False, removed_at=None)
    instances = ServiceInstance.objects.filter(
        idle, plan__offering__broker=row, plan__offering__instances_retrievable=True
    )
    yield from instances.select_related(*PLACE, "repository").order_by("pk").iterator(chunk_size=200)
    bindings = Binding.objects.filter(
        idle, instance__plan__offering__broker=row, instance__plan__offering__bindings_retrievable=True
    )
    joined = (*(f"instance__{name}" for name in PLACE), "instance__repository", "app__space__organization")
    yield from bindings.select_related(*joined).order_by("pk").iterator(chunk_size=200)


def _ask(broker: Broker, thing: Any) -> Any:
    if isinstance(thing, Binding):
        return broker.fetch(crossing.binding_for(thing))
    return broker.fetch(crossing.instance_for(thing))


def _called(instance: ServiceInstance) -> str:
    space = instance.space
    return f"Service instance {instance.name} ({instance.guid}) in {space.organization.name}/{space.name}"
