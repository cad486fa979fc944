"""What is done inside the databases at Amazon, where nobody is a superuser: users, and what all of them share."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from services.brokers.engine.base import Json, NotReady, Site
from services.brokers.engine.mysql import DATABASE, MariaDB
from services.brokers.engine.postgres import MANAGER, Postgres

MASTERS = {"postgres": "postgres", "mysql": "platform"}  # whom the platform logs in as, by Amazon's name of the engine
EXTENSIONS = ("enable_extensions", "disable_extensions")
BOUND = "^u[0-9a-f]{31}$"  # how users of bindings are called; MySQL takes 32 characters


class RdsPostgres(Postgres):
    """As on the platform's own engine, but for what only a superuser may."""

    def settle(self, site: Site, parameters: Json) -> None:
        with self._superuser(site) as connection:
            connection.execute(PREPARE.encode())
            for name in sorted(self.standard):
                self._enable(connection, name)
        super().settle(site, {name: value for name, value in parameters.items() if name in EXTENSIONS})

    def parameters(self, site: Site) -> Json:
        return {name: value for name, value in super().parameters(site).items() if name in EXTENSIONS}

    def drop_user(self, site: Site, name: str) -> None:
        with self._superuser(site) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
                # Who is no superuser hands on only what belongs to somebody they are a member of.
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))
        super().drop_user(site, name)

    def bound_users(self, site: Site) -> list[str]:
        with self._superuser(site) as connection:
            return [name for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ %s", [BOUND])]

    def _connect(self, site: Site, database: str) -> psycopg.Connection[Any]:
        return super()._connect(replace(site, address=_address(site.host)), database)


class RdsMysql(MariaDB):
    """MySQL itself, which keeps its users elsewhere than MariaDB, and has Amazon end their connections."""

    def user_parameters(self, site: Site, name: str) -> Json | None:
        with self._platform(site) as cursor:
            cursor.execute(
                "SELECT db.Insert_priv <> 'Y' FROM mysql.db AS db JOIN mysql.user AS user USING (Host, User)"
                " WHERE user.User = %s AND db.Db = %s",
                [name, DATABASE],
            )
            found = cursor.fetchone()
        return {"read_only": bool(found[0])} if found else None

    def drop_user(self, site: Site, name: str) -> None:
        """Views and procedures that run in its name go on failing until somebody makes them anew."""
        with self._platform(site) as cursor:
            cursor.execute("DROP USER IF EXISTS %s@'%%'", [name])
            cursor.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = %s", [name])
            for (number,) in cursor.fetchall():
                cursor.execute("CALL mysql.rds_kill(%s)", [number])

    def bound_users(self, site: Site) -> list[str]:
        with self._platform(site) as cursor:
            cursor.execute("SELECT DISTINCT User FROM mysql.db WHERE Db = %s", [DATABASE])
            return [str(name) for (name,) in cursor.fetchall() if re.fullmatch(BOUND, str(name))]

    def _connect(self, site: Site) -> Any:
        """Log in with the newest password, or with an older one, which is then replaced."""
        for password in site.passwords[:-1]:
            with suppress(NotReady):
                return super()._connect(_with(site, password))
        connection = super()._connect(_with(site, site.passwords[-1]))
        if len(site.passwords) > 1:
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER USER {MASTERS['mysql']}@'%%' IDENTIFIED BY %s", [site.passwords[0]])
        return connection


Inside = RdsPostgres | RdsMysql
KINDS: dict[str, type[Inside]] = {"postgres": RdsPostgres, "mysql": RdsMysql}

PREPARE = f"""
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{MANAGER}') THEN CREATE ROLE {MANAGER} NOLOGIN; END IF;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN CREATE ROLE reader NOLOGIN; END IF;
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO PUBLIC', current_database());
        EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO {MANAGER}', current_database());
        EXECUTE format('ALTER DATABASE %I SET search_path = "$user", public, extensions', current_database());
    END
    $$;
    GRANT {MANAGER}, reader TO CURRENT_USER;
    ALTER SCHEMA public OWNER TO {MANAGER};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO reader;
    CREATE SCHEMA IF NOT EXISTS extensions;
    GRANT USAGE ON SCHEMA extensions TO PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE {MANAGER} GRANT USAGE ON SCHEMAS TO reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE {MANAGER} GRANT SELECT ON TABLES TO reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE {MANAGER} GRANT SELECT ON SEQUENCES TO reader;
"""  # noqa: S608 - nothing in it comes from anybody


def _with(site: Site, password: str) -> Site:
    return replace(site, address=site.host, passwords=(password,))


def _address(host: str) -> str:
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])
    except OSError as error:
        raise NotReady("The database's address is not known yet.") from error
