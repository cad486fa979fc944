"""What a broker is asked to do for a binding: make credentials, and take them away again."""

from __future__ import annotations

from accounts.models import User
from paas.lib.queue import Lease, job
from services import crossing
from services.actions.binding import record, take_effect
from services.brokers import base
from services.jobs.operating import CREATE, Work
from services.models import Binding
from tenants import quotas

LOOK = 5.0  # seconds between looks at an instance that is waited for


@job("services.jobs.work_on_binding", model=Binding, queue="services")
def work_on_binding(lease: Lease) -> None:
    joined = (
        "instance__plan__offering__broker", "instance__space__organization", "app__space__organization", "asked_by",
        "job",
    )  # fmt: skip
    row = Binding.objects.select_related(*joined).get(pk=lease.pk)
    if row.instance.plan:
        BindingWork(lease, row, row.instance.plan).run()


class BindingWork(Work):
    def crossing(self) -> base.Binding:
        return crossing.binding_for(self.row, parameters=(self.row.wish or {}).get("parameters"))

    def ask(self) -> base.Outcome:
        return self.broker.bind(self.crossing(), by=self.by)

    def waits(self) -> bool:
        """Of an instance that is still being made its end is waited for, which brings the binding forward."""
        made = self.row.instance
        if self.row.operation_type != CREATE or made.operation_type != CREATE:
            return False
        if made.busy:
            self.lease.again(LOOK)
        elif made.operation_state == made.State.FAILED:
            self._fail(f"{made.name} could not be made, so there is nothing to bind.", orphan=False)
        return made.operation_state != made.State.SUCCEEDED

    def is_bare(self) -> bool:
        return True

    def done(self, fresh: Binding, done: base.Done) -> None:
        bound = done.bound or base.Bound()
        fresh.credentials = dict(bound.credentials)
        fresh.syslog_drain_url = bound.syslog_drain_url
        fresh.volume_mounts = [dict(each) for each in bound.volume_mounts]
        fresh.parameters = (self.row.wish or {}).get("parameters") or {}
        self._record(fresh, "create")
        take_effect(fresh)

    def gone(self, fresh: Binding) -> None:
        if fresh.type == Binding.Type.KEY:
            quotas.give(fresh.instance.space, service_keys=1)
        self._record(fresh, "delete")
        take_effect(fresh)

    def _record(self, fresh: Binding, what: str) -> None:
        record(fresh, what, by=fresh.asked_by or User.objects.system())
