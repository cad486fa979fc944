"""Backups of PostgreSQL: written by the container itself, restored to any second, and proved."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from psycopg import errors

from accounts.models import AuditEvent, Job, Mail, User
from paas.lib.queue import work
from services.actions import instance as instances
from services.brokers.base import Done, Instance, Origin, Refused, Unknown
from services.brokers.engine.base import NotReady
from services.models import Plan, RestoreProof, ServiceBroker
from tenants import access
from tenants.models import Region, Space
from tests.cell.machine import docker, wait_until
from tests.services.bed import Bed, settled
from tests.services.databases import CIPHER, MADE, of_platform, query, taken, until, worked

pytestmark = pytest.mark.slow

LOST = "/var/lib/postgresql/log-lost"  # in the container


@pytest.fixture(scope="module")
def database(bed: Bed) -> Instance:
    """A database with one backup."""
    made = replace(bed.instance("postgres", "tiny-15"), cipher=CIPHER)
    bed.provision(made)
    bed.broker.keeping.take(made, full=True)
    wait_until(lambda: taken(bed, made), "the first backup", seconds=180)
    return made


def restored(bed: Bed, database: Instance, **wanted: Any) -> Instance:
    made = replace(bed.instance("postgres", "tiny-15"), cipher="d" * 43, origin=Origin(database.guid, CIPHER, **wanted))
    bed.provision(made)
    return made


def test_what_was_dropped_comes_back_as_of_a_second(bed: Bed, database: Instance) -> None:
    old = bed.credentials(bed.binding(database))
    query(bed, database, "CREATE TABLE letters AS SELECT n FROM generate_series(1, 1000) n", old)
    before = datetime.now(UTC)
    query(bed, database, "DROP TABLE letters", old)
    other = restored(bed, database, at=before)
    assert query(bed, other, "SELECT count(*) FROM letters") == [(1000,)]
    query(bed, other, "INSERT INTO letters VALUES (0)")
    with pytest.raises(errors.UndefinedTable):
        query(bed, database, "SELECT * FROM letters", old)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        query(bed, other, "SELECT 1", old | {"host": bed.broker.site(other).host})
    bed.broker.keeping.take(other, full=True)
    assert wait_until(lambda: taken(bed, other), "a backup of what was restored", seconds=180)
    assert bed.broker.remove(other) == Done()


def test_the_latest_state_and_the_latest_backup_differ(bed: Bed, database: Instance) -> None:
    (newest,) = bed.broker.keeping.look(database).taken[-1:]
    query(bed, database, "CREATE TABLE recent AS SELECT 1 AS n")
    assert query(bed, restored(bed, database), "SELECT n FROM recent") == [(1,)]
    as_taken = restored(bed, database, backup=newest.label)
    assert query(bed, as_taken, "SELECT to_regclass('recent')") == [(None,)]


def test_a_backup_is_proved(bed: Bed, database: Instance) -> None:
    mark = bed.broker.keeping.mark(database)
    proof = wait_until(lambda: not_ready(lambda: bed.broker.keeping.prove(database, mark)), "the proof", seconds=180)
    assert proof.heartbeat >= mark.at and proof.seconds >= 0
    assert not list((bed.machine.folder / "volumes").glob("*-proof*"))
    assert not docker("ps", "--all", "--quiet", "--filter", f"name={database.guid}-proof").strip()


def test_a_backup_is_told_to_be_under_way_as_soon_as_it_was_asked_for(bed: Bed, database: Instance) -> None:
    for _ in range(5):
        before = len(taken(bed, database))
        bed.broker.keeping.take(database, full=False)
        look = bed.broker.keeping.look(database)
        assert look.running or len(look.taken) > before
        wait_until(lambda: taken(bed, database), "the backup", seconds=180)


def test_no_tenant_gets_at_what_backups_are_made_with(bed: Bed, database: Instance) -> None:
    for path in ("/etc/cf-service-bindings/pgbackrest.conf", "/tmp/postgresql/pgpass", "/var/lib/pgbackrest"):
        with pytest.raises(errors.InsufficientPrivilege):
            query(bed, database, f"SELECT pg_read_file('{path}')")
    query(bed, database, "CREATE TABLE secret AS SELECT repeat('swordfish', 100) AS word")
    bed.broker.keeping.mark(database)
    store = bed.machine.folder / "volumes" / f"{database.guid}-backups"
    assert list(store.rglob("*-backups/data/archive/main/*")) or list(store.rglob("archive/main/*"))
    assert subprocess.run(["grep", "-r", "-a", "-q", "swordfish", str(store)], check=False).returncode == 1


def test_without_the_cipher_nothing_is_restored(bed: Bed, database: Instance) -> None:
    thief = replace(bed.instance("postgres", "tiny-15"), origin=Origin(database.guid, "x" * 43))
    outcome = settled(lambda: bed.broker.provision(thief))
    assert isinstance(outcome, Refused | Unknown) and "could not be restored" in outcome.error.detail
    assert bed.broker.remove(thief) == Done()


def test_the_log_flows_with_the_control_plane_and_the_agent_down(bed: Bed, database: Instance) -> None:
    server, site = bed.broker.server(database), bed.broker.site(database)
    bed.machine.stop_agent()
    try:
        assert server.beat(site, kept=True)  # type: ignore[attr-defined]
    finally:
        bed.machine.start_agent()


def test_with_the_store_away_the_database_goes_on_and_it_is_told(bed: Bed, database: Instance) -> None:
    store = bed.machine.folder / "volumes" / f"{database.guid}-backups" / "data"
    with pytest.raises(NotReady, match="The backup store does not answer"):
        store.chmod(0)
        bed.broker.keeping.mark(database)
    query(bed, database, "CREATE TABLE meanwhile AS SELECT 1 AS n")
    assert away(bed, database)
    store.chmod(0o1777)
    wait_until(lambda: not_ready(lambda: bed.broker.keeping.mark(database)), "the log to flow again", seconds=180)
    assert not away(bed, database)


def test_what_was_dropped_of_the_log_is_told_until_there_is_a_backup_again(bed: Bed, database: Instance) -> None:
    store = bed.machine.folder / "volumes" / f"{database.guid}-backups" / "data"
    server, site = bed.broker.server(database), bed.broker.site(database)
    store.chmod(0)
    with server._superuser(site) as connection:  # type: ignore[attr-defined]
        for number in range(12):  # parts, each as large as if it were full
            connection.execute("CREATE TABLE part AS SELECT %s AS n", [number])
            connection.execute("DROP TABLE part")
            connection.execute("SELECT pg_switch_wal()")
    wait_until(lambda: bed.machine.inside(database.guid, "cat", LOST).stdout, "a part to be dropped", seconds=180)
    store.chmod(0o1777)
    assert wait_until(lambda: not_ready(lambda: bed.broker.keeping.look(database)), "the store").lost
    wait_until(lambda: not_ready(lambda: bed.broker.keeping.mark(database)), "the log to flow again", seconds=180)
    bed.broker.keeping.take(database, full=False)
    wait_until(
        lambda: taken(bed, database) and not bed.broker.keeping.look(database).lost, "another backup", seconds=180
    )
    assert query(bed, restored(bed, database), "SELECT count(*) FROM meanwhile") == [(1,)]


def away(bed: Bed, database: Instance) -> bool:
    try:
        return bed.broker.keeping.look(database).archive_fails
    except NotReady:
        return True


def test_a_deleted_instance_comes_back_from_its_backups(bed: Bed, database: Instance) -> None:
    gone = restored(bed, database)
    bed.broker.keeping.take(gone, full=True)
    wait_until(lambda: taken(bed, gone), "a backup", seconds=180)
    query(bed, gone, "CREATE TABLE last_words AS SELECT 'goodbye' AS word")
    assert bed.broker.remove(gone) == Done()
    again = bed.instance("postgres", "tiny-15")
    again = replace(again, origin=Origin(gone.guid, "d" * 43))
    bed.provision(again)
    assert query(bed, again, "SELECT word FROM last_words") == [("goodbye",)]
    assert bed.broker.remove(again) == Done()
    bed.broker.keeping.forget(gone.guid)
    assert not list((bed.machine.folder / "volumes").glob(f"{gone.guid}*"))


def test_an_instance_is_backed_up_proved_restored_and_a_damage_is_told(
    bed: Bed, settings: Any, region: Region, space: Space, other_space: Space, alice: User, dora: User, root: User,
    api: Any, settle: Any, system: Any,
) -> None:  # fmt: skip
    of_platform(bed, settings, region)
    try:
        call_command("offer_services")
        work("services.jobs.synchronize", ServiceBroker.objects.get(kind="container").pk)
        plan = Plan.objects.get(offering__name="postgres", name="tiny-15")
        made, _job = instances.create(alice, space, name="data", plan=plan)
        row = settle(made)
        assert row.operation_state == "succeeded" and row.repository.due_at
        until(lambda: worked(row.repository) and row.repository.backups.exists(), "the first backup")
        answer = api(alice).post(f"/v3/service_instances/{row.guid}/backups", {})
        assert answer.status_code == 202
        job = Job.objects.get(operation="service_instance.back_up")
        until(lambda: worked(row.repository) and ended(job), "the backup that was asked for")
        assert job.state == Job.State.COMPLETE
        told = api(alice).get(f"/v3/service_instances/{row.guid}/backups").json()["resources"]
        assert [each["type"] for each in told] == ["full", "differential"] and told[0]["size_bytes"] > 1 << 20
        until(lambda: worked(RestoreProof.objects.get()) and RestoreProof.objects.get().tried_at, "the proof")
        (kept,) = api(alice).get("/v3/service_backup_repositories").json()["resources"]
        assert kept["restore_proof"]["proved_at"] and not kept["restore_proof"]["error"] and not kept["error"]
        access.give(alice, "organization_user", other_space.organization, by=root)
        access.give(alice, "space_developer", other_space, by=root)
        asked = {"restore_from_point_in_time_of": row.guid}
        again, _job = instances.create(alice, other_space, name="again", plan=plan, parameters=asked)
        until(lambda: not settle(again).busy, "the restore")
        again.refresh_from_db()
        assert again.operation_state == "succeeded", again.operation_description
        told = AuditEvent.objects.filter(type="audit.service_instance.restore").values_list("space_guid", flat=True)
        assert {*told} == {space.guid, other_space.guid}
        instances.delete(alice, again)
        assert settle(again) is None
        damage(bed, row.guid)
        until(lambda: worked(row.repository.proof) and RestoreProof.objects.get().failed_at, "the proof to fail")
        kept = api(alice).get(f"/v3/service_backup_repositories/{row.guid}").json()["restore_proof"]
        assert "could not be restored" in kept["error"] and kept["failed_at"] and kept["proved_at"]
        assert Mail.objects.get(kind="restore-failed").to == dora.email
        assert not list((bed.machine.folder / "volumes").glob("*-proof*"))
    finally:
        for each in MADE:
            each.cache_clear()


def damage(bed: Bed, guid: str) -> None:
    store = bed.machine.folder / "volumes" / f"{guid}-backups" / "data"
    for path in store.glob("backup/main/*/bundle/*"):
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(b"damaged" * 20)


def ended(job: Job) -> bool:
    job.refresh_from_db()
    return job.state in (Job.State.COMPLETE, Job.State.FAILED)


def not_ready(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except NotReady:
        return None
