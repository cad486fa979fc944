"""The table of the console: its pages, its forms, and what its scripts fetch."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.apps.archives import zipped
from tests.walk.api import APPS, GET, MEMBERS, ORG, POST, PUT, ROBOTS, SPACE, SPACE_MEMBERS
from tests.walk.people import ACCOUNTS, FIRST_PASSWORD, THERE
from tests.walk.rows import Row, Send
from tests.walk.world import PASSWORD

ORGANIZATION, PLACE, APP = "orgs/<str:guid>", "spaces/<str:guid>", "apps/<str:guid>"
ROBOT = "robots/<str:guid>"
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
    GET("account/tokens"),
    *asked("account/tokens/new", "", TOKEN, form(name="walked", days="30", may="everything"), own=True, page=True),
    POST("account/tokens/<str:guid>/revoke", do=f"{ACCOUNTS}account.token.revoke", own=True),
    POST("account/tokens/<str:guid>/revoke", ids={"guid": "root_token"}, never=True),
    GET("uaa/login", public=True),
    GET("uaa/passcode", do=TOKEN, own=True),
    GET("docs", public=True),
    GET("docs/api", public=True),
    GET("docs/roles", public=True),
    GET("docs/<slug:page>", public=True),
    GET("search", APPS, shows="app", query="?q=-app"),
    GET("search", ORG, shows="organization", query="?q=r"),
)


def role_of(name: str) -> Any:
    """A box of the matrix: the member manages the organization."""
    return lambda t: {name: f"{t.member} {t.organization} organization_manager"}


def role_in_space(name: str) -> Any:
    """Another box of it: the member develops in the space."""
    return lambda t: {name: f"{t.member} {t.space} space_developer"}


ORGANIZATION_ROWS = (
    GET("", ORG, shows="organization"),
    *asked("orgs/new", "", "organization.create", form(name="walked")),
    GET(ORGANIZATION, ORG),
    GET(f"{ORGANIZATION}/events", ORG, f"{THERE}audit.read"),
    GET(f"{ORGANIZATION}/events", ORG, f"{THERE}audit.read", query="?format=csv"),
    GET("people/<str:guid>/events", ORG, "audit.read"),
    GET("platform/events", do="platform.view"),
    GET(f"{ORGANIZATION}/settings", ORG),
    POST(f"{ORGANIZATION}/rename", ORG, "organization.update", form(name="walked")),
    POST(f"{ORGANIZATION}/quota", ORG, "platform.manage", lambda t: {"quota": t.quota_key}),
    POST(f"{ORGANIZATION}/suspend", ORG, "organization.suspend"),
    POST(f"{ORGANIZATION}/resume", ORG, "organization.suspend"),
    *asked(f"{ORGANIZATION}/delete", ORG, "organization.delete", lambda t: {"name": t.organization_name}),
    GET(f"{ORGANIZATION}/robots", ORG),
    *asked(f"{ORGANIZATION}/robots/new", ORG, ROBOTS, form(name="walked")),
    GET(ROBOT, ORG),
    *asked(f"{ROBOT}/settings", ORG, ROBOTS, form(name="walked")),
    *asked(f"{ROBOT}/delete", ORG, ROBOTS),
    *asked(f"{ROBOT}/keys/new", ORG, ROBOTS, form(name="walked", days="30"), page=True),
    *asked(f"{ROBOT}/keys/<str:key>/rotate", ORG, ROBOTS, form(days="7"), page=True),
    *asked(f"{ROBOT}/keys/<str:key>/revoke", ORG, ROBOTS),
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
    GET(f"{ORGANIZATION}/access", ORG),
    POST(f"{ORGANIZATION}/access/review", ORG, MEMBERS, role_of("held"), page=True),
    POST(f"{ORGANIZATION}/access/review", SPACE, SPACE_MEMBERS, role_in_space("held"), page=True),
    POST(f"{ORGANIZATION}/access/save", ORG, MEMBERS, role_of("give")),
    POST(f"{ORGANIZATION}/access/save", SPACE, SPACE_MEMBERS, role_in_space("give")),
    GET(f"{ORGANIZATION}/people/<str:person>", ORG),
    POST(f"{ORGANIZATION}/people/<str:person>/view-as", ORG, MEMBERS),
    POST("view-as/stop"),
    GET(f"{ORGANIZATION}/departures", ORG, MEMBERS),
    POST(f"{ORGANIZATION}/departures/<str:departure>/undo", ORG, MEMBERS, ids={"departure": "departure"}),
)

SPACE_ROWS = (
    GET(PLACE, SPACE),
    GET(f"{PLACE}/events", SPACE, "audit.read"),
    GET(f"{PLACE}/events", SPACE, "audit.read", query="?format=jsonl"),
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
    GET(APP, APPS),
    GET(f"{APP}/instances", APPS),
    POST(f"{APP}/instances/<str:process_type>/<int:index>/restart", APPS, "app.run"),
    POST(f"{APP}/start", APPS, "app.run"),
    POST(f"{APP}/stop", APPS, "app.run"),
    POST(f"{APP}/restart", APPS, "app.run"),
    POST(f"{APP}/restage", APPS, "app.deploy"),
    *asked(f"{APP}/push", APPS, "app.push", bits()),
    *asked(f"{APP}/push/git", APPS, "app.push", form(**GIT)),
    GET(f"{APP}/push/cf", APPS, "app.push"),
    GET(f"{APP}/builds", APPS),
    GET("builds/<str:guid>", APPS, "log.read"),
    GET("builds/<str:guid>/lines", APPS, "log.read"),
    POST("builds/<str:guid>/cancel", APPS, "app.stage", ids={"guid": "building"}),
    GET(f"{APP}/logs", APPS, "log.read"),
    GET(f"{APP}/logs/lines", APPS, "log.read"),
    GET(f"{APP}/logs/text", APPS, "log.read"),
    GET(f"{APP}/events", APPS, "audit.read"),
    GET(f"{APP}/routes", APPS),
    POST(f"{APP}/routes/new", APPS, "route.manage", lambda t: {"host": "walked", "domain": t.shared_domain}),
    POST(f"{APP}/routes/map", APPS, "route.manage", lambda t: {"route": t.loose}),
    GET(f"{APP}/environment", APPS),
    POST(f"{APP}/environment/show", APPS, "app.see_environment", page=True),
    POST(f"{APP}/environment/set", APPS, "app.set_environment", form(name="A", value="b")),
    POST(f"{APP}/environment/remove", APPS, "app.set_environment", form(name="KEY")),
    GET(f"{APP}/revisions", APPS),
    *asked(f"{APP}/revisions/<int:version>/deploy", APPS, "app.deploy"),
    GET(f"{APP}/settings", APPS),
    POST(f"{APP}/rename", APPS, "app.update", form(name="walked")),
    POST(f"{APP}/buildpacks", APPS, "app.update", form(buildpacks="")),
    POST(
        f"{APP}/processes/<str:process_type>/scale",
        APPS,
        "app.scale",
        form(instances=1, memory_mb=64, disk_mb=64),
    ),
    POST(f"{APP}/processes/<str:process_type>/run", APPS, "app.update", form(command="walk", health_type="port")),
    *asked(f"{APP}/delete", APPS, "app.delete", lambda t: {"name": t.app_name}),
)

SERVICE, SEE, MAKE, BIND = "services/<str:guid>", "service.view", "service.create", "service.bind"
SECRETS, REMOVE, OWN = "service.see_credentials", "service.delete", {"guid": "own_instance"}

SERVICE_ROWS = (
    GET(f"{PLACE}/services", SPACE, SEE),
    GET(f"{PLACE}/marketplace", SPACE, SEE),
    GET(f"{PLACE}/marketplace/<str:offering>", SPACE, SEE),
    *asked(f"{PLACE}/services/new/<str:plan>", SPACE, MAKE, form(name="walked")),
    GET(f"{PLACE}/services/deleted", SPACE, SEE),
    *asked(f"{PLACE}/services/own", SPACE, MAKE, form(name="walked", credentials="{}")),
    GET(f"{APP}/bind", APPS, BIND),
    GET(SERVICE, SEE),
    GET(f"{SERVICE}/now", SEE),
    GET(f"{SERVICE}/connect", SEE),
    POST(f"{SERVICE}/credentials", SEE, SECRETS, ids=OWN, page=True),
    GET(f"{SERVICE}/metrics", never=True),  # of what does not run here
    GET(f"{SERVICE}/backups", SEE),
    GET(f"{SERVICE}/backups/now", SEE),
    POST(f"{SERVICE}/backups/take", SEE, MAKE),
    *asked(f"{SERVICE}/restore", SEE, SECRETS, form(what="newest"), page=True),  # there is no backup yet
    *asked(
        f"{APP}/swap", APPS, BIND, lambda t: {"source": t.own_instance, "target": t.service_instance, "keep": "keep"}
    ),
    GET(f"{APP}/swap/<str:deployment>", never=True),  # of a deployment that swaps nothing
    GET(f"{APP}/swap/<str:deployment>/now", never=True),
    GET(f"{SERVICE}/events", SEE, "audit.read"),
    *asked(f"{SERVICE}/bind", SEE, BIND, lambda t: {"app": t.app}),
    GET(f"{SERVICE}/keys", SEE),
    *asked(f"{SERVICE}/keys/new", SEE, MAKE, form(name="walked")),
    GET(f"{SERVICE}/plan", SEE),
    *asked(f"{SERVICE}/plan/<str:plan>", SEE, MAKE, ids={"plan": "other_plan"}),
    *asked(f"{SERVICE}/parameters", SEE, MAKE, form(json='{"walked": true}')),
    POST(f"{SERVICE}/parameters/show", SEE, SECRETS, cannot=True),
    *asked(f"{SERVICE}/upgrade", SEE, MAKE, page=True),  # there is no newer version
    GET(f"{SERVICE}/settings", SEE),
    POST(f"{SERVICE}/rename", SEE, MAKE, form(name="walked"), ids=OWN),
    *asked(f"{SERVICE}/own", SEE, MAKE, form(name="walked"), ids=OWN),
    POST(
        f"{SERVICE}/share", SEE, MAKE, lambda t: {"space": t.annex}, ids=OWN, page=True
    ),  # credentials cannot be shared
    *asked(f"{SERVICE}/unshare/<str:space>", SEE, MAKE, ids={"space": "annex"}),
    *asked(f"{SERVICE}/delete", SEE, REMOVE, lambda t: {"name": f"{t.space_name} data"}),
    *asked(f"{SERVICE}/purge", SEE, REMOVE, lambda t: {"name": f"{t.space_name} data"}),
    POST("bindings/<str:guid>/show", SEE, SECRETS, page=True),
    *asked("bindings/<str:guid>/delete", SEE, BIND),
)
BROKER, ADMINS = "brokers/<str:guid>", "platform.manage"
REGISTERED = form(name="walked", url="https://broker.example", username="walked", password="walked")
BROKER_ROWS = (
    GET("platform/brokers", do="platform.view"),
    *asked("platform/brokers/new", "", ADMINS, REGISTERED),
    GET(f"{PLACE}/brokers", SPACE, SEE),
    *asked(f"{PLACE}/brokers/new", SPACE, MAKE, REGISTERED),
    GET(BROKER, SEE),
    GET(f"{BROKER}/now", SEE),
    POST(f"{BROKER}/read", SEE, MAKE),
    *asked(f"{BROKER}/settings", SEE, MAKE, form(name="walked", url="https://broker.example")),
    *asked(f"{BROKER}/delete", SEE, MAKE, lambda t: {"name": f"{t.space_name} broker"}),
    GET(f"{BROKER}/plans/<str:plan>", never=True),  # of a space's own broker
    POST(f"{BROKER}/plans/<str:plan>", never=True),
    *asked(f"{BROKER}/offerings/<str:offering>/purge", SEE, MAKE, form(name="db")),
    GET(f"{BROKER}/conformance", SEE),
    GET(f"{BROKER}/conformance/now", SEE),
    *asked(f"{BROKER}/conformance/check", SEE, MAKE, form(plan="")),
)

ROWS = (*ACCOUNT_ROWS, *ORGANIZATION_ROWS, *SPACE_ROWS, *APP_ROWS, *SERVICE_ROWS, *BROKER_ROWS)
