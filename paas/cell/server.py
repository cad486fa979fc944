"""Answers the control plane, over a unix socket that only root opens."""

from __future__ import annotations

import json
import os
import re
import socketserver
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .agent import Agent
from .disks import DropletRefused
from .engine import EngineAway, EngineRefused
from .logs import STREAMS, as_json, entry
from .volumes import NoRoom

LARGEST_BODY = 64 << 20
Query = dict[str, list[str]]


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, agent: Agent) -> None:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            super().__init__(str(path), Handler)
        finally:
            os.umask(before)
        self.calls = Calls(agent)

    def begin(self) -> None:
        threading.Thread(target=self.serve_forever, name="server", daemon=True).start()


class Calls:
    """What can be asked. Each takes the words of the path, the query and the body, and returns what becomes JSON."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.table: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = [
            ("GET", re.compile("/health"), self.health),
            ("PUT", re.compile("/disks/([^/]+)"), self.put_disk),
            ("PUT", re.compile("/volumes/([^/]+)"), self.put_volume),
            ("GET", re.compile("/volumes"), self.volumes),
            ("PUT", re.compile("/instances/([^/]+)/reaches"), self.put_reaches),
            ("POST", re.compile("/apps/([^/]+)/prune"), self.prune),
            ("GET", re.compile("/observations"), self.observations),
            ("GET", re.compile("/happenings"), self.happenings),
            ("GET", re.compile("/logs/([^/]+)"), self.read_log),
            ("POST", re.compile("/logs/([^/]+)"), self.write_log),
            ("DELETE", re.compile("/apps/([^/]+)"), self.forget),
        ]

    def find(self, method: str, path: str) -> Callable[[Query, Any], Any] | None:
        for known, pattern, call in self.table:
            if known == method and (match := pattern.fullmatch(path)):
                words = [unquote(word) for word in match.groups()]
                return lambda query, body, call=call: call(*words, query, body)
        return None

    def health(self, query: Query, body: Any) -> Any:
        return self.agent.condition()

    def put_disk(self, guid: str, query: Query, body: Any) -> Any:
        droplet = Path(body["droplet"]) if body["droplet"] else None
        given = {name: body[name] for name in ("app", "size_mb", "digest", "volumes", "files")}
        self.agent.disks.create(guid, droplet=droplet, **given)
        return {"mounted": str(self.agent.disks.mount_point(guid))}

    def put_volume(self, name: str, query: Query, body: Any) -> Any:
        given = {key: body[key] for key in ("app", "size_mb", "reserved")}
        return {"mounted": str(self.agent.volumes.create(name, **given))}

    def volumes(self, query: Query, body: Any) -> Any:
        return sorted(self.agent.volumes.apps())

    def put_reaches(self, guid: str, query: Query, body: Any) -> Any:
        self.agent.open_ways(guid, body["address"], body["reaches"])
        return {}

    def prune(self, app: str, query: Query, body: Any) -> Any:
        return {"ended": self.agent.ending.prune(app, body["keep"], body["grace"])}

    def observations(self, query: Query, body: Any) -> Any:
        return self.agent.observations(set(query["app"]) if "app" in query else None)

    def happenings(self, query: Query, body: Any) -> Any:
        return self.agent.happenings.after(int(query["after"][0]))

    def read_log(self, source: str, query: Query, body: Any) -> Any:
        lines = self.agent.logs.journal(source).read(
            start=int(query["start"][0]),
            end=int(query["end"][0]) if "end" in query else None,
            limit=int(query["limit"][0]),
            descending="descending" in query,
            types={kind.encode() for kind in query.get("source_type", ())},
            instance=query.get("instance", [""])[0].encode(),
        )
        return as_json(lines)

    def write_log(self, source: str, query: Query, body: Any) -> Any:
        entries = [
            entry(at, kind, instance, stream, text)
            for at, kind, instance, stream, text in body["lines"]
            if stream in STREAMS
        ]
        self.agent.logs.append(source, entries)
        return {}

    def forget(self, app: str, query: Query, body: Any) -> Any:
        self.agent.volumes.forget(app)
        self.agent.logs.forget(app)
        return {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def answer(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return self.reply(413, {"message": "The body is too large."})
        body = json.loads(self.rfile.read(length)) if length else {}
        call = self.server.calls.find(self.command, url.path)
        if call is None:
            return self.reply(404, {"message": f"There is no {self.command} {url.path}."})
        try:
            self.reply(200, call(parse_qs(url.query), body))
        except (KeyError, ValueError) as error:
            self.reply(400, {"message": f"The request is not as it should be: {error!r}."})
        except (DropletRefused, NoRoom) as error:
            self.reply(422, {"message": str(error)})
        except (EngineAway, EngineRefused) as error:
            self.reply(503, {"message": str(error)})
        except (OSError, subprocess.SubprocessError) as error:
            self.reply(507, {"message": f"The machine's disk refused: {error}."})

    do_GET = do_PUT = do_POST = do_DELETE = answer

    def reply(self, status: int, content: Any) -> None:
        text = json.dumps(content).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self) -> str:
        return "control plane"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing for each request: there are four a second for every ``cf logs``."""
