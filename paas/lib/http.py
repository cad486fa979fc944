"""The only outgoing HTTP: limits on time and size, TLS verified, and no private address unless it is allowed."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECONDS, CONNECT_SECONDS = 60.0, 10.0
MOST = 1 << 20  # bytes of an answer
EVERYWHERE = ("0.0.0.0/0", "::/0")
AGAIN = (0.2, 1.0)  # seconds before the next try, where trying again is safe
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 addresses behind NAT64


class CallFailed(Exception):
    """No answer came. ``sent``: the request may have arrived, and may have been acted upon."""

    sent = True


class Unreachable(CallFailed):
    """No connection came about, or it was not the right one: nothing was sent."""

    sent = False


class AddressRefused(Unreachable):
    """The host stands for addresses that may not be called, and for no other."""


class TimedOut(CallFailed):
    """The time was up before the whole answer was there."""


class Broken(CallFailed):
    """The connection ended before the whole answer was there, or what came is not HTTP."""


class TooLarge(CallFailed):
    """The answer is larger than anything that is expected."""


@dataclass(frozen=True)
class Answer:
    """What came back. A redirect is an answer too: none is followed."""

    status: int
    headers: Message  # found without regard to case
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Client:
    """Calls one party outside. ``networks``, as CIDR, are the private ones that it may connect to."""

    networks: Collection[str] = ()
    seconds: float = SECONDS  # for one call, all tries together
    most: int = MOST

    def call(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send, and return what comes back; raise ``CallFailed``.

        What was never sent is tried again, and a GET also when its answer broke off.
        """
        deadline = time.monotonic() + self.seconds
        for wait in AGAIN:
            try:
                return self._once(method, url, headers or {}, body, deadline)
            except (AddressRefused, TimedOut, TooLarge):
                raise
            except CallFailed as error:
                if (error.sent and method != "GET") or time.monotonic() + wait >= deadline:
                    raise
                time.sleep(wait)
        return self._once(method, url, headers or {}, body, deadline)

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Answer:
        parts = urlsplit(url)
        kind = _Secure if parts.scheme == "https" else _Plain
        connection = kind(parts, self.networks, deadline)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with contextlib.closing(connection), _in_time(connection, deadline):
            connection.connect()
            connection.request(method, target, body or None, {"Accept-Encoding": "identity", **headers})
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers, self._read(reply))

    def _read(self, reply: http.client.HTTPResponse) -> bytes:
        body = reply.read(self.most + 1)
        if len(body) > self.most:
            raise TooLarge(f"The answer is larger than {self.most >> 10} KB.")
        if reply.length:
            raise Broken("The connection ended in the middle of the answer.")
        return body


class _Plain(http.client.HTTPConnection):
    """Connects to one of the host's addresses that may be called: the one that was looked at, not the name again."""

    raw: socket.socket | None = None

    def __init__(self, parts: SplitResult, networks: Collection[str], deadline: float) -> None:
        super().__init__(parts.hostname or "", parts.port or self.default_port)
        self.networks = tuple(ipaddress.ip_network(each) for each in networks)
        self.deadline = deadline

    def connect(self) -> None:
        """Raise ``Unreachable`` where no connection comes about."""
        problem = "No address is known for it."
        for address in allowed(self.host, self.networks):
            try:
                self.sock = self.raw = socket.create_connection((str(address), self.port), CONNECT_SECONDS)
                self.sock.settimeout(max(self.deadline - time.monotonic(), 0.1))
                return
            except OSError as error:
                problem = f"{error.strerror or error}.".capitalize()
        raise Unreachable(problem)


class _Secure(_Plain):
    default_port = 443

    def connect(self) -> None:
        super().connect()
        try:
            self.sock = _trust().wrap_socket(self.sock, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"Its certificate is not trusted: {error.verify_message}.") from error
        except OSError as error:
            raise Unreachable(f"TLS could not be set up: {error}.") from error


def _trust() -> ssl.SSLContext:
    """The machine's certificate authorities, and the operator's own."""
    context = ssl.create_default_context()
    if settings.PAAS_CA_FILE:
        context.load_verify_locations(settings.PAAS_CA_FILE)
    return context


def allowed(host: str, networks: Collection[Network] = ()) -> list[Address]:
    """Return the addresses of a host that may be called; raise ``Unreachable`` if there are none."""
    found = _resolved(host)
    open_to_us = [each for each in found if _public(each) or any(each in network for network in networks)]
    if found and not open_to_us:
        raise AddressRefused(
            f"Its address {found[0]} is private, and no network that it lies in is allowed. "
            "Ask the platform team to allow it, or use a public address."
        )
    return open_to_us


def _resolved(host: str) -> list[Address]:
    if host == "localhost" or host.endswith(".localhost"):  # what RFC 6761 says, whatever the resolver does
        return [ipaddress.ip_address("127.0.0.1")]
    try:
        known = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable("Its name is not known to the resolver.") from error
    return list(dict.fromkeys(ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in known))


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner:
            return _public(inner)
    return address.is_global and not address.is_multicast


@contextlib.contextmanager
def _in_time(connection: _Plain, deadline: float) -> Iterator[None]:
    """Cut the connection at the deadline, however slowly bytes trickle; turn what fails into ``CallFailed``."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        for each in (connection.sock, connection.raw):
            with contextlib.suppress(OSError, AttributeError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)  # type: ignore[arg-type]

    timer = threading.Timer(max(deadline - time.monotonic(), 0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if late.is_set():  # an answer without a length ends where it was cut
            raise Broken("The answer was cut.")
    except Unreachable:
        raise
    except (OSError, http.client.HTTPException, TooLarge, Broken) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise TimedOut("It took too long to answer.") from error
        if isinstance(error, CallFailed):
            raise
        raise Broken("The connection ended before the answer was there, or the answer is not HTTP.") from error
    finally:
        timer.cancel()
