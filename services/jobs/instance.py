"""What a managed instance's broker is asked to do: provision, update, deprovision, and clear away what failed."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts import audit
from accounts.models import User
from paas.lib.queue import Lease, job
from services import crossing, usage
from services.brokers import base
from services.jobs import backup
from services.jobs.operating import UPDATE, Work
from services.models import Binding, Plan, Repository, ServiceInstance
from tenants import quotas


@job("services.jobs.work_on_instance", model=ServiceInstance, queue="services")
def work_on_instance(lease: Lease) -> None:
    joined = ("plan__offering__broker", "space__organization", "asked_by", "job", "repository")
    row = ServiceInstance.objects.select_related(*joined).get(pk=lease.pk)
    if row.plan:
        InstanceWork(lease, row, row.plan).run()


class InstanceWork(Work):
    def crossing(self) -> base.Instance:
        """The instance with what its operation is about; while it is polled, its plan is the one from before."""
        return self._wished(self.plan)

    def ask(self) -> base.Outcome:
        row, wished = self.row, self._wished(self._plan())
        if row.operation_type != UPDATE:
            return self.broker.provision(wished, by=self.by)
        before = base.Previous(row.plan.catalog_id, row.maintenance_info.get("version", ""))
        return self.broker.update(wished, before, by=self.by)

    def is_bare(self) -> bool:
        left = list(Binding.objects.filter(instance=self.row))
        since = self.row.operation_created_at
        stuck = [b for b in left if b.operation_state == b.State.FAILED and b.operation_updated_at > since]
        if stuck and not self.row.removed_at:
            self._fail(f"A binding could not be removed first. {stuck[0].operation_description}", orphan=False)
        elif left:
            self.lease.again(5)  # the last binding that goes brings it forward
        return not left

    def done(self, fresh: ServiceInstance, done: base.Done) -> None:
        wish = self.row.wish or {}
        before = _described(fresh)
        fresh.plan = self._plan()
        fresh.parameters = {**fresh.parameters, **(wish.get("parameters") or {})}
        fresh.maintenance_info = wish.get("maintenance_info", fresh.maintenance_info)
        if done.dashboard_url is not None:
            fresh.dashboard_url = done.dashboard_url
        actor = fresh.asked_by or User.objects.system()
        if fresh.operation_type == UPDATE:
            after = _described(fresh)
            down = self._down(fresh, replaced=before != after)
            audit.record(actor, "audit.service_instance.update", fresh, before=before, after=after, **down)
            usage.record(fresh, "UPDATED")
        else:
            audit.record(actor, "audit.service_instance.create", fresh, plan=self._plan().name)
            usage.record(fresh, "CREATED")
            backup.begin(fresh)

    def gone(self, fresh: ServiceInstance) -> None:
        quotas.give(fresh.space, service_instances=1)
        audit.record(fresh.asked_by or User.objects.system(), "audit.service_instance.delete", fresh)
        if (fresh.wish or {}).get("used"):
            usage.record(fresh, "DELETED")
        backup.begin(fresh)  # its backups are kept from now on, and for how long is written

    def _wished(self, plan: Plan) -> base.Instance:
        wish = self.row.wish or {}
        named = {name: wish[name] for name in ("parameters", "maintenance_info") if name in wish}
        return crossing.instance_for(self.row, plan=plan, origin=self._origin(), **named)

    def _down(self, fresh: ServiceInstance, *, replaced: bool) -> dict[str, float]:
        """For how long it was down at most: of the platform's own it is known when a server is replaced or rebooted."""
        rebooted = bool(((self.row.wish or {}).get("parameters") or {}).get("reboot"))
        if self._plan().offering.broker.kind != "container" or not (replaced or rebooted):
            return {}
        lasted = timezone.now() - fresh.operation_created_at
        return {"seconds_down_at_most": round(lasted.total_seconds(), 1)}

    def _origin(self) -> base.Origin | None:
        """Whose backups it is made from, where it is."""
        told = (self.row.wish or {}).get("restore")
        if told is None:
            return None
        source = Repository.objects.get(pk=told["repository"])
        at = datetime.fromisoformat(told["at"]) if "at" in told else None
        return base.Origin(source.guid, source.key, backup=told.get("backup", ""), at=at)

    def _plan(self) -> Plan:
        """The plan that is wished for."""
        pk = (self.row.wish or {}).get("plan", self.plan.pk)
        found: Plan = self.plan
        return found if pk == found.pk else Plan.objects.select_related("offering__broker").get(pk=pk)


def _described(row: ServiceInstance) -> dict[str, str | None]:
    """What of an instance an update can change by replacing its server."""
    return {"plan": row.plan.name if row.plan else None, "version": row.maintenance_info.get("version")}
