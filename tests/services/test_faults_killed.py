"""A worker dies at each step of making, binding, backing up and restoring; the next one goes on, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Job, User
from apps.models import Address, App
from paas.lib.queue import work
from services import crossing, outside
from services.actions import backup as backups
from services.actions import binding as bindings
from services.actions import instance as instances
from services.models import Binding, Plan, Repository, ServiceBroker, ServiceInstance
from tenants.models import Region, Space
from tests.cell.machine import docker, wait_until
from tests.services.bed import Bed
from tests.services.databases import MADE, of_platform
from tests.services.mortal import Life, dies, outlive, watched

pytestmark = pytest.mark.slow

STANDS = {"create": "Being created", "delete": "Being deleted"}
INSTANCE, BINDING, BACK_UP = (f"services.jobs.{name}" for name in ("work_on_instance", "work_on_binding", "back_up"))


@pytest.fixture
def life(bed: Bed, settings: Any, region: Region, system: User) -> Iterator[Life]:
    of_platform(bed, settings, region)
    try:
        call_command("offer_services")
        work("services.jobs.synchronize", ServiceBroker.objects.get(kind="container").pk)
        with watched(Life()) as life:
            yield life
    finally:
        for each in MADE:
            each.cache_clear()


@pytest.fixture
def plan(life: Life) -> Plan:
    return Plan.objects.get(offering__name="postgres", name="tiny-15")


@pytest.fixture
def told(api: Callable[[User], Any], alice: User) -> Callable[[Any], Any]:
    """Return the last operation as the API tells it, None where there is nothing (any more)."""

    def ask(row: Any) -> Any:
        kind = "service_credential_bindings" if isinstance(row, Binding) else "service_instances"
        answer = api(alice).get(f"/v3/{kind}/{row.guid}")
        if answer.status_code == 404:
            return None
        last = answer.json()["last_operation"]
        return last["type"], last["state"]

    return ask


@pytest.fixture
def ends(life: Life, alice: User, told: Any) -> Callable[..., list[str]]:
    """Let workers die until the operation has ended; what API and page tell meanwhile is true."""

    browser = Client(HTTP_ACCEPT="text/html")
    browser.force_login(alice)

    def page(row: Any) -> str:
        return browser.get(f"/services/{row.guid}").content.decode()

    def run(row: Any, type: str, so: Callable[[], Any]) -> list[str]:
        """``so`` tells whether it is so; of a deletion, what is still there is none of its business."""

        def is_true(died: str) -> None:
            said = told(row)
            if said in ((type, "initial"), (type, "in progress")):
                assert isinstance(row, Binding) or STANDS[type] in page(row), died
                return
            assert said == (None if type == "delete" else (type, "succeeded")), died
            wait_until(so, died)

        path = BINDING if isinstance(row, Binding) else INSTANCE
        deaths = outlive(life, path, row, lambda: over(row), is_true)
        assert told(row) == (None if type == "delete" else (type, "succeeded"))
        wait_until(so, "it to be so")
        return deaths

    return run


def over(row: Any) -> bool:
    fresh = type(row).objects.filter(pk=row.pk).first()
    return fresh is None or not (fresh.busy or fresh.due_at)


def ended(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def left_of(bed: Bed, guid: str) -> set[str]:
    """What there still is of an instance on the machine and in the stock of addresses."""
    containers = docker("ps", "--all", "--filter", f"name={guid}", "--format", "{{.Names}}").split()
    files = [str(path) for name in ("volumes", "disks") for path in (bed.machine.folder / name).glob(f"{guid}*")]
    return {*containers, *files, *Address.objects.filter(instance__startswith=guid).values_list("address", flat=True)}


def users(row: Any) -> set[str]:
    """The users that bindings have in the instance's server."""
    site = outside.own_services().site(crossing.instance_for(row))
    server: Any = outside.own_services().server(crossing.instance_for(row))
    with server._superuser(site) as connection:
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^u[0-9a-f]{32}$'").fetchall()
    return {name for (name,) in rows}


def made(plan: Plan, by: User, space: Space, name: str, **parameters: Any) -> tuple[ServiceInstance, Job]:
    return instances.create(by, space, name=name, plan=plan, parameters=parameters or None)


def test_all_that_is_done_to_an_instance_outlives_every_worker(
    bed: Bed,
    life: Life,
    plan: Plan,
    alice: User,
    space: Space,
    app: App,
    api: Any,
    ends: Any,
    settle: Any,
) -> None:
    row, job = made(plan, alice, space, "data", enable_extensions=["pg_trgm"])
    assert {"create_disk ...", "create_volume ...", "create_volume ...-backups", "start ..."} <= {
        *ends(row, "create", lambda: ready(row))
    }
    assert ended(job) == Job.State.COMPLETE

    row.refresh_from_db()
    binding = bindings.create(alice, row, app=app)
    assert len(ends(binding, "create", lambda: users(row) == {f"u{binding.guid.replace('-', '')}"})) > 8

    repository = Repository.objects.get(instance=row)
    job = backups.take(alice, row)

    def nothing_wrong(died: str) -> None:
        kept = api(alice).get(f"/v3/service_backup_repositories/{row.guid}").json()
        assert not kept["error"], (died, kept)
        assert ended(job) == Job.State.PROCESSING or repository.backups.exists(), died

    assert len(outlive(life, BACK_UP, repository, lambda: ended(job) != Job.State.PROCESSING, nothing_wrong)) > 10
    assert ended(job) == Job.State.COMPLETE, job.errors

    again, job = made(plan, alice, space, "again", restore_from_point_in_time_of=row.guid)
    assert "create_disk ...-restore" in ends(again, "create", lambda: ready(again))
    assert ended(job) == Job.State.COMPLETE and users(again) == set()

    bindings.delete(alice, binding)
    assert len(ends(binding, "delete", lambda: users(row) == set())) > 8
    kept = {str(bed.machine.folder / "volumes" / f"{row.guid}-backups{end}") for end in ("", ".img")}
    job = instances.delete(alice, ServiceInstance.objects.get(pk=row.pk))
    assert "forget ..." in ends(row, "delete", lambda: left_of(bed, row.guid) <= kept)
    assert ended(job) == Job.State.COMPLETE
    instances.delete(alice, ServiceInstance.objects.get(pk=again.pk))
    assert settle(again) is None
    for each in (row, again):
        forgotten(life, Repository.objects.get(guid=each.guid))
        assert not left_of(bed, each.guid)


def ready(row: Any) -> bool:
    return [each.ready for each in outside.runtime().observe([row.guid])] == [True]


def forgotten(life: Life, repository: Repository) -> None:
    """Let the time run out that backups are kept for, and workers die at removing them."""
    long_ago = timezone.now() - timedelta(days=35)
    Repository.objects.filter(pk=repository.pk).update(deleted_at=long_ago, until=timezone.now())
    before, life.writes = life.writes, False
    outlive(life, BACK_UP, repository, lambda: not Repository.objects.filter(pk=repository.pk), lambda _: None)
    life.writes = before


def test_who_gives_up_after_a_worker_died_leaves_nothing(
    bed: Bed, life: Life, plan: Plan, alice: User, space: Space, settle: Any
) -> None:
    life.writes, died = False, "."
    while died:
        row, _job = made(plan, alice, space, "data")
        died = dies(life, INSTANCE, row)
        ServiceInstance.objects.filter(pk=row.pk).update(lease_until=None)
        instances.delete(alice, ServiceInstance.objects.get(pk=row.pk))
        assert settle(row) is None
        work(BACK_UP, Repository.objects.get().pk)
        assert not left_of(bed, row.guid) and not Repository.objects.exists(), died
    assert "start ..." in life.deaths


@pytest.mark.parametrize(("service", "plan"), [("redis", "micro-7"), ("mysql", "tiny-10")])
def test_the_other_kinds_of_servers_outlive_every_worker_too(
    bed: Bed, life: Life, alice: User, space: Space, app: App, ends: Any, service: str, plan: str
) -> None:
    life.writes = False  # which are the same for every kind
    row, _job = made(Plan.objects.get(offering__name=service, name=plan), alice, space, "data")
    ends(row, "create", lambda: ready(row))

    row.refresh_from_db()
    binding = bindings.create(alice, row, app=app)
    asked = crossing.binding_for(binding)
    ends(binding, "create", lambda: outside.own_services().fetch(asked))

    repository = Repository.objects.get(instance=row)
    job = backups.take(alice, row)
    outlive(life, BACK_UP, repository, lambda: ended(job) != Job.State.PROCESSING, lambda _: None)
    assert ended(job) == Job.State.COMPLETE, job.errors

    bindings.delete(alice, binding)
    ends(binding, "delete", lambda: outside.own_services().fetch(asked) is None)
    again, _job = made(row.plan, alice, space, "again", restore_from_latest_snapshot_of=row.guid)
    ends(again, "create", lambda: ready(again))
    for each in (row, again):
        kept = {str(bed.machine.folder / "volumes" / f"{each.guid}-backups{end}") for end in ("", ".img")}
        instances.delete(alice, ServiceInstance.objects.get(pk=each.pk))
        ends(each, "delete", lambda each=each, kept=kept: left_of(bed, each.guid) <= kept)
        forgotten(life, Repository.objects.get(guid=each.guid))
        assert not left_of(bed, each.guid)
