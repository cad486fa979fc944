"""Sends a row's request as a person, undoes what it did, and says what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from types import SimpleNamespace as Things
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.messages import constants, get_messages
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.client import encode_multipart
from django.urls import Resolver404, resolve

from tests.walk.doors import ANY
from tests.walk.rows import Outcome, Row
from tests.walk.table import asked_for

HTML, YAML, FORM = "text/html", "application/x-yaml", "application/x-www-form-urlencoded"
BOUNDARY = "walked"
READING = "audit.app.commands.show"  # a form that comes back shows commands again, and that is recorded
SEEN = 'UPDATE "accounts_usersession"'  # when a session was last seen is noted whatever becomes of the request
LINK = re.compile(r'<a [^>]*href="(/[^"]*)"')
BUTTON = re.compile(r'<form [^>]*method="post"[^>]*action="(/[^"]*)"')
NOT_FOUND, NOT_AUTHORIZED, SUSPENDED, UNPROCESSABLE, NOT_AUTHENTICATED = (10000, 10010), 10003, 10017, 10008, 10002


def ask(row: Row, things: Things, look: Callable[[Any, list[str]], str]) -> str:
    """Send the request in a transaction that is rolled back; return what ``look`` makes of the answer and of what was written."""
    written: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        said = sql.startswith(SEEN) or READING in str(params)
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and not said:
            written.append(sql[:80])
        return execute(sql, params, many, context)

    with transaction.atomic():
        method = "GET" if row.method == ANY else row.method
        with connection.execute_wrapper(note):
            answer = client(row, things).generic(method, asked_for(row, things), *body(row, things))
        try:
            return look(answer, written)
        finally:
            transaction.set_rollback(True)


def client(row: Row, things: Things) -> Client:
    """The API is asked with a token, the console with a session."""
    if row.is_api:
        return Client(
            raise_request_exception=False, **({"HTTP_AUTHORIZATION": f"bearer {things.token}"} if things.token else {})
        )
    made = Client(raise_request_exception=False, HTTP_ACCEPT=HTML)
    if things.session:
        made.cookies[settings.SESSION_COOKIE_NAME] = things.session
    return made


def body(row: Row, things: Things) -> tuple[Any, str]:
    sent = row.send(things) if row.send else None
    if isinstance(sent, str):
        return sent, FORM if row.pattern.startswith("uaa") else YAML
    has_file = isinstance(sent, dict) and any(isinstance(value, UploadedFile) for value in sent.values())
    if has_file or (sent and not row.is_api):
        return encode_multipart(BOUNDARY, sent), f"multipart/form-data; boundary={BOUNDARY}"
    return json.dumps(sent) if sent is not None else "", "application/json" if row.is_api else FORM


def text_of(answer: Any) -> str:
    """What can be read in the answer; a file that streams holds nothing of ours."""
    if not answer.streaming:
        return str(answer.content.decode())
    return "" if answer.is_async else b"".join(answer.streaming_content).decode()


def became(row: Row, answer: Any) -> Outcome | str:
    """Return the outcome that the answer shows, or what it is instead of one."""
    return _of_api(row, answer) if row.is_api else _of_console(row, answer)


def _of_api(row: Row, answer: Any) -> Outcome | str:
    status, code = answer.status_code, _code(answer)
    uaa = row.pattern.startswith("uaa")
    match status:
        case 401 if uaa or code == NOT_AUTHENTICATED:
            return Outcome.SIGNED_OUT
        case 403 if uaa or code == NOT_AUTHORIZED:
            return Outcome.REFUSED
        case 403 if code == SUSPENDED:
            return Outcome.SUSPENDED
        case 404 if uaa or code in NOT_FOUND:
            return Outcome.HIDDEN
        case 422 if code == UNPROCESSABLE:
            return Outcome.UNKNOWN if row.named else Outcome.CANNOT
        case 400 if row.cannot:
            return Outcome.CANNOT
    return Outcome.DONE if 200 <= status < 300 else f"{status} {text_of(answer)[:300]}"


def _code(answer: Any) -> int:
    if answer.streaming:
        return 0
    try:
        return int(answer.json()["errors"][0]["code"])
    except (ValueError, KeyError, TypeError, IndexError):
        return 0


def _of_console(row: Row, answer: Any) -> Outcome | str:
    if answer.status_code in (302, 401):
        away = answer.status_code == 401 or urlsplit(answer.headers["Location"]).path == settings.LOGIN_URL
        if away and not row.public:
            return Outcome.SIGNED_OUT
    complaints = _complaints(answer)
    if any("suspended" in said for said in complaints) or (
        answer.status_code == 403 and "suspended" in text_of(answer)
    ):
        return Outcome.SUSPENDED
    match answer.status_code:
        case 403:
            return Outcome.REFUSED
        case 404:
            return Outcome.HIDDEN
        case 200 if row.method == "GET" or row.page:
            return Outcome.DONE
        case 302 if row.cannot:
            return Outcome.CANNOT
        case 302 if not complaints:
            return Outcome.DONE
    return f"{answer.status_code} {complaints}"


def _complaints(answer: Any) -> list[str]:
    """What a page says went wrong: in its form, or above it."""
    told = [str(each) for each in get_messages(answer.wsgi_request) if each.level >= constants.ERROR]
    for name in ("form", "new", "error", "refused"):
        held = answer.context.get(name) if answer.context else None
        told += [str(held.errors)] if getattr(held, "errors", None) else []
        told += [held.detail] if hasattr(held, "detail") else []
    return told


def offers(page: str) -> set[tuple[str, str]]:
    """Return the (method, address) of every link and every button on a page, the address as its pattern."""
    links = {("GET", path) for path in LINK.findall(page)} | {("POST", path) for path in BUTTON.findall(page)}
    found = set()
    for method, path in links:
        try:
            found.add((method, resolve(urlsplit(unescape(path)).path).route))
        except Resolver404:
            assert path.startswith("/static/"), f"A page leads to {path}, which is nowhere."
    return found
