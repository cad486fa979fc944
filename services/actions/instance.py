"""Creating, changing and deleting managed instances: the broker does it in the background."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import PaasError, Unprocessable
from paas.lib.v3.bodies import merged
from services import usage
from services.actions import binding as bindings
from services.actions import restoring
from services.actions.operation import abandon, begin, check_free, give_up
from services.models import Operation, Plan, ServiceInstance
from tenants import quotas
from tenants.access import authorize
from tenants.flags import require_flag
from tenants.models import Space

LONGEST_TAGS = 2048
DESCRIBED = ("name", "tags")
INVALID_PLAN = "Invalid service plan. Ensure that the service plan exists, is available, and you have access to it."
IN_DELETION = "The service instance is being deleted, or its deletion failed. Delete it again to finish that."


class NotSupported(PaasError):
    status, code, title = 400, 10001, "ServicePlanNotUpdateable"


class MaintenanceInfoConflict(PaasError):
    status, code, title = 422, 390006, "MaintenanceInfoConflict"


@transaction.atomic
def create(
    actor: User,
    space: Space,
    *,
    name: str,
    plan: Plan,
    parameters: dict[str, Any] | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
    app: Any = None,
) -> tuple[ServiceInstance, Job]:
    """Reserve the name and have the broker make an instance of the plan, to be bound to the app as soon as it is there."""
    authorize(actor, "service.create", space)
    require_flag("service_instance_creation", actor)
    check_plan(plan, space)
    app = _bindable(actor, app, plan, space) if app else None
    restore = restoring.wish(parameters, plan=plan, space=space, by=actor)
    instance = reserve(space, name=name, tags=tags, plan=plan, metadata=metadata)
    job = Job.objects.create(owner=actor, operation="service_instance.create", resource_guid=instance.guid)
    info = {"maintenance_info": plan.maintenance_info} if plan.maintenance_info else {}
    begin(instance, Operation.Type.CREATE, by=actor, job=job, wish={"parameters": parameters, **info, **restore})
    audit.record(actor, "audit.service_instance.start_create", instance, **_shown(plan=plan, parameters=parameters))
    restoring.prepare(instance, restore, by=actor)
    if app:
        bindings.when_made(actor, instance, app=app)
    return instance, job


def _bindable(actor: User, app: Any, plan: Plan, space: Space) -> Any:
    """Return the app, locked; raise where it may not be bound to what is made of the plan in the space."""
    authorize(actor, "service.bind", app.space)
    if app.space.pk != space.pk:
        raise Unprocessable("The service instance and the app are in different spaces")
    if not plan.takes_bindings:
        raise Unprocessable("Service plan does not allow bindings.")
    return type(app).objects.lock(app.pk)


def reserve(space: Space, *, name: str, tags: list[str] | None = None, **fields: Any) -> ServiceInstance:
    """Write a new instance's row, counted by the quotas of its space."""
    check_tags(tags or [])
    quotas.take(space, service_instances=1)
    check_name(space, name)
    described = merged(None, fields.pop("metadata", None) or {})
    try:
        with transaction.atomic():
            return ServiceInstance.objects.create(
                space=space, region=space.region, name=name, tags=tags or [], **fields, **described
            )
    except IntegrityError as error:
        raise Unprocessable(f"The service instance name is taken: {name}.") from error


def check_name(space: Space, name: str) -> None:
    """Raise where an instance that was shared to the space has the name; the space's own are unique in the database."""
    if ServiceInstance.objects.there().filter(shares__space=space, name__iexact=name).exists():
        raise Unprocessable(f"The service instance name is taken: {name}.")


def check_tags(tags: list[str]) -> None:
    if sum(len(tag) for tag in tags) > LONGEST_TAGS:
        raise Unprocessable(f"Tags must be at most {LONGEST_TAGS} characters together.")


def check_plan(plan: Plan, space: Space) -> None:
    """Raise unless instances of the plan may be made in the space."""
    if not Plan.objects.usable_in(space).filter(pk=plan.pk).exists():
        raise Unprocessable(INVALID_PLAN)
    if refusal := refused_by_quota(plan, space):
        raise Unprocessable(refusal)


def refused_by_quota(plan: Plan, space: Space) -> str:
    """Return "", or why the quotas of the space allow no plan that costs something."""
    for quota, place in ((space.quota, "space"), (space.organization.quota, "organization")):
        if quota and not plan.free and not quota.paid_services_allowed:
            return (
                f"The service instance cannot be created because paid service plans are not allowed for your {place}. "
                "Choose a free plan, or ask for another quota."
            )
    return ""


@transaction.atomic
def update(
    actor: User,
    instance: ServiceInstance,
    *,
    name: str | None = None,
    tags: list[str] | None = None,
    plan: Plan | None = None,
    parameters: dict[str, Any] | None = None,
    version: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> tuple[ServiceInstance, Job | None]:
    """Rename and describe at once; have the broker change plan, parameters or version, or learn the new name."""
    authorize(actor, "service.create", instance.space)
    instance = ServiceInstance.objects.lock(instance.pk)
    check_free(instance)
    _check_state(instance)
    before = audit.state(instance, DESCRIBED)
    describe(instance, name=name, tags=tags, metadata=metadata)
    after = audit.state(instance, DESCRIBED)
    wish = _wish(instance, plan=plan, parameters=parameters, version=version)
    renamed = before["name"] != instance.name
    told = instance.plan is not None and instance.plan.offering.allow_context_updates and renamed
    if not wish and not told:
        instance.save(update_fields=[*DESCRIBED, "labels", "annotations", "updated_at"])
        if before != after:
            audit.record(actor, "audit.service_instance.update", instance, before=before, after=after)
        if renamed:
            usage.record(instance, "UPDATED")
        return instance, None
    job = Job.objects.create(owner=actor, operation="service_instance.update", resource_guid=instance.guid)
    begin(instance, Operation.Type.UPDATE, by=actor, job=job, wish=wish)
    shown = _shown(plan=plan, parameters=parameters, version=version)
    audit.record(actor, "audit.service_instance.start_update", instance, before=before, after=after, **shown)
    return instance, job


def describe(
    instance: ServiceInstance, *, name: str | None, tags: list[str] | None, metadata: dict[str, Any] | None
) -> None:
    """Set name, tags and metadata of a locked instance."""
    if name is not None and name != instance.name:
        _check_rename(instance, name)
        instance.name = name
    if tags is not None:
        check_tags(tags)
        instance.tags = tags
    for field, value in (merged(instance, metadata) if metadata else {}).items():
        setattr(instance, field, value)


def _check_rename(instance: ServiceInstance, name: str) -> None:
    if instance.shares.exists():
        raise Unprocessable(
            "A service instance that is shared cannot be renamed: the name would change in the other spaces too. "
            "Unshare it first."
        )
    check_name(instance.space, name)
    others = ServiceInstance.objects.there().filter(space=instance.space_id, name__iexact=name)
    if others.exclude(pk=instance.pk).exists():
        raise Unprocessable(f"The service instance name is taken: {name}.")


def _check_state(instance: ServiceInstance) -> None:
    if instance.operation_type == Operation.Type.DELETE:
        raise Unprocessable(IN_DELETION)
    if instance.operation_type == Operation.Type.CREATE and instance.operation_state == Operation.State.FAILED:
        raise Unprocessable("The service instance was never created. Delete it, and create it again.")


def _wish(
    instance: ServiceInstance, *, plan: Plan | None, parameters: dict[str, Any] | None, version: str | None
) -> dict[str, Any]:
    """Return what the broker is to change."""
    wish: dict[str, Any] = {}
    now: Any = instance.plan
    if plan is not None and plan.pk != now.pk:
        _check_change(instance, plan)
        wish["plan"] = plan.pk
        if plan.maintenance_info:
            wish["maintenance_info"] = plan.maintenance_info
    if parameters is not None:
        wish["parameters"] = parameters
    if version is not None:
        wish |= _upgrade(instance, plan or now, version)
    return wish


def _check_change(instance: ServiceInstance, plan: Plan) -> None:
    now: Any = instance.plan
    if plan.offering_id != now.offering_id:
        raise Unprocessable("Invalid service plan. The plan must be one of the same service offering.")
    if not now.can_change_plan:
        raise NotSupported("The service does not support changing plans.")
    check_plan(plan, instance.space)


def _upgrade(instance: ServiceInstance, plan: Plan, version: str) -> dict[str, Any]:
    offered = plan.maintenance_info.get("version")
    if offered is None:
        raise Unprocessable(
            "The service broker does not support upgrades for service instances created from this plan."
        )
    if version != offered:
        raise MaintenanceInfoConflict(
            f"maintenance_info.version requested is invalid: the plan is at version {offered}. Please ensure the catalog "
            "is up to date and you are providing a version supported by this service plan."
        )
    return {} if instance.maintenance_info.get("version") == offered else {"maintenance_info": plan.maintenance_info}


@transaction.atomic
def delete(actor: User, instance: ServiceInstance) -> Job:
    """Have the broker remove all bindings and keys, then the instance. It stays listed until the broker has done it."""
    authorize(actor, "service.delete", instance.space)
    instance = ServiceInstance.objects.lock(instance.pk)
    if instance.busy and instance.operation_type == Operation.Type.UPDATE:
        check_free(instance)
    if instance.busy and instance.operation_type == Operation.Type.DELETE and instance.job:
        return instance.job
    instance.shares.all().delete()
    job = Job.objects.create(owner=actor, operation="service_instance.delete", resource_guid=instance.guid)
    used = was_used(instance)
    if instance.busy:  # a creation: it will not be waited for any more
        give_up(instance)
    begin(instance, Operation.Type.DELETE, by=actor, job=job, wish={"used": used})
    bindings.delete_all(instance, by=actor)
    audit.record(actor, "audit.service_instance.start_delete", instance)
    return job


def was_used(instance: ServiceInstance) -> bool:
    """Whether the instance was ever there to be used: only of such a one an end is recorded."""
    if instance.operation_type == Operation.Type.DELETE:
        return bool((instance.wish or {}).get("used"))
    return instance.operation_type != Operation.Type.CREATE or instance.operation_state == Operation.State.SUCCEEDED


def remove(actor: User, instance: ServiceInstance) -> None:
    """Let a locked instance vanish at once, with its space; the broker is told in the background until it has let go."""
    for binding in instance.bindings.select_for_update(of=("self",)).order_by("pk"):
        bindings.remove(actor, binding)
    quotas.give(instance.space, service_instances=1)
    audit.record(actor, "audit.service_instance.delete", instance)
    if was_used(instance):
        usage.record(instance, "DELETED")
    if instance.managed:
        instance.shares.all().delete()
        abandon(instance, by=actor)
    else:
        instance.delete()


@transaction.atomic
def purge(actor: User, instance: ServiceInstance) -> None:
    """Forget the instance and its bindings without asking the broker, which may still have them."""
    authorize(actor, _purging(instance), instance.space)
    bindings.lock_apps(instance)
    instance = ServiceInstance.objects.lock(instance.pk)
    for binding in instance.bindings.select_for_update(of=("self",)).order_by("pk"):
        bindings.forget(actor, binding)
    quotas.give(instance.space, service_instances=1)
    audit.record(actor, "audit.service_instance.purge", instance)
    if was_used(instance):
        usage.record(instance, "DELETED")
    instance.delete()


def _purging(instance: ServiceInstance) -> str:
    """Who registered a broker for their own space may forget what it made; else it is the platform's business."""
    own = instance.plan is not None and instance.plan.offering.broker.space_id == instance.space_id
    return "service.delete" if own else "platform.manage"


def _shown(*, parameters: Any, plan: Plan | None, **rest: Any) -> dict[str, Any]:
    """What the record may hold: that there were parameters, and not which."""
    told = {name: value for name, value in rest.items() if value is not None}
    told |= {"service_plan_guid": plan.guid, "service_plan_name": plan.name} if plan else {}
    return told | ({"parameters": audit.HIDDEN} if parameters is not None else {})
