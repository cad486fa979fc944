"""Calls to the outside: where they may go, how long they may take, and what is tried again."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paas.lib import http
from tests.services.broker import BREAKS, DROPS, HANGS, TRICKLES, MisbehavingBroker, Trick

HERE = ("127.0.0.0/8",)


def client(**fields: Any) -> http.Client:
    return http.Client(**({"networks": HERE, "seconds": 10} | fields))


def catalog(foreign: MisbehavingBroker, **fields: Any) -> http.Answer:
    return client(**fields).call("GET", f"{foreign.url}/v2/catalog")


def provision(foreign: MisbehavingBroker, **fields: Any) -> http.Answer:
    return client(**fields).call("PUT", f"{foreign.url}/v2/service_instances/one", body=b"{}")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "app.localhost", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a9fe:a9fe]", "224.0.0.1",
        "2130706433", "0x7f.1",
    ],
)  # fmt: skip
def test_private_addresses_are_not_called(host: str) -> None:
    with pytest.raises(http.AddressRefused):
        http.Client(seconds=5).call("GET", f"http://{host}:9/")


def test_a_name_is_judged_by_the_address_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may resolve to another address each time: the one that was looked at is the one that is called."""
    asked = []

    def rebinding(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "93.184.216.34", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(http.AddressRefused):
        http.Client(seconds=5).call("GET", "http://rebinding.example/")
    assert asked == ["rebinding.example"]


def test_of_several_addresses_only_those_that_are_allowed_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(2, 1, 6, "", ("10.0.0.1", 0)), (2, 1, 6, "", ("93.184.216.34", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert [str(each) for each in http.allowed("two.example")] == ["93.184.216.34"]
    allowed = http.allowed("two.example", [ipaddress.ip_network("10.0.0.0/8")])
    assert [str(each) for each in allowed] == ["10.0.0.1", "93.184.216.34"]


def test_an_allowed_network_is_called(foreign: MisbehavingBroker) -> None:
    assert catalog(foreign, networks=("127.0.0.1/32",)).status == 401
    with pytest.raises(http.AddressRefused):
        catalog(foreign, networks=("10.0.0.0/8",))


def test_a_redirect_is_an_answer_and_is_not_followed(foreign: MisbehavingBroker) -> None:
    foreign.next("catalog", Trick(302, headers={"Location": "http://169.254.169.254/"}))
    answer = catalog(foreign)
    assert (answer.status, answer.headers["location"]) == (302, "http://169.254.169.254/")
    assert len(foreign.calls) == 1


@pytest.mark.parametrize("trick", [HANGS, TRICKLES], ids=["hangs", "trickles"])
def test_time_is_limited_however_bytes_trickle(foreign: MisbehavingBroker, trick: Trick) -> None:
    foreign.always("provision", trick)
    with pytest.raises(http.TimedOut):
        provision(foreign, seconds=1)
    assert len(foreign.calls) == 1


def test_size_is_limited(foreign: MisbehavingBroker) -> None:
    foreign.always("catalog", Trick(body=b"x" * 2000))
    assert len(catalog(foreign, most=2000).body) == 2000
    with pytest.raises(http.TooLarge):
        catalog(foreign, most=1999)


def test_an_answer_that_breaks_off_is_none(foreign: MisbehavingBroker) -> None:
    foreign.always("catalog", BREAKS)
    with pytest.raises(http.Broken):
        catalog(foreign)


def test_reading_is_tried_again_and_changing_is_not(foreign: MisbehavingBroker) -> None:
    foreign.next("catalog", DROPS)
    assert catalog(foreign).status == 401
    assert len(foreign.asked("catalog")) == 2
    foreign.next("provision", DROPS)
    with pytest.raises(http.Broken):
        provision(foreign)
    assert len(foreign.asked("provision")) == 1


def test_nobody_there_is_told_from_nobody_answering() -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    with pytest.raises(http.Unreachable, match="refused"):
        client().call("PUT", f"http://127.0.0.1:{port}/")
    with pytest.raises(http.Unreachable, match="not known"):
        client().call("GET", "http://nowhere.invalid/")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that vouches for itself, for localhost, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def secure(authority: Path) -> Iterator[int]:
    """The port of a server that speaks TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            except OSError:
                plain.close()

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def test_tls_is_verified_with_the_operators_authority(secure: int, authority: Path, settings: Any) -> None:
    with pytest.raises(http.Unreachable, match="certificate is not trusted"):
        client().call("GET", f"https://localhost:{secure}/")
    settings.PAAS_CA_FILE = str(authority / "certificate.pem")
    assert client().call("GET", f"https://localhost:{secure}/").body == b"{}"
    with pytest.raises(http.Unreachable, match="certificate is not trusted"):
        client().call("GET", f"https://127.0.0.1:{secure}/")
