"""The database itself keeps what the models promise."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import AuditEvent


@pytest.mark.django_db
def test_no_model_change_is_without_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_events_are_split_by_month() -> None:
    event = AuditEvent.objects.create(type="audit.app.create", actor_guid="a", target_guid="t")
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM accounts_auditevent WHERE id = %s", [event.pk])
        assert cursor.fetchone()[0] == f"accounts_auditevent_{event.created_at:%Y_%m}"
