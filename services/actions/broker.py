"""Registering, changing and deleting service brokers: of the platform, or of one space."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import NotAuthorized, PaasError, Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from services.models import ConformanceCheck, Offering, Plan, ServiceBroker, ServiceInstance
from tenants.access import authorize, may
from tenants.flags import require_flag
from tenants.models import Space

OWN_FLAG = "space_scoped_private_broker_creation"


class NotRemovable(PaasError):
    status, code, title = 422, 270010, "ServiceBrokerNotRemovable"


def authorize_for(user: User, space: Space | None) -> None:
    """Raise unless the user may keep brokers: for one space its developers, for all of them the platform's admins."""
    if space:
        authorize(user, "service.create", space)
    else:
        authorize(user, "platform.manage")


@transaction.atomic
def create(
    actor: User,
    space: Space | None,
    *,
    name: str,
    url: str,
    username: str,
    password: str,
    networks: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Job:
    """Write a broker; what it offers is there when the job has read its catalogue.

    ``networks`` are the private networks that calls to it may connect to: the platform's admins say so.
    """
    authorize_for(actor, space)
    if space:
        require_flag(OWN_FLAG, actor)
    _check(actor, url=url, networks=networks)
    broker = ServiceBroker(
        name=name,
        url=url,
        credentials={"username": username, "password": password},
        networks=networks or [],
        space=space,
        **merged(None, metadata or {}),
    )
    _save(broker)
    audit.record(actor, "audit.service_broker.create", broker, url=url, networks=broker.networks)
    return _synchronize(actor, broker, "service_broker.catalog.synchronize")


@transaction.atomic
def update(
    actor: User, broker: ServiceBroker, *, metadata: dict[str, Any] | None = None, name: str = "", **wish: Any
) -> Job | None:
    """Change name and metadata at once; a new ``url``, ``credentials`` or ``networks`` when its catalogue has been read there.

    Return the job that reads it, or None where nothing has to be read.
    """
    authorize_for(actor, broker.space)
    _check(actor, **wish)
    broker = ServiceBroker.objects.lock(broker.pk)
    _check_idle(broker, "update")
    _check_move(actor, broker, wish.get("url"))
    was = {"name": broker.name, "url": broker.url, "networks": broker.networks}
    for field, value in (merged(broker, metadata) if metadata else {}).items():
        setattr(broker, field, value)
    broker.name = name or broker.name
    _save(broker)
    after = {field: value for field, value in wish.items() if field in was} | ({"name": name} if name else {})
    before = {field: was[field] for field in after}
    secret = {"credentials": "changed"} if "credentials" in wish else {}
    audit.record(
        actor, "audit.service_broker.update", broker, before=before, after=after, metadata=metadata or {}, **secret
    )
    return _synchronize(actor, broker, "service_broker.update", wish) if wish else None


@transaction.atomic
def delete(actor: User, broker: ServiceBroker) -> Job:
    """Forget a broker of which there are no instances, with all that it offers."""
    authorize_for(actor, broker.space)
    broker = ServiceBroker.objects.lock(broker.pk)
    _check_idle(broker, "delete")
    if ConformanceCheck.objects.filter(broker=broker, begun_at__isnull=False, ended_at=None).exists():
        raise NotRemovable(f"The broker {broker.name} is being checked. Wait until the check has ended.")
    instances = ServiceInstance.objects.filter(plan__offering__broker=broker)
    if instances.there().exists():
        raise NotRemovable(f"Can not remove brokers that have associated service instances: {broker.name}")
    if instances.exists():
        raise NotRemovable(
            f"The broker {broker.name} has still to delete instances that were removed here. Try again in a few minutes."
        )
    guid = broker.guid
    remove(broker, by=actor)
    return Job.objects.create(
        owner=actor, operation="service_broker.delete", state=Job.State.COMPLETE, resource_guid=guid
    )


def remove(broker: ServiceBroker, *, by: User) -> None:
    """Delete the rows of a locked broker of which there are no instances, and record it."""
    audit.record(by, "audit.service_broker.delete", broker)
    Plan.objects.filter(offering__broker=broker).delete()
    Offering.objects.filter(broker=broker).delete()
    broker.delete()


def _check_move(actor: User, broker: ServiceBroker, url: str | None) -> None:
    """Networks were opened for the broker that was there, and not for whatever else stands in them."""
    if not (url and broker.networks) or urlsplit(url).netloc == urlsplit(broker.url).netloc:
        return
    if not may(actor, "platform.manage"):
        raise NotAuthorized(
            "Private networks are open for this broker, so only a platform admin moves it to another address."
        )


def _check(actor: User, *, url: str | None = None, networks: list[str] | None = None, **_: Any) -> None:
    """Raise unless calls may go there."""
    if networks:
        authorize(actor, "platform.manage")
    for network in networks or ():
        try:
            ip_network(network)
        except ValueError as error:
            raise Unprocessable(f"Networks must be like 10.1.0.0/16: '{network[:64]}' is not.") from error
    if url is None:
        return
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or not url.isascii() or not url.isprintable() or " " in url:
        raise Unprocessable("Url must be a valid url")
    if parts.username is not None or parts.password is not None:
        raise Unprocessable("Url must not contain authentication")
    if parts.query or parts.fragment:
        raise Unprocessable("Url must not contain a query or a fragment: paths of the broker's API are added to it")


def _check_idle(broker: ServiceBroker, verb: str) -> None:
    if broker.due_at or broker.wish:
        raise Unprocessable(f"Cannot {verb} a broker when other operation is already in progress")


def _synchronize(actor: User, broker: ServiceBroker, operation: str, wish: dict[str, Any] | None = None) -> Job:
    job = Job.objects.create(owner=actor, operation=operation, resource_guid=broker.guid)
    ServiceBroker.objects.filter(pk=broker.pk).update(wish=wish, job=job, asked_by=actor, due_at=timezone.now())
    later("services.jobs.synchronize", broker.pk)
    return job


def _save(broker: ServiceBroker) -> None:
    try:
        with transaction.atomic():
            broker.save()
    except IntegrityError as error:
        raise Unprocessable("Name must be unique") from error
