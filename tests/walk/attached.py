"""The table of the API about service instances, whom they are shared with, and their bindings."""

from __future__ import annotations

from tests.walk.api import DELETE, GET, PATCH, POST, SPACE, described, listed, to
from tests.walk.rows import Row

INSTANCE, BINDING = "v3/service_instances/<str:guid>", "v3/service_credential_bindings/<str:guid>"
SHARED = f"{INSTANCE}/relationships/shared_spaces"
SEE, MAKE, SECRETS = "service.view", "service.create", "service.see_credentials"
OWN = {"guid": "own_instance"}

ROWS: tuple[Row, ...] = (
    listed("v3/service_instances", "service_instance", SEE),
    POST(
        "v3/service_instances",
        SPACE,
        MAKE,
        lambda t: {"type": "user-provided", "name": "walked", "relationships": {"space": to(t.space)}},
        named=True,
    ),
    *described(INSTANCE, SEE, MAKE),
    DELETE(INSTANCE, SEE, "service.delete"),
    DELETE(INSTANCE, SEE, "platform.manage", ids=OWN, query="?purge=true"),
    GET(f"{INSTANCE}/credentials", SEE, SECRETS, ids=OWN),
    GET(f"{INSTANCE}/parameters", SEE, SECRETS, cannot=True),
    GET(f"{INSTANCE}/permissions", SEE),
    GET(f"{INSTANCE}/backups", SEE),
    POST(f"{INSTANCE}/backups", SEE, MAKE, lambda t: {}),
    listed("v3/service_backup_repositories", "service_instance", SEE),
    GET("v3/service_backup_repositories/<str:guid>", SEE),
    GET(SHARED, SEE),
    POST(SHARED, SEE, MAKE, lambda t: {"data": []}),
    DELETE(f"{SHARED}/<str:space>", SEE, MAKE, ids={"space": "annex"}),
    GET(f"{SHARED}/usage_summary", SEE),
    GET("v3/service_brokers/<str:guid>/differences", SEE, "platform.view"),
    listed("v3/service_credential_bindings", "service_key", SEE),
    POST(
        "v3/service_credential_bindings",
        SEE,
        MAKE,
        lambda t: {"type": "key", "name": "walked", "relationships": {"service_instance": to(t.own_instance)}},
        named=True,
    ),
    GET(BINDING, SEE),
    PATCH(BINDING, SEE, MAKE, lambda t: {"metadata": {"labels": {"walked": "yes"}}}),
    DELETE(BINDING, SEE, MAKE),
    DELETE(BINDING, SEE, "service.bind", ids={"guid": "service_binding"}),
    GET(f"{BINDING}/details", SEE, SECRETS),
    GET(f"{BINDING}/parameters", SEE, SECRETS, cannot=True),
)
