"""Databases in RDS, as Amazon's API has them; what moto lacks is a database, which stands beside it in a container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pymysql
import pytest

from services.brokers.base import (
    Accepted,
    Binding,
    Done,
    Instance,
    OperationInProgress,
    Place,
    Previous,
    Progress,
    Refused,
)
from tests.services.amazon.servers import HOST, Mysql, Postgres, mysql_behind, postgres_behind
from tests.services.amazon.stand_in import Amazon

pytestmark = pytest.mark.slow
KIND = "aws-rds-postgres"


@pytest.fixture(scope="module")
def server(amazon: Amazon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres_behind(amazon, tmp_path_factory.mktemp("postgres")) as made:
        yield made


@pytest.fixture(scope="module")
def database(amazon: Amazon, server: Postgres) -> Instance:
    return made(amazon, "small-15")


def made(amazon: Amazon, plan: str, kind: str = KIND, **parameters: Any) -> Instance:
    instance = amazon.instance(kind, plan, **parameters)
    assert isinstance(amazon.broker.provision(instance), Accepted)
    assert settled(amazon, instance, "provision") == Progress("succeeded")
    return instance


def settled(amazon: Amazon, what: Instance | Binding, operation: str) -> Progress:
    for _ in range(5):
        progress = amazon.broker.poll(what, operation)
        if progress.state != "in progress":
            return progress
    raise AssertionError(progress)


def there(amazon: Amazon, instance: Instance) -> dict[str, Any]:
    name = f"paas-{instance.guid}"
    (found,) = amazon.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return dict(found)


def labels(found: dict[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in found["TagList"]}


def connect(server: Postgres, credentials: dict[str, Any]) -> psycopg.Connection[Any]:
    """As an app does, but for the address, which is the test's."""
    return psycopg.connect(
        host=HOST,
        port=server.port,
        user=credentials["username"],
        password=credentials["password"],
        dbname=credentials["name"],
        sslmode="verify-full",
        sslrootcert=str(server.there.authority),
        autocommit=True,
    )


def test_a_database_is_as_its_plan_says(amazon: Amazon, server: Postgres) -> None:
    broker = amazon.broker
    instance = made(amazon, "medium-ha-15", preferred_maintenance_window="Tue:04:00-Tue:04:30")
    found = there(amazon, instance)
    assert (found["DBInstanceClass"], found["AllocatedStorage"], found["MultiAZ"]) == ("db.m5.large", 100, True)
    assert found["StorageEncrypted"] and not found["PubliclyAccessible"] and found["BackupRetentionPeriod"] == 7
    assert found["PreferredMaintenanceWindow"] == "tue:04:00-tue:04:30" and found["CopyTagsToSnapshot"]
    assert labels(found)["paas:space"] == "space-guid" and labels(found)["paas:instance"] == instance.guid
    told = broker.fetch(instance)
    assert told and told.plan_id == instance.plan_id


def test_it_stands_where_the_operator_says(amazon: Amazon, server: Postgres) -> None:
    rds, ec2, kms = (amazon.client(service) for service in ("rds", "ec2", "kms"))
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    rds.create_db_subnet_group(DBSubnetGroupName="private", DBSubnetGroupDescription="apart", SubnetIds=subnets)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    broker = amazon.broker_with(subnet_group="private", security_groups=("sg-1234",), kms_key=key)
    instance = amazon.instance(KIND, "tiny-15")
    assert isinstance(broker.provision(instance), Accepted)
    found = there(amazon, instance)
    assert found["DBSubnetGroup"]["DBSubnetGroupName"] == "private" and found["KmsKeyId"] == key
    assert [each["VpcSecurityGroupId"] for each in found["VpcSecurityGroups"]] == ["sg-1234"]


def test_what_one_binding_makes_the_next_uses_and_who_reads_only_reads(
    amazon: Amazon, server: Postgres, database: Instance
) -> None:
    first, second, reads = (amazon.binding(database) for _ in range(3))
    reads = replace(reads, parameters={"read_only": True})
    with connect(server, amazon.credentials(first)) as one:
        one.execute("CREATE TABLE notes (id int PRIMARY KEY, text citext)")
        one.execute("INSERT INTO notes VALUES (1, 'hello')")
    with connect(server, amazon.credentials(second)) as two:
        two.execute("INSERT INTO notes VALUES (2, 'again')")
        two.execute("ALTER TABLE notes ADD COLUMN more text")
    with connect(server, amazon.credentials(reads)) as three:
        assert three.execute("SELECT count(*) FROM notes").fetchone() == (2,)
        with pytest.raises(psycopg.Error):
            three.execute("INSERT INTO notes VALUES (3, 'no')")
        three.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            three.execute("INSERT INTO notes VALUES (3, 'no')")
    for binding in (first, second, reads):
        assert amazon.broker.remove(binding) == Done()


def test_who_is_unbound_is_gone_and_what_they_made_stays(amazon: Amazon, server: Postgres, database: Instance) -> None:
    binding, other = amazon.binding(database), amazon.binding(database)
    credentials = amazon.credentials(binding)
    connection = connect(server, credentials)
    connection.execute("CREATE TABLE kept (id int)")
    assert amazon.broker.remove(binding) == Done() == amazon.broker.remove(binding)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        connect(server, credentials)
    with connect(server, amazon.credentials(other)) as connection:
        connection.execute("DROP TABLE kept")
    assert amazon.broker.remove(other) == Done()


def test_extensions_are_enabled_and_disabled(amazon: Amazon, server: Postgres, database: Instance) -> None:
    wished = replace(database, parameters={"enable_extensions": ["hstore"]})
    assert amazon.broker.update(wished, Previous(database.plan_id)) == Done()
    found = amazon.broker.fetch(database)
    assert found and found.parameters["enable_extensions"] == ["hstore"]
    wished = replace(database, parameters={"disable_extensions": ["hstore"], "reboot": True})
    assert amazon.broker.update(wished, Previous(database.plan_id)) == Done()
    found = amazon.broker.fetch(database)
    assert found and found.parameters["enable_extensions"] == []
    refused = amazon.broker.update(replace(database, parameters={"enable_extensions": ["dblink"]}), Previous(""))
    assert isinstance(refused, Refused) and "dblink" in refused.error.detail


def test_a_disk_grows_and_never_shrinks(amazon: Amazon, server: Postgres) -> None:
    instance = made(amazon, "tiny-15")
    larger = replace(instance, plan_id=amazon.instance(KIND, "medium-15").plan_id)
    assert amazon.broker.update(larger, Previous(instance.plan_id)) == Done()
    found = there(amazon, instance)
    assert (found["DBInstanceClass"], found["AllocatedStorage"]) == ("db.m5.large", 100)
    refused = amazon.broker.update(instance, Previous(larger.plan_id))
    assert isinstance(refused, Refused) and "cannot shrink" in refused.error.detail


def test_a_change_waits_for_the_window_where_it_may(amazon: Amazon, server: Postgres) -> None:
    instance = made(amazon, "tiny-15")
    larger = replace(instance, plan_id=amazon.instance(KIND, "medium-15").plan_id)
    waits = replace(larger, parameters={"apply_at_maintenance_window": True})
    assert amazon.broker.update(waits, Previous(instance.plan_id)) == Done()
    found = there(amazon, instance)
    assert found["DBInstanceClass"] == "db.t3.micro" and labels(found)["paas:plan"] == larger.plan_id
    assert found["PendingModifiedValues"]["DBInstanceClass"] == "db.m5.large"
    bound = amazon.binding(larger)
    connect(server, amazon.credentials(bound)).close()
    assert amazon.broker.remove(bound) == Done()


def test_a_server_is_brought_to_the_newest_minor_version(amazon: Amazon, server: Postgres) -> None:
    instance = replace(made(amazon, "tiny-15"), parameters={"update_minor_version_to_latest": True})
    for _ in range(2):  # twice is harmless
        assert amazon.broker.update(instance, Previous(instance.plan_id)) == Done()
        assert there(amazon, instance)["EngineVersion"] == "15.10"


def test_while_amazon_is_at_work_a_change_waits(amazon: Amazon, server: Postgres) -> None:
    instance = made(amazon, "tiny-15")
    amazon.client("rds").stop_db_instance(DBInstanceIdentifier=f"paas-{instance.guid}")
    waits = amazon.broker.update(replace(instance, parameters={"reboot": True}), Previous(instance.plan_id))
    assert isinstance(waits, Refused) and isinstance(waits.error, OperationInProgress)
    assert isinstance(amazon.broker.bind(amazon.binding(instance)), Accepted)
    amazon.client("rds").start_db_instance(DBInstanceIdentifier=f"paas-{instance.guid}")


def test_a_restore_takes_a_snapshot_of_the_same_space_and_is_its_own_database(
    amazon: Amazon, server: Postgres, database: Instance
) -> None:
    bound, rds = amazon.binding(database), amazon.client("rds")
    credentials = amazon.credentials(bound)
    name = f"paas-{database.guid}"
    rds.create_db_snapshot(
        DBInstanceIdentifier=name, DBSnapshotIdentifier="taken", Tags=there(amazon, database)["TagList"]
    )
    restored = made(amazon, "medium-15", restore_from_latest_snapshot_of=database.guid)
    found = there(amazon, restored)
    assert found["DBInstanceClass"] == "db.m5.large" and found["BackupRetentionPeriod"] == 7
    assert labels(found)["paas:instance"] == restored.guid and "paas:restored" not in labels(found)
    with pytest.raises(psycopg.OperationalError):  # who was bound to what it was made from is not bound to it
        connect(server, credentials)
    rds.delete_db_snapshot(DBSnapshotIdentifier="taken")


def test_a_restore_to_a_time_needs_the_database_to_be_there(
    amazon: Amazon, server: Postgres, database: Instance
) -> None:
    restored = made(amazon, "small-15", restore_from_point_in_time_of=database.guid)
    assert there(amazon, restored)["Engine"] == "postgres"
    missing = amazon.instance(KIND, "small-15", restore_from_point_in_time_of=amazon.instance(KIND, "tiny-15").guid)
    refused = amazon.broker.provision(missing)
    assert isinstance(refused, Refused) and "no database" in refused.error.detail


@pytest.mark.parametrize("way", ["restore_from_point_in_time_of", "restore_from_latest_snapshot_of"])
def test_nobody_restores_what_belongs_to_another_space(
    amazon: Amazon, server: Postgres, database: Instance, way: str
) -> None:
    elsewhere = Place("org-guid", "ministry", "another-space", "staging")
    thief = replace(amazon.instance(KIND, "small-15", **{way: database.guid}), place=elsewhere)
    refused = amazon.broker.provision(thief)
    assert isinstance(refused, Refused) and "in this space" in refused.error.detail
    assert amazon.broker.fetch(thief) is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"preferred_maintenance_window": "at night"},
        {"restore_from_latest_snapshot_before": "2026-03-31 14:05:00"},
        {"restore_from_latest_snapshot_of": "not-a-guid"},
        {"restore_from_point_in_time_of": "a" * 32, "restore_from_point_in_time_before": "yesterday"},
        {"restore_from_point_in_time_of": "a" * 32, "restore_from_latest_snapshot_of": "b" * 32},
    ],
)
def test_what_is_not_told_clearly_is_refused(amazon: Amazon, server: Postgres, parameters: dict[str, Any]) -> None:
    assert isinstance(amazon.broker.provision(amazon.instance(KIND, "tiny-15", **parameters)), Refused)


def test_a_deleted_database_leaves_a_last_snapshot_for_35_days(amazon: Amazon, server: Postgres) -> None:
    instance, rds = made(amazon, "tiny-15"), amazon.client("rds")
    assert isinstance(amazon.broker.remove(instance), Accepted)
    assert settled(amazon, instance, "remove") == Progress("gone")
    (kept,) = rds.describe_db_snapshots(DBSnapshotIdentifier=f"paas-{instance.guid}-final")["DBSnapshots"]
    amazon.broker.forget(kept["SnapshotCreateTime"] - timedelta(seconds=1))
    restored = made(amazon, "tiny-15", restore_from_latest_snapshot_of=instance.guid)
    assert there(amazon, restored)["DBInstanceStatus"] == "available"
    amazon.broker.forget(datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        rds.describe_db_snapshots(DBSnapshotIdentifier=f"paas-{instance.guid}-final")


class TestMysql:
    """MariaDB stands in for MySQL itself, which Debian does not have."""

    @pytest.fixture(scope="class")
    def server(self, amazon: Amazon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mysql]:
        with mysql_behind(amazon, tmp_path_factory.mktemp("mysql")) as made:
            yield made

    def connect(self, server: Mysql, credentials: dict[str, Any]) -> Any:
        who = {"user": credentials["username"], "password": credentials["password"], "database": credentials["name"]}
        ca = str(server.there.authority)
        return pymysql.connect(host=HOST, port=server.port, ssl_ca=ca, autocommit=True, **who)

    def test_users_come_share_and_go_with_their_connections(self, amazon: Amazon, server: Mysql) -> None:
        database = made(amazon, "tiny-8.4", "aws-rds-mysql")
        writes, reads = amazon.binding(database), amazon.binding(database, read_only=True)
        credentials = amazon.credentials(writes)
        assert len(credentials["username"]) <= 32
        connection = self.connect(server, credentials)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE notes (id int)")
        with self.connect(server, amazon.credentials(reads)) as other, other.cursor() as cursor:
            cursor.execute("SELECT * FROM notes")
            with pytest.raises(pymysql.err.OperationalError):
                cursor.execute("INSERT INTO notes VALUES (1)")
        found = amazon.broker.fetch(reads)
        assert found and found.parameters == {"read_only": True}
        assert amazon.broker.remove(writes) == Done() == amazon.broker.remove(writes)
        with pytest.raises(pymysql.err.Error), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with pytest.raises(pymysql.err.OperationalError):
            self.connect(server, credentials)
        assert amazon.broker.fetch(writes) is None

    def test_a_password_of_an_older_key_is_replaced(self, amazon: Amazon, server: Mysql) -> None:
        there, new = server.there, "a-new-password"
        for passwords in ((new, *there.passwords), (new,), (*there.passwords, new), there.passwords):
            server.there = replace(there, passwords=passwords)
            server._connect(there).close()
