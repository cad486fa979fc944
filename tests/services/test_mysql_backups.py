"""Backups of MariaDB: snapshots that the container takes and puts away by itself, restored into new instances, and proved."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from pymysql import err

from services.brokers.base import Done, Instance, Origin, Previous
from services.brokers.engine import plans
from services.brokers.engine.base import NotAllowed, NotReady, Taken
from tests.cell.machine import docker, wait_until
from tests.services import snapshots
from tests.services.bed import Bed, settled
from tests.services.snapshots import CIPHER, OTHER, backed_up, damage, ended, proved, restored, swap

pytestmark = pytest.mark.slow
BALLAST = "/var/lib/mysql/ballast"
FILL = "INSERT INTO filling SELECT repeat(md5(seq), 32000) FROM seq_1_to_20"


@pytest.fixture(scope="module")
def database(bed: Bed) -> Instance:
    """A database with tables of two kinds, a view, and one backup."""
    made = replace(bed.instance("mysql", "tiny-10"), cipher=CIPHER)
    bed.provision(made)
    with cursor(bed, made) as first:
        first.execute("CREATE TABLE letters (id int AUTO_INCREMENT PRIMARY KEY, text varchar(200))")
        first.executemany("INSERT INTO letters (text) VALUES (%s)", [(f"letter {number}",) for number in range(1000)])
        first.execute("CREATE TABLE old_kind (id int) ENGINE=MyISAM")
        first.execute("INSERT INTO old_kind VALUES (7)")
        first.execute("CREATE VIEW recent AS SELECT id FROM letters WHERE id > 990")
    backed_up(bed, made)
    return made


@contextmanager
def cursor(bed: Bed, instance: Instance, credentials: dict[str, Any] | None = None) -> Iterator[Any]:
    given = credentials or bed.credentials(bed.binding(instance))
    way = {
        "host": bed.addresses.taken[instance.guid],
        "user": given["username"],
        "password": given["password"],
        "database": given["name"],
        "ssl_ca": str(bed.machine.runtime.authority.certificate()),
        "ssl_verify_cert": True,
        "ssl_verify_identity": True,
        "autocommit": True,
    }
    with closing(pymysql.connect(**way)) as connection, connection.cursor() as made:
        yield made


def count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")
    return int(cursor.fetchone()[0])


def test_what_was_dropped_comes_back_in_a_new_instance(bed: Bed, database: Instance) -> None:
    old = bed.credentials(bed.binding(database))
    with cursor(bed, database, old) as own:
        own.execute("CREATE TABLE drafts AS SELECT 1 AS id")
        own.execute("CREATE EVENT tidy ON SCHEDULE EVERY 1 SECOND DO DELETE FROM letters")
        taken = backed_up(bed, database)
        own.execute("DROP EVENT tidy")
        own.execute("DROP TABLE drafts")
    backed_up(bed, database)
    other = restored(bed, database, backup=taken.label)
    with pytest.raises(err.OperationalError, match=r"locked|denied"), cursor(bed, other, old):
        pass
    with cursor(bed, other) as again:
        assert [count(again, table) for table in ("drafts", "letters", "old_kind", "recent")] == [1, 1000, 1, 10]
        again.execute("DROP EVENT tidy")
        again.execute("INSERT INTO drafts VALUES (2)")
        again.execute("SHOW DATABASES")
        assert {name for (name,) in again.fetchall()} == {"information_schema", "main"}
    large = replace(other, plan_id=plans.identity("mysql", "small-10"))
    assert settled(lambda: bed.broker.update(large, Previous(other.plan_id))) == Done()
    with cursor(bed, large) as again:
        assert count(again, "drafts") == 2
    assert backed_up(bed, large)
    assert settled(lambda: bed.broker.remove(large)) == Done()


def test_a_backup_is_consistent_while_it_is_written_to(bed: Bed, database: Instance) -> None:
    """Each transaction moves a coin from one purse to the other: there are always as many."""
    with cursor(bed, database) as own:
        own.execute("CREATE TABLE purses (id int PRIMARY KEY, coins int)")
        own.execute("INSERT INTO purses VALUES (1, 1000), (2, 0)")
    stop = threading.Event()
    writer = threading.Thread(target=pay, args=[bed, database, stop])
    writer.start()
    try:
        taken = backed_up(bed, database)
    finally:
        stop.set()
        writer.join()
    other = restored(bed, database, backup=taken.label)
    with cursor(bed, other) as again:
        again.execute("SELECT sum(coins) FROM purses")
        assert int(again.fetchone()[0]) == 1000
    with cursor(bed, other) as again:
        again.execute("CREATE TABLE last_words AS SELECT 'goodbye' AS word")
    assert settled(lambda: bed.broker.remove(other)) == Done()
    gone = replace(bed.instance("mysql", "tiny-10"), cipher=CIPHER, origin=Origin(other.guid, OTHER))
    bed.provision(gone)
    with cursor(bed, gone) as again:
        assert count(again, "last_words") == 1
    assert settled(lambda: bed.broker.remove(gone)) == Done()


def pay(bed: Bed, database: Instance, stop: threading.Event) -> None:
    with cursor(bed, database) as own:
        while not stop.is_set():
            own.execute("START TRANSACTION")
            own.execute("UPDATE purses SET coins = coins - 1 WHERE id = 1")
            own.execute("UPDATE purses SET coins = coins + 1 WHERE id = 2")
            own.execute("COMMIT")


def test_a_backup_is_proved_by_the_servers_own_checks(bed: Bed, database: Instance) -> None:
    taken = backed_up(bed, database)
    assert bed.broker.keeping.mark(database).at == taken.begun_at
    assert proved(bed, database).heartbeat >= taken.begun_at
    assert not list((bed.machine.folder / "volumes").glob("*-proof*"))


def test_no_tenant_sees_or_changes_the_heartbeat(bed: Bed, database: Instance) -> None:
    with cursor(bed, database) as own:
        for statement in ("SELECT at FROM platform.heartbeat", "DELETE FROM platform.heartbeat", "USE platform"):
            with pytest.raises((err.OperationalError, err.ProgrammingError), match="denied"):
                own.execute(statement)
                pytest.fail(f"May run: {statement}")
        own.execute("SELECT load_file('/etc/cf-service-bindings/depot.env')")
        assert own.fetchone() == (None,)


def test_with_the_store_away_it_goes_on_and_it_is_told(bed: Bed, database: Instance) -> None:
    held = snapshots.store(bed, database)
    held.chmod(0)
    try:
        bed.broker.keeping.take(database, full=True)
        with pytest.raises(NotReady, match="backup store does not answer"):
            ended(bed, database)
        with cursor(bed, database) as own:
            assert count(own, "letters") == 1000
    finally:
        held.chmod(0o1777)
    assert "permission denied" in ended(bed, database).error
    assert backed_up(bed, database)


def test_a_backup_that_lacks_rows_is_found_out(bed: Bed, database: Instance) -> None:
    first = backed_up(bed, database)
    with cursor(bed, database) as own:
        own.execute("INSERT INTO letters (text) VALUES ('a late one')")
    second = wait_until(lambda: measured(bed, database, backed_up(bed, database)), "a backup after the second of it")
    swap(bed, database, second, first)
    with pytest.raises(NotAllowed, match="The table letters has 1000 rows, and had 1001 when it was backed up"):
        proved(bed, database)


def measured(bed: Bed, database: Instance, taken: Taken) -> Taken | None:
    """What was changed in the second in which a backup was begun is not counted."""
    counted = bed.machine.inside(database.guid, "cat", "/tmp/measured").stdout
    return taken if b"letters".hex().upper() in counted else None


def test_a_damaged_backup_is_found_out(bed: Bed, database: Instance) -> None:
    damage(bed, database)
    with pytest.raises(NotAllowed, match="could not be restored"):
        proved(bed, database)
    assert not list((bed.machine.folder / "volumes").glob("*-proof*"))


def test_a_full_database_comes_round_as_often_as_it_is_filled_and_is_backed_up(bed: Bed) -> None:
    full = replace(bed.instance("mysql", "tiny-10"), cipher=CIPHER)
    bed.provision(full)
    own = bed.credentials(bed.binding(full))
    with cursor(bed, full, own) as writer:
        writer.execute("CREATE TABLE filling (text longtext)")
        writer.execute("INSERT INTO filling VALUES ('first')")
    for _ in range(3):
        fill_up(bed, full, own)
    container = bed.container(full)
    assert int(docker("inspect", "--format", "{{.RestartCount}}", container)) >= 1
    docker("exec", container, "truncate", "--size", "0", BALLAST)  # as where a recovery was interrupted
    docker("restart", container)  # with its disk still full
    wait_until(lambda: at_all(bed, full, own, "SELECT count(*) FROM filling"), "it to be read", seconds=180)
    assert backed_up(bed, full).size_bytes
    with cursor(bed, full, own) as owner:
        owner.execute("DELETE FROM filling LIMIT 5")
        owner.execute("TRUNCATE filling")
        owner.execute("CREATE TABLE again AS SELECT 1 AS id")
        assert count(owner, "again") == 1
    size = ("exec", container, "stat", "--format", "%s", BALLAST)
    wait_until(lambda: int(docker(*size)) == 48 << 20, "the ballast to be whole again")
    assert settled(lambda: bed.broker.remove(full)) == Done()


def fill_up(bed: Bed, instance: Instance, credentials: dict[str, Any]) -> None:
    """Write until it fails, and wait until it can be read again."""
    with pytest.raises(err.Error), cursor(bed, instance, credentials) as writer:
        while True:
            writer.execute(FILL)
    wait_until(lambda: at_all(bed, instance, credentials, "SELECT count(*) FROM filling"), "reading", seconds=180)


def at_all(bed: Bed, instance: Instance, credentials: dict[str, Any], statement: str) -> Any:
    """Return what the statement gives, None where the server does not answer."""
    with suppress(err.Error), cursor(bed, instance, credentials) as reader:
        reader.execute(statement)
        return reader.fetchone()
    return None
