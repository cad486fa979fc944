"""PostgreSQL: every binding has its own user, who acts as the one owner of everything, or may only read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import errors, sql

from . import configuration, figures, pgbackrest, rows, window
from .base import (
    BackedUp,
    Backups,
    Json,
    Mark,
    Metrics,
    NotAllowed,
    NotReady,
    Schemas,
    Site,
    User,
    Wanted,
    schema,
)
from .depot import Depot
from .figures import DATABASE, EXTENSIONS_SCHEMA

MANAGER, READER = "manager", "reader"
CONNECT_SECONDS = 5
STATEMENT_MS = 30_000
TERMINATE_MS = 5_000


class Postgres(BackedUp):
    port, folder, tags = configuration.PORT, "/var/lib/postgresql", ("postgres", "postgresql", "relational")
    store, restore, prove = pgbackrest.STORE, pgbackrest.RESTORE, pgbackrest.PROVE

    def __init__(self, more: Mapping[str, Any]) -> None:
        self.standard = frozenset(more["standard_extensions"])
        self.allowed = frozenset(more["extensions"])
        self.schemas = Schemas(
            create=schema(
                enable_extensions=self._names("Extensions that the database has from the start."),
                **{window.NAME: window.SCHEMA},
                **configuration.RESTORE,
            ),
            update=schema(
                enable_extensions=self._names("Extensions to add."),
                disable_extensions=self._names("Extensions to take away; nothing may use them any more."),
                reboot=REBOOT,
                **{window.NAME: window.SCHEMA},
            ),
            bind=schema(read_only={"type": "boolean", "description": "May read everything and change nothing."}),
        )

    def files(self, site: Site, parameters: Json) -> dict[str, str]:
        lines = "".join(f"{name} = {value}\n" for name, value in configuration.settings(site).items())
        given = {"postgresql.conf": lines, "superuser": site.passwords[0]}
        return {**given, "pgbackrest.conf": pgbackrest.configuration(site.depot, site.size)} if site.depot else given

    def settle(self, site: Site, parameters: Json) -> None:
        if wished := parameters.get(window.NAME):
            window.check(wished)
        with self._superuser(site) as connection:
            if wished:
                window.keep(connection, wished)
            for name in parameters.get("enable_extensions") or ():
                self._enable(connection, name)
            for name in parameters.get("disable_extensions") or ():
                self._disable(connection, name)

    def add_user(self, site: Site, user: User, parameters: Json) -> None:
        reads = bool(parameters.get("read_only"))
        name, role = sql.Identifier(user.name), sql.Identifier(READER if reads else MANAGER)
        with self._superuser(site) as connection, connection.transaction():
            verifier = connection.pgconn.encrypt_password(
                user.password.encode(), user.name.encode(), b"scram-sha-256"
            ).decode()
            if not _exists(connection, user.name):
                connection.execute(sql.SQL("CREATE ROLE {}").format(name))
            connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN {} PASSWORD {}").format(
                    name, sql.SQL("INHERIT" if reads else "NOINHERIT"), sql.Literal(verifier)
                )
            )
            connection.execute(sql.SQL("GRANT {} TO {}").format(role, name))
            # Whatever a user makes belongs to the manager from the start: by itself it may make nothing at all.
            setting = "default_transaction_read_only = on" if reads else f"role = {MANAGER}"
            connection.execute(sql.SQL("ALTER ROLE {} SET " + setting).format(name))  # type: ignore[arg-type]

    def drop_user(self, site: Site, name: str) -> None:
        with self._superuser(site) as connection:
            if not _exists(connection, name):
                return
            user = sql.Identifier(name)
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(user))
            connection.execute(
                "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE usename = %s", [TERMINATE_MS, name]
            )
            connection.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(user, sql.Identifier(MANAGER)))
            connection.execute(sql.SQL("DROP OWNED BY {}").format(user))
            connection.execute(sql.SQL("DROP ROLE {}").format(user))

    def parameters(self, site: Site) -> Json:
        with self._superuser(site) as connection:
            found = connection.execute(
                "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"
            ).fetchall()
            kept = window.kept(connection) or window.chosen(site.guid)
        return {"enable_extensions": [name for (name,) in found if name not in self.standard], window.NAME: kept}

    def user_parameters(self, site: Site, name: str) -> Json | None:
        with self._superuser(site) as connection:
            row = connection.execute(
                "SELECT pg_has_role(oid, %s, 'MEMBER') FROM pg_roles WHERE rolname = %s", [READER, name]
            )
            found = row.fetchone()
        return {"read_only": found[0]} if found else None

    def credentials(self, site: Site, user: User) -> dict[str, Any]:
        checked = urlencode({"sslmode": "verify-full", "sslrootcert": site.ca_file}, safe="/")
        way = f"{quote(user.name)}:{quote(user.password)}@{site.host}:{Postgres.port}/{DATABASE}"
        who = urlencode({"user": user.name, "password": user.password})
        return {
            "host": site.host,
            "port": Postgres.port,
            "name": DATABASE,
            "username": user.name,
            "password": user.password,
            "uri": f"postgres://{way}?{checked}",
            "jdbcuri": f"jdbc:postgresql://{site.host}:{Postgres.port}/{DATABASE}?{who}&{checked}",
        }

    def metrics(self, site: Site) -> Metrics:
        with self._superuser(site) as connection:
            return figures.metrics(connection, limit=site.size.connections)

    def back_up(self, site: Site, *, full: bool) -> None:
        with self._superuser(site) as connection:
            pgbackrest.begin(connection, full=full)

    def backups(self, site: Site) -> Backups:
        with self._superuser(site) as connection:
            return pgbackrest.state(connection)

    def beat(self, site: Site, *, kept: bool = False) -> datetime:
        with self._superuser(site, database="postgres") as connection:
            return pgbackrest.beat(connection, kept=kept)

    def write_last(self, site: Site) -> bool:
        with self._superuser(site, database="postgres") as connection:
            return pgbackrest.write_last(connection)

    def mark(self, site: Site) -> Mark:
        newest = self.backups(site).taken[-1:]
        if not newest:
            raise NotReady("There is no backup yet.")
        with self._superuser(site) as connection:
            password = secrets.token_urlsafe(32)
            rows.admit(connection, password, owner=MANAGER)
            with closing(self._open(site, DATABASE, rows.COUNTER, password)) as counter:
                tables = rows.before(connection, counter)
                at = self.beat(site, kept=True)
                return Mark(at, {"backup": newest[0].label, "tables": rows.after(connection, counter, tables)})

    def proof_files(self, site: Site, source: Depot, mark: Mark) -> dict[str, str]:
        wanted = Wanted(mark.measured["backup"], point=pgbackrest.point(mark.at))
        return {**self.restore_files(site, source, wanted), "counts": rows.statements(mark.measured["tables"])}

    def check(self, site: Site, mark: Mark, found: Sequence[str]) -> None:
        with self._superuser(site) as connection:
            rows.check(connection, mark.measured["tables"], found, at=mark.at)

    def restore_files(self, site: Site, source: Depot, wanted: Wanted) -> dict[str, str]:
        given = {
            "pgbackrest.conf": pgbackrest.configuration(source, site.size),
            "restore-options": pgbackrest.options(wanted),
        }
        return {"postgresql.conf": self.files(site, {})["postgresql.conf"], **given}

    def _names(self, description: str) -> Json:
        names = {"type": "string", "enum": sorted(self.allowed)}
        return {"type": "array", "items": names, "uniqueItems": True, "description": description}

    def _enable(self, connection: psycopg.Connection[Any], name: str) -> None:
        if name not in self.allowed:
            raise NotAllowed(f"The extension {name} is not offered. There are: {', '.join(sorted(self.allowed))}.")
        schema = _schema_of(connection, name)
        if schema and not _is_own(connection, schema):
            raise NotAllowed(
                f"The extension {name} needs the schema {schema}, which one of your apps has made. Rename that schema first."
            )
        where = sql.SQL("") if schema else sql.SQL("SCHEMA {}").format(sql.Identifier(EXTENSIONS_SCHEMA))
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {} {} CASCADE").format(sql.Identifier(name), where))
        if schema:
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO PUBLIC").format(sql.Identifier(schema)))

    def _disable(self, connection: psycopg.Connection[Any], name: str) -> None:
        if name in self.standard:
            raise NotAllowed(f"The extension {name} belongs to every instance, so it cannot be disabled.")
        try:
            connection.execute(sql.SQL("DROP EXTENSION IF EXISTS {}").format(sql.Identifier(name)))
        except errors.DependentObjectsStillExist as error:
            raise NotAllowed(
                f"The extension {name} is still in use: {error.diag.message_detail or error}. Drop what needs it first."
            ) from error

    @contextmanager
    def _superuser(self, site: Site, *, database: str = DATABASE) -> Iterator[psycopg.Connection[Any]]:
        connection = self._connect(site, database)
        try:
            yield connection
        except psycopg.OperationalError as error:
            raise NotReady(f"PostgreSQL went away: {_words(error)}") from error
        finally:
            connection.close()

    def _connect(self, site: Site, database: str) -> psycopg.Connection[Any]:
        """Log in with the newest password, or with an older one, which is then replaced."""
        for number, password in enumerate(site.passwords):
            try:
                connection = self._open(site, database, "postgres", password)
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error) and number + 1 < len(site.passwords):
                    continue
                raise NotReady(f"PostgreSQL does not answer yet: {_words(error)}") from error
            if number:
                new = connection.pgconn.encrypt_password(site.passwords[0].encode(), b"postgres", b"scram-sha-256")
                connection.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(sql.Literal(new.decode())))
            # Not as an option: an extension that adds itself to everybody's path takes ours for what there was before.
            connection.execute(f"SET search_path = {EXTENSIONS_SCHEMA}")
            return connection
        raise AssertionError("unreachable")

    def _open(self, site: Site, database: str, user: str, password: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=site.host,
            hostaddr=site.address,
            port=self.port,
            user=user,
            password=password,
            dbname=database,
            sslmode="verify-full",
            sslrootcert=str(site.authority),
            connect_timeout=CONNECT_SECONDS,
            application_name="platform",
            options=f"-c statement_timeout={STATEMENT_MS}",
            autocommit=True,
        )


REBOOT = {"type": "boolean", "description": "Start the server anew. Apps lose their connections for seconds."}


def _exists(connection: psycopg.Connection[Any], role: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def _schema_of(connection: psycopg.Connection[Any], extension: str) -> str:
    """Return the schema that the extension insists on, "" where it can stand anywhere."""
    row = connection.execute(
        "SELECT versions.schema FROM pg_available_extensions AS known JOIN pg_available_extension_versions AS versions"
        " ON versions.name = known.name AND versions.version = known.default_version WHERE known.name = %s",
        [extension],
    ).fetchone()
    if row is None:
        raise NotAllowed(f"This PostgreSQL does not have the extension {extension}. Tell the platform team.")
    return row[0] or ""


def _is_own(connection: psycopg.Connection[Any], schema: str) -> bool:
    """Tell whether nobody but the superuser has put anything there: an extension's script trusts what it finds."""
    row = connection.execute(
        "SELECT nspowner = 'postgres'::regrole FROM pg_namespace WHERE nspname = %s", [schema]
    ).fetchone()
    return row is None or bool(row[0])


def _words(error: Exception) -> str:
    return " ".join(str(error).split())
