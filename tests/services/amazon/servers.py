"""The servers behind the databases that moto only tells of: real ones, in containers, where nobody is a superuser."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from paas.host import images
from paas.seams.runtimes.authority import Authority
from services.brokers.amazon.databases import RdsMysql, RdsPostgres
from services.brokers.engine.base import NotReady, Site, Size
from tests.services.amazon.stand_in import Amazon

HOST, PASSWORD = "localhost", "master-password"
SECONDS = 60
POSTGRES = f"""
set -e
cp /given/* /tmp && chmod 600 /tmp/key.pem
bin=$(ls -d /usr/lib/postgresql/*/bin)
echo superuser > /tmp/superuser
$bin/initdb --pgdata /tmp/data --username rdsadmin --pwfile /tmp/superuser --auth trust --no-sync > /dev/null
echo "hostssl all all all scram-sha-256" > /tmp/data/pg_hba.conf
# Amazon lets its master make extensions that elsewhere only a superuser may: here they are there already.
$bin/postgres --single -j -D /tmp/data -c shared_preload_libraries=pg_stat_statements postgres > /dev/null <<SQL
CREATE ROLE postgres LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}';

GRANT pg_signal_backend TO postgres;

CREATE DATABASE main OWNER postgres;
SQL
$bin/postgres --single -j -D /tmp/data -c shared_preload_libraries=pg_stat_statements main > /dev/null <<SQL
CREATE SCHEMA extensions AUTHORIZATION postgres;

CREATE EXTENSION pg_stat_statements SCHEMA extensions;
SQL
exec $bin/postgres -D /tmp/data -p PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories=/tmp \\
    -c shared_preload_libraries=pg_stat_statements -c ssl=on -c ssl_cert_file=/tmp/certificate.pem \\
    -c ssl_key_file=/tmp/key.pem -c fsync=off
"""
MARIADB = f"""
set -e
cp /given/* /tmp && chmod 600 /tmp/key.pem
cp --recursive /usr/local/lib/paas/data /tmp/data
cat > /tmp/first.sql <<SQL
CREATE USER platform@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
GRANT ALL PRIVILEGES ON *.* TO platform@'%' WITH GRANT OPTION;
CREATE DATABASE main CHARACTER SET utf8mb4;
CREATE DEFINER='root'@'localhost' PROCEDURE mysql.rds_kill(IN number BIGINT) KILL number;
SQL
exec mariadbd --no-defaults --datadir=/tmp/data --port=PORT --bind-address=127.0.0.1 --skip-name-resolve \\
    --init-file=/tmp/first.sql --socket=/tmp/server.sock --pid-file=/tmp/server.pid \\
    --ssl-cert=/tmp/certificate.pem --ssl-key=/tmp/key.pem
"""


class Postgres(RdsPostgres):
    """Goes where the real server is, and not where moto says."""

    there: Site

    def _connect(self, site: Site, database: str) -> Any:
        return super()._connect(_moved(site, self.there), database)


class Mysql(RdsMysql):
    there: Site

    def _connect(self, site: Site) -> Any:
        return super()._connect(_moved(site, self.there))


def _moved(site: Site, there: Site) -> Site:
    return replace(site, host=there.host, authority=there.authority, passwords=there.passwords)


@contextmanager
def postgres_behind(amazon: Amazon, folder: Path) -> Iterator[Postgres]:
    """Have the broker's PostgreSQL databases stand on a real server."""
    with _running("postgres", POSTGRES, folder) as (port, site):
        server = _server(amazon, "aws-rds-postgres", Postgres, port, site)
        _wait(lambda: server._connect(site, "main").close())
        yield server


@contextmanager
def mysql_behind(amazon: Amazon, folder: Path) -> Iterator[Mysql]:
    """Have the broker's MySQL databases stand on a real server: MariaDB, which Debian has."""
    with _running("mysql", MARIADB, folder) as (port, site):
        server = _server(amazon, "aws-rds-mysql", Mysql, port, site)
        _wait(lambda: server._connect(site).close())
        yield server


def _server(amazon: Amazon, kind: str, made: Any, port: int, site: Site) -> Any:
    databases: Any = next(each for each in amazon.broker.kinds.values() if each.offer.kind == kind)
    server = made(databases.offer.more)
    server.port, server.there = port, site
    databases.server = server
    return server


@contextmanager
def _running(service: str, script: str, folder: Path) -> Iterator[tuple[int, Site]]:
    images.ensure_services(lambda text: None)
    authority = Authority(folder / "authority")
    issued = authority.issue(HOST, "127.0.0.1")
    given = folder / "given"
    given.mkdir()
    for name, text in (("key.pem", issued.key), ("certificate.pem", issued.certificate)):
        (given / name).write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = f"paas-test-{service}-{port}"
    run = ["docker", "run", "--rm", "--detach", "--name", name, "--network", "host", "--label", "paas.test=amazon"]
    run += ["--volume", f"{given}:/given:ro", "--entrypoint", "bash", images.service_names()[service], "-c"]
    subprocess.run([*run, script.replace("PORT", str(port))], check=True, capture_output=True)
    try:
        yield port, Site("", "", HOST, authority.certificate(), Size(0, 0, 0, 0), (PASSWORD,))
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=True, capture_output=True)


def _wait(work: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            return work()
        except NotReady:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
