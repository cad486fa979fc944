"""The table of what is used of quotas, and of requests for larger ones: in the API, and in the console."""

from __future__ import annotations

from tests.walk.api import GET, PLATFORM, POST, SPACE, listed, to
from tests.walk.console import ORG, ORGANIZATION, PLACE, asked, form
from tests.walk.people import THERE

ASK, SET = "quota.ask", "quota.manage"
ASK_THERE = f"{THERE}{ASK}"
ABOUT_SPACE, MINE = {"guid": "space_quota_request"}, {"guid": "my_quota_request"}
MORE = {"routes": {"total_routes": 2500}}

API_ROWS = (
    listed("v3/quota_requests", "quota_request", ASK_THERE),
    listed("v3/quota_requests", "space_quota_request", ASK),
    POST(
        "v3/quota_requests",
        ORG,
        ASK_THERE,
        lambda t: {**MORE, "relationships": {"organization": to(t.organization)}},
        named=True,
    ),
    POST("v3/quota_requests", SPACE, ASK, lambda t: {**MORE, "relationships": {"space": to(t.space)}}, named=True),
    GET("v3/quota_requests/<str:guid>", ASK_THERE),
    GET("v3/quota_requests/<str:guid>", ASK, ids=ABOUT_SPACE),
)

BOTH_ROWS = tuple(
    row
    for path in ("v3/quota_requests/<str:guid>/actions/", "quota-requests/<str:guid>/")
    for row in (
        *(POST(f"{path}{did}", ASK_THERE, PLATFORM) for did in ("accept", "refuse")),
        *(POST(f"{path}{did}", ASK, SET, ids=ABOUT_SPACE) for did in ("accept", "refuse")),
        POST(f"{path}withdraw", ASK, ASK, ids=MINE),
    )
)

CONSOLE_ROWS = (
    GET(f"{ORGANIZATION}/use", ORG, "usage.view"),
    GET(f"{PLACE}/use", SPACE),
    GET(f"{ORGANIZATION}/quota-requests", ORG),
    *asked(f"{ORGANIZATION}/quota-requests/ask", ORG, ASK_THERE, form(total_routes="2500")),
    *asked(f"{PLACE}/quota-requests/ask", SPACE, ASK, form(total_routes="2500")),
    GET("platform/quota-requests", do=PLATFORM),
)

ROWS = (*API_ROWS, *BOTH_ROWS, *CONSOLE_ROWS)
