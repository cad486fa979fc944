"""The same thing asked for by many at once, with real threads: nobody gets more than there is."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command

from accounts import actions as accounts
from accounts.models import User
from apps.actions import app as apps
from apps.actions import capacity
from apps.actions import process as processes
from apps.actions import route as routes
from apps.actions import task as tasks
from apps.models import App, Domain, Process, Route, Task
from tenants.models import QuotaUse, SpaceQuota
from tests.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20


@pytest.fixture(autouse=True)
def after_a_flush(db: None) -> None:
    """Tests with transactions of their own empty the tables, and what migrations wrote goes too."""
    if not Permission.objects.exists():
        call_command("migrate", verbosity=0)


def started(alice, space, make_droplet, name, memory_mb=64):
    app = apps.create(alice, space, name=name)
    apps.use_droplet(alice, app, droplet=make_droplet(app))
    Process.objects.filter(app=app, type="web").update(memory_mb=memory_mb)
    return apps.start(alice, app)


def web(app):
    return app.processes.select_related("app__space__organization__quota", "app__space__quota").get(type="web")


def test_twenty_scales_at_once_take_no_more_than_the_quota(alice, space, quota, make_droplet, runtime):
    mine = [started(alice, space, make_droplet, f"app{number}") for number in range(MANY)]
    quota.total_instances = MANY + 5
    quota.save()
    found = at_once(lambda app=app: processes.scale(alice, web(app), instances=2) for app in mine)
    assert found == {"done": 5, "QuotaExceeded": MANY - 5}
    use = QuotaUse.objects.get(organization=space.organization)
    assert use.instances == MANY + 5 and use.memory_mb == 64 * (MANY + 5)
    assert Process.objects.filter(type="web", instances=2).count() == 5


def test_twenty_scales_of_one_app_are_counted_once(alice, space, make_droplet, runtime):
    app = started(alice, space, make_droplet, "app")
    wanted = [1 + number % 5 for number in range(MANY)]
    assert at_once(lambda n=n: processes.scale(alice, web(app), instances=n) for n in wanted) == {"done": MANY}
    assert QuotaUse.objects.get(space=space).instances == web(app).instances


def test_twenty_starts_at_once_take_no_more_than_the_machine_has(
    alice, charlie, space, other_space, make_droplet, runtime, settings
):
    settings.PAAS_MEMORY_MB = 1000
    mine = []
    for number in range(MANY):
        actor, place = (alice, space) if number % 2 else (charlie, other_space)
        app = apps.create(actor, place, name=f"app{number}")
        apps.use_droplet(actor, app, droplet=make_droplet(app))
        Process.objects.filter(app=app, type="web").update(memory_mb=128)
        mine.append((actor, App.objects.select_related("space__organization").get(pk=app.pk)))
    found = at_once(lambda actor=actor, app=app: apps.start(actor, app) for actor, app in mine)
    assert found == {"done": 7, "InsufficientResources": MANY - 7}
    assert capacity.taken_mb(space.region) == 7 * 128
    used = QuotaUse.objects.exclude(space=None).values_list("memory_mb", flat=True)
    assert sum(used) == 7 * 128


def test_twenty_starts_of_one_app_are_one(alice, space, make_droplet, runtime):
    app = apps.create(alice, space, name="app")
    apps.use_droplet(alice, app, droplet=make_droplet(app))
    assert at_once(lambda: apps.start(alice, app) for _ in range(MANY)) == {"done": MANY}
    assert QuotaUse.objects.get(space=space).instances == 1 and app.deployments.count() == 1


def test_twenty_tasks_at_once_are_no_more_than_the_quota_allows(alice, space, quota, make_droplet, runtime):
    app = started(alice, space, make_droplet, "app")
    quota.per_app_tasks = 3
    quota.save()
    found = at_once(lambda: tasks.create(alice, app, command="true", memory_mb=16) for _ in range(MANY))
    assert found == {"done": 3, "QuotaExceeded": MANY - 3}
    assert Task.objects.count() == 3 and QuotaUse.objects.get(space=space).memory_mb == 64 + 3 * 16


@pytest.mark.parametrize("of_space", [False, True])
def test_twenty_routes_at_once_are_no_more_than_the_quota_allows(alice, space, quota, region, of_space):
    domain = Domain.objects.create(name="apps.example", region=region)
    if of_space:
        space.quota = SpaceQuota.objects.create(organization=space.organization, name="small", total_routes=7)
        space.save()
    else:
        quota.total_routes = 7
        quota.save()
    found = at_once(partial(routes.create, alice, space, domain=domain, host=f"host{number}") for number in range(MANY))
    assert found == {"done": 7, "QuotaExceeded": MANY - 7}
    assert Route.objects.filter(space=space).count() == QuotaUse.objects.get(space=space).routes == 7
    assert QuotaUse.objects.get(organization=space.organization).routes == 7


def test_one_host_is_never_two_organizations(alice, charlie, space, other_space, region):
    domain = Domain.objects.create(name="apps.example", region=region)
    for attempt in range(6):
        host = f"host{attempt}"
        asked = ((alice, space, ""), (charlie, other_space, "/login"), (alice, space, "/a"))
        found = at_once(
            partial(routes.create, actor, place, domain=domain, host=host, path=path) for actor, place, path in asked
        )
        assert found["done"] >= 1
        owners = set(Route.objects.filter(host=host).values_list("space", flat=True))
        assert len(owners) == 1
    for place in (space, other_space):
        assert QuotaUse.objects.get(space=place).routes == Route.objects.filter(space=place).count()


def test_two_admins_who_delete_each_other_leave_one(root):
    other = User.objects.person("other@example.com", "correct horse battery", platform_role=User.PlatformRole.ADMIN)
    at_once([lambda: accounts.delete_user(root, other), lambda: accounts.delete_user(other, root)])
    assert User.objects.filter(platform_role=User.PlatformRole.ADMIN).count() == 1
