"""What an attacker has got: the command line's grant, a bearer token, a browser, and an app of alice's."""

from __future__ import annotations

from tests.accounts.conftest import address, bearing, browser, calling, grant, oauth_client, sign_in
from tests.apps.conftest import app, converge, domain, droplet, make_droplet, route, running, runtime, store

__all__ = [
    "address",
    "app",
    "bearing",
    "browser",
    "calling",
    "converge",
    "domain",
    "droplet",
    "grant",
    "make_droplet",
    "oauth_client",
    "route",
    "running",
    "runtime",
    "sign_in",
    "store",
]
