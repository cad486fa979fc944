"""PostgreSQL on the platform's own engine: what a binding may do, what nobody else may, and what happens to the server."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from services.brokers.base import Accepted, Done, Instance, OperationInProgress, Previous, Refused
from services.brokers.engine import plans
from services.brokers.engine.base import NotReady
from tests.cell.machine import docker, wait_until
from tests.services.bed import KEYS, Bed

pytestmark = pytest.mark.slow

Connect = Callable[..., psycopg.Connection[Any]]


@pytest.fixture(scope="module")
def database(bed: Bed) -> Instance:
    return bed.made("postgres", "tiny-15")


@pytest.fixture
def connect(bed: Bed) -> Iterator[Connect]:
    """Return what logs in with a binding's credentials, from the machine itself."""
    opened = []

    def log_in(credentials: dict[str, Any], **more: Any) -> psycopg.Connection[Any]:
        address = bed.addresses.taken[credentials["host"].partition(".")[0]]
        given = {
            "host": credentials["host"],
            "hostaddr": address,
            "dbname": credentials["name"],
            "user": credentials["username"],
            "password": credentials["password"],
            "sslmode": "require",
            "connect_timeout": 5,
            **more,
        }
        connection = psycopg.connect(**given, autocommit=True)
        opened.append(connection)
        return connection

    yield log_in
    for connection in opened:
        connection.close()


def test_an_app_reads_and_writes_with_the_server_verified(bed: Bed, database: Instance) -> None:
    app = bed.app("site", database)
    uri = bed.credentials(bed.binding(database))["uri"]
    assert "sslmode=verify-full" in uri
    assert bed.libpq(app, uri, "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "true"
    assert "certificate" in bed.libpq(
        app, uri.replace("cf-system-certificates/services.crt", "ssl/certs/ca-certificates.crt"), "SELECT 1"
    )
    assert "no encryption" in bed.libpq(app, uri.replace("verify-full", "disable"), "SELECT 1")


def test_another_tenants_app_does_not_reach_it(bed: Bed, database: Instance) -> None:
    other = bed.made("postgres", "tiny-15")
    stranger = bed.app("stranger", other)
    uri = bed.credentials(bed.binding(database))["uri"] + "&connect_timeout=3"
    assert "refused" in bed.libpq(stranger, uri, "SELECT 1") or "timeout" in bed.libpq(stranger, uri, "SELECT 1")
    assert bed.libpq(stranger, bed.credentials(bed.binding(other))["uri"], "SELECT 1") == "1"


def test_what_one_binding_makes_the_next_can_change(bed: Bed, database: Instance, connect: Connect) -> None:
    first = bed.binding(database)
    with connect(bed.credentials(first)) as one:
        one.execute("CREATE SCHEMA ours; CREATE TABLE ours.letters (id serial PRIMARY KEY, text text)")
        one.execute("INSERT INTO ours.letters (text) VALUES ('a')")
    assert bed.broker.remove(first) == Done()
    with connect(bed.credentials(bed.binding(database))) as two:
        two.execute("INSERT INTO ours.letters (text) VALUES ('b')")
        two.execute("ALTER TABLE ours.letters ADD COLUMN read_at timestamptz")
        assert two.execute("SELECT count(*) FROM ours.letters").fetchone() == (2,)
        two.execute("DROP SCHEMA ours CASCADE")


def test_nobody_makes_anything_that_others_cannot_use(bed: Bed, database: Instance, connect: Connect) -> None:
    connection = connect(bed.credentials(bed.binding(database)), options="-c role=none")
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE public.mine (id int)")


READ_ONLY_MAY_NOT = [
    "INSERT INTO notes VALUES (2)",
    "UPDATE notes SET id = 3",
    "DELETE FROM notes",
    "TRUNCATE notes",
    "DROP TABLE notes",
    "ALTER TABLE notes ADD COLUMN more int",
    "SELECT * FROM notes FOR UPDATE",
    "SELECT nextval('numbers')",
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION hstore",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_create(0)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SET ROLE manager",
    "SET SESSION AUTHORIZATION postgres",
    "CREATE ROLE another LOGIN",
    "ALTER ROLE CURRENT_USER CREATEROLE",
    "COPY notes TO PROGRAM 'id'",
    "COPY notes FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/cf-service-bindings/superuser')",
    "SELECT rolpassword FROM pg_authid",
]


def test_a_reader_reads_everything_and_changes_nothing(bed: Bed, database: Instance, connect: Connect) -> None:
    writer = connect(bed.credentials(bed.binding(database)))
    writer.execute("CREATE TABLE notes (id int); INSERT INTO notes VALUES (1); CREATE SEQUENCE numbers")
    binding = bed.binding(database, read_only=True)
    reader = connect(bed.credentials(binding))
    held = bed.broker.fetch(binding)
    assert held and held.parameters == {"read_only": True}
    assert reader.execute("SELECT id FROM notes").fetchall() == [(1,)]
    writer.execute("CREATE SCHEMA later; CREATE TABLE later.more AS SELECT 7 AS id")
    assert reader.execute("SELECT id FROM later.more").fetchall() == [(7,)]
    reader.execute("SET default_transaction_read_only = off")  # which is courtesy, and no wall
    for statement in READ_ONLY_MAY_NOT:
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(statement)
            pytest.fail(f"A reader may run: {statement}")
    writer.execute("DROP TABLE notes; DROP SEQUENCE numbers; DROP SCHEMA later CASCADE")


WRITER_MAY_NOT = [
    "CREATE ROLE another LOGIN",
    "ALTER ROLE postgres PASSWORD 'x'",
    "SET SESSION AUTHORIZATION postgres",
    "CREATE DATABASE more",
    "ALTER DATABASE main CONNECTION LIMIT 1",
    "ALTER SYSTEM SET fsync = off",
    "CREATE EXTENSION postgis",
    "CREATE TABLE extensions.mine (id int)",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "CREATE TABLE passwd (line text); COPY passwd FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/cf-service-bindings/superuser')",
    "SELECT rolpassword FROM pg_authid",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE c AS '/tmp/mine'",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
]


def test_a_writer_is_no_superuser(bed: Bed, database: Instance, connect: Connect) -> None:
    writer = connect(bed.credentials(bed.binding(database)))
    platform = bed.broker.servers[database.offering_id]._superuser(bed.broker.site(database))  # type: ignore[attr-defined]
    with platform:
        for statement in WRITER_MAY_NOT:
            with pytest.raises(errors.InsufficientPrivilege):
                writer.execute(statement)
                pytest.fail(f"A writer may run: {statement}")


def test_the_superuser_gets_in_from_nowhere_else(bed: Bed, database: Instance) -> None:
    app = bed.app("curious", database)
    site = bed.broker.site(database)
    uri = f"postgres://postgres:{site.passwords[0]}@{site.host}/main?sslmode=require"
    assert "pg_hba.conf rejects" in bed.libpq(app, uri, "SELECT 1")


def test_extensions_come_from_the_list_alone(bed: Bed, connect: Connect) -> None:
    database = bed.made("postgres", "tiny-15", enable_extensions=["postgis", "pg_trgm", "postgis_topology"])
    connection = connect(bed.credentials(bed.binding(database)))
    row = connection.execute("SELECT ST_AsText(ST_Centroid('POLYGON((0 0,2 0,2 2,0 2,0 0))'::geometry))").fetchone()
    assert row == ("POINT(1 1)",)
    connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")  # as frameworks do, whether it is there or not
    assert connection.execute("SELECT 'a'::citext = 'A', similarity('word', 'words') > 0.5").fetchone() == (True, True)

    def updated(**parameters: Any) -> Any:
        return bed.broker.update(replace(database, parameters=parameters), Previous(database.plan_id))

    assert isinstance(updated(enable_extensions=["file_fdw"]), Refused)
    assert updated(disable_extensions=["pg_trgm"]) == updated(disable_extensions=["pg_trgm"]) == Done()
    with pytest.raises(errors.UndefinedFunction):
        connection.execute("SELECT similarity('a', 'b')")
    found = bed.broker.fetch(database)
    assert found and set(found.parameters["enable_extensions"]) == {"postgis", "postgis_topology"}
    connection.execute("CREATE TABLE places (here geometry)")
    refused = updated(disable_extensions=["postgis"])
    assert isinstance(refused, Refused) and "still in use" in refused.error.detail


def test_every_extension_of_the_list_can_be_enabled_and_lends_nobody_the_superuser(bed: Bed, connect: Connect) -> None:
    service = bed.broker.services[plans.identity("postgres")]
    database = bed.made("postgres", "tiny-15", enable_extensions=service.more["extensions"])
    connection = connect(bed.credentials(bed.binding(database)))
    lent = """SELECT DISTINCT proname FROM pg_proc WHERE prosecdef AND prorettype <> 'event_trigger'::regtype
        AND has_function_privilege(oid, 'EXECUTE')"""
    assert connection.execute(lent).fetchall() == [("st_estimatedextent",)]  # which reads statistics, and runs nothing
    connection.execute("CREATE TABLE words (them tsvector); CREATE INDEX ON words USING rum (them rum_tsvector_ops)")
    assert connection.execute("SELECT '1.10.0'::semver > '1.9.0', '1 km'::unit > '1 m'").fetchone() == (True, True)


def test_unbinding_ends_open_connections(bed: Bed, database: Instance, connect: Connect) -> None:
    binding = bed.binding(database)
    credentials = bed.credentials(binding)
    connection = connect(credentials)
    connection.execute("CREATE TEMPORARY TABLE mine (id int)")
    assert bed.broker.remove(binding) == Done()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect(credentials)
    assert bed.broker.fetch(binding) is None


def test_a_user_is_not_taken_for_gone_while_the_server_is_away(bed: Bed, connect: Connect) -> None:
    database = bed.made("postgres", "tiny-15")
    binding = bed.binding(database)
    bed.credentials(binding)
    bed.machine.runtime.prune(database.guid, ())
    outcome = bed.broker.remove(binding)
    assert isinstance(outcome, Accepted) and bed.broker.poll(binding, outcome.operation).state == "in progress"
    bed.broker.run(database)
    assert wait_until(lambda: bed.broker.poll(binding, outcome.operation).state == "gone", "the user to be gone")


def test_an_unbound_app_loses_its_way_at_once(bed: Bed, database: Instance) -> None:
    workload = bed.machine.workload("leaving", reaches=(bed.broker.way(database.offering_id, database.guid),))
    app = bed.machine.run(workload)
    uri = bed.credentials(bed.binding(database))["uri"] + "&connect_timeout=3"
    assert bed.libpq(app, uri, "SELECT 1") == "1"
    bed.machine.runtime.apply(replace(workload, reaches=()))
    assert "refused" in bed.libpq(app, uri, "SELECT 1")


def test_the_plan_is_kept_to(bed: Bed, database: Instance, connect: Connect) -> None:
    size, credentials = bed.size(database), bed.credentials(bed.binding(database))
    with pytest.raises(psycopg.OperationalError, match="remaining connection slots are reserved"):
        for _ in range(size.connections + 1):
            connect(credentials)
    assert bed.broker.metrics(database).connections == size.connections  # the platform still gets in
    assert bed.limited(database)


def test_the_engine_restarts_it_with_the_control_plane_and_the_agent_down(
    bed: Bed, database: Instance, connect: Connect
) -> None:
    credentials = bed.credentials(bed.binding(database))
    with connect(credentials) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    bed.machine.stop_agent()
    try:
        bed.kill(database)
        again = wait_until(lambda: _or_none(lambda: connect(credentials)), "PostgreSQL to be back")
    finally:
        bed.machine.start_agent()
    assert again.execute("SELECT id FROM kept").fetchall() == [(1,)]
    again.execute("DROP TABLE kept")


def test_after_a_boot_it_is_put_back_from_the_agents_memory(bed: Bed, database: Instance, connect: Connect) -> None:
    credentials = bed.credentials(bed.binding(database))
    bed.machine.stop_agent()
    docker("kill", bed.container(database))
    volume = bed.machine.folder / "volumes" / database.guid
    subprocess.run(["umount", str(volume)], check=True)
    bed.machine.start_agent()
    wait_until(lambda: _or_none(lambda: connect(credentials)), "PostgreSQL to be back")


def test_a_reboot_keeps_the_data(bed: Bed, database: Instance, connect: Connect) -> None:
    credentials = bed.credentials(bed.binding(database))
    connection = connect(credentials)
    connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    assert bed.broker.update(replace(database, parameters={"reboot": True}), Previous(database.plan_id)) == Done()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with connect(credentials) as again:
        assert again.execute("SELECT id FROM kept").fetchall() == [(1,)]
        again.execute("DROP TABLE kept")


def test_a_larger_plan_keeps_the_data_and_never_goes_back(bed: Bed, connect: Connect) -> None:
    small = bed.made("postgres", "tiny-15")
    credentials = bed.credentials(bed.binding(small))
    with connect(credentials) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    large = replace(small, plan_id=plans.identity("postgres", "small-15"))
    assert bed.broker.update(large, Previous(small.plan_id)) == Done()
    with connect(credentials) as connection:
        assert connection.execute("SELECT id FROM kept").fetchall() == [(1,)]
    disk_mb = bed.size(large).disk_mb
    blocks = docker("exec", bed.container(large), "df", "--output=size", "--block-size=1M", "/var/lib/postgresql")
    assert int(blocks.split()[-1]) > disk_mb * 0.9
    refused = bed.broker.update(small, Previous(large.plan_id))
    assert isinstance(refused, Refused) and "cannot shrink" in refused.error.detail


def test_a_full_disk_is_its_own_and_can_be_emptied(bed: Bed, database: Instance, connect: Connect) -> None:
    full = bed.made("postgres", "tiny-15")
    credentials = bed.credentials(bed.binding(full))
    with connect(credentials) as connection, pytest.raises(psycopg.OperationalError):
        connection.execute("CREATE TABLE filling (text text)")
        while True:
            connection.execute("INSERT INTO filling SELECT repeat(md5(n::text), 30) FROM generate_series(1, 20000) n")
    connect(bed.credentials(bed.binding(database))).execute(
        "CREATE TABLE untroubled AS SELECT 1; DROP TABLE untroubled"
    )

    def emptied() -> bool:
        connect(credentials).execute("DROP TABLE IF EXISTS filling")
        return True

    wait_until(lambda: _or_none(emptied), "the table to be dropped")
    with connect(credentials) as connection:
        connection.execute("CREATE TABLE again AS SELECT generate_series(1, 1000)")


def test_what_the_machine_has_no_room_for_is_refused_and_leaves_nothing(bed: Bed) -> None:
    wanted = bed.instance("postgres", "xlarge-15")
    refused = bed.broker_with(scale=100).provision(wanted)
    assert isinstance(refused, Refused) and " MB " in refused.error.detail
    assert bed.broker.fetch(wanted) is None and wanted.guid not in bed.addresses.taken


def test_a_plan_without_room_leaves_the_server_as_it_runs(bed: Bed, database: Instance, connect: Connect) -> None:
    connection = connect(bed.credentials(bed.binding(database)))
    larger = replace(database, plan_id=plans.identity("postgres", "xlarge-15"))
    refused = bed.broker.update(larger, Previous(database.plan_id))
    assert isinstance(refused, Refused) and "has no room" in refused.error.detail
    connection.execute("SELECT 1")


def test_deprovisioning_leaves_nothing(bed: Bed) -> None:
    gone = bed.made("postgres", "tiny-15")
    assert bed.broker.remove(gone) == bed.broker.remove(gone) == Done()
    assert not list((bed.machine.folder / "volumes").glob(f"{gone.guid}*"))
    assert gone.guid not in bed.addresses.taken
    assert not docker("ps", "--all", "--quiet", "--filter", f"name={bed.container(gone)}").strip()


def test_new_keys_of_the_platform_reach_a_server_that_runs(bed: Bed, connect: Connect) -> None:
    database = bed.made("postgres", "tiny-15")
    new = "n" * 40
    assert bed.broker_with(keys=(new, *KEYS)).metrics(database).connections == 0
    assert bed.broker_with(keys=(new,)).metrics(database).connections == 0
    with pytest.raises(NotReady):
        bed.broker_with(keys=(str(uuid4()) * 2,)).metrics(database)


def test_metrics_tell_of_slow_queries(bed: Bed, database: Instance, connect: Connect) -> None:
    connection = connect(bed.credentials(bed.binding(database)))
    connection.execute("SELECT pg_sleep(0.3)")
    metrics = bed.broker.metrics(database)
    assert metrics.connections >= 1 and metrics.connections_limit > 0 and metrics.size_bytes > 1 << 20
    assert metrics.cache_hits is not None and 0 < metrics.cache_hits <= 1
    slow = next(each for each in metrics.slow_queries if "pg_sleep($1)" in each.text)
    assert slow.mean_ms > 200 and metrics.slow_queries[0].mean_ms >= slow.mean_ms
    seen = bed.broker.observation(database.guid)
    assert seen and seen.disk_bytes and seen.disk_bytes > 30 << 20


def test_an_engine_that_is_away_is_asked_again_later(bed: Bed, database: Instance) -> None:
    bed.machine.stop_agent()
    try:
        outcome = bed.broker.update(replace(database, parameters={"reboot": True}), Previous(database.plan_id))
        assert isinstance(outcome, Refused) and isinstance(outcome.error, OperationInProgress)
    finally:
        bed.machine.start_agent()


def _or_none(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except psycopg.OperationalError:
        return None
