"""Making a database from a snapshot of another one, or from its state at a time: what was asked for, and what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.brokers.base import Instance, Json
from services.brokers.engine.base import NotAllowed

from .cloud import Cloud, Failed, labels

SNAPSHOT_OF, SNAPSHOT_BEFORE = "restore_from_latest_snapshot_of", "restore_from_latest_snapshot_before"
TIME_OF, TIME_BEFORE = "restore_from_point_in_time_of", "restore_from_point_in_time_before"


@dataclass(frozen=True)
class Wanted:
    """``snapshot``: the newest, if ``before`` that time; otherwise the state at the time, or the newest."""

    guid: str
    snapshot: bool
    before: datetime | None


def wanted(parameters: Json | None) -> Wanted | None:
    """Return what is to be restored, None where nothing is; raise ``NotAllowed`` where it is not told clearly."""
    given = {name: value for name, value in (parameters or {}).items() if value}
    sources = [name for name in (SNAPSHOT_OF, TIME_OF) if name in given]
    for limit, source in ((SNAPSHOT_BEFORE, SNAPSHOT_OF), (TIME_BEFORE, TIME_OF)):
        if limit in given and source not in given:
            raise NotAllowed(f"{limit} goes with {source}, which says whose data is meant.")
    if len(sources) > 1:
        raise NotAllowed(f"Either {SNAPSHOT_OF} or {TIME_OF} can be given, not both.")
    if not sources:
        return None
    before = next((_time(name, given[name]) for name in (SNAPSHOT_BEFORE, TIME_BEFORE) if name in given), None)
    return Wanted(_guid(given[sources[0]]), sources[0] == SNAPSHOT_OF, before)


def snapshot(cloud: Cloud, instance: Instance, wish: Wanted) -> Mapping[str, Any]:
    """Return the newest snapshot that there is; of a deleted database its last one is among them."""
    name = cloud.name(wish.guid)
    found = [
        each
        for each in cloud.pages("rds", "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=name)
        if each["Status"] == "available" and (wish.before is None or each["SnapshotCreateTime"] <= wish.before)
    ]
    if not found:
        raise NotAllowed(f"There is no snapshot of {wish.guid}, or none from before that time, in this space.")
    newest = max(found, key=lambda each: each["SnapshotCreateTime"])
    _check_owner(instance, newest)
    return newest


def source(cloud: Cloud, instance: Instance, wish: Wanted) -> Mapping[str, Any]:
    """Return the database whose state at a time is wanted."""
    try:
        found = cloud.call("rds", "describe_db_instances", DBInstanceIdentifier=cloud.name(wish.guid))["DBInstances"]
    except Failed as error:
        if error.reason != "DBInstanceNotFound":
            raise
        raise NotAllowed(f"There is no database {wish.guid} in this space. A deleted one has its snapshots.") from error
    _check_owner(instance, found[0])
    return dict(found[0])


def _check_owner(instance: Instance, found: Mapping[str, Any]) -> None:
    """What is restored belongs to the same space, as its tags say: nobody takes the data of others."""
    if labels(found.get("TagList", [])).get("paas:space") != instance.place.space_guid:
        raise NotAllowed("There is no database with that GUID in this space.")


def _guid(text: Any) -> str:
    try:
        return str(UUID(str(text)))
    except ValueError as error:
        raise NotAllowed("An instance whose data is meant is named by its GUID: cf service NAME --guid.") from error


def _time(name: str, text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise NotAllowed(f"{name} must be a date and time like 2026-03-31 14:05:00, in UTC.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
