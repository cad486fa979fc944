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
# Rows as the API would have written them, without twenty thousand calls: other apps of the same space, at rest.
FILL = """
import sys, django
django.setup()
from apps.models import App, Destination, Domain, Process, Route
from paas.lib.models import new_guid
from tenants.models import Space
space, count = Space.objects.get(guid=sys.argv[1]), int(sys.argv[2])
domain = Domain.objects.get(name="apps.localhost")
apps = [App(space=space, name=f"other-{number}") for number in range(count)]
routes = [Route(space=space, domain=domain, host=app.name) for app in apps]
ends = [Destination(guid=new_guid(), route=route, app=app) for route, app in zip(routes, apps)]
for rows in (apps, [Process(guid=app.guid, app=app) for app in apps], routes, ends):
    type(rows[0]).objects.bulk_create(rows, 1000)
"""


def measure(ground: Ground) -> list[Row]:
    """The other apps stay: what is measured after this is measured in their company."""
    name = f"routes-{secrets.token_hex(3)}"
    app = ground.client.push(ground.space, name, apps.server(name))
    rows = [_row(ground, app, "few routes")]
    ground.say(f"writing {MANY:,} routes")
    words = [sys.executable, "-c", FILL, ground.space["guid"], str(MANY)]
    environment = {**ground.house.environment, "DJANGO_SETTINGS_MODULE": "paas.settings"}
    subprocess.run(words, cwd=CHECKOUT, env=environment, check=True)
    return [*rows, _row(ground, app, f"{MANY:,} routes")]


def _row(ground: Ground, app: Any, what: str) -> Row:
    taken = []
    _mapped(ground, app)  # what was written behind the API's back is published with it
    for number in range(ROUNDS):
        ground.say(f"a new route among {what}, {number + 1} of {ROUNDS}")
        began = time.monotonic()
        _mapped(ground, app)
        taken.append(time.monotonic() - began)
    return Row(f"new route, from POST to its answer, {what}", "s", median(taken), aim=Aim(1, of="ours"))


def _mapped(ground: Ground, app: Any) -> None:
    """Make a route, lead it to the app and wait for its answer."""
    client, host = ground.client, f"new-{secrets.token_hex(4)}"
    domain = client.only("/v3/domains?names=apps.localhost")
    relationships = {"relationships": {**ends("domain", domain), **ends("space", ground.space)}}
    path = f"/v3/routes/{client.call('POST', '/v3/routes', {'host': host, **relationships})['guid']}"
    client.call("POST", f"{path}/destinations", {"destinations": [{"app": {"guid": app["guid"]}}]})
    soon(lambda: client.fetch(host).status_code == 200, "the new route")
