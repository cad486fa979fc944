"""Runs the install's own PostgreSQL and Redis: containers that listen on 127.0.0.1 only, with their data in volumes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from . import containers, images
from .engine import docker
from .install import Install, with_free_port, write_private
from .settings import Settings
from .shell import HostError

DATABASE = "paas"
OWNER, APPLICATION = "paas_owner", "paas_application"
READY_SECONDS = 60


@dataclass(frozen=True)
class Stores:
    """Where the control plane keeps things: addresses with passwords in them."""

    database_url: str
    database_owner_url: str
    redis_url: str


def ensure(settings: Settings, install: Install, say: Callable[[str], None], *, tests: bool = False) -> Install:
    """Start what the operator has not pointed elsewhere; return the install, whose ports may have moved.

    ``tests`` lets the owner make databases, and the application's role be taken on by it; nothing waits for the disk.
    """
    if not settings.database_url:
        install = _postgres(settings.state, install, say)
        _set_up_roles(install, tests=tests)
        if tests:
            _unguarded(install)
    if not settings.redis_url:
        install = _redis(settings.state, install, say)
    return install


def addresses(settings: Settings, install: Install) -> Stores:
    own = f"127.0.0.1:{install.postgres_port}/{DATABASE}"
    return Stores(
        database_url=settings.database_url or f"postgresql://{APPLICATION}:{quote(install.application_password)}@{own}",
        database_owner_url=settings.database_owner_url or f"postgresql://{OWNER}:{quote(install.owner_password)}@{own}",
        redis_url=settings.redis_url or f"redis://:{quote(install.redis_password)}@127.0.0.1:{install.redis_port}/0",
    )


def _postgres(state: Path, install: Install, say: Callable[[str], None]) -> Install:
    image = images.ensure("postgres", say)
    name = install.named("postgres")
    if not containers.is_running(name):
        install = with_free_port(state, install, "postgres_port")
    options = ["--shm-size", "256m", *containers.volume(install, name, "/var/lib/postgresql")]
    # What the start script needs to become the user "postgres", and to give it its folder.
    capabilities = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID")
    containers.ensure(
        install, "postgres", image, [str(install.postgres_port)], options=options, capabilities=capabilities
    )
    ready = ["pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(install.postgres_port)]
    _wait_until_ready(name, ready)
    return install


def _redis(state: Path, install: Install, say: Callable[[str], None]) -> Install:
    image = images.ensure("redis", say)
    name = install.named("redis")
    if not containers.is_running(name):
        install = with_free_port(state, install, "redis_port")
    password = state / "keys" / "redis"
    if not password.exists() or password.read_text() != install.redis_password:
        write_private(password, install.redis_password)
    options = ["--mount", f"type=bind,source={password},target=/run/redis-password,readonly"]
    options += containers.volume(install, name, "/var/lib/redis")
    capabilities = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID")
    containers.ensure(install, "redis", image, [str(install.redis_port)], options=options, capabilities=capabilities)
    _wait_until_ready(name, ["redis-cli", "-p", str(install.redis_port), "ping"])
    return install


def _wait_until_ready(name: str, command: list[str]) -> None:
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            docker("exec", name, *command)
            return
        except HostError as error:
            if time.monotonic() > end:
                last = docker("logs", "--tail", "15", name)
                raise HostError(
                    f"{name} is not ready after {READY_SECONDS} s: {error}\nIts last lines:\n{last}"
                ) from error
        time.sleep(0.3)


def _set_up_roles(install: Install, *, tests: bool) -> None:
    """Make the roles and the database what they should be, whatever they were."""
    _psql(install, "postgres", _roles_sql(install, tests=tests))
    exists = _psql(install, "postgres", f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'").strip()
    if not exists:
        _psql(install, "postgres", f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    for database in (DATABASE, "template1"):  # from template1 it comes into the databases that tests make
        _psql(install, database, DEFAULT_GRANTS)


def _unguarded(install: Install) -> None:
    """Have nothing wait for the disk: what tests write need not come through a crash of the machine."""
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        _psql(install, "postgres", f"ALTER SYSTEM SET {name} = off")
    _psql(install, "postgres", "SELECT pg_reload_conf()")


def _roles_sql(install: Install, *, tests: bool) -> str:
    make = "\n".join(
        f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF;"
        for role in (OWNER, APPLICATION)
    )
    more = f"ALTER ROLE {OWNER} CREATEDB; GRANT {APPLICATION} TO {OWNER};" if tests else ""
    return f"""
        DO $$ BEGIN {make} END $$;
        ALTER ROLE {OWNER} LOGIN NOSUPERUSER NOCREATEROLE PASSWORD '{install.owner_password}';
        ALTER ROLE {APPLICATION} LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD '{install.application_password}';
        {more}
    """


# The application reads and writes rows in what the owner makes; it changes no table, and migrations take away the rest.
DEFAULT_GRANTS = f"""
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    GRANT USAGE, CREATE ON SCHEMA public TO {OWNER};
    GRANT USAGE ON SCHEMA public TO {APPLICATION};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APPLICATION};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE, SELECT ON SEQUENCES TO {APPLICATION};
"""


def _psql(install: Install, database: str, sql: str) -> str:
    """Run SQL as the cluster's own superuser, who exists only inside the container."""
    command = [
        "exec",
        "--interactive",
        "--user",
        "postgres",
        install.named("postgres"),
        "psql",
        "--quiet",
        "--no-psqlrc",
    ]
    options = ["--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--port", str(install.postgres_port)]
    return docker(*command, *options, "--dbname", database, stdin=sql)
