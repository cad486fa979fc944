"""The OAuth client, and callers that sign in and call as any client does."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts import actions
from accounts.models import User

PASSWORD = "correct horse battery"
BASIC_CF = "Basic Y2Y6"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def oauth_client(db: None) -> None:
    actions.ensure_oauth_client()


@pytest.fixture
def address() -> str:
    """Where this test's requests come from: refused sign-ins are counted outside the database."""
    return f"2001:db8::{random.randrange(1 << 16):x}:{random.randrange(1 << 16):x}"


@pytest.fixture
def grant(client: Client, address: str) -> Callable[..., Any]:
    """Ask for tokens as ``cf`` does."""

    def ask(headers: dict[str, str] | None = None, *, path: str = "", elsewhere: str = "", **form: str) -> Any:
        return client.post(
            path or "/uaa/oauth/token",
            urlencode(form),
            content_type=FORM,
            headers={"Authorization": BASIC_CF} if headers is None else headers,
            REMOTE_ADDR=elsewhere or address,
        )

    return ask


@pytest.fixture
def sign_in(grant: Callable[..., Any]) -> Callable[..., Any]:
    """Return the tokens that a person gets for the password."""

    def ask(user: User, password: str = PASSWORD) -> Any:
        answer = grant(grant_type="password", username=user.username, password=password, scope="")
        assert answer.status_code == 200, answer.content
        return answer.json()

    return ask


@pytest.fixture
def bearing() -> Callable[[str], APIClient]:
    """A client that carries a bearer token."""

    def client(token: str, scheme: str = "bearer") -> APIClient:
        made = APIClient()
        made.default_format = "json"
        made.credentials(HTTP_AUTHORIZATION=f"{scheme} {token}")
        return made

    return client


@pytest.fixture
def calling(sign_in: Callable[..., Any], bearing: Callable[[str], APIClient]) -> Callable[[User], APIClient]:
    """A client that has signed in as the person."""
    return lambda user: bearing(sign_in(user)["access_token"])


@pytest.fixture
def browser(db: None) -> Callable[..., Client]:
    """A browser that is signed in as the person, or as nobody."""

    def client(user: User | None = None) -> Client:
        made = Client(HTTP_ACCEPT="text/html,application/xhtml+xml")
        if user is not None:
            made.force_login(user)
        return made

    return client
