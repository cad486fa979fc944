"""Credentials and parameters are read nowhere but where they belong: planted ones are looked for everywhere else."""

from __future__ import annotations

import base64
import json
import logging

import pytest
import redis
from django.conf import settings
from django.db import connection

from accounts.models import AuditEvent, Job, UsageEvent
from apps.actions import app as apps
from paas.lib import crypto, queue
from services import crossing
from services.actions import binding as bindings
from services.actions import instance as instances
from services.actions import user_provided
from services.models import Binding, ServiceBroker, ServiceInstance
from tests.services.broker import DROPS, GARBAGE, Trick, fails

SECRET = "swordfish"


def queued():
    """What waits in Redis for the workers."""
    client = redis.from_url(settings.REDIS_URL)
    waiting = (json.loads(each) for name in ("services", "converge") for each in client.lrange(name, 0, -1))
    return b" ".join(json.dumps(each).encode() + base64.b64decode(each["body"]) for each in waiting)


@pytest.fixture
def planted(alice, space, plans, foreign, settle, app, caplog, django_capture_on_commit_callbacks):
    """An instance, bindings, a key and a user-provided one, all of them full of secrets, through every kind of trouble."""
    caplog.set_level(logging.DEBUG)
    foreign.extra = {"credentials": {"password": SECRET}}
    parameters = {"password": SECRET}
    with django_capture_on_commit_callbacks(execute=True):
        row, _job = instances.create(alice, space, name="data", plan=plans["small"], parameters=parameters)
        foreign.next("provision", fails(422, "ConcurrencyError"))
        settle(row)
        foreign.next("update", Trick(500, body={"description": "Broken", "credentials": {"password": SECRET}}))
        instances.update(alice, row, parameters=parameters)
        settle(row)
        foreign.next("bind", DROPS, GARBAGE)
        for _ in range(2):
            settle(bindings.create(alice, row, app=app, parameters=parameters))
        foreign.polls = 2
        settle(bindings.create(alice, row, app=app, parameters=parameters))
        settle(bindings.create_key(alice, row, name="mine", parameters=parameters))
        foreign.polls = 0
        own = user_provided.create(alice, space, name="legacy", credentials=parameters)
        user_provided.update(alice, own, credentials={"password": f"{SECRET}2"})
        bindings.create(alice, own, app=app)
    return ServiceInstance.objects.get(pk=row.pk)


def test_they_are_there_to_be_found(planted):
    assert Binding.objects.get(type="key").credentials["password"] == SECRET


def test_not_in_logs_jobs_queue_or_record(planted, caplog):
    assert b"services.jobs.work_on_binding" in queued()
    assert SECRET.encode() not in queued()
    assert SECRET not in caplog.text and SECRET not in str([vars(record) for record in caplog.records])
    assert AuditEvent.objects.count() > 10
    for rows in (AuditEvent, UsageEvent, Job):
        assert SECRET not in str(list(rows.objects.values())), rows


def test_not_in_the_database_in_plain(planted):
    with connection.cursor() as cursor:
        for table in ("services_serviceinstance", "services_binding", "services_servicebroker"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            told = " ".join(row[0] for row in cursor.fetchall())
            assert told and SECRET not in told and "open sesame" not in told, table


def test_they_can_be_read_after_the_keys_have_been_rotated(planted, settings):
    settings.PAAS_SECRET_KEYS = ["n" * 40, *settings.PAAS_SECRET_KEYS]
    row = Binding.objects.get(type="key")
    assert row.credentials["password"] == SECRET
    row.save()
    settings.PAAS_SECRET_KEYS = settings.PAAS_SECRET_KEYS[:1]
    row.refresh_from_db()
    assert row.credentials["password"] == SECRET and crypto.key_id("n" * 40)


def test_not_in_what_describes_a_row_or_what_crosses_the_seam(planted):
    row = Binding.objects.filter(type="app").latest("pk")
    crossed = crossing.instance_for(planted, parameters={"password": SECRET})
    assert SECRET not in f"{row!r} {row} {planted!r} {crossed!r}"


def test_not_in_answers_to_who_may_not_see_them(planted, api, bob, alice, app):
    apps.set_environment(alice, app, variables={"A": "1"})
    paths = (
        "service_instances", f"service_instances/{planted.guid}", "service_credential_bindings", "audit_events?per_page=500",
        "service_credential_bindings?include=app,service_instance", f"apps/{app.guid}", "apps", "service_plans",
    )  # fmt: skip
    for path in paths:
        answer = api(bob).get(f"/v3/{path}")
        assert answer.status_code == 200 and SECRET not in answer.content.decode(), path


@pytest.mark.parametrize("trouble", ["what nobody understands", "what nobody foresaw"])
def test_not_in_what_is_told_of_an_error(planted, alice, caplog, foreign, trouble):
    foreign.next("update", Trick(body=b"\xff\xfe swordfish"))
    if trouble == "what nobody foresaw":
        ServiceBroker.objects.update(kind="of another release")
    instances.update(alice, planted, parameters={"password": SECRET})
    queue.work("services.jobs.work_on_instance", planted.pk)
    planted.refresh_from_db()
    told = planted.last_error + planted.operation_description
    assert told and SECRET not in caplog.text + told
