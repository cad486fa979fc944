"""A service broker, complete and small, in Python alone; what it offers is in boxes.py."""

from __future__ import annotations

import json
import os
import re
import time
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boxes

USERNAME, PASSWORD = os.environ["BROKER_USERNAME"], os.environ["BROKER_PASSWORD"]
HERE = json.loads(os.environ.get("VCAP_APPLICATION") or '{"cf_api": "http:", "application_uris": ["localhost:8080"]}')
PUBLIC_URL = f"{urlsplit(HERE['cf_api']).scheme}://{HERE['application_uris'][0]}"
SECONDS = float(os.environ.get("BROKER_SECONDS", "2"))  # that a large box takes to make
LARGEST = 1 << 20  # bytes of a body

PARAMETERS = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"motto": {"type": "string", "maxLength": 100, "description": "What the box is for."}},
    "additionalProperties": False,
}
CATALOG = {
    "services": [
        {
            "id": "box-e41c1f0e",  # for ever the same: instances are known by it
            "name": "box",
            "description": "Keeps small texts under their names",
            "bindable": True,
            "plan_updateable": True,
            "instances_retrievable": True,
            "bindings_retrievable": True,
            "tags": ["key-value"],
            "metadata": {"displayName": "Box", "shareable": True},
            "plans": [
                {
                    "id": "box-small-0b7d",
                    "name": "small",
                    "description": "Ten texts, at once",
                    "free": True,
                    "metadata": {"bullets": ["10 texts", "Made at once"]},
                    "schemas": {"service_instance": {"create": {"parameters": PARAMETERS}}},
                },
                {
                    "id": "box-large-55a2",
                    "name": "large",
                    "description": "A thousand texts, in some seconds",
                    "free": True,
                    "metadata": {"bullets": ["1,000 texts", "Made in some seconds"]},
                    "schemas": {"service_instance": {"create": {"parameters": PARAMETERS}}},
                },
            ],
        }
    ]
}
SERVICE: dict[str, Any] = CATALOG["services"][0]


class Refusal(Exception):
    """An answer that is no success: its status, and the reason in words that a person can act on."""

    def __init__(self, status: int, description: str, error: str = "") -> None:
        self.status = status
        self.body = {"description": description} | ({"error": error} if error else {})


# What the platform asks for -------------------------------------------------------------------------------------------


def provision(asked: dict[str, Any], query: dict[str, str], box: str) -> tuple[int, dict[str, Any]]:
    wish = wished(asked)
    check_parameters(wish["parameters"])
    slow = wish["plan_id"] == "box-large-55a2"
    if slow and query.get("accepts_incomplete") != "true":
        raise Refusal(422, "A large box is made asynchronously: send accepts_incomplete=true.", "AsyncRequired")
    if there := boxes.found(box):
        if there["asked"] != wish:
            raise Refusal(409, "There is a box with this id already, and it is another one.")
        return (200, {}) if there["ready"] else (202, {"operation": "provision"})
    boxes.keep(box, None, wish, time.time() + (SECONDS if slow else 0))
    return (202, {"operation": "provision"}) if slow else (201, {})


def fetch(asked: dict[str, Any], query: dict[str, str], box: str) -> tuple[int, dict[str, Any]]:
    there = boxes.found(box)
    if there is None or not there["ready"]:
        raise Refusal(404, "There is no such box, or it is not ready yet.")
    return 200, there["asked"]


def update(asked: dict[str, Any], query: dict[str, str], box: str) -> tuple[int, dict[str, Any]]:
    """Only what is sent is changed."""
    there = ready(box)
    if asked.get("service_id") != SERVICE["id"]:
        raise Refusal(400, f"This broker has no service {asked.get('service_id')!r}.")
    wish = wished({**there["asked"], **{key: asked[key] for key in ("plan_id", "parameters") if key in asked}})
    check_parameters(wish["parameters"])
    if boxes.count(box) > boxes.MOST[wish["plan_id"]]:
        raise Refusal(422, "The box holds more texts than that plan allows. Delete some of them first.")
    boxes.keep(box, None, wish, time.time())
    return 200, {}


def deprovision(asked: dict[str, Any], query: dict[str, str], box: str) -> tuple[int, dict[str, Any]]:
    """A box that is still being made is given up: so whatever went wrong, the platform can clear it away."""
    known_ids(query)
    if boxes.found(box) is None:
        raise Refusal(410, "There is no such box (any more).")
    boxes.remove(box)
    return 200, {}


def bind(asked: dict[str, Any], query: dict[str, str], box: str, binding: str) -> tuple[int, dict[str, Any]]:
    ready(box)
    wish = wished(asked) | {"bind_resource": asked.get("bind_resource") or {}}
    if wish["parameters"]:
        raise Refusal(400, "A binding takes no parameters.")
    there = boxes.found(binding)
    if there and (there["asked"] != wish or there["parent"] != box):
        raise Refusal(409, "There is a binding with this id already, and it is another one.")
    if not there:
        boxes.keep(binding, box, wish, time.time())
    return (200 if there else 201), held(box, binding)


def fetch_binding(asked: dict[str, Any], query: dict[str, str], box: str, binding: str) -> tuple[int, dict[str, Any]]:
    there = boxes.found(binding)
    if there is None or there["parent"] != box:
        raise Refusal(404, "There is no such binding.")
    return 200, held(box, binding) | {"parameters": {}}


def unbind(asked: dict[str, Any], query: dict[str, str], box: str, binding: str) -> tuple[int, dict[str, Any]]:
    """From now on its token is worth nothing: ``serve`` looks for the binding each time."""
    known_ids(query)
    there = boxes.found(binding)
    if there is None or there["parent"] != box:
        raise Refusal(410, "There is no such binding (any more).")
    boxes.remove(binding)
    return 200, {}


def last_operation(asked: dict[str, Any], query: dict[str, str], box: str) -> tuple[int, dict[str, Any]]:
    there = boxes.found(box)
    if there is None:
        raise Refusal(410, "There is no such box (any more).")
    return 200, {"state": "succeeded" if there["ready"] else "in progress", "description": "The box is being made."}


def catalog(asked: dict[str, Any], query: dict[str, str]) -> tuple[int, dict[str, Any]]:
    return 200, CATALOG


BOX, BINDING = r"/v2/service_instances/([^/]+)", r"/v2/service_instances/([^/]+)/service_bindings/([^/]+)"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", r"/v2/catalog", catalog),
    ("PUT", BOX, provision),
    ("GET", BOX, fetch),
    ("PATCH", BOX, update),
    ("DELETE", BOX, deprovision),
    ("GET", f"{BOX}/last_operation", last_operation),
    ("PUT", BINDING, bind),
    ("GET", BINDING, fetch_binding),
    ("DELETE", BINDING, unbind),
]


# What is the same for all ---------------------------------------------------------------------------------------------


def wished(asked: dict[str, Any]) -> dict[str, Any]:
    """What makes one request differ from another. Whatever else is sent (context, new fields) is ignored."""
    known_ids(asked)
    parameters = asked.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise Refusal(400, "Parameters must be an object.")
    return {"service_id": asked["service_id"], "plan_id": asked["plan_id"], "parameters": parameters}


def known_ids(asked: dict[str, Any]) -> None:
    if asked.get("service_id") != SERVICE["id"]:
        raise Refusal(400, f"This broker has no service {asked.get('service_id')!r}.")
    if asked.get("plan_id") not in boxes.MOST:
        raise Refusal(400, f"This broker has no plan {asked.get('plan_id')!r}.")


def check_parameters(parameters: dict[str, Any]) -> None:
    motto = parameters.get("motto", "")
    if set(parameters) - {"motto"} or not isinstance(motto, str) or len(motto) > 100:
        raise Refusal(400, "The only parameter is motto, a text of at most 100 characters.")


def ready(box: str) -> dict[str, Any]:
    there = boxes.found(box)
    if there is None:
        raise Refusal(404, "There is no such box.")
    if not there["ready"]:
        raise Refusal(422, "The box is still being made. Try again when it is ready.", "ConcurrencyError")
    return there


def held(box: str, binding: str) -> dict[str, Any]:
    return {"credentials": {"uri": f"{PUBLIC_URL}/boxes/{box}", "token": boxes.token(binding)}}


# HTTP -----------------------------------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """Lets in who has the password, finds the verb, and answers in JSON. The boxes are for who has a token."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        parts = urlsplit(self.path)
        sent = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST))
        if text := re.fullmatch(r"/boxes/([^/]+)/([^/]+)", parts.path):
            with boxes.lock:
                status, body = boxes.serve(self.command, text[1], text[2], sent, self.headers.get("Authorization", ""))
            self.reply(status, body, "text/plain; charset=utf-8")
            return
        try:
            self.let_in()
            with boxes.lock:
                status, told = self.act(parts.path, flat(parts.query), sent)
        except Refusal as refusal:
            status, told = refusal.status, refusal.body
        self.reply(status, json.dumps(told).encode(), "application/json")

    do_GET = do_PUT = do_PATCH = do_DELETE = answer

    def let_in(self) -> None:
        scheme, _, secret = self.headers.get("Authorization", "").partition(" ")
        try:
            given = b64decode(secret).decode() if scheme == "Basic" else ""
        except ValueError:
            given = ""
        if not boxes.same(given, f"{USERNAME}:{PASSWORD}"):
            raise Refusal(401, "Username or password is wrong.")
        version = re.fullmatch(r"2\.(\d+)", self.headers.get("X-Broker-API-Version", ""))
        if not version or int(version[1]) < 13:
            raise Refusal(412, "Send the header X-Broker-API-Version, with 2.13 or newer.")

    def act(self, path: str, query: dict[str, str], sent: bytes) -> tuple[int, dict[str, Any]]:
        try:
            asked = json.loads(sent or b"{}")
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise Refusal(400, "The body must be a JSON object.")
        for method, pattern, verb in ROUTES:
            if self.command == method and (match := re.fullmatch(pattern, path)):
                told: tuple[int, dict[str, Any]] = verb(asked, query, *match.groups())
                return told
        raise Refusal(404, "There is nothing at this address.")

    def reply(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        if identity := self.headers.get("X-Broker-API-Request-Identity"):
            self.send_header("X-Broker-API-Request-Identity", identity)
        self.end_headers()
        self.wfile.write(body)


def flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler).serve_forever()
