"""A restored database must have the rows that it had at the mark, also while apps write, and a loss is told by its table."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import errors

from services.brokers.base import Instance, Origin
from services.brokers.engine import rows
from services.brokers.engine.base import Mark, NotAllowed, NotReady
from services.brokers.keeping import Proof
from tests.cell.machine import docker, wait_until
from tests.services import databases
from tests.services.bed import Bed
from tests.services.databases import CIPHER

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database(bed: Bed) -> Instance:
    """A database with a backup of three tables, one of them too large to be looked at as a whole."""
    made = replace(bed.instance("postgres", "tiny-15"), cipher=CIPHER)
    bed.provision(made)
    with connected(bed, made) as connection:
        connection.execute("CREATE TABLE letters AS SELECT n, repeat('x', 200) AS text FROM generate_series(1, 5000) n")
        connection.execute('CREATE TABLE "Odd ""name"" of one" (n int)')
        connection.execute("CREATE UNLOGGED TABLE passing AS SELECT 1 AS n")
        connection.execute("CREATE TABLE large WITH (fillfactor = 10) AS SELECT n FROM generate_series(1, 100000) n")
        connection.execute("INSERT INTO large SELECT n FROM generate_series(1, 40000) n")
    backed_up(bed, made)
    return made


@contextmanager
def connected(bed: Bed, database: Instance) -> Iterator[psycopg.Connection[Any]]:
    given, address = bed.credentials(bed.binding(database)), bed.addresses.taken[database.guid]
    with databases.connected(given, address) as connection:
        yield connection


def backed_up(bed: Bed, database: Instance) -> None:
    before = len(bed.broker.keeping.look(database).taken)
    bed.broker.keeping.take(database, full=True)

    def done() -> bool:
        look = bed.broker.keeping.look(database)
        return not look.running and not look.error and len(look.taken) > before

    wait_until(done, "the backup", seconds=180)


def proved(bed: Bed, database: Instance, mark: Mark) -> Proof:
    def proof() -> Proof | None:
        try:
            return bed.broker.keeping.prove(database, mark)
        except NotReady:
            return None

    return wait_until(proof, "the proof", seconds=180)  # type: ignore[no-any-return]


def test_what_is_measured_of_quiet_tables_is_what_they_have(bed: Bed, database: Instance) -> None:
    mark = bed.broker.keeping.mark(database)
    found = {each["name"]: each for each in mark.measured["tables"]}
    assert set(found) == {"public.letters", 'public."Odd ""name"" of one"', "public.large"}
    assert found["public.letters"]["least"] == found["public.letters"]["rows"] == 5000
    assert found["public.large"]["blocks"] > rows.BLOCKS and found["public.large"]["rows"] is None
    assert 0 < found["public.large"]["least"] < 140_000
    assert not [each for each in found.values() if "xxx" in str(each)]
    proof = proved(bed, database, mark)
    assert proof.heartbeat == mark.at and sorted(map(int, proof.rows))[:2] == [0, 5000]


def test_a_busy_database_is_proved(bed: Bed, database: Instance) -> None:
    stop = threading.Event()

    def write() -> None:
        with connected(bed, database) as connection:
            while not stop.is_set():
                with suppress(errors.DeadlockDetected):
                    connection.execute("INSERT INTO queue (text) SELECT 'new' FROM generate_series(1, 50)")
                    connection.execute("UPDATE queue SET text = 'seen' WHERE n % 7 = 0")
                    connection.execute("DELETE FROM queue WHERE n IN (SELECT n FROM queue ORDER BY n LIMIT 45)")
                    with connection.transaction(), connection.transaction():
                        connection.execute("INSERT INTO queue (text) VALUES ('nested')")
                    connection.execute("DELETE FROM large WHERE n = (SELECT min(n) FROM large)")

    with connected(bed, database) as connection:
        connection.execute("CREATE TABLE queue (n serial PRIMARY KEY, text text)")
    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        mark = bed.broker.keeping.mark(database)
    finally:
        stop.set()
        for writer in writers:
            writer.join(60)
    assert {"public.queue", "public.large"} <= {each["name"] for each in mark.measured["tables"]}
    proved(bed, database, mark)


def test_a_table_that_lost_rows_is_named(bed: Bed, database: Instance) -> None:
    with torn(bed, database, "letters"):
        backed_up(bed, database)
    mark = bed.broker.keeping.mark(database)
    with pytest.raises(
        NotAllowed, match=r"public\.letters has \d+ rows in what was restored, and must have 5000 or more"
    ):
        proved(bed, database, mark)
    assert not docker("ps", "--all", "--quiet", "--filter", f"name={database.guid}-proof").strip()
    backed_up(bed, database)
    proved(bed, database, bed.broker.keeping.mark(database))


@contextmanager
def torn(bed: Bed, database: Instance, table: str) -> Iterator[None]:
    """Take all but the first block from the table's file, behind the server's back, as a disk that forgets does."""
    server, site = bed.broker.server(database), bed.broker.site(database)
    with server._superuser(site) as connection:  # type: ignore[attr-defined]
        connection.execute("CHECKPOINT")
        (path,) = connection.execute("SELECT pg_relation_filepath(%s)", [f"public.{table}"]).fetchone()
    path = f"/var/lib/postgresql/data/{path}"
    shell = lambda words: bed.machine.inside(database.guid, "sh", "-ec", words)  # noqa: E731
    assert shell(f"cp {path} /tmp/whole && truncate -s 8192 {path}").returncode == 0
    try:
        yield
    finally:
        assert shell(f"cat /tmp/whole > {path}").returncode == 0


def test_with_more_rows_than_there_can_have_been_it_is_told(bed: Bed, database: Instance) -> None:
    mark = bed.broker.keeping.mark(database)
    server, site = bed.broker.server(database), bed.broker.site(database)
    tables = mark.measured["tables"]
    found = [str(each["least"]) for each in tables]
    server.check(site, mark, found)  # type: ignore[attr-defined]
    letters = next(index for index, each in enumerate(tables) if each["name"] == "public.letters")
    for wrong, said in (("5001", "can have 5000 at most"), ("-", "could not be read")):
        with pytest.raises(NotAllowed, match=f"public.letters.*{said}"):
            server.check(site, mark, [*found[:letters], wrong, *found[letters + 1 :]])  # type: ignore[attr-defined]


TRAPS = """
    CREATE FUNCTION public.spring() RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN
        IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
            CREATE ROLE intruder SUPERUSER;
        END IF;
        RETURN 1;
    END $$;
    CREATE FUNCTION public.still(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
        RETURN public.spring();
    END $$;
    CREATE INDEX ON public.letters ((public.still(1)));
    CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
        PERFORM public.spring();
        RETURN 'SELECT 1';
    END $$;
    CREATE FUNCTION public.matches(name, name) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        PERFORM public.spring();
        RETURN pg_catalog.textregexeq(CAST($1 AS text), CAST($2 AS text));
    END $$;
    CREATE OPERATOR public.~ (LEFTARG = name, RIGHTARG = name, FUNCTION = public.matches);
"""


def test_nothing_that_a_tenant_wrote_is_run_as_the_superuser(bed: Bed, database: Instance) -> None:
    def superusers(there: Instance) -> list[str]:
        with connected(bed, there) as connection:
            return [name for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolsuper").fetchall()]

    with connected(bed, database) as connection:
        connection.execute(TRAPS)
    mark = bed.broker.keeping.mark(database)
    assert {each["name"]: each for each in mark.measured["tables"]}["public.letters"]["least"] == 5000
    assert proved(bed, database, mark).rows
    assert superusers(database) == ["postgres"]
    copy = replace(bed.instance("postgres", "tiny-15"), cipher="d" * 43, origin=Origin(database.guid, CIPHER))
    bed.provision(copy)
    assert superusers(copy) == ["postgres"]
