"""A database for each test run: a copy of one that has been migrated, so that not every run waits for migrations."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connections
from django.test.utils import setup_databases

from paas.host import stamps

ROOT = Path(__file__).resolve().parent.parent
MOST = 100  # runs at the same time


@contextmanager
def own() -> Iterator[str]:
    """Give a name that no other run has while the block lasts, and a migrated database of that name."""
    with _number() as number:
        name = f"test_paas_{number}"
        with _locked("test-database-template"):
            template = f"test_template_{_digest()}"
            if template not in _databases():
                _make(template)
            _say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield name
        finally:
            connections.close_all()
            _say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _make(template: str) -> None:
    """Migrate a new database; those of other migrations than ours go."""
    default = connections["default"]
    default.settings_dict["TEST"]["NAME"] = unfinished = f"{template}_unfinished"
    name = default.settings_dict["NAME"]
    setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    connections.close_all()
    default.settings_dict["NAME"] = name
    old = [each for each in _databases() if each.startswith("test_template_") and each != unfinished]
    _say(*(f'DROP DATABASE "{each}"' for each in old), f'ALTER DATABASE "{unfinished}" RENAME TO "{template}"')


def _digest() -> str:
    """Stand for all that the migrations do, those of the libraries included."""
    floors = [ROOT / name for name in ("accounts", "tenants", "services", "apps")]
    return stamps.digest(
        *(path for floor in floors for path in sorted((floor / "migrations").glob("*.py"))),
        ROOT / "accounts/partitions.py",
        ROOT / "requirements.txt",
    )


@contextmanager
def _number() -> Iterator[int]:
    for number in range(MOST):
        with _file(f"test-database-{number}") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield number
            return
    raise RuntimeError("A hundred test runs are under way already.")


@contextmanager
def _locked(name: str) -> Iterator[None]:
    with _file(name) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _file(name: str) -> IO[str]:
    folder = Path(settings.PAAS_STATE) / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / name).open("w")


def _databases() -> set[str]:
    with connections["default"].creation._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return {name for (name,) in cursor.fetchall()}


def _say(*statements: str) -> None:
    with connections["default"].creation._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
