"""The table of ways to sign in, of sessions and of lost second factors: the API's operations and the console's pages."""

from __future__ import annotations

from tests.walk.api import DELETE, GET, ORG, PATCH, POST, PUT
from tests.walk.console import ORGANIZATION, asked, form
from tests.walk.people import ACCOUNTS
from tests.walk.rows import Row
from tests.walk.world import PASSWORD

END, RESET, VIEW = (f"{ACCOUNTS}account.{verb}" for verb in ("session.end", "factor.reset", "view"))
MINE, RESET_LINK = {"guid": "session_row"}, {"secret": "reset_secret"}
WAYS, CONFIRM = "account/ways", "accounts/confirm"
UPDATE = "organization.update"


def confirmed(path: str, last: str = "PUT") -> tuple[Row, ...]:
    """A change of one's own ways to sign in: a browser that was left open is asked to confirm first."""
    return tuple(Row(method, path, ids={"pk": "=1"}) for method in ("GET", "POST", last))


API_ROWS = (
    GET("v3/sessions"),
    GET("v3/sessions/<str:guid>", ids=MINE),
    GET("v3/sessions/<str:guid>", ids={"guid": "root_session"}, never=True),
    DELETE("v3/sessions/<str:guid>", do=END, own=True, ids=MINE),
    DELETE("v3/sessions/<str:guid>", ids={"guid": "root_session"}, never=True),
    POST("v3/users/<str:guid>/actions/end_sessions", VIEW, END),
    POST("v3/users/<str:guid>/actions/reset_second_factor", VIEW, RESET),
    GET("v3/organizations/<str:guid>/second_factor", ORG),
    PATCH("v3/organizations/<str:guid>/second_factor", ORG, UPDATE, lambda t: {"required": False}),
)

CONSOLE_ROWS = (
    GET("accounts/login/code", public=True),
    POST("accounts/login/code", public=True, send=form(code="000000")),
    GET("accounts/login/passkey", public=True),
    POST("accounts/login/passkey", public=True, cannot=True),
    PUT("accounts/login/passkey", public=True, cannot=True),
    *(
        Row(method, f"{CONFIRM}/{way}", page=True)
        for way in ("password", "code", "passkey")
        for method in ("GET", "POST", "PUT")
    ),
    GET("accounts/password/reset", public=True),
    POST("accounts/password/reset", public=True, page=True, send=form(login="walked")),
    GET("accounts/password/reset/<str:secret>", public=True, ids=RESET_LINK),
    POST("accounts/password/reset/<str:secret>", public=True, ids=RESET_LINK, send=form(new=PASSWORD, again=PASSWORD)),
    GET(WAYS),
    GET(f"{WAYS}/codes", never=True),
    *confirmed(f"{WAYS}/app/add"),
    *(Row(method, f"{WAYS}/app/remove", never=True) for method in ("GET", "POST", "PUT")),
    *confirmed(f"{WAYS}/codes/new"),
    *confirmed(f"{WAYS}/passkeys/add"),
    *confirmed(f"{WAYS}/passkeys/<int:pk>/rename"),
    *confirmed(f"{WAYS}/passkeys/<int:pk>/remove", "DELETE"),
    GET("account/sessions"),
    POST("account/sessions/end", do=END, own=True),
    POST("account/sessions/<str:guid>/end", do=END, own=True, ids=MINE),
    POST("account/sessions/<str:guid>/end", ids={"guid": "root_session"}, never=True),
    GET("people/<str:guid>", do=RESET),
    *asked("people/<str:guid>/reset-second-factor", "", RESET),
    POST("people/<str:guid>/end-sessions", do=RESET),
    *asked(f"{ORGANIZATION}/second-factor", ORG, UPDATE, form(required="no")),
)

ROWS = (*API_ROWS, *CONSOLE_ROWS)
