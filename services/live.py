"""What brokers say right now, for doors that cannot wait for a job."""

from __future__ import annotations

from typing import Any

from paas.lib.errors import NotFound
from paas.seams.runtimes.base import Observation
from services import crossing, outside
from services.brokers.base import Fetched
from services.brokers.engine.base import Metrics
from services.models import Binding, Plan, ServiceInstance


def parameters_of(row: ServiceInstance | Binding) -> dict[str, Any]:
    """Return the parameters as the broker has them."""
    instance = row if isinstance(row, ServiceInstance) else row.instance
    assert instance.plan is not None
    crossed = crossing.instance_for(row) if isinstance(row, ServiceInstance) else crossing.binding_for(row)
    found: Fetched | None = outside.broker(instance.plan.offering.broker).fetch(crossed)
    if found is None:
        raise NotFound("The broker does not know it. Ask the platform team to compare the broker with the platform.")
    return dict(found.parameters)


def lacks(plan: Plan) -> str:
    """Return "" where there is room for an instance of the plan, or nobody can tell; else a sentence for the form."""
    if plan.offering.broker.kind != "container":
        return ""
    return outside.own_services().lacks(plan.offering.catalog_id, plan.catalog_id)


def observation(row: ServiceInstance) -> Observation | None:
    """Return how the container of an instance on the platform's own engine is; None for all others."""
    return outside.own_services().observation(row.guid) if _is_own(row) else None


def metrics(row: ServiceInstance) -> Metrics | None:
    """Ask the server of such an instance how it is; None for all others, ``NotReady`` where it does not answer."""
    return outside.own_services().metrics(crossing.instance_for(row)) if _is_own(row) else None


def _is_own(row: ServiceInstance) -> bool:
    return row.plan is not None and row.plan.offering.broker.kind == "container"
