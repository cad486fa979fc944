"""MariaDB, offered as ``mysql``: every binding has its own user, with all rights on the one database, or those to read it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import pymysql  # type: ignore[import-untyped]
from pymysql import err  # type: ignore[import-untyped]

from paas.seams.runtimes.base import BINDINGS

from . import snapshots
from .base import Json, Metrics, NotReady, Schemas, Site, SlowQuery, User, Wanted, schema
from .depot import Depot

DATABASE, PLATFORM = "main", "platform"
POOL_SHARE, LEAST_REST_MB = 45, 176  # percent of memory; the rest is for connections, and for what takes snapshots
SECONDS = 5
SLOWEST, LONGEST_TEXT = 10, 500
RUN = "/tmp/mysql"  # noqa: S108 - of the container, which has no other user
ACCESS_DENIED = 1045
LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|\b\d+(?:\.\d+)?\b")


class MariaDB(snapshots.Snapshots):
    port, folder, tags = 3306, "/var/lib/mysql", ("mysql", "mariadb", "relational")

    def __init__(self, more: Mapping[str, Any]) -> None:
        reboot = {"type": "boolean", "description": "Start the server anew. Apps lose their connections for seconds."}
        reads = {"type": "boolean", "description": "May read everything and change nothing."}
        self.schemas = Schemas(
            create=schema(**snapshots.RESTORE), update=schema(reboot=reboot), bind=schema(read_only=reads)
        )

    def files(self, site: Site, parameters: Json) -> dict[str, str]:
        platform = f"'{PLATFORM}'@'@gateway@'"
        first = [
            f"CREATE OR REPLACE USER {platform} IDENTIFIED BY '{site.passwords[0]}' REQUIRE SSL;",
            f"GRANT ALL PRIVILEGES ON *.* TO {platform} WITH GRANT OPTION;",
            f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4;",
            "CREATE DATABASE IF NOT EXISTS platform;",
            # When a snapshot was begun: what is restored must know it too.
            "CREATE TABLE IF NOT EXISTS platform.heartbeat (id int PRIMARY KEY, at datetime(6) NOT NULL) ENGINE=InnoDB;",
            "INSERT IGNORE INTO platform.heartbeat VALUES (1, UTC_TIMESTAMP(6));",
        ]
        given = {"mariadb.cnf": _configuration(site), "first.sql": "\n".join(first) + "\n"}
        return {**given, **snapshots.files(site.depot, site.size)} if site.depot else given

    def settle(self, site: Site, parameters: Json) -> None:
        with self._platform(site) as cursor:
            cursor.execute("SELECT 1")

    def add_user(self, site: Site, user: User, parameters: Json) -> None:
        rights = "SELECT, SHOW VIEW" if parameters.get("read_only") else "ALL PRIVILEGES"
        with self._platform(site) as cursor:
            cursor.execute("CREATE USER IF NOT EXISTS %s@'%%' REQUIRE SSL", [user.name])
            cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s REQUIRE SSL ACCOUNT UNLOCK", [user.name, user.password])
            cursor.execute(f"GRANT {rights} ON {DATABASE}.* TO %s@'%%'", [user.name])

    def parameters(self, site: Site) -> Json:
        return {}

    def user_parameters(self, site: Site, name: str) -> Json | None:
        with self._platform(site) as cursor:
            cursor.execute(
                "SELECT Insert_priv <> 'Y' FROM mysql.db JOIN mysql.global_priv USING (Host, User) WHERE User = %s"
                " AND coalesce(JSON_VALUE(Priv, '$.account_locked'), 'false') NOT IN ('true', '1')",
                [name],
            )
            found = cursor.fetchone()
        return {"read_only": bool(found[0])} if found else None

    def credentials(self, site: Site, user: User) -> dict[str, Any]:
        way = f"{quote(user.name)}:{quote(user.password)}@{site.host}:{self.port}/{DATABASE}"
        who = urlencode({"user": user.name, "password": user.password, "sslMode": "REQUIRED"})
        return {
            "host": site.host,
            "port": self.port,
            "name": DATABASE,
            "username": user.name,
            "password": user.password,
            "tls_ca": site.ca_file,
            "uri": f"mysql://{way}?{urlencode({'ssl-ca': site.ca_file}, safe='/')}",
            "jdbcuri": f"jdbc:mysql://{site.host}:{self.port}/{DATABASE}?{who}",
        }

    def drop_user(self, site: Site, name: str) -> None:
        """End it for good; one whose views and procedures run in its name stays, locked, so that they go on."""
        with self._platform(site) as cursor:
            cursor.execute("SELECT 1 FROM mysql.global_priv WHERE User = %s", [name])
            if cursor.fetchone() is None:
                return
            cursor.execute("ALTER USER %s@'%%' ACCOUNT LOCK", [name])
            cursor.execute("KILL HARD USER %s@'%%'", [name])
            cursor.execute(DEFINED_BY, [f"{name}@%"] * 4)
            if cursor.fetchone() is None:
                cursor.execute("DROP USER %s@'%%'", [name])

    def metrics(self, site: Site) -> Metrics:
        with self._platform(site) as cursor:
            cursor.execute(
                "SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER NOT IN (%s, %s, %s)", OWN_USERS
            )
            connections = int((cursor.fetchone() or (0,))[0])
            cursor.execute(
                "SELECT coalesce(sum(data_length + index_length), 0) FROM information_schema.TABLES"
                " WHERE table_schema = %s",
                [DATABASE],
            )
            size = int((cursor.fetchone() or (0,))[0])
            cursor.execute(
                "SHOW GLOBAL STATUS WHERE Variable_name IN"
                " ('Innodb_buffer_pool_reads', 'Innodb_buffer_pool_read_requests')"
            )
            status = {name: int(value) for name, value in cursor.fetchall()}
            cursor.execute(
                "SELECT CONVERT(sql_text USING utf8mb4), TIME_TO_SEC(query_time) * 1000 FROM mysql.slow_log"
                " WHERE db = %s AND user_host NOT LIKE 'platform[%%' ORDER BY start_time DESC LIMIT 500",
                [DATABASE],
            )
            slow = cursor.fetchall()
        asked, missed = status["Innodb_buffer_pool_read_requests"], status["Innodb_buffer_pool_reads"]
        return Metrics(
            connections=connections,
            connections_limit=site.size.connections,
            size_bytes=size,
            cache_hits=1 - missed / asked if asked else None,
            slow_queries=_slowest(slow),
        )

    def restore_files(self, site: Site, source: Depot, wanted: Wanted) -> dict[str, str]:
        more = {"mariadb.cnf": _configuration(site), "use-memory": f"{site.size.memory_mb // 4}M"}
        return {**more, **snapshots.restore_files(source, site.size, wanted)}

    @contextmanager
    def _platform(self, site: Site) -> Iterator[Any]:
        """Log in with the newest password, or with an older one, which is then replaced."""
        connection = self._connect(site)
        try:
            with connection.cursor() as cursor:
                yield cursor
        except (err.OperationalError, err.InterfaceError) as error:
            raise NotReady(f"MariaDB went away: {error}") from error
        finally:
            connection.close()

    def _connect(self, site: Site) -> Any:
        for number, password in enumerate(site.passwords):
            try:
                connection = pymysql.connect(
                    host=site.address,
                    port=self.port,
                    user=PLATFORM,
                    password=password,
                    connect_timeout=SECONDS,
                    read_timeout=30,
                    ssl_ca=str(site.authority),
                    ssl_verify_cert=True,
                    ssl_verify_identity=True,
                    autocommit=True,
                )
            except err.OperationalError as error:
                if error.args[0] == ACCESS_DENIED and number + 1 < len(site.passwords):
                    continue
                raise NotReady(f"MariaDB does not answer yet: {error}") from error
            if number:
                with connection.cursor() as cursor:
                    cursor.execute("SET PASSWORD = PASSWORD(%s)", [site.passwords[0]])
            return connection
        raise AssertionError("unreachable")


OWN_USERS = [PLATFORM, "system user", "unauthenticated user"]  # the last: whoever only looks whether the port is open
DEFINED_BY = """
    SELECT 1 FROM information_schema.VIEWS WHERE definer = %s UNION ALL
    SELECT 1 FROM information_schema.ROUTINES WHERE definer = %s UNION ALL
    SELECT 1 FROM information_schema.TRIGGERS WHERE definer = %s UNION ALL
    SELECT 1 FROM information_schema.EVENTS WHERE definer = %s LIMIT 1
"""


def _configuration(site: Site) -> str:
    return "[mariadbd]\n" + "".join(f"{name} = {value}\n" for name, value in _settings(site).items())


def _settings(site: Site) -> dict[str, Any]:
    memory, disk = site.size.memory_mb, site.size.disk_mb
    return {
        "datadir": f"{MariaDB.folder}/data",
        "socket": f"{RUN}/server.sock",
        "pid-file": f"{RUN}/server.pid",
        "tmpdir": f"{MariaDB.folder}/data",
        "bind-address": "0.0.0.0",  # noqa: S104 - inside the container
        "port": MariaDB.port,
        "skip-name-resolve": "ON",
        "max-connections": site.size.connections,
        # The agent looks whether the port is open, and hangs up: that is no attack.
        "max-connect-errors": 4294967295,
        "log-warnings": 1,
        "ssl-cert": f"{BINDINGS}/certificate.pem",
        "ssl-key": f"{RUN}/key.pem",
        "tls-version": "TLSv1.2,TLSv1.3",
        "require-secure-transport": "ON",
        "local-infile": "OFF",
        "secure-file-priv": f"{RUN}/files",  # where nothing is
        "character-set-server": "utf8mb4",
        "innodb-buffer-pool-size": f"{min(memory * POOL_SHARE // 100, memory - LEAST_REST_MB)}M",
        "innodb-log-file-size": f"{min(512, max(16, disk // 20))}M",
        "performance-schema": "OFF",
        "aria-pagecache-buffer-size": "8M",
        "key-buffer-size": "1M",
        "slow-query-log": "ON",
        "log-output": "TABLE",
        "long-query-time": "0.2",
    }


def _slowest(rows: Any) -> tuple[SlowQuery, ...]:
    """Sum up what differs in its values alone."""
    spent: defaultdict[str, list[float]] = defaultdict(list)
    for text, milliseconds in rows:
        spent[LITERAL.sub("?", str(text))[:LONGEST_TEXT]].append(float(milliseconds))
    found = [SlowQuery(text, len(each), sum(each) / len(each), sum(each)) for text, each in spent.items()]
    return tuple(sorted(found, key=lambda each: -each.mean_ms)[:SLOWEST])
