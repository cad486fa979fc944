"""Puts back what should run on the platform's own engine and does not: `make stop` takes containers away, and keeps volumes."""

from __future__ import annotations

import logging

from paas.lib.errors import PaasError
from services import crossing, outside
from services.models import Operation, ServiceInstance

log = logging.getLogger(__name__)


def keep() -> None:
    """Run again every instance whose container is gone, but for those that a job is at work on."""
    rows = (
        ServiceInstance.objects.there()
        .filter(plan__offering__broker__kind="container", operation_state__in=AT_REST)
        .exclude(operation_type=Operation.Type.CREATE, operation_state=Operation.State.FAILED)
        .select_related("plan__offering__broker", "space__organization", "repository")
    )
    wanted = {row.guid: row for row in rows}
    if not wanted:
        return
    there = {seen.app for seen in outside.runtime().observe(wanted)}
    for guid in wanted.keys() - there:
        try:
            outside.own_services().run(crossing.instance_for(wanted[guid]))
        except PaasError as error:
            log.error("Service instance %s does not run: %s", guid, error.detail)


AT_REST = (Operation.State.SUCCEEDED, Operation.State.FAILED)
