"""From the API call that maps a route to the route's answer, in a platform with few and with many routes."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from typing import Any

from paas.host.settings import CHECKOUT
from tests.bench.ground import Ground, soon
from tests.bench.table import Aim, Row, median
from tests.platform import apps
from tests.platform.client import ends

ROUNDS = 5
MANY = 5000
# Rows as the API would have written them, without five thousand calls.
FILL = """
import sys, django
django.setup()
from apps.models import App, Destination, Domain, Route
from paas.lib.models import new_guid
app, count = App.objects.select_related("space").get(guid=sys.argv[1]), int(sys.argv[2])
domain = Domain.objects.get(name="apps.localhost")
routes = [Route(space=app.space, domain=domain, host=f"{app.name}-{number}") for number in range(count)]
Route.objects.bulk_create(routes, 1000)
Destination.objects.bulk_create([Destination(guid=new_guid(), route=route, app=app) for route in routes], 1000)
"""


def measure(ground: Ground) -> list[Row]:
    name = f"routes-{secrets.token_hex(3)}"
    app = ground.client.push(ground.space, name, apps.server(name))
    rows = [_row(ground, app, "few routes")]
    ground.say(f"writing {MANY:,} routes")
    words = [sys.executable, "-c", FILL, app["guid"], str(MANY)]
    environment = {**ground.house.environment, "DJANGO_SETTINGS_MODULE": "paas.settings"}
    subprocess.run(words, cwd=CHECKOUT, env=environment, check=True)
    try:
        ground.client.call("DELETE", _mapped(ground, app))  # the next publish has them all
        rows.append(_row(ground, app, f"{MANY:,} routes"))
    finally:
        ground.client.call("DELETE", f"/v3/apps/{app['guid']}")
        there = f"/v3/spaces/{ground.space['guid']}/routes?unmapped=true"
        ground.client.call("DELETE", there)
    return rows


def _row(ground: Ground, app: Any, what: str) -> Row:
    taken = []
    for number in range(ROUNDS):
        ground.say(f"a new route among {what}, {number + 1} of {ROUNDS}")
        began = time.monotonic()
        _mapped(ground, app)
        taken.append(time.monotonic() - began)
    return Row(f"new route, from POST to its answer, {what}", "s", median(taken), aim=Aim(1, of="ours"))


def _mapped(ground: Ground, app: Any) -> str:
    """Make a route, lead it to the app and wait for its answer; return the route's path in the API."""
    client, host = ground.client, f"new-{secrets.token_hex(4)}"
    domain = client.only("/v3/domains?names=apps.localhost")
    relationships = {"relationships": {**ends("domain", domain), **ends("space", ground.space)}}
    path = f"/v3/routes/{client.call('POST', '/v3/routes', {'host': host, **relationships})['guid']}"
    client.call("POST", f"{path}/destinations", {"destinations": [{"app": {"guid": app["guid"]}}]})
    soon(lambda: client.fetch(host).status_code == 200, "the new route")
    return path
