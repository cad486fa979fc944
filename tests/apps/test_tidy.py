"""The regular round."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Job, User
from apps import outside
from apps.actions import app as actions
from apps.actions import route as routes
from apps.jobs.tidy import recount, tidy, used_in
from apps.models import App, Domain
from tenants.models import QuotaUse, Space


def test_what_is_counted_is_what_there_is(running: App, space: Space) -> None:
    assert recount() == 0
    assert used_in(space)["memory_mb"] > 0


def test_drift_is_corrected_and_reported(running: App, space: Space, caplog: pytest.LogCaptureFixture) -> None:
    QuotaUse.objects.filter(space=space).update(memory_mb=5, routes=7)
    assert recount() == 2
    assert recount() == 0
    assert "counted 7 routes, and there are 0" in caplog.text


def test_routes_and_stopped_apps_are_counted_right(running: App, alice: User, space: Space, domain: Domain) -> None:
    routes.create(alice, space, domain=domain, host="shop")
    actions.stop(alice, running)
    assert recount() == 0
    used = {what: amount for what, amount in used_in(space).items() if amount}
    assert used == {"routes": 1}


def test_old_jobs_and_blobs_of_nobody_go(
    alice: User, store: Any, region: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PAAS_BUILDER_KIND = "fake"
    outside.builder.cache_clear()
    old, new = (Job.objects.create(owner=alice, operation="app.delete", state="COMPLETE") for _ in range(2))
    Job.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=31))
    store.put("packages/just-now.zip", BytesIO(b"x"))
    tidy()
    assert list(Job.objects.all()) == [new]
    assert store.stat("packages/just-now.zip").size == 1  # its row may be about to be written
    outside.builder.cache_clear()
