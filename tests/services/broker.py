"""A service broker over real HTTP that misbehaves in every way it is told to, and otherwise keeps the specification."""

from __future__ import annotations

import json
import re
import socket
import threading
from base64 import b64encode
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

CATALOG: dict[str, Any] = {
    "services": [
        {
            "id": "offering-1",
            "name": "db",
            "description": "A database",
            "bindable": True,
            "plan_updateable": True,
            "instances_retrievable": True,
            "bindings_retrievable": True,
            "tags": ["sql"],
            "metadata": {"shareable": True, "documentationUrl": "https://example.org/db"},
            "plans": [
                {
                    "id": "plan-small",
                    "name": "small",
                    "description": "A little",
                    "free": True,
                    "maintenance_info": {"version": "1.0.0", "description": "As it began"},
                },
                {
                    "id": "plan-large",
                    "name": "large",
                    "description": "A lot",
                    "free": False,
                    "metadata": {"costs": [{"amount": {"gbp": 12.5}, "unit": "Monthly"}]},
                    "maintenance_info": {"version": "1.0.0"},
                },
            ],
        }
    ]
}
ROUTES = (  # what is asked for -> (method, path); the first that fits
    ("catalog", "GET", r"/v2/catalog"),
    ("poll", "GET", r"/v2/service_instances/[^/]+(/service_bindings/[^/]+)?/last_operation"),
    ("bind", "PUT", r"/v2/service_instances/[^/]+/service_bindings/[^/]+"),
    ("unbind", "DELETE", r"/v2/service_instances/[^/]+/service_bindings/[^/]+"),
    ("fetch", "GET", r"/v2/service_instances/[^/]+(/service_bindings/[^/]+)?"),
    ("provision", "PUT", r"/v2/service_instances/[^/]+"),
    ("update", "PATCH", r"/v2/service_instances/[^/]+"),
    ("deprovision", "DELETE", r"/v2/service_instances/[^/]+"),
)
Reply = tuple[int, Any]


@dataclass(frozen=True)
class Call:
    """A request as it came in."""

    what: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: dict[str, Any]


@dataclass(frozen=True)
class Trick:
    """One way to misbehave. ``acts``: what was asked for is done all the same. What is None is as it should be."""

    status: int | None = None
    body: Any = None  # bytes as they are, anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)
    acts: bool = True
    waits: float = 0.0  # seconds before the answer
    drops: bool = False  # ends the connection instead of answering
    breaks: bool = False  # ends it in the middle of the answer
    trickles: bool = False  # sends a byte now and then, without an end


DROPS = Trick(drops=True)
DROPS_UNDONE = Trick(drops=True, acts=False)
BREAKS = Trick(breaks=True)
HANGS = Trick(waits=3600)
TRICKLES = Trick(trickles=True)
GARBAGE = Trick(body=b"<html>It works!</html>")


def fails(status: int, error: str = "", description: str = "", **more: Any) -> Trick:
    """An answer with an error; nothing is done."""
    body = {"error": error, "description": description}
    return Trick(status, {key: value for key, value in body.items() if value}, acts=False, **more)


class MisbehavingBroker:
    """Keeps instances and bindings in memory. ``polls`` is how often something takes time; 0 answers at once."""

    username, password = "admin", "open sesame"

    def __init__(self) -> None:
        self.catalog = deepcopy(CATALOG)
        self.instances: dict[str, dict[str, Any]] = {}
        self.bindings: dict[str, dict[str, Any]] = {}
        self.calls: list[Call] = []
        self.polls = 0
        self.retry_after: str | None = None
        self.extra: dict[str, Any] = {}  # on top of what a binding holds
        self._tricks: dict[str, deque[Trick]] = defaultdict(deque)
        self._always: dict[str, Trick] = {}
        self._left: dict[str, int] = {}  # guid -> polls until it is done
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def next(self, what: str, *tricks: Trick) -> None:
        """The next calls of that kind ("provision", "poll", ...) go like this, one each."""
        self._tricks[what].extend(tricks)

    def always(self, what: str, trick: Trick | None) -> None:
        """Every call of that kind goes like this, until it is None again."""
        self._always.pop(what, None)
        if trick:
            self._always[what] = trick

    def asked(self, what: str) -> list[Call]:
        return [call for call in self.calls if call.what == what]

    # What it does when it behaves --------------------------------------------------------------------------------

    def act(self, call: Call) -> Reply:
        with self._lock:
            if call.what == "catalog":
                return 200, self.catalog
            guids = re.findall(r"(?:service_instances|service_bindings)/([^/]+)", call.path)
            verb = getattr(self, f"_{call.what}")
            reply: Reply = verb(call, *guids)
            return reply

    def _provision(self, call: Call, guid: str) -> Reply:
        return self._make(self.instances, guid, call, {"dashboard_url": f"https://example.org/{guid}"})

    def _bind(self, call: Call, instance: str, guid: str) -> Reply:
        if instance not in self.instances:
            return 404, {"description": "There is no such instance."}
        return self._make(self.bindings, guid, call, self._held(guid))

    def _make(self, kept: dict[str, dict[str, Any]], guid: str, call: Call, answer: dict[str, Any]) -> Reply:
        asked = {key: call.body.get(key) for key in ("plan_id", "parameters", "bind_resource", "maintenance_info")}
        if guid in kept:
            return (200, answer) if kept[guid] == asked else (409, {"description": "It exists and is not the same."})
        kept[guid] = asked
        return self._done(guid, call, (201, answer))

    def _update(self, call: Call, guid: str) -> Reply:
        self.instances[guid] |= {
            key: call.body[key] for key in ("plan_id", "parameters", "maintenance_info") if key in call.body
        }
        return self._done(guid, call, (200, {}))

    def _deprovision(self, call: Call, guid: str) -> Reply:
        return self._remove(self.instances, guid, call)

    def _unbind(self, call: Call, instance: str, guid: str) -> Reply:
        return self._remove(self.bindings, guid, call)

    def _remove(self, kept: dict[str, dict[str, Any]], guid: str, call: Call) -> Reply:
        if kept.pop(guid, None) is None:
            return 410, {}
        return self._done(guid, call, (200, {}))

    def _done(self, guid: str, call: Call, reply: Reply) -> Reply:
        if not self.polls or call.query.get("accepts_incomplete") != "true":
            return reply
        self._left[guid] = self.polls
        return 202, {"operation": f"{call.what} {guid}"}

    def _poll(self, call: Call, *guids: str) -> Reply:
        guid = guids[-1]
        left = self._left[guid] = self._left.get(guid, 0) - 1
        if left > 0:
            return 200, {"state": "in progress", "description": f"{left} more"}
        kept = self.bindings if len(guids) > 1 else self.instances
        return (200, {"state": "succeeded", "description": "done"}) if guid in kept else (410, {})

    def _fetch(self, call: Call, *guids: str) -> Reply:
        kept = self.bindings if len(guids) > 1 else self.instances
        if guids[-1] not in kept:
            return 404, {}
        found = kept[guids[-1]]
        held = self._held(guids[-1]) if len(guids) > 1 else {"plan_id": found["plan_id"]}
        return 200, {**held, "parameters": found["parameters"] or {}}

    def _held(self, guid: str) -> dict[str, Any]:
        return {"credentials": {"uri": f"db://user:secret-{guid}@example.org/db"}, **self.extra}

    # How it says so ----------------------------------------------------------------------------------------------

    def _trick(self, what: str) -> Trick:
        waiting = self._tricks[what]
        return waiting.popleft() if waiting else self._always.get(what, Trick())

    def _handler(broker: Any) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                call = broker._read(self)
                broker.calls.append(call)
                trick = broker._trick(call.what)
                status, body = broker.act(call) if trick.acts and broker._let_in(call) else (401, {})
                if trick.status is not None:
                    status = trick.status
                if trick.body is not None:
                    body = trick.body
                broker._answer(self, status, body, trick)

            do_GET = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _read(self, request: BaseHTTPRequestHandler) -> Call:
        parts = urlsplit(request.path)
        what = next(
            (name for name, method, path in ROUTES if method == request.command and re.fullmatch(path, parts.path)), "?"
        )
        sent = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in request.headers.items()}
        return Call(what, parts.path, dict(parse_qsl(parts.query)), headers, json.loads(sent or b"{}"))

    def _let_in(self, call: Call) -> bool:
        secret = b64encode(f"{self.username}:{self.password}".encode()).decode()
        return call.headers.get("authorization") == f"Basic {secret}"

    def _answer(self, request: BaseHTTPRequestHandler, status: int, body: Any, trick: Trick) -> None:
        self._over.wait(trick.waits)
        request.close_connection = True
        if trick.drops:
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(sent) + (1 << 20 if trick.trickles else 0)))
        if self.retry_after is not None:
            request.send_header("Retry-After", self.retry_after)
        for name, value in trick.headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(sent[: len(sent) // 2] if trick.breaks else sent if not trick.trickles else b"")
        while trick.trickles and not self._over.wait(0.1):
            try:
                request.wfile.write(b" ")
            except OSError:
                return


@contextmanager
def misbehaving() -> Iterator[MisbehavingBroker]:
    broker = MisbehavingBroker()
    try:
        yield broker
    finally:
        broker.close()
