"""Calls the broker for the checks: limited in number and time, and each call is kept as it may be shown."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from paas.lib import http
from paas.lib.models import new_guid
from services.brokers.conformance.masks import HIDDEN, shown
from services.brokers.conformance.verdicts import Exchange, Failed
from services.brokers.osb import CATALOGUE_MOST, VERSION, OsbBroker

MOST_CALLS, MOST_SECONDS = 200, 300.0
HANGS = 2  # calls without an answer in time, after which nothing more is tried
USER = {"user_id": "00000000-0000-4000-8000-000000000000"}  # nobody


class Exhausted(Exception):
    """No further call is made; the sentence says why."""


@dataclass(frozen=True)
class Reply:
    """An answer. ``told`` is its JSON object, None where it is none."""

    status: int
    told: dict[str, Any] | None
    headers: Any

    @property
    def made(self) -> bool:
        return self.status // 100 == 2

    def text(self, key: str) -> str:
        value = (self.told or {}).get(key)
        return value if isinstance(value, str) else ""


@dataclass
class Caller:
    """``exchanges`` are those since they were last taken; ``errors`` all answers that refused something."""

    broker: OsbBroker
    pause: float = 1.0  # seconds between two polls, where the broker does not say
    calls_left: int = MOST_CALLS
    until: float = field(default_factory=lambda: time.monotonic() + MOST_SECONDS)
    hangs: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    errors: list[Reply] = field(default_factory=list)

    def taken(self) -> list[Exchange]:
        found, self.exchanges = self.exchanges, []
        return found

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str | None] | None = None,
    ) -> Reply:
        """Send, and return the answer; raise ``Failed`` where none came. A header that is None is left out."""
        self._check_budget()
        target = f"{path}?{urlencode(query)}" if query else path
        wanted = {name: value for name, value in (self._headers(body) | (headers or {})).items() if value is not None}
        sent = json.dumps(body).encode() if body is not None else b""
        client = http.Client(networks=self.broker.networks, seconds=self._seconds(), most=CATALOGUE_MOST)
        try:
            answer = client.call(method, f"{self.broker.url.rstrip('/')}{target}", headers=wanted, body=sent)
        except http.CallFailed as error:
            self._keep(f"{method} {target}", wanted, sent, None, str(error).encode())
            self.hangs += isinstance(error, http.TimedOut)
            raise Failed(f"No proper answer came: {error}", "Answer every call within a minute, with HTTP.") from error
        self._keep(f"{method} {target}", wanted, sent, answer.status, answer.body)
        reply = Reply(answer.status, _object(answer.body), answer.headers)
        if reply.status >= 400:
            self.errors.append(reply)
        return reply

    def wait(self, seconds: float) -> None:
        time.sleep(min(seconds, max(self.until - time.monotonic(), 0)))

    def _seconds(self) -> float:
        return max(min(self.broker.seconds, self.until - time.monotonic()), 1.0)

    def _check_budget(self) -> None:
        if self.hangs >= HANGS:
            raise Exhausted("The broker left calls without an answer, so no more were made.")
        if self.calls_left <= 0 or time.monotonic() >= self.until:
            raise Exhausted(f"{MOST_CALLS} calls and {MOST_SECONDS / 60:.0f} minutes are the most that a check takes.")
        self.calls_left -= 1

    def _headers(self, body: Any) -> dict[str, str | None]:
        identity = base64.b64encode(json.dumps(USER).encode()).decode()
        return {
            "Accept": "application/json",
            "Authorization": f"Basic {self._basic}",
            "Content-Type": "application/json" if body is not None else None,
            "X-Broker-API-Version": VERSION,
            "X-Broker-API-Originating-Identity": f"cloudfoundry {identity}",
            "X-Broker-API-Request-Identity": new_guid(),
            "X-Api-Info-Location": self.broker.info or None,
        }

    @property
    def _basic(self) -> str:
        return base64.b64encode(f"{self.broker.username}:{self.broker.password}".encode()).decode()

    def _keep(self, sent: str, headers: dict[str, str], body: bytes, status: int | None, answer: bytes) -> None:
        safe = {name: f"Basic {HIDDEN}" if name == "Authorization" else value for name, value in headers.items()}
        secrets = (self.broker.password, json.dumps(self.broker.password)[1:-1], self._basic)
        told = shown(answer, secrets=secrets, opaque="/service_bindings/" in sent)
        self.exchanges.append(Exchange(sent, safe, shown(body, secrets=secrets), status, told))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
