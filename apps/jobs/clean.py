"""Takes away what deleted apps and spaces left, and keeps blobs within their budget."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from apps import outside, routing
from apps.actions import app as apps
from apps.actions import domain as domains
from apps.actions import route as routes
from apps.jobs.converge import DRAIN
from apps.models import App, Build, Buildpack, Droplet, Package, Removal, Route, SourceFile
from paas.lib.queue import Lease, job
from services.actions import binding as bindings
from services.actions import broker as brokers
from services.actions import instance as instances
from services.models import ServiceBroker, ServiceInstance
from tenants.actions import custom_role as custom_roles
from tenants.models import Organization, Space

UNCLAIMED = timedelta(days=1)  # an upload that no row names after so long is nobody's
CLEARING = 30.0  # seconds between looks whether the brokers have let go of a space's instances
KEPT_DROPLETS = 5  # of an app, the newest, beside what runs


@job("apps.jobs.remove", model=Removal)
def remove(lease: Lease) -> None:
    """Out of the router and, once it has drained, out of the engine; then logs and blobs; then the row itself."""
    removal: Removal = lease.row
    if removal.deadline is None:
        routing.publish()
        lease.save(deadline=timezone.now() + timedelta(seconds=DRAIN))
    if timezone.now() < removal.deadline:
        lease.again(DRAIN)  # of an organization there may be hundreds, and others need the workers meanwhile
        return
    with lease.beating():
        outside.runtime().prune(removal.app_guid, ())
    for source in removal.log_sources:
        outside.runtime().forget(source)
    for key in removal.blob_keys:
        if not _named(key):
            outside.blobs().delete(key)
    removal.delete()


def _named(key: str) -> bool:
    return Package.objects.filter(key=key).exists() or Droplet.objects.filter(key=key).exists()


@job("apps.jobs.delete_space", model=Space)
def delete_space(lease: Lease) -> None:
    """Walk down what is in a space that was marked, then take the space, and its organization if that was marked too."""
    space: Space = lease.row
    if space.deleting_at is None:
        return
    actor = User.objects.system()
    for app in App.objects.filter(space=space).order_by("pk"):
        with transaction.atomic():
            apps.remove(actor, App.objects.lock(app.pk), recursive=True)
        lease.heartbeat()
    if _services_left(space, lease):
        lease.again(CLEARING)  # the last one that goes brings it forward
        return
    with transaction.atomic():
        routes.remove(Route.objects.filter(space=space), by=actor)
        organization = Organization.objects.select_for_update().get(pk=space.organization_id)
        for broker in ServiceBroker.objects.select_for_update(of=("self",)).filter(space=space):
            brokers.remove(broker, by=actor)
        guid = space.guid
        space.delete()
        _complete(guid)
        if organization.deleting_at and not organization.spaces.exists():
            audit.record(actor, "audit.organization.delete", organization, organization=organization)
            organization_guid = organization.guid
            for domain in organization.private_domains.all():
                domains.remove(domain, by=actor)
            custom_roles.leave(organization)
            organization.delete()
            _complete(organization_guid)


def _services_left(space: Space, lease: Lease) -> bool:
    """Have the brokers told of what is in the space, and say whether any of them still holds something of it.

    What a broker does not let go of fails the deletion for whoever waits for it; the tries go on without them.
    """
    actor = User.objects.system()
    for instance in ServiceInstance.objects.there().filter(space=space).order_by("pk"):
        with transaction.atomic():
            bindings.lock_apps(instance)
            instances.remove(actor, ServiceInstance.objects.lock(instance.pk))
        lease.heartbeat()
    left = ServiceInstance.objects.filter(space=space)
    stuck = left.filter(operation_state=ServiceInstance.State.FAILED).first()
    if stuck:
        _fail(
            space,
            f"The space is gone, but the broker of service instance {stuck.name} has not deleted it: "
            f"{stuck.operation_description} The platform goes on trying.",
        )
    return left.exists()


def _fail(space: Space, detail: str) -> None:
    error = {"code": 10009, "title": "CF-UnableToPerform", "detail": detail}
    guids = [space.guid, *([space.organization.guid] if space.organization.deleting_at else [])]
    Job.objects.filter(resource_guid__in=guids, state=Job.State.PROCESSING).update(
        state=Job.State.FAILED, errors=[error], updated_at=timezone.now()
    )


def _complete(guid: str) -> None:
    Job.objects.filter(resource_guid=guid, state=Job.State.PROCESSING).update(
        state=Job.State.COMPLETE, updated_at=timezone.now()
    )


def collect() -> int:
    """Delete blobs that nothing needs: unclaimed ones, droplets and packages beyond what can be rolled back to.

    What runs and the newest droplets of each app stay whatever the budget says. Returns the bytes freed.
    """
    store = outside.blobs()
    freed = 0
    _give_up_waiting()
    named = _claimed_keys()
    total = 0
    for blob in store.list():
        total += blob.size
        if blob.key not in named and blob.stored_at < timezone.now() - UNCLAIMED:
            store.delete(blob.key)
            freed += blob.size
    if total - freed > settings.PAAS_BLOBS_BUDGET:
        freed += _expire(store, total - freed - settings.PAAS_BLOBS_BUDGET)
    return freed


def _give_up_waiting() -> None:
    """Delete what has waited for its bits for a day: clients take an app's newest package, whatever its state."""
    for model in (Package, Droplet):
        states = (model.State.AWAITING_UPLOAD, model.State.PROCESSING_UPLOAD)
        model.objects.filter(state__in=states, updated_at__lt=timezone.now() - UNCLAIMED).delete()


def _claimed_keys() -> set[str]:
    named: set[str] = set()
    for model, column in (
        (Package, "key"),
        (Droplet, "key"),
        (App, "cache_key"),
        (SourceFile, "key"),
        (Buildpack, "key"),
    ):
        named |= set(model.objects.exclude(**{column: ""}).values_list(column, flat=True))
    return named


def _expire(store: Any, excess: int) -> int:
    freed = 0
    for known in SourceFile.objects.exclude(key="").order_by("used_at").iterator():  # they only save an upload
        if freed >= excess:
            return freed
        known.delete()
        store.delete(known.key)
        freed += known.size
    needed = Q(current_for__isnull=False) | Q(revisions__deployments__in=App.objects.values("serving"))
    kept = set(Droplet.objects.filter(needed).values_list("pk", flat=True))
    for app_pk in App.objects.values_list("pk", flat=True).iterator():
        kept |= set(
            Droplet.objects.filter(app=app_pk).order_by("-created_at").values_list("pk", flat=True)[:KEPT_DROPLETS]
        )
    old = Droplet.objects.exclude(pk__in=kept).exclude(key="").filter(state=Droplet.State.STAGED).order_by("created_at")
    for droplet in old.iterator():
        if freed >= excess:
            return freed
        Droplet.objects.filter(pk=droplet.pk).update(state=Droplet.State.EXPIRED, key="")
        freed += _drop(store, droplet)
    staging = Build.objects.filter(state=Build.State.STAGING).values("package")
    for package in (
        Package.objects.exclude(pk__in=staging)
        .exclude(key="")
        .exclude(droplets__in=kept)
        .order_by("created_at")
        .iterator()
    ):
        if freed >= excess:
            break
        Package.objects.filter(pk=package.pk).update(state=Package.State.EXPIRED, key="")
        freed += _drop(store, package)
    return freed


def _drop(store: Any, owner: Package | Droplet) -> int:
    """Delete the blob of what has expired, unless a copy of it names the same; return the bytes freed."""
    if _named(owner.key):
        return 0
    store.delete(owner.key)
    return owner.size
