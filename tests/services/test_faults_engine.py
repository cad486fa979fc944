"""The engine is stopped at each step of making, restoring and removing, and starts again; binding and backing up need it not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import pytest
from django.core.management import call_command

from accounts.models import Job, User
from apps.models import App
from paas.lib.queue import work
from services import outside
from services.actions import backup as backups
from services.actions import binding as bindings
from services.actions import instance as instances
from services.models import Plan, Repository, ServiceBroker, ServiceInstance
from tenants.models import Region, Space
from tests.cell.machine import Machine, wait_until
from tests.cell.relay import Relay
from tests.services.bed import Bed
from tests.services.databases import MADE, of_platform, worked
from tests.services.mortal import Life, Outage, watched
from tests.services.test_faults_killed import ended, ends, left_of, made, ready, told, users  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow


@pytest.fixture
def bed(relayed: Machine) -> Bed:
    return Bed(relayed)


@pytest.fixture
def life(bed: Bed, relay: Relay, settings: Any, region: Region, system: User) -> Iterator[Life]:
    of_platform(bed, settings, region)
    try:
        call_command("offer_services")
        work("services.jobs.synchronize", ServiceBroker.objects.get(kind="container").pk)
        runtime: Any = outside.runtime()
        runtime._client = docker.APIClient(f"unix://{relay.path}", timeout=60)
        with watched(Outage(relay, bed.machine)) as life:
            yield life
    finally:
        for each in MADE:
            each.cache_clear()


def test_an_engine_that_is_stopped_at_any_step_loses_nothing(
    bed: Bed, relay: Relay, life: Life, alice: User, space: Space, app: App, ends: Any, settle: Any  # noqa: F811
) -> None:  # fmt: skip
    plan = Plan.objects.get(offering__name="postgres", name="tiny-15")
    row, job = made(plan, alice, space, "data")
    assert [each.split()[0] for each in ends(row, "create", lambda: ready(row))] == ["create_container", "start"]
    assert ended(job) == Job.State.COMPLETE

    relay.close()
    row.refresh_from_db()
    binding = settle(bindings.create(alice, row, app=app))
    assert binding.operation_state == "succeeded" and len(users(row)) == 1
    repository = Repository.objects.get(instance=row)
    job = backups.take(alice, row)
    wait_until(lambda: worked(repository) and ended(job) != Job.State.PROCESSING, "the backup")
    assert ended(job) == Job.State.COMPLETE, job.errors
    bindings.delete(alice, binding)
    assert settle(binding) is None and users(row) == set()
    relay.open()
    wait_until(lambda: bed.machine.problems() == [], "the agent to be well again")

    again, job = made(plan, alice, space, "again", restore_from_point_in_time_of=row.guid)
    assert (
        len(ends(again, "create", lambda: ready(again))) >= 4
    )  # the restore is made, starts and goes, and is then made
    assert ended(job) == Job.State.COMPLETE
    for each in (row, again):
        kept = {str(bed.machine.folder / "volumes" / f"{each.guid}-backups{end}") for end in ("", ".img")}
        job = instances.delete(alice, ServiceInstance.objects.get(pk=each.pk))
        assert ends(each, "delete", lambda each=each, kept=kept: left_of(bed, each.guid) <= kept) == ["prune ..."]
        assert ended(job) == Job.State.COMPLETE
