"""The record can only be added to, by the application's own database role; months that are too old are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from accounts import partitions
from accounts.models import AuditEvent, UsageEvent

APPLICATION = "paas_application"
TODAY = date(2030, 3, 15)
AHEAD = "accounts_auditevent_2032_03"


@pytest.fixture
def application(db: None, settings: Any) -> Iterator[None]:
    """Be the role that the platform's processes sign in as, with a month that was made after the migrations."""
    settings.PAAS_DATABASE_APP_ROLE = APPLICATION
    partitions.ensure(connection, today=TODAY)
    event("audit.app.create")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {APPLICATION}")
        yield
        cursor.execute("RESET ROLE")


def event(type: str = "audit.app.create", at: datetime | None = None) -> AuditEvent:
    return AuditEvent.objects.create(
        type=type, actor_guid="a", target_guid="t", created_at=at or datetime.now(UTC), data={}
    )


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE ANY(%s) ORDER BY relname",
            [[f"{table}%" for table in partitions.TABLES]],
        )
        return [name for (name,) in cursor.fetchall()]


def refused(sql: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def test_the_application_can_add_events_and_read_them(application: None) -> None:
    made = event("audit.app.update", datetime(2030, 4, 2, tzinfo=UTC))
    assert AuditEvent.objects.get(guid=made.guid).type == "audit.app.update"
    assert UsageEvent.objects.create(kind="app", state="STARTED", resource_guid="r").pk


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {} SET guid = 'x'",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DROP TABLE {}",
        "ALTER TABLE {} ADD COLUMN more int",
    ],
)
def test_the_application_can_change_no_event_in_any_table(application: None, sql: str) -> None:
    found = tables()
    assert {*partitions.TABLES, "accounts_auditevent_default", AHEAD} <= set(found)
    assert [name for name in found if not refused(sql.format(name))] == []


def test_the_application_can_take_no_month_away(application: None) -> None:
    assert refused(f"ALTER TABLE accounts_auditevent DETACH PARTITION {AHEAD}")


def test_months_are_dropped_once_their_last_day_is_too_old(db: None) -> None:
    days, ends = 400, datetime(2029, 2, 8, 12, tzinfo=UTC)  # 400 days before
    partitions.ensure(connection, today=date(2028, 12, 1))
    old, kept = event(at=datetime(2029, 1, 31, 23, tzinfo=UTC)), event(at=ends - timedelta(days=7))
    gone = partitions.expire(connection, today=TODAY, days=days)
    assert gone[-2:] == ["accounts_auditevent_2028_12", "accounts_auditevent_2029_01"]
    assert not set(gone) & set(tables())
    assert not AuditEvent.objects.filter(guid=old.guid).exists()
    assert AuditEvent.objects.filter(guid=kept.guid).exists()  # its month is not over for 400 days
    assert partitions.expire(connection, today=TODAY, days=days) == []  # twice is harmless


def test_what_has_no_month_of_its_own_goes_by_the_day(db: None) -> None:
    old, kept = event(at=datetime(2019, 1, 1, tzinfo=UTC)), event(at=datetime(2019, 6, 1, tzinfo=UTC))
    partitions.expire(connection, today=date(2019, 7, 1), days=100)
    assert set(AuditEvent.objects.values_list("guid", flat=True)) & {old.guid, kept.guid} == {kept.guid}


def test_usage_stays(db: None) -> None:
    partitions.ensure(connection, today=date(2028, 12, 1))
    partitions.expire(connection, today=TODAY, days=400)
    assert "accounts_usageevent_2028_12" in tables()
