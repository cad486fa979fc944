"""The table of custom roles, of roles with their ends, and of requests for roles: in the API, and in the console."""

from __future__ import annotations

from types import SimpleNamespace as Things
from typing import Any

from tests.walk.api import DELETE, GET, MEMBERS, ORG, PATCH, POST, SPACE, SPACE_MEMBERS, described, listed, to
from tests.walk.console import ORGANIZATION, asked, form

ROLES = "role.manage"
OWN, IN_SPACE, MINE = {"guid": "custom_role"}, {"guid": "in_space"}, {"guid": "my_request"}
SPARE, ABOUT_SPACE = {"guid": "spare_role"}, {"guid": "space_request"}
REASON = form(reason="walked")


def viewer(t: Things) -> dict[str, Any]:
    """The member gets the organization's own role in the space."""
    return {"relationships": {"user": to(t.member), "space": to(t.space), "custom_role": to(t.custom_role)}}


def wish(t: Things) -> dict[str, Any]:
    return {"relationships": {"organization": to(t.organization), "custom_role": to(t.spare_role)}}


CUSTOM_ROLE_ROWS = (
    listed("v3/custom_roles", "custom_role", ORG),
    POST(
        "v3/custom_roles",
        ORG,
        ROLES,
        lambda t: {
            "name": "walked",
            "copy_of": "space_auditor",
            "relationships": {"organization": to(t.organization)},
        },
        named=True,
    ),
    *described("v3/custom_roles/<str:guid>", ORG, ROLES),
    DELETE("v3/custom_roles/<str:guid>", ORG, ROLES, query="?recursive=true"),
    POST("v3/custom_roles/<str:guid>/actions/preview", ORG, ROLES, lambda t: {"permissions": ["log.read"]}),
    GET(f"{ORGANIZATION}/roles", ORG),
    *asked(
        f"{ORGANIZATION}/roles/new", ORG, ROLES, form(name="walked", permissions=["log.read"]), query="?start=space"
    ),
    GET("roles/<str:guid>", ORG, ids=OWN),
    *asked("roles/<str:guid>/change", ORG, ROLES, form(name="walked", permissions=["billing.view"]), ids=SPARE),
    *asked("roles/<str:guid>/delete", ORG, ROLES, lambda t: {"preview": t.spare_mark}, ids=SPARE),
)

GRANT_ROWS = (
    listed("v3/role_grants", "auditor", ORG),
    listed("v3/role_grants", "in_space", SPACE),
    POST("v3/role_grants", SPACE, SPACE_MEMBERS, viewer, named=True),
    GET("v3/role_grants/<str:guid>", ORG),
    GET("v3/role_grants/<str:guid>", SPACE, ids=IN_SPACE),
    PATCH("v3/role_grants/<str:guid>", ORG, MEMBERS, REASON),
    PATCH("v3/role_grants/<str:guid>", SPACE, SPACE_MEMBERS, REASON, ids=IN_SPACE),
    DELETE("v3/role_grants/<str:guid>", ORG, MEMBERS),
    DELETE("v3/role_grants/<str:guid>", SPACE, SPACE_MEMBERS, ids=IN_SPACE),
    *asked("grants/<str:guid>", ORG, MEMBERS, REASON),
    *asked("grants/<str:guid>", SPACE, SPACE_MEMBERS, REASON, ids=IN_SPACE),
    GET(f"{ORGANIZATION}/ends", ORG, MEMBERS),
)

REQUEST_ROWS = (
    listed("v3/role_requests", "role_request", MEMBERS),
    listed("v3/role_requests", "space_request", SPACE_MEMBERS),
    POST("v3/role_requests", ORG, ORG, wish, named=True, whole=True),
    GET("v3/role_requests/<str:guid>", MEMBERS),
    GET("v3/role_requests/<str:guid>", SPACE_MEMBERS, ids=ABOUT_SPACE),
    GET("v3/role_requests/<str:guid>", ORG, ids=MINE),
    *(
        POST(path, see, do, **more)
        for did in ("accept", "refuse")
        for path in (f"v3/role_requests/<str:guid>/actions/{did}", f"requests/<str:guid>/{did}")
        for see, do, more in (
            (MEMBERS, MEMBERS, {}),
            (SPACE_MEMBERS, SPACE_MEMBERS, {"ids": ABOUT_SPACE}),
            (ORG, MEMBERS, {"ids": MINE}),
        )
    ),
    POST("v3/role_requests/<str:guid>/actions/withdraw", ORG, ids=MINE, whole=True),
    POST("requests/<str:guid>/withdraw", ORG, ids=MINE),
    GET(f"{ORGANIZATION}/requests", ORG),
    *asked(f"{ORGANIZATION}/requests/ask", ORG, ORG, lambda t: {"role": t.spare_role}),
)

ROWS = (*CUSTOM_ROLE_ROWS, *GRANT_ROWS, *REQUEST_ROWS)
