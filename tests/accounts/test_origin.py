"""Every event says through which door, from where and by which token it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from accounts import actions, audit, origin
from accounts.authority import Authority
from accounts.models import AuditEvent, User
from accounts.origin import Origin, OriginMiddleware


@pytest.fixture(autouse=True)
def _place(quota: Any, region: Any) -> None:
    """New organizations need a quota, and a region for their first space."""


def _last(type: str) -> AuditEvent:
    return AuditEvent.objects.filter(type=type).latest("id")


def test_what_an_api_token_did_names_the_token_and_its_address(bearing: Callable[[str], APIClient], root: User) -> None:
    _, text = actions.create_api_token(root, name="terraform")
    answer = bearing(text).post("/v3/organizations", {"name": "harbour"}, REMOTE_ADDR="192.0.2.7")
    assert answer.status_code == 201, answer.content
    event = _last("audit.organization.create")
    assert (event.door, event.address, event.via) == ("api", "192.0.2.7", "token terraform")


def test_what_a_signed_in_command_line_did_names_no_token(calling: Callable[[User], APIClient], root: User) -> None:
    calling(root).post("/v3/organizations", {"name": "harbour"})
    event = _last("audit.organization.create")
    assert (event.door, event.via) == ("api", "")


def test_what_was_done_on_a_page_came_through_the_console(client: Client, root: User) -> None:
    client.force_login(root)
    client.post("/orgs/new", {"name": "harbour"}, REMOTE_ADDR="2001:db8::7")
    event = _last("audit.organization.create")
    assert (event.door, event.address) == ("console", "2001:db8::7")


def test_the_platforms_own_work_came_through_no_door(root: User, system: User) -> None:
    event = audit.record(system, "audit.user.update", root)
    assert (event.door, event.address, event.via) == ("", "", "")


def test_who_views_as_somebody_is_recorded_as_such(root: User) -> None:
    root.authority = replace(Authority(), via="view as bob@example.com")
    assert audit.record(root, "audit.user.update", root).via == "view as bob@example.com"


def test_the_doors_are_told_by_the_address() -> None:
    doors = {path: _seen(path).door for path in ("/", "/v3", "/v3/apps", "/uaa/oauth/token", "/uaa/passcode")}
    assert doors == {
        "/": "console",
        "/v3": "api",
        "/v3/apps": "api",
        "/uaa/oauth/token": "api",
        "/uaa/passcode": "console",
    }


def test_a_streamed_answer_keeps_its_origin_to_the_end() -> None:
    def soon() -> Iterator[str]:
        yield origin.current().address

    async def later() -> AsyncIterator[str]:
        yield origin.current().address

    for pieces in (soon, later):
        answer: Any = OriginMiddleware(lambda _, pieces=pieces: StreamingHttpResponse(pieces()))(_request("/v3/apps"))  # type: ignore[misc]
        assert origin.current() == Origin()
        assert (asyncio.run(_all(answer)) if answer.is_async else b"".join(answer)) == b"192.0.2.9"


async def _all(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer])


def _request(path: str) -> Any:
    return RequestFactory().get(path, REMOTE_ADDR="192.0.2.9")


def _seen(path: str) -> Origin:
    seen: list[Origin] = []

    def view(_: Any) -> HttpResponse:
        seen.append(origin.current())
        return HttpResponse()

    OriginMiddleware(view)(_request(path))
    return seen[0]
