"""What only a running Envoy can show: real traffic, its pages, TLS, its log, and life without a control plane."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paas.seams.routers import replies
from paas.seams.routers.base import RouterRefused
from paas.seams.routers.bootstrap import command, wait_until_serving, write_bootstrap
from paas.seams.routers.envoy import EnvoyRouter
from paas.seams.routers.front import Console, Listen
from tests.contracts.routing import (
    APPS,
    DOMAIN,
    Answer,
    Backend,
    RunningEnvoy,
    free_port,
    route,
    routes,
    target,
    wait_until,
)

pytestmark = pytest.mark.slow

HOST = f"shop.{APPS}"
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def backend() -> Iterator[Callable[..., Backend]]:
    made: list[Backend] = []

    def make(name: str, *, port: int = 0) -> Backend:
        made.append(Backend(name, port=port))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def one(backend: Callable[..., Backend]) -> Backend:
    return backend("one")


@pytest.fixture
def two(backend: Callable[..., Backend]) -> Backend:
    return backend("two")


@pytest.fixture
def console(backend: Callable[..., Backend]) -> Backend:
    return backend("console")


@pytest.fixture
def envoy(console: Backend) -> Iterator[RunningEnvoy]:
    running = RunningEnvoy(console_port=console.server_address[1])
    running.start()
    yield running
    running.remove()


class Load:
    """Steady requests from a few clients, half of them on kept connections, until it is stopped."""

    def __init__(self, envoy: RunningEnvoy, *, headers: dict[str, str] | None = None) -> None:
        self.failures: list[str] = []
        self.done = 0
        self._envoy = envoy
        self._headers = headers or {}
        self._stop = threading.Event()
        self._clients = [threading.Thread(target=self._run, args=(number % 2 == 0,)) for number in range(4)]

    def __enter__(self) -> Load:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for client in self._clients:
            client.join(60)

    def more(self, count: int) -> None:
        """Return when so many further requests were answered."""
        goal = self.done + count
        wait_until(lambda: self.done >= goal or len(self.failures) > 50, f"{count} more requests are answered")

    def _run(self, keep: bool) -> None:
        connection = self._envoy.connect()
        while not self._stop.is_set():
            try:
                method, body = ("GET", None) if keep else ("POST", b"x" * 5000)
                connection.request(method, "/", body=body, headers={"Host": HOST, **self._headers})
                answer = connection.getresponse()
                content = answer.read()
                if answer.status != 200:
                    self.failures.append(f"{answer.status} {content[:80]!r}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            self.done += 1
            if not keep:
                connection.close()
            time.sleep(0.005)
        connection.close()


# Replacing and losing instances


def test_a_rolling_replacement_under_load_fails_no_request(
    envoy: RunningEnvoy, backend: Callable[..., Backend]
) -> None:
    old = backend("v0")
    envoy.router.publish(routes(1, route(HOST, target("shop", old))))
    with Load(envoy) as load:
        for number in range(1, 9):
            new = backend(f"v{number}")
            envoy.router.publish(routes(2 * number, route(HOST, target("shop", old, new))))
            load.more(20)
            envoy.router.publish(routes(2 * number + 1, route(HOST, target("shop", new))))
            time.sleep(0.5)  # the drain: longer than the longest request
            served = old.served
            old.stop()
            load.more(20)
            assert old.served == served
            old = new
    assert load.failures == []
    assert load.done > 300


def test_a_killed_instance_beside_a_live_one_fails_no_new_request(
    envoy: RunningEnvoy, one: Backend, two: Backend
) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one, two))))
    with Load(envoy) as load:
        load.more(100)
        two.stop()  # what it was just answering is lost; nobody has told the router yet
        load.more(300)
    assert len(load.failures) <= 4
    assert one.served > 250


def test_publishing_other_apps_under_load_fails_no_request(envoy: RunningEnvoy, one: Backend) -> None:
    shop = route(HOST, target("shop", one))
    envoy.router.publish(routes(1, shop))
    with Load(envoy) as load:
        for version in range(2, 22):
            others = [route(f"x{version}-{n}.{APPS}", target("x", one)) for n in range(version)]
            envoy.router.publish(routes(version, shop, *others))
    assert load.failures == []


# Sessions


def cookie(answer: Answer) -> str:
    return next(iter(re.findall(r"__VCAP_ID__=([\w-]+)", answer.headers.get("set-cookie", ""))), "")


def test_a_session_stays_with_its_instance(envoy: RunningEnvoy, one: Backend, two: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one, two))))
    assert not cookie(envoy.ask(HOST))
    first = envoy.ask(HOST, "/session")
    assert cookie(first) == first.instance
    headers = {"Cookie": f"other=1; __VCAP_ID__={first.instance}"}
    answers = [envoy.ask(HOST, headers=headers) for _ in range(20)]
    assert {answer.instance for answer in answers} == {first.instance}
    assert not any(cookie(answer) for answer in answers)
    assert "x-paas-instance" not in first.headers


def test_a_session_moves_on_when_its_instance_is_gone(envoy: RunningEnvoy, one: Backend, two: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one, two))))
    answer = envoy.ask(HOST, headers={"Cookie": "__VCAP_ID__=replaced-long-ago"})
    assert cookie(answer) == answer.instance != ""


def test_a_session_survives_the_crash_of_its_instance(envoy: RunningEnvoy, one: Backend, two: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one, two))))
    with Load(envoy, headers={"Cookie": "__VCAP_ID__=two"}) as load:
        load.more(50)
        assert one.served == 0
        two.stop()
        load.more(200)
    assert len(load.failures) <= 4  # what it was just answering
    assert one.served > 150


def test_an_instance_can_be_named(envoy: RunningEnvoy, one: Backend, two: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one, two))))
    for index, name in enumerate(("one", "two")):
        seen = {envoy.ask(HOST, headers={"X-CF-App-Instance": f"shop:{index}"}).instance for _ in range(10)}
        assert seen == {name}
    for wrong in ("shop:2", "other:0", "nonsense"):
        answer = envoy.ask(HOST, headers={"X-CF-App-Instance": wrong})
        assert (answer.status, answer.headers["x-cf-routererror"]) == (404, "unknown_route")


# Headers


def test_an_app_is_told_who_asked_and_how(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    answer = envoy.ask(f"{HOST}:8080", "/a?b=c")
    headers = answer.told["headers"]
    assert headers["host"] == headers["x-forwarded-host"] == f"{HOST}:8080"
    assert headers["x-forwarded-proto"] == "http"
    assert re.fullmatch(r"[\d.]+", headers["x-forwarded-for"])
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-request-id"])
    assert headers["x-vcap-request-id"] == headers["x-request-id"] == answer.headers["x-vcap-request-id"]
    assert answer.told["path"] == "/a?b=c"


def test_a_client_cannot_pretend_to_be_the_router(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    lies = (
        "X-Forwarded-Proto X-Forwarded-Host X-Request-Id X-Vcap-Request-Id X-CF-ApplicationId X-CF-InstanceId "
        "X-CF-InstanceIndex X-CF-Proxy-Signature X-CF-Forwarded-Url X-Envoy-Internal X-Envoy-Original-Path "
        "X-Envoy-Upstream-Rq-Timeout-Ms X-Paas-Instance"
    )
    answer = envoy.ask(HOST, headers=dict.fromkeys(lies.split(), "lie") | {"X-Mine": "truth"})
    headers = answer.told["headers"]
    assert "lie" not in headers.values()
    assert headers["x-mine"] == "truth"
    assert not [name for name in headers if name.startswith(("x-envoy", "x-paas"))]


def test_an_address_that_a_client_adds_is_not_the_last_one(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    told = envoy.ask(HOST, headers={"X-Forwarded-For": "203.0.113.9"}).told["headers"]["x-forwarded-for"]
    assert told.startswith("203.0.113.9")
    assert not told.endswith("203.0.113.9")


# Pages


def test_an_unknown_host_gets_the_page_in_a_browser_and_a_sentence_elsewhere(envoy: RunningEnvoy) -> None:
    page = envoy.ask(HOST, headers=BROWSER)
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b"<h1>There is no app at this address</h1>" in page.body
    assert b"border-box" in page.body
    assert b"%%" not in page.body
    plain = envoy.ask(HOST)
    assert (plain.status, plain.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert plain.body == f"404 Not Found: Requested route ('{HOST}') does not exist.\n".encode()
    assert page.headers["x-cf-routererror"] == plain.headers["x-cf-routererror"] == "unknown_route"
    assert page.body == envoy.ask(HOST, headers=BROWSER).body


def test_a_route_without_an_instance_says_when_to_try_again(envoy: RunningEnvoy) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop"))))
    page, plain = envoy.ask(HOST, headers=BROWSER), envoy.ask(HOST)
    assert page.status == plain.status == 503
    assert page.headers["retry-after"] == plain.headers["retry-after"] == "5"
    assert page.headers["x-cf-routererror"] == "no_endpoints"
    assert page.headers["x-vcap-request-id"].encode() in page.body
    assert b"Sorry, the service is unavailable" in page.body
    assert b"has no available endpoints" in plain.body


def test_an_instance_that_takes_no_connection_is_a_bad_gateway(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    one.stop()
    page, plain = envoy.ask(HOST, headers=BROWSER), envoy.ask(HOST)
    assert page.status == plain.status == 502
    assert plain.headers["x-cf-routererror"] == "endpoint_failure"
    assert b"there is a problem with the service" in page.body


@pytest.mark.parametrize("status", [404, 500, 502, 503])
def test_an_apps_own_errors_pass_untouched(envoy: RunningEnvoy, one: Backend, status: int) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    answer = envoy.ask(HOST, f"/status?{status}", headers=BROWSER)
    assert (answer.status, answer.body) == (status, b"my answer")
    assert "x-cf-routererror" not in answer.headers


@pytest.mark.parametrize("name", ["unknown", "waiting", "failed", "console"])
def test_a_page_needs_nothing_from_elsewhere(name: str) -> None:
    folder = Path(replies.__file__).parent / "pages"
    whole = (folder / "layout.html").read_text() + (folder / f"{name}.html").read_text()
    assert not re.search(r"(src|href)=|url\(|@import|<script", whole)


# The console


def test_the_console_is_served_on_its_hosts_and_with_its_aliases(envoy: RunningEnvoy) -> None:
    for host in (DOMAIN, f"api.{DOMAIN}", f"login.{DOMAIN}", f"uaa.{DOMAIN}", f"log-cache.{DOMAIN}", f"{DOMAIN}:8080"):
        assert envoy.ask(host, "/v3").instance == "console", host
    assert envoy.ask(f"www.{DOMAIN}").status == 404


def test_the_console_away_is_said_and_apps_go_on(envoy: RunningEnvoy, console: Backend, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    console.stop()
    plain, page = envoy.ask(f"api.{DOMAIN}", "/v3/apps"), envoy.ask(DOMAIN, headers=BROWSER)
    assert plain.status == page.status == 503
    assert plain.headers["content-type"] == "application/json"
    assert plain.headers["retry-after"] == "5"
    (error,) = plain.told["errors"]
    assert (error["code"], error["title"]) == (10015, "CF-ServiceUnavailable")
    assert "Try again" in error["detail"]
    assert b"Sorry, the platform is unavailable" in page.body
    assert envoy.ask(HOST).instance == "one"


def test_the_console_moves_without_a_restart(envoy: RunningEnvoy, one: Backend, two: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    domain = "a-rather-long-name-for-a-platform.digital.ministry-of-something.gov.test"
    moved = Console(domain=domain, apps_domain=APPS, port=two.server_address[1])
    write_bootstrap(envoy.state, envoy.listen, moved)
    wait_until(lambda: envoy.ask(f"api.{domain}").instance == "two", "the console is at its new host")
    assert envoy.ask(DOMAIN).status == 404
    assert envoy.ask(HOST).instance == "one"


# Streams


def test_events_arrive_as_they_are_sent(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    connection = envoy.connect()
    connection.request("GET", "/events", headers={"Host": HOST})
    one.next_event.release()
    answer = connection.getresponse()
    for number in range(3):
        assert answer.readline() == f"data: {number}\n".encode()  # the next one is not sent before we have this
        assert answer.readline() == b"\n"
        one.next_event.release()
    connection.close()


def test_a_websocket_speaks_both_ways_and_outlives_a_publish(envoy: RunningEnvoy, one: Backend, two: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    with socket.create_connection(("127.0.0.1", envoy.port), timeout=30) as client:
        client.sendall(
            f"GET /socket HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n".encode()
        )
        head = client.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 ")
        client.sendall(b"before")
        assert client.recv(4096) == b"before"
        envoy.router.publish(routes(2, route(HOST, target("shop", two))))
        envoy.router.publish(routes(3))
        client.sendall(b"after")
        assert client.recv(4096) == b"after"


@pytest.mark.parametrize("host", [HOST, DOMAIN])
def test_a_large_upload_streams_through(envoy: RunningEnvoy, one: Backend, console: Backend, host: str) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    taker = one if host == HOST else console
    before = envoy.memory()
    block, count = b"x" * (1 << 20), 200

    def body() -> Iterator[bytes]:
        for number in range(count):
            if number == 20:
                wait_until(lambda: taker.received > 5 << 20, "the first bytes arrive before the last are sent")
            yield block

    answer = envoy.ask(host, method="PUT", body=body(), headers={"Content-Length": str(count << 20)})
    assert answer.told["size"] == count << 20
    assert envoy.memory() - before < 64 << 20


def test_a_slow_body_is_waited_for(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))

    def body() -> Iterator[bytes]:
        for _ in range(4):
            time.sleep(0.5)  # longer than the idle time of an unused connection to the app
            yield b"slow"

    assert envoy.ask(HOST, method="POST", body=body(), headers={"Content-Length": "16"}).told["size"] == 16


def test_a_connection_is_kept(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    connection = envoy.connect()
    connection.connect()
    used = connection.sock
    for _ in range(5):
        connection.request("GET", "/", headers={"Host": HOST})
        assert connection.getresponse().read()
        assert connection.sock is used
    connection.close()


# Without a control plane


def test_a_restart_serves_the_routes_of_the_last_publish(envoy: RunningEnvoy, one: Backend, two: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one)), route(f"b.{APPS}", target("b", two))))
    envoy.stop()
    envoy.start()
    assert (envoy.ask(HOST).instance, envoy.ask(f"b.{APPS}").instance) == ("one", "two")


def test_what_is_published_while_envoy_is_down_is_served_when_it_is_up(
    envoy: RunningEnvoy, one: Backend, two: Backend
) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    envoy.stop()
    EnvoyRouter(state=envoy.state).publish(routes(2, route(HOST, target("shop", two))))
    assert envoy.router.version() == 2
    envoy.start()
    assert envoy.ask(HOST).instance == "two"


def test_setting_up_again_keeps_the_routes(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    envoy.stop()
    write_bootstrap(envoy.state, envoy.listen, envoy.console)
    envoy.start()
    assert envoy.ask(HOST).instance == "one"


def test_a_router_that_was_never_set_up_refuses(tmp_path: Path) -> None:
    with pytest.raises(RouterRefused, match="never set up"):
        EnvoyRouter(state=tmp_path).publish(routes(1))


def test_a_killed_publisher_holds_up_nobody(envoy: RunningEnvoy, one: Backend) -> None:
    holding = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    lock = str(envoy.folder.root / "lock")
    holder = subprocess.Popen([sys.executable, "-c", holding, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout and holder.stdout.readline()
    late = threading.Thread(target=envoy.router.publish, args=(routes(1, route(HOST, target("shop", one))),))
    late.start()
    time.sleep(0.3)
    assert envoy.router.version() == 0
    holder.kill()
    holder.communicate()
    late.join(30)
    assert envoy.router.version() == 1


def test_a_port_that_is_taken_is_reported(backend: Callable[..., Backend]) -> None:
    taken = backend("squatter").server_address[1]
    envoy = RunningEnvoy()
    try:
        write_bootstrap(envoy.state, replace(envoy.listen, port=taken), envoy.console)
        envoy.process = subprocess.Popen(command(envoy.state), stderr=subprocess.DEVNULL)
        with pytest.raises(RouterRefused, match=f"(?i){taken}.*in use"):
            wait_until_serving(envoy.state)
    finally:
        envoy.remove()


def test_a_state_folder_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    listen, console = Listen(port=1), Console(domain=DOMAIN, apps_domain=APPS, port=1)
    with pytest.raises(ValueError, match="too long"):
        write_bootstrap(tmp_path / ("x" * 100), listen, console)


def test_the_files_and_the_admin_socket_are_closed_to_others(envoy: RunningEnvoy) -> None:
    assert stat.S_IMODE(envoy.folder.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(envoy.folder.admin.stat().st_mode) == 0o600
    assert stat.S_IMODE(envoy.folder.resources("lds").stat().st_mode) == 0o600


# TLS


@pytest.fixture
def tls_envoy(console: Backend) -> Iterator[RunningEnvoy]:
    running = RunningEnvoy(console_port=console.server_address[1], tls="self-signed", redirect_port=free_port())
    running.start()
    yield running
    running.remove()


def trusting(envoy: RunningEnvoy) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(envoy.folder.root / "self-signed.pem")
    return context


def test_the_self_signed_certificate_covers_console_and_apps(tls_envoy: RunningEnvoy, one: Backend) -> None:
    tls_envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    trust = trusting(tls_envoy)
    told = tls_envoy.ask(HOST, tls=trust).told
    assert (told["name"], told["headers"]["x-forwarded-proto"]) == ("one", "https")
    for host in (DOMAIN, f"api.{DOMAIN}"):
        assert tls_envoy.ask(host, tls=trust).instance == "console"
    with pytest.raises(ssl.SSLCertVerificationError):
        tls_envoy.ask("elsewhere.test", tls=trust)


def test_http_2_is_spoken_on_tls(tls_envoy: RunningEnvoy, one: Backend) -> None:
    tls_envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    context = trusting(tls_envoy)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", tls_envoy.port), timeout=30) as raw,
        context.wrap_socket(raw, server_hostname=HOST) as client,
    ):
        assert client.selected_alpn_protocol() == "h2"
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        assert client.recv(9)[3] == 4  # a SETTINGS frame


def test_plain_requests_are_redirected_with_path_and_query(tls_envoy: RunningEnvoy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", tls_envoy.listen.redirect_port or 0, timeout=30)
    for method in ("GET", "POST"):
        connection.request(method, "/a/b?c=d&e=%20", headers={"Host": f"{HOST}:80"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 308
        assert answer.headers["Location"] == f"https://{HOST}:{tls_envoy.port}/a/b?c=d&e=%20"
    connection.close()


def test_a_renewed_certificate_is_shown_without_a_restart(tls_envoy: RunningEnvoy) -> None:
    before = shown(tls_envoy)
    (tls_envoy.folder.root / "self-signed.pem").unlink()
    write_bootstrap(tls_envoy.state, tls_envoy.listen, tls_envoy.console)
    wait_until(lambda: shown(tls_envoy) != before, "the new certificate is shown")


def test_setting_up_again_shows_the_same_certificate(tls_envoy: RunningEnvoy) -> None:
    before = shown(tls_envoy)
    write_bootstrap(tls_envoy.state, tls_envoy.listen, tls_envoy.console)
    assert shown(tls_envoy) == before


def shown(envoy: RunningEnvoy) -> str:
    return ssl.get_server_certificate(("127.0.0.1", envoy.port), timeout=30)


def test_the_operators_own_files_are_shown(tls_envoy: RunningEnvoy, tmp_path: Path) -> None:
    key, marker, chain = (tls_envoy.folder.root / "self-signed.pem").read_text().partition("-----BEGIN CERT")
    files = {"certificate": tmp_path / "chain.pem", "key": tmp_path / "key.pem"}
    files["certificate"].write_text(marker + chain)
    files["key"].write_text(key)
    other = RunningEnvoy(tls="files", **files)
    try:
        other.start()
        assert shown(other).split() == (marker + chain).split()
    finally:
        other.remove()


def test_a_key_of_another_certificate_is_refused(tls_envoy: RunningEnvoy, tmp_path: Path) -> None:
    chain = tls_envoy.folder.root / "self-signed.pem"
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-out", key], check=True, capture_output=True)
    wrong = replace(tls_envoy.listen, tls="files", certificate=chain, key=key)
    with pytest.raises(ValueError, match="does not belong"):
        write_bootstrap(tls_envoy.state, wrong, tls_envoy.console)


# The access log


def lines(envoy: RunningEnvoy, count: int) -> list[dict[str, Any]]:
    return wait_until(lambda: len(envoy.access_lines()) >= count and envoy.access_lines(), f"{count} lines are there")


def test_each_request_leaves_a_line_with_its_app(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop-guid", one)), route(f"down.{APPS}", target("down-guid"))))
    headers = {"User-Agent": 'odd "agent"\t', "Referer": "http://from.test/"}
    answer = envoy.ask(HOST, "/buy?what=1", method="POST", body=b"12345", headers=headers)
    envoy.ask(f"down.{APPS}")
    envoy.ask(f"unknown.{APPS}")
    served, down, unknown = lines(envoy, 3)
    expected = {
        "app": "shop-guid",
        "route": HOST,
        "instance": "one",
        "index": "0",
        "host": HOST,
        "method": "POST",
        "path": "/buy?what=1",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes_in": 5,
        "bytes_out": len(answer.body),
        "referer": "http://from.test/",
        "vcap_request_id": answer.headers["x-vcap-request-id"],
        "request_id": answer.headers["x-vcap-request-id"],
        "upstream": f"127.0.0.1:{one.server_address[1]}",
        "flags": "-",
    }
    assert {name: served[name] for name in expected} == expected
    assert served["user_agent"].startswith('odd "agent"')
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", served["time"])
    assert served["duration_ms"] >= 0
    assert (down["app"], down["status"], down["instance"], down["flags"]) == ("down-guid", 503, None, "UH")
    assert (down["router_error"], served["router_error"]) == ("no_endpoints", None)
    assert re.fullmatch(r"[\d.]+:\d+", served["downstream"])
    assert (unknown["app"], unknown["status"], unknown["host"]) == (None, 404, f"unknown.{APPS}")


def test_a_line_names_the_app_that_answered_where_a_route_has_several(
    envoy: RunningEnvoy, one: Backend, two: Backend
) -> None:
    envoy.router.publish(routes(1, route(HOST, target("a", one), target("b", two))))
    told = [envoy.ask(HOST).instance for _ in range(6)]
    assert [line["app"] for line in lines(envoy, 6)] == [{"one": "a", "two": "b"}[name] for name in told]


def test_the_consoles_requests_are_not_in_the_log(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    envoy.ask(DOMAIN, "/sign-in/secret-token")
    envoy.ask(f"API.{DOMAIN}:8080", "/v3")
    envoy.ask(HOST)
    assert [line["host"] for line in lines(envoy, 1)] == [HOST]


def test_the_log_is_rotated_without_losing_a_line(envoy: RunningEnvoy, one: Backend) -> None:
    envoy.router.publish(routes(1, route(HOST, target("shop", one))))
    old = envoy.folder.root / "access.log.1"
    for number in range(20):
        envoy.ask(HOST, f"/{number}")
        if number == 9:
            envoy.folder.access_log.rename(old)
            envoy.admin.reopen_logs()

    def paths() -> list[str]:
        new = envoy.folder.access_log
        text = old.read_text() + (new.read_text() if new.exists() else "")
        return [json.loads(line)["path"] for line in text.splitlines()]

    wait_until(lambda: len(paths()) == 20, "every line is in one of the two files")
    assert sorted(paths(), key=lambda path: int(path[1:])) == [f"/{number}" for number in range(20)]
