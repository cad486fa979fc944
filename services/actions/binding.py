"""Binding instances to apps, making keys, and taking both away again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import NotFound, Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from services.actions import place
from services.actions.operation import OperationUnderWay, abandon, begin, ended, give_up
from services.models import Binding, Operation, ServiceInstance
from tenants import quotas
from tenants.access import authorize
from tenants.models import Space

EVENTS = {"app": "audit.service_binding", "key": "audit.service_key"}
BUSY_INSTANCE = "There is an operation in progress for the service instance"
MOST = 5  # bindings of one app to one instance: room for a rotation, and for one that went wrong


@transaction.atomic
def create(
    actor: User,
    instance: ServiceInstance,
    *,
    app: Any,
    name: str = "",
    parameters: dict[str, Any] | None = None,
    multiple: bool = False,
    metadata: dict[str, Any] | None = None,
    job: Job | None = None,
    instead_of: Binding | None = None,
) -> Binding:
    """Bind the instance to the app; it finds the credentials at its next start.

    ``multiple`` makes another binding beside the one that is there, so that credentials can be rotated. ``job`` is
    one that waits for several bindings. What it is ``instead_of`` may have the same name. One to a user-provided
    instance is there at once.
    """
    authorize(actor, "service.bind", app.space)
    app = type(app).objects.lock(app.pk)
    instance = ServiceInstance.objects.lock(instance.pk)
    _check_instance(instance, parameters)
    if app.space.pk != instance.space_id and not instance.shares.filter(space=app.space).exists():
        raise Unprocessable("The service instance and the app are in different spaces")
    there = _check_app(app, instance, name, multiple, instead_of)
    binding = Binding(type=Binding.Type.APP, instance=instance, app=app, name=name, **merged(None, metadata or {}))
    place.inherit(binding, there)
    return _start(actor, binding, parameters=parameters, job=job)


def when_made(by: User, instance: ServiceInstance, *, app: Any) -> Binding:
    """Write, with a new instance, that it is to be bound to a locked app of its space: the job waits until it is there."""
    return _start(by, Binding(type=Binding.Type.APP, instance=instance, app=app), parameters=None)


@transaction.atomic
def create_key(
    actor: User,
    instance: ServiceInstance,
    *,
    name: str,
    parameters: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Binding:
    """Make credentials for a person or a program outside of the platform."""
    authorize(actor, "service.create", instance.space)
    instance = ServiceInstance.objects.lock(instance.pk)
    _check_instance(instance, parameters)
    if Binding.objects.there().filter(instance=instance, type=Binding.Type.KEY, name=name).exists():
        raise _taken(name)
    quotas.take(instance.space, service_keys=1)
    binding = Binding(type=Binding.Type.KEY, instance=instance, name=name, **merged(None, metadata or {}))
    return _start(actor, binding, parameters=parameters)


def _taken(name: str) -> Unprocessable:
    return Unprocessable(
        "The binding name is invalid. Key binding names must be unique. The service instance already has a key binding "
        f"with name '{name}'."
    )


def _check_instance(instance: ServiceInstance, parameters: dict[str, Any] | None) -> None:
    if not instance.managed:
        if parameters:
            raise Unprocessable("Binding parameters are not supported for user-provided service instances")
        return
    if instance.busy:
        raise Unprocessable(BUSY_INSTANCE)
    if instance.operation_type == Operation.Type.CREATE and instance.operation_state == Operation.State.FAILED:
        raise Unprocessable("Service instance not found: it was never created. Delete it, and create it again.")
    if instance.plan and not instance.plan.takes_bindings:
        raise Unprocessable("Service plan does not allow bindings.")


def _check_app(
    app: Any, instance: ServiceInstance, name: str, multiple: bool, instead_of: Binding | None
) -> list[Binding]:
    """Raise where the app has such a binding, else return those that it has; one whose making failed makes way."""
    own = Binding.objects.there().filter(app=app, type=Binding.Type.APP)
    failed = own.filter(instance=instance, operation_type=Operation.Type.CREATE, operation_state=Operation.State.FAILED)
    for row in failed.select_for_update(of=("self",)).order_by("pk"):
        if row.orphan:
            abandon(row, by=row.asked_by or User.objects.system())
        else:
            row.delete()
    there = list(own.filter(instance=instance))
    if any(row.operation_type == Operation.Type.DELETE for row in there):
        raise Unprocessable("The binding is getting deleted or its deletion failed")
    if there and not multiple:
        raise Unprocessable("The app is already bound to the service instance")
    if there and len(there) >= MOST:
        raise Unprocessable(
            f"The app has {len(there)} bindings to the service instance, and may have {MOST}. Delete old ones."
        )
    if there and there[0].name != name:
        raise Unprocessable("The binding name cannot be changed for the same app and service instance")
    others = own.filter(name=name).exclude(instance=instance)
    if name and others.exclude(pk=instead_of and instead_of.pk).exists():
        raise Unprocessable(
            "The binding name is invalid. App binding names must be unique. The app already has a binding with name "
            f"'{name}'."
        )
    return there


def _start(actor: User, binding: Binding, *, parameters: dict[str, Any] | None, job: Job | None = None) -> Binding:
    """Save the binding: of a user-provided instance with its credentials, else with the intent to ask the broker."""
    instance = binding.instance
    shown: dict[str, Any] = {"parameters": audit.HIDDEN} if parameters is not None else {}
    try:
        with transaction.atomic():
            if instance.managed:
                job = job or Job.objects.create(
                    owner=actor, operation="service_bindings.create", resource_guid=binding.guid
                )
                begin(binding, Operation.Type.CREATE, by=actor, job=job, wish={"parameters": parameters})
            else:
                binding.credentials = instance.credentials
                binding.syslog_drain_url = instance.syslog_drain_url
                ended(binding, Operation.Type.CREATE, by=actor)
                binding.save()
    except IntegrityError as error:
        raise _taken(binding.name) from error
    record(binding, "start_create" if instance.managed else "create", by=actor, **shown)
    if not instance.managed:
        take_effect(binding)
    return binding


@transaction.atomic
def describe(actor: User, binding: Binding, *, metadata: dict[str, Any]) -> Binding:
    """Change labels and annotations."""
    authorize(actor, _verb(binding), binding.space)
    binding = Binding.objects.lock(binding.pk)
    before = audit.state(binding)
    for field, value in merged(binding, metadata).items():
        setattr(binding, field, value)
    binding.save(update_fields=["labels", "annotations", "updated_at"])
    record(binding, "update", by=actor, before=before, after=audit.state(binding))
    return binding


@transaction.atomic
def delete(actor: User, binding: Binding) -> Job | None:
    """Take the credentials away: of a user-provided instance at once (returns None), else the broker does it."""
    authorize(actor, _verb(binding), binding.space)
    lock_app(binding)
    instance = ServiceInstance.objects.lock(binding.instance_id)
    binding = Binding.objects.lock(binding.pk)
    if not instance.managed:
        forget(actor, binding)
        return None
    if instance.busy:
        raise OperationUnderWay(instance.name)
    if binding.busy and binding.operation_type == Operation.Type.DELETE and binding.job:
        return binding.job
    job = Job.objects.create(owner=actor, operation="service_bindings.delete", resource_guid=binding.guid)
    end(binding, by=actor, job=job)
    return job


def _verb(binding: Binding) -> str:
    return "service.bind" if binding.type == Binding.Type.APP else "service.create"


def lock_app(binding: Binding) -> None:
    """Lock the binding's app, which goes before instances and bindings, everywhere."""
    _lock_apps([binding.app_id])


def lock_apps(instance: ServiceInstance) -> None:
    """Lock the apps that the instance is bound to."""
    _lock_apps(instance.bindings.exclude(app=None).values_list("app", flat=True))


def _lock_apps(pks: Iterable[int | None]) -> None:
    apps: Any = Binding._meta.get_field("app").related_model
    there = apps.objects.filter(pk__in=[pk for pk in pks if pk]).order_by("pk")
    list(there.select_for_update(of=("self",)).values_list("pk"))


def end(binding: Binding, *, by: User, job: Job | None = None) -> None:
    """Begin to delete a locked binding of a managed instance."""
    if binding.busy:  # a creation: it will not be waited for any more
        give_up(binding)
    begin(binding, Operation.Type.DELETE, by=by, job=job)
    record(binding, "start_delete", by=by)


def delete_all(instance: ServiceInstance, *, by: User, space: Space | None = None) -> None:
    """Begin to delete every binding of a locked managed instance, or those to apps of one space."""
    there = instance.bindings.filter(app__space=space) if space else instance.bindings.all()
    for binding in there.select_for_update(of=("self",)).order_by("pk"):
        if binding.removed_at or (binding.busy and binding.operation_type == Operation.Type.DELETE):
            begin(binding, Operation.Type.DELETE, by=by, job=binding.job)
        else:
            end(binding, by=by)


def remove(actor: User, binding: Binding) -> None:
    """Let a locked binding vanish at once, with its app or its instance; the broker is told in the background."""
    if binding.removed_at:
        return
    if not binding.instance.managed:
        forget(actor, binding)
        return
    _leave(actor, binding)
    take_effect(binding)
    give_up(binding)
    abandon(binding, by=actor)


def forget(actor: User, binding: Binding) -> None:
    """Take a locked binding's row away without asking anybody."""
    if not binding.removed_at:
        _leave(actor, binding)
        take_effect(binding)
    binding.delete()


def _leave(actor: User, binding: Binding) -> None:
    if binding.type == Binding.Type.KEY:
        quotas.give(binding.instance.space, service_keys=1)
    record(binding, "delete", by=actor)


def record(binding: Binding, did: str, *, by: User, **more: Any) -> None:
    """Write the event about a binding, which says between what it is: most bindings have no name."""
    app: Any = binding.app
    ends = {"service_instance_guid": binding.instance.guid, "service_instance_name": binding.instance.name}
    ends |= {"app_guid": app.guid, "app_name": app.name} if app else {}
    audit.record(by, f"{EVENTS[binding.type]}.{did}", binding, space=binding.space, **ends, **more)


def take_effect(binding: Binding) -> None:
    """Open or close the app's way to the instance. What it reads there, it finds when it is started again."""
    app: Any = binding.app
    if app is not None and app.state == app.State.STARTED:
        app.wish()
        later("apps.jobs.converge", app.pk)


@transaction.atomic
def show(actor: User, binding: Binding) -> dict[str, Any]:
    """Return the credentials; the reading is recorded."""
    authorize(actor, "service.see_credentials", binding.space)
    if binding.operation_type == Operation.Type.CREATE and binding.operation_state != Operation.State.SUCCEEDED:
        said = "failed" if binding.operation_state == Operation.State.FAILED else "is in progress"
        raise NotFound(f"Creation of credential binding {said}")
    record(binding, "show", by=actor)
    found = {"credentials": binding.credentials, "volume_mounts": binding.volume_mounts}
    return found | ({"syslog_drain_url": binding.syslog_drain_url} if binding.syslog_drain_url else {})
