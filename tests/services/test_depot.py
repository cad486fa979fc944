"""Backups in a bucket: a database writes them there by itself, over TLS and through the one way that is open for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core.management import call_command
from psycopg import errors

from accounts.models import User
from paas.lib.queue import work
from services import crossing, outside
from services.actions import instance as instances
from services.brokers.base import Accepted, Done, Instance, Origin
from services.brokers.engine.access import READ, Access, policy
from services.brokers.engine.base import NotReady
from services.models import Plan, ServiceBroker, ServiceInstance
from tenants.models import Region, Space
from tests.cell.machine import docker, wait_until
from tests.services.bed import Bed
from tests.services.databases import CIPHER, MADE, of_platform, query, taken, until, worked
from tests.services.stand_in import PORT, REGION, StandIn, stand_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def amazon(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with stand_in(tmp_path_factory.mktemp("amazon"), bed.machine.runtime.authority) as made:
        yield made


@pytest.fixture(scope="module")
def database(bed: Bed, amazon: StandIn) -> Instance:
    """A database with one backup, in a bucket."""
    made = provisioned(bed, amazon)
    back_up(bed, made)
    return made


def provisioned(bed: Bed, amazon: StandIn) -> Instance:
    bed.broker = bed.broker_with(bucket=amazon.bucket())
    made = replace(bed.instance("postgres", "tiny-15"), cipher=CIPHER)
    bed.provision(made)
    return made


def back_up(bed: Bed, database: Instance) -> None:
    bed.broker.keeping.take(database, full=True)
    wait_until(lambda: taken(bed, database), "the first backup", seconds=180)


def ready(work: Any) -> Any:
    try:
        return work()
    except NotReady:
        return None


def test_a_second_comes_back_from_the_bucket(bed: Bed, database: Instance, amazon: StandIn) -> None:
    query(bed, database, "CREATE TABLE letters AS SELECT n FROM generate_series(1, 1000) n")
    before = datetime.now(UTC)
    query(bed, database, "DROP TABLE letters")
    other = replace(bed.instance("postgres", "tiny-15"), cipher="d" * 43)
    other = replace(other, origin=Origin(database.guid, CIPHER, at=before))
    bed.provision(other)
    assert query(bed, other, "SELECT count(*) FROM letters") == [(1000,)]
    written = amazon.keys(f"install-backups/{database.guid}/")
    assert any("/archive/main/" in key for key in written) and any("/backup/main/" in key for key in written)
    assert not list((bed.machine.folder / "volumes").glob("*-backups"))
    bed.broker.keeping.take(other, full=True)
    wait_until(lambda: taken(bed, other), "a backup of what was restored", seconds=180)
    assert bed.broker.remove(other) == Done()
    assert amazon.keys(f"install-backups/{other.guid}/")
    bed.broker.keeping.forget(other.guid)
    bed.broker.keeping.forget(other.guid)
    assert not amazon.keys(f"install-backups/{other.guid}/")
    assert amazon.keys(f"install-backups/{database.guid}/")


def test_a_backup_in_the_bucket_is_proved(bed: Bed, database: Instance) -> None:
    mark = bed.broker.keeping.mark(database)
    proof = wait_until(lambda: ready(lambda: bed.broker.keeping.prove(database, mark)), "the proof", seconds=180)
    assert proof.heartbeat >= mark.at
    assert not docker("ps", "--all", "--quiet", "--filter", f"name={database.guid}-proof").strip()


def test_nobody_else_reaches_a_bucket_with_a_private_address(bed: Bed, database: Instance, amazon: StandIn) -> None:
    connect = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
    app = bed.app("stranger", database)
    assert bed.machine.inside(app.instance, "python3", "-c", connect, amazon.there, str(PORT)).returncode
    other = bed.broker_with().workload(database, bed.broker_with().site(replace(database, cipher="")))
    assert not other.reaches and bed.broker.workload(database, bed.broker.site(database)).reaches


def test_no_tenant_reads_the_key(bed: Bed, database: Instance) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        query(bed, database, "SELECT pg_read_file('/etc/cf-service-bindings/pgbackrest.conf')")


def test_with_the_bucket_away_the_database_goes_on_and_the_page_tells(
    bed: Bed, amazon: StandIn, settings: Any, region: Region, space: Space, alice: User, settle: Any, system: Any
) -> None:
    of_platform(bed, settings, region)
    settings.PAAS_BLOBS_KIND, settings.PAAS_CA_FILE = "s3", str(bed.machine.runtime.authority.certificate())
    settings.PAAS_S3 = {
        "bucket": amazon.bucket().name, "prefix": "rows", "endpoint_url": amazon.url, "region": REGION,
        "access_key": "operator", "secret_key": "operator",
    }  # fmt: skip
    try:
        call_command("offer_services")
        work("services.jobs.synchronize", ServiceBroker.objects.get(kind="container").pk)
        plan = Plan.objects.get(offering__name="postgres", name="tiny-15")
        row = settle(instances.create(alice, space, name="data", plan=plan)[0])
        until(lambda: worked(row.repository) and row.repository.backups.exists(), "the first backup")
        assert amazon.keys(f"rows-backups/{row.guid}/backup/")
        amazon.cut()
        assert outside.own_services().metrics(crossing.instance_for(row)).size_bytes
        until(lambda: worked(row.repository) and told(row), "the page to tell")
        assert row.repository.failed_at
        amazon.mend()
        until(lambda: ready(lambda: outside.own_services().keeping.mark(crossing.instance_for(row))), "the log to flow")
        until(lambda: worked(row.repository) and not told(row), "the page to be well again")
        assert row.repository.failed_at is None and row.repository.archived_at
        instances.delete(alice, row)
        assert settle(row) is None
    finally:
        amazon.mend()
        for each in MADE:
            each.cache_clear()


@pytest.fixture
def cut_off(bed: Bed, amazon: StandIn) -> Iterator[Instance]:
    """A database with one backup, whose bucket has gone away."""
    made = provisioned(bed, amazon)
    back_up(bed, made)
    amazon.cut()
    try:
        yield made
    finally:
        amazon.mend()


def test_what_is_removed_while_the_bucket_is_away_waits_for_its_last_backup(
    bed: Bed, cut_off: Instance, amazon: StandIn
) -> None:
    removal = bed.broker.remove(cut_off)
    assert isinstance(removal, Accepted)
    progress = bed.broker.poll(cut_off, removal.operation)
    assert progress.state == "in progress" and "cannot be put away yet" in progress.description
    assert query(bed, cut_off, "SELECT 1")
    amazon.mend()
    until(lambda: bed.broker.poll(cut_off, removal.operation).state == "gone", "the removal")


def test_a_bucket_that_stays_away_does_not_hold_up_a_removal_for_ever(
    bed: Bed, cut_off: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.brokers.keeping.LAST_PATIENCE", 0)
    assert bed.broker.remove(cut_off) == Done()


def test_what_was_never_backed_up_goes_at_once(bed: Bed, amazon: StandIn) -> None:
    assert bed.broker.remove(provisioned(bed, amazon)) == Done()


def told(row: ServiceInstance) -> str:
    row.repository.refresh_from_db()
    return str(row.repository.error)


# A user for each instance --------------------------------------------------------------------------------------------


def test_an_instance_writes_with_a_key_that_is_good_for_its_own_place_alone(bed: Bed, amazon: StandIn) -> None:
    place = amazon.bucket("walled", own_users=True, **amazon.operator())
    bed.broker = bed.broker_with(bucket=place)
    made = replace(bed.instance("postgres", "tiny-15"), cipher=CIPHER)
    amazon.enforce(True)
    try:
        bed.provision(made)
        back_up(bed, made)
        key = key_of(bed, made)
        own = amazon.client("s3", aws_access_key_id=key[0], aws_secret_access_key=key[1])
        assert own.get_object(Bucket="walled", Key=f"install-backups/{made.guid}/backup/main/backup.info")
        for elsewhere in (f"install-backups/{made.guid}x/a", "install/droplets/a"):
            with pytest.raises(ClientError, match="AccessDenied"):
                own.put_object(Bucket="walled", Key=elsewhere, Body=b"x")
        with pytest.raises(ClientError, match="AccessDenied"):
            own.get_object(Bucket="kept", Key=f"install-backups/{made.guid}/a")
    finally:
        amazon.enforce(False)
    query(bed, made, "CREATE TABLE letters AS SELECT 1 AS n")
    other = replace(bed.instance("postgres", "tiny-15"), cipher="d" * 43, origin=Origin(made.guid, CIPHER))
    bed.provision(other)
    assert query(bed, other, "SELECT n FROM letters") == [(1,)]
    for each in (made, other, made):
        assert bed.broker.remove(each) == Done()
    assert not amazon.client("iam").list_users(PathPrefix="/paas-backups/")["Users"]


def test_a_key_is_made_anew_with_the_container_and_the_one_in_use_stays_good(amazon: StandIn) -> None:
    access = Access(amazon.bucket(own_users=True))
    depot = access.depot("11111111-2222", CIPHER)
    first, second = access.writer(depot).bucket, access.writer(depot).bucket
    assert first and second and first.access_key != second.access_key != "operator"
    with pytest.raises(NotReady, match="ten minutes"):
        access.writer(depot)
    known = amazon.client("iam").list_access_keys(UserName="paas-backups-11111111-2222")["AccessKeyMetadata"]
    assert {each["AccessKeyId"] for each in known} == {first.access_key, second.access_key}
    access.dismiss(depot.guid)
    access.dismiss(depot.guid)


def test_what_reads_for_a_restore_may_not_write(amazon: StandIn) -> None:
    access = Access(amazon.bucket(own_users=True))
    place = access.reader(access.depot("guid", CIPHER)).bucket
    assert place and place.token
    for allowed in policy(place, READ)["Statement"]:
        assert not [each for each in _listed(allowed["Action"]) if "Put" in each or "Delete" in each]
        assert allowed["Resource"] in ("arn:aws:s3:::kept", "arn:aws:s3:::kept/install-backups/guid/*")


def _listed(actions: Any) -> list[str]:
    return [actions] if isinstance(actions, str) else list(actions)


def key_of(bed: Bed, database: Instance) -> tuple[str, str]:
    text = bed.machine.inside(database.guid, "cat", "/etc/cf-service-bindings/pgbackrest.conf").stdout
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return lines["repo1-s3-key"], lines["repo1-s3-key-secret"]
