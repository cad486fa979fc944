"""A full disk, of a database or of its backups, and a store that lets nothing be written: all is told, and goes on after."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Job, User
from paas.lib.queue import work
from services.actions import backup as backups
from services.actions import binding as bindings
from services.actions import instance as instances
from services.models import Plan, ServiceBroker, ServiceInstance
from tenants.models import Region, Space
from tests.cell.machine import docker, wait_until
from tests.services import databases
from tests.services.bed import Bed
from tests.services.databases import MADE, of_platform, worked
from tests.services.test_faults_killed import ended

pytestmark = pytest.mark.slow

BALLAST = "/var/lib/postgresql/ballast"
FILL = "INSERT INTO filling SELECT repeat(md5(n::text), 30) FROM generate_series(1, 20000) n"


@pytest.fixture
def database(
    bed: Bed, settings: Any, region: Region, system: User, alice: User, space: Space, settle: Any
) -> Iterator[ServiceInstance]:
    """A database of the platform's, with a first backup."""
    of_platform(bed, settings, region)
    try:
        call_command("offer_services")
        work("services.jobs.synchronize", ServiceBroker.objects.get(kind="container").pk)
        plan = Plan.objects.get(offering__name="postgres", name="tiny-15")
        row = settle(instances.create(alice, space, name="data", plan=plan)[0])
        wait_until(lambda: worked(row.repository) and row.repository.backups.exists(), "the first backup", seconds=180)
        yield row
        instances.delete(alice, ServiceInstance.objects.get(pk=row.pk))
        assert settle(row) is None
    finally:
        for each in MADE:
            each.cache_clear()


@pytest.fixture
def query(bed: Bed, database: ServiceInstance, alice: User, settle: Any) -> Callable[[str], Any]:
    """Run a statement as a binding's user, from the machine itself."""
    given = settle(bindings.create_key(alice, database, name="mine")).credentials
    address = bed.broker.runtime.observe([database.guid])[0].address
    return lambda statement: databases.run(given, address, statement)


@pytest.fixture
def page(database: ServiceInstance, bob: User) -> Callable[[str], str]:
    client = Client(HTTP_ACCEPT="text/html")
    client.force_login(bob)
    return lambda part: client.get(f"/services/{database.guid}/{part}").content.decode()


def backed_up(by: User, database: ServiceInstance) -> Job:
    """Ask for a backup; return its job when it has ended, whichever way."""
    job = backups.take(by, database)
    wait_until(lambda: worked(database.repository) and ended(job) != Job.State.PROCESSING, "the backup", seconds=180)
    return job


def or_none(run: Callable[[str], Any], statement: str) -> Any:
    try:
        return run(statement)
    except psycopg.OperationalError:
        return None


def test_a_full_database_is_told_is_read_and_backed_up_and_comes_round(
    bed: Bed, database: ServiceInstance, alice: User, query: Callable[[str], Any], page: Callable[[str], str]
) -> None:
    def fill_up() -> None:
        for _ in range(3):  # whoever writes to it does not give up at once
            with pytest.raises(psycopg.OperationalError):
                while True:
                    query(FILL)
            wait_until(lambda: or_none(query, "SELECT count(*) FROM filling"), "it to be read", seconds=180)

    assert "Its disk is almost full" not in page("metrics")
    query("CREATE TABLE filling (text text)")
    fill_up()
    container = bed.container(database)
    assert "Its disk is almost full" in page("metrics")
    job = backed_up(alice, database)
    assert job.state == Job.State.COMPLETE, job.errors
    wait_until(lambda: or_none(query, "TRUNCATE filling") or or_none(query, "SELECT 1"), "room to be made", seconds=180)
    wait_until(lambda: or_none(query, "CREATE TABLE again AS SELECT 1") is None, "writing")
    assert "Its disk is almost full" not in page("metrics")

    def ballast() -> int:
        return int(docker("exec", container, "stat", "--format", "%s", BALLAST))

    wait_until(lambda: ballast() == 48 << 20, "the ballast to be whole again")
    fill_up()
    docker("exec", container, "truncate", "--size", "0", BALLAST)  # as where a recovery was interrupted
    docker("restart", container)
    wait_until(lambda: or_none(query, "SELECT count(*) FROM filling"), "it to be read", seconds=180)
    assert ballast() > 16 << 20
    wait_until(lambda: or_none(query, "TRUNCATE filling") or or_none(query, "SELECT 1"), "room to be made", seconds=180)


def test_a_store_that_is_full_or_cannot_be_written_is_told_and_the_log_goes_on_after(
    bed: Bed, database: ServiceInstance, alice: User, api: Any, query: Callable[[str], Any]
) -> None:
    store = bed.machine.folder / "volumes" / f"{database.guid}-backups"

    def error() -> str:
        return api(alice).get(f"/v3/service_backup_repositories/{database.guid}").json()["error"] or ""

    for hinder, help in ((fill, empty), (lock, unlock)):
        hinder(store)
        try:
            job = backed_up(alice, database)
            assert job.state == Job.State.FAILED and job.errors[0]["detail"] and error()
            query("CREATE TABLE IF NOT EXISTS meanwhile AS SELECT 1 AS n")
        finally:
            help(store)
    wait_until(lambda: backed_up(alice, database).state == Job.State.COMPLETE, "a backup", seconds=180)
    wait_until(lambda: worked(database.repository) and not error(), "the log to flow", seconds=180)


def fill(store: Path) -> None:
    free = shutil.disk_usage(store).free
    subprocess.run(["fallocate", "--length", str(free), str(store / "filler")], check=False)  # as far as it goes
    with (store / "filler").open("ab", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)


def empty(store: Path) -> None:
    (store / "filler").unlink()


def lock(store: Path) -> None:
    """Let nothing be written any more, as soon as nobody has a file open to write to."""
    command = ["mount", "-o", "remount,ro", str(store)]
    wait_until(
        lambda: subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0, "nobody to write"
    )


def unlock(store: Path) -> None:
    subprocess.run(["mount", "-o", "remount,rw", str(store)], check=True)
