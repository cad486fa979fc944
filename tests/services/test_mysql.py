"""MariaDB on the platform's own engine: what a binding may do, and what outlives a restart or another plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from pymysql import err

from services.brokers.base import Done, Instance, Previous
from services.brokers.engine import plans
from services.brokers.engine.base import Metrics
from tests.cell.machine import docker, wait_until
from tests.services.bed import KEYS, Bed

pytestmark = pytest.mark.slow

Connect = Callable[..., Any]


@pytest.fixture(scope="module")
def database(bed: Bed) -> Instance:
    return bed.made("mysql", "tiny-10")


@pytest.fixture
def connect(bed: Bed) -> Iterator[Connect]:
    opened = []

    def log_in(credentials: dict[str, Any], **more: Any) -> Any:
        given = {
            "host": bed.addresses.taken[credentials["host"].partition(".")[0]],
            "user": credentials["username"],
            "password": credentials["password"],
            "database": credentials["name"],
            "ssl_ca": str(bed.machine.runtime.authority.certificate()),
            "ssl_verify_cert": True,
            "ssl_verify_identity": True,
            "autocommit": True,
            **more,
        }
        opened.append(pymysql.connect(**given))
        return opened[-1].cursor()

    yield log_in
    for connection in opened:
        if connection.open:
            connection.close()


def test_it_is_refused_without_encryption(bed: Bed, database: Instance, connect: Connect) -> None:
    credentials = bed.credentials(bed.binding(database))
    connect(credentials).execute("SELECT 1")
    with pytest.raises(err.OperationalError):
        connect(credentials, ssl_disabled=True, ssl_ca=None, ssl_verify_cert=None, ssl_verify_identity=None)


def test_only_a_bound_app_reaches_it_and_can_verify_it(bed: Bed, database: Instance) -> None:
    host = bed.credentials(bed.binding(database))["host"]
    mine, stranger = bed.app("site", database), bed.app("stranger")
    probe = (
        f"openssl s_client -connect {host}:3306 -starttls mysql -verify_return_error -verify_hostname {host}"
        " -CAfile /etc/cf-system-certificates/services.crt < /dev/null"
    )
    assert "Verify return code: 0 (ok)" in bed.machine.inside(mine.instance, "sh", "-c", probe).stdout
    assert "Verify return code" not in bed.machine.inside(stranger.instance, "sh", "-c", probe).stdout


def test_what_one_binding_makes_the_next_can_change(bed: Bed, database: Instance, connect: Connect) -> None:
    first = bed.binding(database)
    cursor = connect(bed.credentials(first))
    cursor.execute("CREATE TABLE letters (id int)")
    cursor.execute("CREATE VIEW recent AS SELECT id FROM letters")
    assert bed.broker.remove(first) == bed.broker.remove(first) == Done()
    assert bed.broker.fetch(first) is None
    cursor = connect(bed.credentials(bed.binding(database)))
    cursor.execute("INSERT INTO letters VALUES (1)")
    cursor.execute("SELECT id FROM recent")
    assert cursor.fetchall() == ((1,),)
    cursor.execute("DROP VIEW recent")
    cursor.execute("DROP TABLE letters")


MAY_NOT = [
    "CREATE USER another",
    "GRANT SELECT ON main.* TO root@localhost",
    "CREATE DATABASE more",
    "SELECT * FROM mysql.global_priv",
    "SET GLOBAL general_log = ON",
    "SELECT 1 INTO OUTFILE '/tmp/mysql/out'",
    "SHUTDOWN",
]
READER_MAY_NOT = ["INSERT INTO notes VALUES (2)", "DELETE FROM notes", "CREATE TABLE mine (id int)", "DROP TABLE notes"]


def test_nobody_is_a_superuser_and_a_reader_only_reads(bed: Bed, database: Instance, connect: Connect) -> None:
    writer = connect(bed.credentials(bed.binding(database)))
    writer.execute("CREATE TABLE notes AS SELECT 1 AS id")
    reader = connect(bed.credentials(bed.binding(database, read_only=True)))
    reader.execute("SELECT id FROM notes")
    assert reader.fetchall() == ((1,),)
    for cursor, statements in ((writer, MAY_NOT), (reader, [*MAY_NOT, *READER_MAY_NOT])):
        for statement in statements:
            with pytest.raises((err.OperationalError, err.ProgrammingError), match="denied"):
                cursor.execute(statement)
                pytest.fail(f"May run: {statement}")
    writer.execute("DROP TABLE notes")


def test_unbinding_ends_open_connections(bed: Bed, database: Instance, connect: Connect) -> None:
    binding = bed.binding(database)
    credentials = bed.credentials(binding)
    cursor = connect(credentials)
    assert bed.broker.remove(binding) == Done()
    with pytest.raises((err.OperationalError, err.InterfaceError)):
        cursor.execute("SELECT 1")
    with pytest.raises(err.OperationalError, match="denied"):
        connect(credentials)


def test_the_plan_is_kept_to(bed: Bed, database: Instance, connect: Connect) -> None:
    credentials, limit = bed.credentials(bed.binding(database)), bed.size(database).connections

    def is_full() -> bool:
        try:
            connect(credentials)
        except err.OperationalError as error:
            assert "Too many connections" in str(error)
            return bed.broker.metrics(database).connections == limit  # the platform still gets in
        return False

    wait_until(is_full, "it to be full")
    assert bed.limited(database)


def test_the_engine_restarts_it_with_the_control_plane_and_the_agent_down(bed: Bed, connect: Connect) -> None:
    database = bed.made("mysql", "tiny-10")
    credentials = bed.credentials(bed.binding(database))
    connect(credentials).execute("CREATE TABLE kept AS SELECT 1 AS id")
    bed.machine.stop_agent()
    try:
        bed.kill(database)
        cursor = wait_until(lambda: _or_none(lambda: connect(credentials)), "MariaDB to be back")
    finally:
        bed.machine.start_agent()
    cursor.execute("SELECT id FROM kept")
    assert cursor.fetchall() == ((1,),)


def test_data_outlives_a_reboot_and_another_plan(bed: Bed, connect: Connect) -> None:
    small = bed.made("mysql", "tiny-10")
    credentials = bed.credentials(bed.binding(small))
    connect(credentials).execute("CREATE TABLE kept AS SELECT 1 AS id")
    assert bed.broker.update(replace(small, parameters={"reboot": True}), Previous(small.plan_id)) == Done()
    large = replace(small, plan_id=plans.identity("mysql", "small-10"))
    assert bed.broker.update(large, Previous(small.plan_id)) == Done()
    cursor = connect(credentials)
    cursor.execute("SELECT id FROM kept")
    assert cursor.fetchall() == ((1,),)


def test_new_keys_of_the_platform_reach_a_server_that_runs(bed: Bed) -> None:
    database = bed.made("mysql", "tiny-10")
    new = "n" * 40
    assert bed.broker_with(keys=(new, *KEYS)).metrics(database).connections == 0
    assert bed.broker_with(keys=(new,)).metrics(database).connections == 0


def test_metrics_tell_of_slow_queries_without_their_values(bed: Bed, database: Instance, connect: Connect) -> None:
    cursor = connect(bed.credentials(bed.binding(database)))
    cursor.execute("SELECT SLEEP(2), 'a secret'")
    text = "SELECT SLEEP(?), ?"

    def told() -> Metrics | None:
        metrics = bed.broker.metrics(database)
        return metrics if any(each.text == text for each in metrics.slow_queries) else None

    metrics = wait_until(told, "the server to write its log of them")
    assert metrics.connections >= 1 and metrics.cache_hits and metrics.size_bytes >= 0
    slow = next(each for each in metrics.slow_queries if each.text == text)
    assert metrics.slow_queries[0].mean_ms >= slow.mean_ms >= 1000


def test_slow_statements_do_not_fill_the_disk(bed: Bed, database: Instance, connect: Connect) -> None:
    kept = ("exec", bed.container(database), "stat", "--format", "%s", "/var/lib/mysql/data/mysql/slow_log.CSV")
    cursor = connect(bed.credentials(bed.binding(database)))
    for _ in range(18):
        cursor.execute(f"SELECT SLEEP(0.25), length('{'x' * (1 << 20)}')")
    assert int(docker(*kept)) > 16 << 20
    wait_until(lambda: int(docker(*kept)) < 1 << 20, "the list to be shortened")
    cursor.execute("SELECT SLEEP(1), 'after'")
    wait_until(lambda: bed.broker.metrics(database).slow_queries, "the next one to be told")


def _or_none(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except err.OperationalError:
        return None
