"""Backups of Redis: snapshots that the container takes and puts away by itself, restored into new instances, and proved."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.management import call_command
from redis import exceptions

from accounts.models import AuditEvent, User
from paas.lib.queue import work
from services.actions import instance as instances
from services.brokers.base import Done, Instance, Origin, Previous, Refused, Unknown
from services.brokers.engine import plans
from services.brokers.engine.base import NotAllowed, NotReady
from services.models import Plan, ServiceBroker
from tenants.models import Region, Space
from tests.cell.machine import docker, wait_until
from tests.services import snapshots
from tests.services.bed import Bed, settled
from tests.services.databases import MADE, of_platform, until, worked
from tests.services.snapshots import CIPHER, OTHER, aged, backed_up, damage, ended, proved, restored, swap
from tests.services.stand_in import StandIn, stand_in

pytestmark = pytest.mark.slow

KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 7443), 3)
    print("open")
except OSError:
    print("closed")
"""


@pytest.fixture(scope="module")
def store(bed: Bed) -> Instance:
    """A Redis with some keys and one backup of them."""
    made = replace(bed.instance("redis", "micro-7"), cipher=CIPHER)
    bed.provision(made)
    client = connect(bed, made)
    client.set("letter", "dear reader")
    client.set("session", "x", ex=3600)
    client.rpush("queue", "a", "b")
    backed_up(bed, made)
    return made


def connect(bed: Bed, instance: Instance, credentials: dict[str, Any] | None = None) -> redis.Redis[Any]:
    given = credentials or bed.credentials(bed.binding(instance))
    return redis.Redis(
        host=bed.addresses.taken[instance.guid],
        port=given["port"],
        username=given["username"],
        password=given["password"],
        ssl=True,
        ssl_ca_certs=str(bed.machine.runtime.authority.certificate()),
        decode_responses=True,
    )


def test_what_was_deleted_comes_back_in_a_new_instance(bed: Bed, store: Instance) -> None:
    old = bed.credentials(bed.binding(store))
    client = connect(bed, store, old)
    client.set("draft", "one")
    taken = backed_up(bed, store)
    client.delete("draft")
    backed_up(bed, store)
    other = restored(bed, store, backup=taken.label)
    again = connect(bed, other)
    assert again.get("draft") == "one" and again.lrange("queue", 0, -1) == ["a", "b"]
    assert 0 < again.ttl("session") <= 3600
    assert client.get("draft") is None
    with pytest.raises(exceptions.AuthenticationError):
        connect(bed, other, old).ping()
    again.set("new", "yes")
    large = replace(other, plan_id=plans.identity("redis", "small-7"))
    assert settled(lambda: bed.broker.update(large, Previous(other.plan_id))) == Done()
    assert connect(bed, large).mget("draft", "new") == ["one", "yes"]
    assert len(ended(bed, large).taken) == 0
    assert backed_up(bed, large)
    assert settled(lambda: bed.broker.remove(large)) == Done()


def test_a_backup_is_proved(bed: Bed, store: Instance) -> None:
    taken = backed_up(bed, store)
    assert bed.broker.keeping.mark(store).at == taken.begun_at
    assert proved(bed, store).heartbeat >= taken.begun_at
    assert not list((bed.machine.folder / "volumes").glob("*-proof*"))
    assert not docker("ps", "--all", "--quiet", "--filter", f"name={store.guid}-proof").strip()


def test_no_tenant_gets_at_the_backups(bed: Bed, store: Instance) -> None:
    client = connect(bed, store)
    for command in ("SYNC", "PSYNC ? -1", "REPLCONF listening-port 1", "BGSAVE", "ACL LIST", "CONFIG GET dir"):
        with pytest.raises(exceptions.NoPermissionError):
            client.execute_command(*command.split())
            pytest.fail(f"A binding may run: {command}")
    client.set("secret", "swordfish" * 1000)
    backed_up(bed, store)
    held = snapshots.store(bed, store)
    assert list(held.glob(f"*{snapshots.SUFFIX}")) and not list(held.glob("*.partial*"))
    assert subprocess.run(["grep", "-r", "-a", "-q", "swordfish", str(held)], check=False).returncode == 1
    app = bed.app("site", store)
    assert bed.machine.inside(app.instance, "python3", "-c", KNOCK, bed.broker.site(store).host).stdout == "closed\n"
    with pytest.raises(NotReady, match="token"):
        bed.broker.keeping.look(replace(store, cipher=OTHER))


def test_without_the_cipher_nothing_is_restored(bed: Bed, store: Instance) -> None:
    thief = replace(bed.instance("redis", "micro-7"), origin=Origin(store.guid, "x" * 43))
    outcome = settled(lambda: bed.broker.provision(thief))
    assert isinstance(outcome, Refused | Unknown) and "could not be restored" in outcome.error.detail
    assert bed.broker.remove(thief) == Done()


def test_it_takes_one_each_day_by_itself_and_keeps_a_week(bed: Bed) -> None:
    alone = replace(bed.instance("redis", "micro-7"), cipher=CIPHER)
    bed.provision(alone)
    oldest, newest = backed_up(bed, alone), backed_up(bed, alone)
    gone = aged(bed, alone, oldest.label, timedelta(days=8))
    kept = aged(bed, alone, newest.label, timedelta(hours=26))
    bed.machine.stop_agent()
    try:
        docker("restart", bed.container(alone))
        labels = wait_until(lambda: there(bed, alone) - {gone, kept}, "one that nobody asked for", seconds=180)
        wait_until(lambda: gone not in there(bed, alone), "the oldest to go", seconds=180)
        assert len(labels) == 1 and kept in there(bed, alone)
    finally:
        bed.machine.start_agent()
    assert settled(lambda: bed.broker.remove(alone)) == Done()


def there(bed: Bed, instance: Instance) -> set[str]:
    found = snapshots.store(bed, instance).glob(f"*{snapshots.SUFFIX}")
    return {each.name.removesuffix(snapshots.SUFFIX) for each in found if ".partial" not in each.name}


def test_with_the_store_away_it_goes_on_and_it_is_told(bed: Bed, store: Instance) -> None:
    held = snapshots.store(bed, store)
    held.chmod(0)
    try:
        bed.broker.keeping.take(store, full=True)
        with pytest.raises(NotReady, match=r"backup store does not answer.*permission denied"):
            ended(bed, store)
        connect(bed, store).set("meanwhile", "1")
    finally:
        held.chmod(0o1777)
    assert "permission denied" in ended(bed, store).error
    assert backed_up(bed, store)


def test_a_server_that_goes_down_meanwhile_leaves_no_half_backup(bed: Bed, store: Instance) -> None:
    client, before = connect(bed, store), there(bed, store)
    for number in range(40):
        client.set(f"large-{number}", os.urandom(1 << 20).hex())
    wait_until(lambda: not client.info("persistence")["aof_buffer_length"], "it to be written")
    bed.broker.keeping.take(store, full=True)
    docker("restart", "--time", "0", bed.container(store))
    wait_until(lambda: snapshots.not_ready(lambda: bed.broker.keeping.look(store)), "it to be there again", seconds=180)
    assert there(bed, store) == before
    assert backed_up(bed, store).size_bytes > 40 << 20
    connect(bed, store).flushall()


def test_a_deleted_instance_comes_back_as_it_was_at_its_end(bed: Bed, store: Instance) -> None:
    gone = restored(bed, store)
    connect(bed, gone).set("last", "words")
    assert settled(lambda: bed.broker.remove(gone)) == Done()
    again = replace(bed.instance("redis", "micro-7"), cipher=CIPHER, origin=Origin(gone.guid, OTHER))
    bed.provision(again)
    assert connect(bed, again).get("last") == "words"
    assert settled(lambda: bed.broker.remove(again)) == Done()
    bed.broker.keeping.forget(gone.guid)
    assert not list((bed.machine.folder / "volumes").glob(f"{gone.guid}*"))


@pytest.fixture
def amazon(bed: Bed, tmp_path: Any) -> Iterator[StandIn]:
    with stand_in(tmp_path, bed.machine.runtime.authority) as made:
        yield made


def test_snapshots_go_to_a_bucket_with_a_key_that_is_good_for_nothing_else(bed: Bed, amazon: StandIn) -> None:
    ours = bed.broker
    bed.broker = bed.broker_with(bucket=amazon.bucket(own_users=True, **amazon.operator()))
    # An upload in parts is looked at by its version, and the stand-in finds none where there are no versions.
    amazon.client("s3").put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    amazon.enforce(True)
    try:
        made = replace(bed.instance("redis", "micro-7"), cipher=CIPHER)
        bed.provision(made)
        connect(bed, made).set("letter", os.urandom(8 << 20).hex())  # in several parts
        taken = backed_up(bed, made)
        amazon.enforce(False)
        written = amazon.keys(f"install-backups/{made.guid}/")
        assert any(key.endswith(f"/{taken.label}{snapshots.SUFFIX}") for key in written)
        assert proved(bed, made).heartbeat >= taken.begun_at
        amazon.cut()
        bed.broker.keeping.take(made, full=True)
        connect(bed, made).set("meanwhile", "1")
        amazon.mend()
        wait_until(lambda: snapshots.not_ready(lambda: backed_up(bed, made)), "the bucket to be back", seconds=180)
        again = restored(bed, made, backup=taken.label)
        assert connect(bed, again).exists("letter")
        for each in (made, again):
            assert settled(functools.partial(bed.broker.remove, each)) == Done()
            bed.broker.keeping.forget(each.guid)
        assert not amazon.keys()
    finally:
        amazon.enforce(False)
        bed.broker = ours


def test_an_instance_is_backed_up_deleted_and_brought_back(
    bed: Bed, settings: Any, region: Region, space: Space, alice: User, settle: Any, system: Any
) -> None:
    of_platform(bed, settings, region)
    try:
        call_command("offer_services")
        work("services.jobs.synchronize", ServiceBroker.objects.get(kind="container").pk)
        plan = Plan.objects.get(offering__name="redis", name="micro-7")
        row = settle(instances.create(alice, space, name="cache", plan=plan)[0])
        until(lambda: worked(row.repository) and row.repository.backups.exists(), "the first backup")
        assert row.repository.error == ""
        instances.delete(alice, row)
        until(lambda: settle(row) is None, "it to be gone")
        asked = {"restore_from_latest_snapshot_of": row.guid}
        again = instances.create(alice, space, name="again", plan=plan, parameters=asked)[0]
        until(lambda: not settle(again).busy, "the restore")
        again.refresh_from_db()
        assert again.operation_state == "succeeded", again.operation_description
        assert AuditEvent.objects.filter(type="audit.service_instance.restore").exists()
        instances.delete(alice, again)
        until(lambda: settle(again) is None, "it to be gone")
    finally:
        for each in MADE:
            each.cache_clear()


def test_a_backup_that_lacks_keys_is_found_out(bed: Bed, store: Instance) -> None:
    first, client = backed_up(bed, store), connect(bed, store)
    client.mset({f"later-{number}": number for number in range(10)})
    swap(bed, store, backed_up(bed, store), first)
    with pytest.raises(NotAllowed, match=r"There are \d+ keys, and there were \d+ to \d+ when it was backed up"):
        proved(bed, store)


def test_a_damaged_backup_is_found_out(bed: Bed, store: Instance) -> None:
    backed_up(bed, store)
    damage(bed, store)
    with pytest.raises(NotAllowed, match="could not be restored"):
        proved(bed, store)
    assert not list((bed.machine.folder / "volumes").glob("*-proof*"))
