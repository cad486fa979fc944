"""Letting an app use another service in the place of one, without downtime; the way back is the same again."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps import swaps
from apps.actions import deployment as deployments
from apps.models import App, Deployment
from paas.lib.errors import Unprocessable
from services import credentials
from services.actions import binding as bindings
from services.models import Binding, ServiceInstance
from tenants.access import authorize


@transaction.atomic
def swap(actor: User, app: App, *, source: ServiceInstance, target: ServiceInstance, keep: bool = True) -> Deployment:
    """Bind the target under the name that the source has in the app, and deploy the app with it beside what runs.

    The deployment waits for the credentials. When its instances are healthy, they serve, and the source is unbound or
    (``keep``) stays bound and unused, to be swapped back to; if they never are, the app keeps the source. A swap of the
    two that is under way or was the last thing done is returned as it is.
    """
    authorize(actor, "service.bind", app.space)
    authorize(actor, "app.deploy", app.space)
    app = App.objects.lock(app.pk)
    if there := _same(app, source, target):
        return there
    _check(app, source, target)
    left = next((row for row in swaps.given(app) if row.instance_id == source.pk), None)
    if left is None:
        raise Unprocessable(
            f"{app.name} does not use {source.name}, so nothing can take its place. Bind {target.name} to it instead."
        )
    own = next((row for row in credentials.bound_to(app) if row.instance_id == target.pk), None)
    put = own or _bind(actor, app, left, target)
    wished = swaps.Swap(
        source=source.guid, target=target.guid, left=left.guid, binding=put.guid, made=own is None, keep=keep
    )
    deployment = deployments.begin(actor, app, deployments.snapshot(app, app.droplet), options=wished.option)
    audit.record(
        actor, "audit.app.service_swap.create", app, deployment_guid=deployment.guid, keep=keep,
        source_guid=source.guid, source_name=source.name, target_guid=target.guid, target_name=target.name,
    )  # fmt: skip
    return deployment


def _same(app: App, source: ServiceInstance, target: ServiceInstance) -> Deployment | None:
    """The app's swap of these two, if it is under way or has come true and still holds."""
    asked = swaps.of(app.target)
    if asked is None or (asked.source, asked.target) != (source.guid, target.guid):
        return None
    used = {row.instance_id for row in swaps.given(app, app.target)}
    going_on = swaps.under_way(app.target) is not None
    return app.target if going_on or (target.pk in used and source.pk not in used) else None


def _check(app: App, source: ServiceInstance, target: ServiceInstance) -> None:
    if source.pk == target.pk:
        raise Unprocessable("A service cannot take its own place. Choose another one.")
    if app.state != App.State.STARTED or app.serving is None or app.droplet is None:
        raise Unprocessable(
            f"{app.name} does not run, so nothing has to be replaced beside it. Bind {target.name} to it, unbind "
            f"{source.name}, and start it."
        )
    if swaps.under_way(app.target):
        raise Unprocessable(f"{app.name} is at another swap. Wait until that has ended, or cancel its deployment.")


def _bind(actor: User, app: App, left: Binding, target: ServiceInstance) -> Binding:
    """Under the same name, or the name of the service that it replaces, by which apps look it up."""
    parameters = left.parameters or None if target.managed else None
    name = left.name or left.instance.name
    return bindings.create(actor, target, app=app, name=name, parameters=parameters, instead_of=left)
