"""Speaks HTTP with what stands behind the platform's router on this machine, whatever the names resolve to."""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .settings import Settings
from .shell import HostError


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Origin:
    """The router, reached on 127.0.0.1: ``*.localhost`` and a new domain may have no address yet."""

    def __init__(self, settings: Settings, *, timeout: float = 60) -> None:
        self.settings, self.timeout = settings, timeout

    def fetch(
        self,
        method: str,
        host: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; raise ``OSError`` where nobody answers."""
        connection = self._connect(host)
        try:
            connection.request(method, path, body=body, headers={"Host": self._host_header(host), **(headers or {})})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        except http.client.HTTPException as error:
            raise OSError(f"{host} gave an answer that is not HTTP: {error!r}") from error
        finally:
            connection.close()

    def _connect(self, host: str) -> http.client.HTTPConnection:
        port = self.settings.public_port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self.timeout)
        if self.settings.secure:
            # On this machine's own loopback there is nobody to be told apart; the name chooses the certificate.
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            plain = socket.create_connection(("127.0.0.1", port), self.timeout)
            connection.sock = context.wrap_socket(plain, server_hostname=host)
        return connection

    def _host_header(self, host: str) -> str:
        return self.settings.address_of(host).partition("://")[2]


class Api:
    """The v3 API as one person sees it; an answer that is an error becomes a sentence."""

    def __init__(self, origin: Origin, token: str) -> None:
        self._origin, self._token = origin, token

    def call(self, method: str, path: str, data: Any = None) -> Any:
        """Return the answer's JSON, None where it has none."""
        body = None if data is None else json.dumps(data).encode()
        return self._send(method, path, body, {"Content-Type": "application/json"} if body else {})

    def first(self, path: str) -> Any | None:
        """Return the first resource of a list, None where it is empty."""
        found = self.call("GET", path)["resources"]
        return found[0] if found else None

    def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send one file the way a browser's form does."""
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.zip"\r\n'
        head += "Content-Type: application/zip\r\n\r\n"
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self._send("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        sent = {"Authorization": f"bearer {self._token}", "Accept": "application/json", **headers}
        answer = self._origin.fetch(method, self._origin.settings.domain, path, body=body, headers=sent)
        if answer.status >= 400:
            raise HostError(f"{method} {path} answered {answer.status}: {_sentence(answer)}")
        return answer.json() if answer.body else None


def _sentence(answer: Answer) -> str:
    try:
        return "; ".join(error["detail"] for error in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return answer.body[:300].decode(errors="replace")
