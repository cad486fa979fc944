"""The table of the console: its pages, its forms, and what its scripts fetch."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.apps.archives import zipped
from tests.walk.api import GET, MEMBERS, ORG, POST, PUT, SPACE, SPACE_MEMBERS
from tests.walk.people import ACCOUNTS, FIRST_PASSWORD
from tests.walk.rows import Row, Send
from tests.walk.world import PASSWORD

ORGANIZATION, PLACE, APP = "orgs/<str:guid>", "spaces/<str:guid>", "apps/<str:guid>"
TOKEN = f"{ACCOUNTS}account.token.create"
NEW_APP: dict[str, Any] = {"name": "walked", "memory_mb": 64, "instances": 1}
GIT = {"url": "https://git.example/team/app.git"}


def form(**fields: Any) -> Send:
    return lambda t: fields


def bits(**fields: Any) -> Send:
    return lambda t: {"bits": SimpleUploadedFile("source.zip", zipped().read()), **fields}


def asked(path: str, see: str, do: str, send: Send | None = None, **more: Any) -> tuple[Row, Row]:
    """A form with a page of its own: both are for who may send it."""
    return GET(path, see, do, **more), POST(path, see, do, send, **more)


ACCOUNT_ROWS = (
    GET("accounts/login/", public=True),
    POST(
        "accounts/login/",
        public=True,
        send=lambda t: {"login": t.member_name, "password": FIRST_PASSWORD},
    ),
    PUT("accounts/login/", public=True, page=True),
    GET("accounts/logout/", public=True),
    POST("accounts/logout/", public=True),
    GET("accounts/link/<str:secret>", public=True),
    POST("accounts/link/<str:secret>", public=True),
    GET("account"),
    GET("account/password"),
    POST(
        "account/password",
        do=f"{ACCOUNTS}account.password",
        own=True,
        send=form(old=FIRST_PASSWORD, new=PASSWORD, again=PASSWORD),
    ),
    POST("account/tokens", do=TOKEN, own=True, send=form(name="walked", days="30"), page=True),
    POST("account/tokens/<str:guid>/revoke", do=f"{ACCOUNTS}account.token.revoke", own=True),
    POST("account/tokens/<str:guid>/revoke", ids={"guid": "root_token"}, never=True),
    GET("uaa/login", public=True),
    GET("uaa/passcode", do=TOKEN, own=True),
    GET("docs", public=True),
    GET("docs/api", public=True),
    GET("docs/roles", public=True),
    GET("docs/<slug:page>", public=True),
    GET("search", SPACE, shows="app", query="?q=-app"),
    GET("search", ORG, shows="organization", query="?q=r"),
)

ORGANIZATION_ROWS = (
    GET("", ORG, shows="organization"),
    *asked("orgs/new", "", "organization.create", form(name="walked")),
    GET(ORGANIZATION, ORG),
    GET(f"{ORGANIZATION}/events", ORG, "organization.audit"),
    GET(f"{ORGANIZATION}/settings", ORG),
    POST(f"{ORGANIZATION}/rename", ORG, "organization.update", form(name="walked")),
    POST(f"{ORGANIZATION}/quota", ORG, "platform.manage", lambda t: {"quota": t.quota_key}),
    POST(f"{ORGANIZATION}/suspend", ORG, "organization.suspend"),
    POST(f"{ORGANIZATION}/resume", ORG, "organization.suspend"),
    *asked(f"{ORGANIZATION}/delete", ORG, "organization.delete", lambda t: {"name": t.organization_name}),
    *asked(f"{ORGANIZATION}/spaces/new", ORG, "space.create", form(name="walked")),
    GET(f"{ORGANIZATION}/members", ORG),
    POST(f"{ORGANIZATION}/members", ORG, MEMBERS, lambda t: {"held": f"{t.member} organization_manager"}),
    *asked(
        f"{ORGANIZATION}/members/add",
        ORG,
        MEMBERS,
        lambda t: {"person": t.newcomer_name, "roles": ["organization_auditor"]},
    ),
    *asked(f"{ORGANIZATION}/members/<str:person>/remove", ORG, MEMBERS),
)

SPACE_ROWS = (
    GET(PLACE, SPACE),
    GET(f"{PLACE}/events", SPACE, "space.audit"),
    GET(f"{PLACE}/members", SPACE),
    POST(f"{PLACE}/members", SPACE, SPACE_MEMBERS, lambda t: {"held": f"{t.member} space_developer"}),
    *asked(
        f"{PLACE}/members/add", SPACE, SPACE_MEMBERS, lambda t: {"person": t.member_name, "roles": ["space_developer"]}
    ),
    GET(f"{PLACE}/settings", SPACE),
    POST(f"{PLACE}/rename", SPACE, "space.update", form(name="walked")),
    *asked(f"{PLACE}/delete", SPACE, "space.delete", lambda t: {"name": t.space_name}),
    *asked(f"{PLACE}/new", SPACE, "app.create", bits(**NEW_APP)),
    *asked(f"{PLACE}/new/git", SPACE, "app.create", form(**NEW_APP, **GIT)),
    GET(f"{PLACE}/new/cf", SPACE, "app.create"),
    GET(f"{PLACE}/routes", SPACE),
    POST(f"{PLACE}/routes/new", SPACE, "route.manage", lambda t: {"host": "walked", "domain": t.shared_domain}),
    GET("routes/<str:guid>", SPACE),
    POST("routes/<str:guid>/map", SPACE, "route.manage", lambda t: {"app": t.other}),
    POST("routes/<str:guid>/unmap/<str:destination>", SPACE, "route.manage"),
    *asked("routes/<str:guid>/delete", SPACE, "route.manage"),
)

APP_ROWS = (
    GET(APP, SPACE),
    GET(f"{APP}/instances", SPACE),
    POST(f"{APP}/instances/<str:process_type>/<int:index>/restart", SPACE, "app.run"),
    POST(f"{APP}/start", SPACE, "app.run"),
    POST(f"{APP}/stop", SPACE, "app.run"),
    POST(f"{APP}/restart", SPACE, "app.run"),
    POST(f"{APP}/restage", SPACE, "app.deploy"),
    *asked(f"{APP}/push", SPACE, "app.push", bits()),
    *asked(f"{APP}/push/git", SPACE, "app.push", form(**GIT)),
    GET(f"{APP}/push/cf", SPACE, "app.push"),
    GET(f"{APP}/builds", SPACE),
    GET("builds/<str:guid>", SPACE, "log.read"),
    GET("builds/<str:guid>/lines", SPACE, "log.read"),
    POST("builds/<str:guid>/cancel", SPACE, "app.stage", ids={"guid": "building"}),
    GET(f"{APP}/logs", SPACE, "log.read"),
    GET(f"{APP}/logs/lines", SPACE, "log.read"),
    GET(f"{APP}/logs/text", SPACE, "log.read"),
    GET(f"{APP}/events", SPACE, "space.audit"),
    GET(f"{APP}/routes", SPACE),
    POST(f"{APP}/routes/new", SPACE, "route.manage", lambda t: {"host": "walked", "domain": t.shared_domain}),
    POST(f"{APP}/routes/map", SPACE, "route.manage", lambda t: {"route": t.loose}),
    GET(f"{APP}/environment", SPACE),
    POST(f"{APP}/environment/show", SPACE, "app.see_environment", page=True),
    POST(f"{APP}/environment/set", SPACE, "app.set_environment", form(name="A", value="b")),
    POST(f"{APP}/environment/remove", SPACE, "app.set_environment", form(name="KEY")),
    GET(f"{APP}/revisions", SPACE),
    *asked(f"{APP}/revisions/<int:version>/deploy", SPACE, "app.deploy"),
    GET(f"{APP}/settings", SPACE),
    POST(f"{APP}/rename", SPACE, "app.update", form(name="walked")),
    POST(f"{APP}/buildpacks", SPACE, "app.update", form(buildpacks="")),
    POST(
        f"{APP}/processes/<str:process_type>/scale",
        SPACE,
        "app.scale",
        form(instances=1, memory_mb=64, disk_mb=64),
    ),
    POST(f"{APP}/processes/<str:process_type>/run", SPACE, "app.update", form(command="walk", health_type="port")),
    *asked(f"{APP}/delete", SPACE, "app.delete", lambda t: {"name": t.app_name}),
)

ROWS = (*ACCOUNT_ROWS, *ORGANIZATION_ROWS, *SPACE_ROWS, *APP_ROWS)
