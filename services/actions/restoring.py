"""Making a new instance from the backups of another, or of one that was deleted: steps of its creation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts import audit
from accounts.models import AuditEvent, User
from paas.lib.errors import Unprocessable
from services.models import Plan, Repository, ServiceInstance
from tenants.access import authorize
from tenants.models import Space

LATEST_BACKUP_OF, BACKUP_BEFORE = "restore_from_latest_snapshot_of", "restore_from_latest_snapshot_before"
TIME_OF, TIME_BEFORE = "restore_from_point_in_time_of", "restore_from_point_in_time_before"
NOT_THERE = (
    "There is no service instance {guid} with backups that you may restore. It is given by its GUID; a deleted one can "
    "be restored for 35 days."
)
GONE = ("audit.service_instance.delete", "audit.service_instance.purge")
WHOLE = (
    "{name} can be restored as it was when a backup was taken, and at no time in between. Use "
    f"{LATEST_BACKUP_OF}, with {BACKUP_BEFORE} for an older one."
)


def wish(parameters: Mapping[str, Any] | None, *, plan: Plan, space: Space, by: User) -> dict[str, Any]:
    """Return what the creation's wish holds of a restore, nothing where none is asked for; raise where it cannot be."""
    given, ours = parameters or {}, bool(plan.broker_metadata.get("backups"))
    guid, at = _asked(given) if ours or _takes_sources(plan) else ("", None)
    if not guid:
        return {}
    if not ours:
        return {"restored_from": _source_at_broker(guid, at, plan=plan, space=space, by=by)}
    repository = Repository.objects.visible_to(by).select_related("space__organization").filter(guid=guid).first()
    if repository is None or repository.space is None:
        raise Unprocessable(NOT_THERE.format(guid=guid))
    authorize(by, "service.see_credentials", repository.space)
    _check_size(repository, plan)
    to_the_second = TIME_OF in (plan.create_schema.get("properties") or {})
    if TIME_OF in given and not to_the_second:
        raise Unprocessable(WHOLE.format(name=repository.name))
    if repository.oldest_time is None:
        raise Unprocessable(f"There is no backup of {repository.name} yet. Try again in a minute.")
    if TIME_OF in given:
        found = {"at": _moment(repository, at).isoformat()} if at else {}
    elif repository.deleted_at and at is None and not to_the_second:
        found = {}  # the newest that there is, which was taken when it was deleted
    else:
        found = {"backup": _backup(repository, at)}
    return {"restore": {"repository": repository.pk, **found}}


def prepare(instance: ServiceInstance, wished: Mapping[str, Any], *, by: User) -> None:
    """Give an instance of a plan with backups its own repository; record the restore, where one is wished."""
    plan = instance.plan
    if plan and plan.broker_metadata.get("backups"):
        Repository.objects.create(
            guid=instance.guid,
            instance=instance,
            space=instance.space,
            name=instance.name,
            offering_id=plan.offering.catalog_id,
            disk_mb=plan.broker_metadata["disk_mb"],
            due_at=timezone.now(),
        )
    if told := wished.get("restore"):
        source = Repository.objects.select_related("space__organization").get(pk=told["repository"])
        as_of = told.get("at") or told.get("backup")
        _record(instance, source.space, by, source_guid=source.guid, source_name=source.name, as_of=as_of)
    if told := wished.get("restored_from"):
        where = Space.objects.select_related("organization").get(pk=told["space"])
        _record(instance, where, by, **told["record"])


def _record(instance: ServiceInstance, where: Space | None, by: User, **what: Any) -> None:
    """Say it where the data comes from, and where it goes."""
    for space in {each.pk: each for each in (instance.space, where) if each}.values():
        audit.record(by, "audit.service_instance.restore", instance, space=space, **what)


def _takes_sources(plan: Plan) -> bool:
    """Whether the broker itself keeps backups that new instances can be made from."""
    return bool({LATEST_BACKUP_OF, TIME_OF} & {*(plan.create_schema.get("properties") or {})})


def _source_at_broker(guid: str, at: datetime | None, *, plan: Plan, space: Space, by: User) -> dict[str, Any]:
    """Return whose data is asked for, and where that stands; of one that was deleted from the same space, the record tells."""
    of_broker = ServiceInstance.objects.filter(plan__offering__broker=plan.offering.broker_id)
    source = of_broker.visible_to(by).select_related("space__organization").filter(guid=guid).first()
    if source is None:
        gone = AuditEvent.objects.filter(target_guid=guid, space_guid=space.guid, type__in=GONE).first()
        if gone is None:
            raise Unprocessable(NOT_THERE.format(guid=guid))
        name, where = gone.target_name, space
    else:
        name, where = source.name, source.space
    authorize(by, "service.see_credentials", where)
    as_of = at.isoformat() if at else None
    return {"space": where.pk, "record": {"source_guid": guid, "source_name": name, "as_of": as_of}}


def _asked(given: Mapping[str, Any]) -> tuple[str, datetime | None]:
    """Return whose backups are asked for ("": nobody's), and before when."""
    sources = [name for name in (LATEST_BACKUP_OF, TIME_OF) if given.get(name)]
    limits = [name for name in (BACKUP_BEFORE, TIME_BEFORE) if given.get(name)]
    if len(sources) > 1:
        raise Unprocessable(f"Either {LATEST_BACKUP_OF} or {TIME_OF} can be given, not both.")
    for limit, source in ((BACKUP_BEFORE, LATEST_BACKUP_OF), (TIME_BEFORE, TIME_OF)):
        if limit in limits and source not in sources:
            raise Unprocessable(f"{limit} goes with {source}, which says whose backups are meant.")
    guid = str(given[sources[0]]) if sources else ""
    return guid if "\0" not in guid else "-", _time(limits[0], given[limits[0]]) if limits else None


def _time(name: str, text: Any) -> datetime:
    try:
        moment = parse_datetime(str(text))
    except ValueError:
        moment = None
    if moment is None:
        raise Unprocessable(
            f"{name} must be a date and time like 2026-03-31 14:05:00, in UTC unless it says otherwise."
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_size(repository: Repository, plan: Plan) -> None:
    if plan.offering.catalog_id != repository.offering_id:
        raise Unprocessable(f"The backups of {repository.name} are of another service. Choose a plan of that one.")
    if plan.broker_metadata["disk_mb"] < repository.disk_mb:
        raise Unprocessable(
            f"The plan {plan.name} has less disk than {repository.name} had ({repository.disk_mb} MB). Choose a larger one."
        )


def _moment(repository: Repository, at: datetime) -> datetime:
    oldest, newest = repository.oldest_time, repository.deleted_at or timezone.now()
    if oldest and not oldest <= at <= newest:
        raise Unprocessable(
            f"{repository.name} can be restored as it was between {oldest:%Y-%m-%d %H:%M:%S} and "
            f"{newest:%Y-%m-%d %H:%M:%S} (UTC). Choose a time in between."
        )
    return at


def _backup(repository: Repository, before: datetime | None) -> str:
    taken = [each for each in repository.backups.all() if before is None or each.ended_at <= before]
    if not taken:
        when = f" from before {before:%Y-%m-%d %H:%M:%S} (UTC)" if before else " yet"
        raise Unprocessable(f"There is no backup of {repository.name}{when}.")
    return str(max(taken, key=lambda each: each.ended_at).label)
