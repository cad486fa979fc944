"""The marketplace of a platform with very many plans, each open to some of its organizations, against bare SQL."""

from __future__ import annotations

import os
from typing import Any

import django

from tests.bench.ground import Ground
from tests.bench.lists import analyze, database, in_turns
from tests.bench.marketplace_sql import Statement
from tests.bench.table import Row

MARKETPLACE = {  # what `cf marketplace` asks for
    "available": "true",
    "include": "service_offering",
    "fields[service_offering.service_broker]": "name,guid",
    "per_page": 5000,
}


def measure(ground: Ground) -> list[Row]:
    """Measure in this process: the doors with their middleware, and the console's template, but no sockets."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paas.settings")
    django.setup()
    from django.test import override_settings

    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with database(), override_settings(STORAGES=plain):  # nothing was collected for this process
        from tests.bench.catalogue import PLANS, VISIBILITIES, Catalogue

        ground.say(f"the marketplace with {PLANS:,} plans and {VISIBILITIES:,} visibilities")
        catalogue = Catalogue()
        analyze()
        people = {"an admin": catalogue.admin, "a member of one organization": catalogue.alice}
        return [row for who, user in people.items() for row in _rows(who, user, catalogue.space)]


def _rows(who: str, user: Any, space: Any) -> list[Row]:
    from django.test import Client

    from accounts import tokens
    from tests.bench import marketplace_sql as sql

    path, here = "/v3/service_plans", {**MARKETPLACE, "space_guids": space.guid}
    api = Client(headers={"authorization": f"bearer {tokens.issue(user, seconds=3600)}"}, SERVER_NAME="localhost")
    console = Client(headers={"accept": "text/html"}, SERVER_NAME="localhost")
    console.force_login(user)
    return [
        _row(f"{path}, pages of 50, {who}", api, path, {"per_page": 50}, sql.lists(user, None, 50)),
        _row(f"{path}, pages of 5,000, {who}", api, path, {"per_page": 5000}, sql.lists(user, None, 5000)),
        _row(f"{path}, what cf marketplace asks for, {who}", api, path, here, sql.lists(user, space, 5000)),
        _row(f"marketplace page, {who}", console, f"/spaces/{space.guid}/marketplace", {}, sql.page(user, space)),
    ]


def _row(what: str, client: Any, path: str, query: dict[str, Any], statements: list[Statement]) -> Row:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def ours() -> int:
        answer = client.get(path, query)
        assert answer.status_code == 200, answer.content
        return len(answer.content)

    def reference() -> None:
        with connection.cursor() as cursor:
            for statement, given in statements:
                cursor.execute(statement, given)
                cursor.fetchall()

    with CaptureQueriesContext(connection) as queries:
        size = ours()
    note = f"{len(queries)} queries, {size / 1000:,.0f} kB; the reference fetches the rows and draws nothing"
    return Row(what, "ms", *in_turns(ours, reference), note=note)
