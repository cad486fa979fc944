"""The table of invitations, of one's own account and of the outbox: the API's operations and the console's pages."""

from __future__ import annotations

from types import SimpleNamespace as Things
from typing import Any

from tests.walk.api import DELETE, GET, MEMBERS, ORG, PATCH, POST, listed, to
from tests.walk.console import ORGANIZATION, asked, form
from tests.walk.people import ACCOUNTS, FIRST_PASSWORD
from tests.walk.world import PASSWORD

MAIL, READ_MAIL = f"{ACCOUNTS}mail.view", f"{ACCOUNTS}mail.manage"
UPDATE, CLOSE, EXPORT = (f"{ACCOUNTS}account.{verb}" for verb in ("update", "close", "export"))
ACCEPT = f"{ACCOUNTS}invitation.accept"
INVITATION = "v3/invitations/<str:guid>"
CHANGE = "v3/account/email_change"
JOIN, EMAIL = {"secret": "invitation_secret"}, {"secret": "email_secret"}


def invited(t: Things) -> dict[str, Any]:
    return {"emails": ["walked@example.org"], "relationships": {"organization": to(t.organization)}}


API_ROWS = (
    listed("v3/mails", "mail", MAIL),
    GET("v3/mails/<str:guid>", MAIL),
    POST("v3/mails/<str:guid>/actions/show", MAIL, READ_MAIL),
    POST("v3/mails/<str:guid>/actions/send", MAIL, READ_MAIL),
    listed("v3/invitations", "invitation", ORG),
    POST("v3/invitations", ORG, MEMBERS, invited, named=True),
    GET(INVITATION, ORG),
    DELETE(INVITATION, ORG, MEMBERS),
    POST(f"{INVITATION}/actions/send", ORG, MEMBERS),
    POST("v3/invitations/actions/accept", do=ACCEPT, own=True, send=lambda t: {"secret": t.invitation_secret}),
    POST(
        "v3/invitations/actions/join",
        public=True,
        send=lambda t: {"secret": t.invitation_secret, "password": PASSWORD},
    ),
    GET("v3/organizations/<str:guid>/mail_domains", ORG),
    PATCH(
        "v3/organizations/<str:guid>/mail_domains",
        ORG,
        "organization.update",
        lambda t: {"mail_domains": ["example.org"]},
    ),
    GET("v3/account"),
    PATCH("v3/account", do=UPDATE, own=True, send=lambda t: {"given_name": "Walked"}),
    GET("v3/account/data", do=EXPORT, own=True),
    POST("v3/account/actions/close", do=CLOSE, own=True, send=lambda t: {"password": FIRST_PASSWORD}),
    GET(CHANGE),
    POST(CHANGE, do=UPDATE, own=True, send=lambda t: {"email": "walked@example.org"}),
    DELETE(CHANGE, do=UPDATE, own=True),
    POST(f"{CHANGE}/actions/confirm", public=True, send=lambda t: {"secret": t.email_secret}),
)

CONSOLE_ROWS = (
    GET("outbox", do=MAIL),
    GET("outbox/<str:guid>", do=MAIL),
    POST("outbox/<str:guid>/show", do=READ_MAIL, page=True),
    POST("outbox/<str:guid>/send", do=READ_MAIL),
    *asked(f"{ORGANIZATION}/invite", ORG, MEMBERS, form(emails="walked@example.org"), page=True),
    GET(f"{ORGANIZATION}/invitations", ORG, MEMBERS),
    POST(f"{ORGANIZATION}/invitations/<str:invitation>/send", ORG, MEMBERS),
    POST(f"{ORGANIZATION}/invitations/<str:invitation>/withdraw", ORG, MEMBERS),
    *asked(f"{ORGANIZATION}/invitations/domains", ORG, "organization.update", form(domains="example.org")),
    GET("join/<str:secret>", public=True, ids=JOIN),
    POST("join/<str:secret>", public=True, ids=JOIN, send=form(new=PASSWORD, again=PASSWORD)),
    GET("account/names"),
    POST("account/names", do=UPDATE, own=True, send=form(given_name="Walked")),
    GET("account/email"),
    POST("account/email", do=UPDATE, own=True, send=form(email="walked@example.org")),
    POST("account/email/cancel", do=UPDATE, own=True),
    GET("accounts/email/<str:secret>", public=True, ids=EMAIL),
    POST("accounts/email/<str:secret>", public=True, ids=EMAIL, page=True),
    POST("account/data", do=EXPORT, own=True, page=True),
    GET("account/close"),
    POST("account/close", do=CLOSE, own=True, send=lambda t: {"name": t.my_name, "password": FIRST_PASSWORD}),
)

ROWS = (*API_ROWS, *CONSOLE_ROWS)
