"""List calls with more and more apps, against the same rows fetched by bare SQL."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django

from tests.bench.ground import Ground
from tests.bench.table import Row, median

SIZES = (10, 1_000, 10_000)
PAGES = (50,)
LARGEST_PAGE = 5000  # what `cf` asks for
ROUNDS = 15


def measure(ground: Ground) -> list[Row]:
    """Measure in this process: the door with all its middleware and the look-up of the token, but no sockets."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paas.settings")
    django.setup()
    with database():
        from tests.bench.tenancy import Tenancy

        tenancy, found = Tenancy(), []
        for size in SIZES:
            ground.say(f"lists with {size:,} apps")
            tenancy.grow(size)
            analyze()
            for page in PAGES if size < SIZES[-1] else (*PAGES, LARGEST_PAGE):
                found += _lists(tenancy, page)
    return found


@contextmanager
def database() -> Iterator[None]:
    """Make a database of its own, and remove it."""
    from django.db import connections
    from django.test.utils import (
        setup_databases,
        setup_test_environment,
        teardown_databases,
        teardown_test_environment,
    )

    connections["default"].settings_dict["TEST"]["NAME"] = f"bench_paas_{os.getpid()}"
    setup_test_environment(debug=False)
    made = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    try:
        yield
    finally:
        teardown_databases(made, verbosity=0)
        teardown_test_environment()


def analyze() -> None:
    """What the database's own housekeeping would have done by the time there are so many rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _lists(tenancy: Any, page: int) -> list[Row]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from tests.bench.sql import LISTS

    client = Client(headers={"authorization": f"bearer {tenancy.token}"}, SERVER_NAME="localhost")
    found = []
    for path, statements in LISTS.items():

        def ours(path: str = path) -> int:
            answer = client.get(path, {"per_page": page})
            assert answer.status_code == 200, answer.content
            return len(answer.content)

        def reference(statements: tuple[str, ...] = statements) -> None:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement, {"user": tenancy.alice.pk, "limit": page})
                    cursor.fetchall()

        with CaptureQueriesContext(connection) as queries:
            note = f"{ours() / 1000:,.0f} kB"
        note = f"{len(queries)} queries, {note}"
        milliseconds = in_turns(ours, reference)
        found.append(Row(f"{path}, {tenancy.apps:,} apps, pages of {page:,} ({note})", "ms", *milliseconds))
    return found


def in_turns(*works: Callable[[], Any]) -> list[float]:
    """Return the median milliseconds of each."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for times, work in zip(taken, works, strict=True):
            began = time.perf_counter()
            work()
            times.append((time.perf_counter() - began) * 1000)
    return [median(times) for times in taken]
