"""A job that only waits leaves the worker to others: no tenant's slow start is another one's wait."""

from __future__ import annotations

import pytest
from django.utils import timezone

from apps.actions import app as apps
from apps.models import App, Removal
from paas.lib.models import in_seconds
from paas.lib.queue import work


@pytest.mark.timeout(8, func_only=True)  # alone it would stay for twelve seconds
def test_a_version_that_comes_up_slowly_gives_way_to_other_work(alice, space, app, droplet, runtime):
    runtime.fail(app.guid)
    apps.start(alice, app)
    other = apps.create(alice, space, name="waits")
    App.objects.filter(pk=other.pk).update(due_at=in_seconds(-1))
    work("apps.jobs.converge", app.pk)
    app = App.objects.get(pk=app.pk)
    assert app.target and app.observed_generation < app.generation
    assert app.due_at and app.lease_until is None  # it is taken up again


def test_a_removal_lets_the_routes_drain_without_holding_a_worker(alice, running, route, runtime):
    apps.delete(alice, running)
    removal = Removal.objects.get()
    work("apps.jobs.remove", removal.pk)
    removal.refresh_from_db()
    assert runtime.instances and removal.due_at > timezone.now()
    Removal.objects.update(due_at=timezone.now(), deadline=timezone.now())
    work("apps.jobs.remove", removal.pk)
    assert not runtime.instances and not Removal.objects.exists()
