"""From an address to an app: who gets a request, what is carried, and what is said where nobody can have it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from typing import Any

import pytest

from tests.host.house import House
from tests.platform.client import Client, ends, wait_until
from tests.platform.faults import Works, load
from tests.platform.servers import carrying_server

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
Push = Callable[..., Any]


@pytest.fixture(scope="module")
def space(root: Client) -> Iterator[Any]:
    made = root.space(f"org-{secrets.token_hex(3)}", "production")
    yield made
    root.call("DELETE", f"/v3/organizations/{made['relationships']['organization']['data']['guid']}")


@pytest.fixture(scope="module")
def alice(root: Client, space: Any) -> Client:
    return root.person("alice", space)


@pytest.fixture(scope="module")
def push(alice: Client, space: Any) -> Push:
    """Push an app that greets with its name, at a route of its own; only the first one is built."""
    droplets: list[Any] = []

    def push(*, start: bool = True) -> Any:
        name = f"app-{secrets.token_hex(3)}"
        app = alice.create_app(space, name, environment_variables={"GREETING": name})
        alice.route(app, space, name)
        if droplets:
            copy = {"relationships": ends("app", app)}
            made = alice.call("POST", f"/v3/droplets?source_guid={droplets[0]['guid']}", copy)
            droplet = wait_until(
                lambda: (found := alice.call("GET", f"/v3/droplets/{made['guid']}"))["state"] == "STAGED" and found,
                "the copied droplet",
            )
        else:
            droplet = alice.droplet(app, carrying_server())
            droplets.append(droplet)
        alice.use(app, droplet)
        if start:
            alice.call("POST", f"/v3/apps/{app['guid']}/actions/start")
            wait_until(lambda: alice.fetch(name).text == name, "the app to answer")
        return app

    return push


@pytest.fixture(scope="module")
def one(push: Push) -> Any:
    return push()


@pytest.fixture(scope="module")
def two(push: Push) -> Any:
    return push()


def make_route(client: Client, space: Any, host: str, path: str = "") -> Any:
    domain = client.only("/v3/domains?names=apps.localhost")
    where = {**ends("domain", domain), **ends("space", space)}
    return client.call("POST", "/v3/routes", {"host": host, "path": path, "relationships": where})


def lead(client: Client, route: Any, *apps: Any) -> None:
    to = [{"app": {"guid": app["guid"]}} for app in apps]
    client.call("POST", f"/v3/routes/{route['guid']}/destinations", {"destinations": to})


def new_host() -> str:
    return f"host-{secrets.token_hex(3)}"


# Where nobody can have it ----------------------------------------------------------------------------------------------


def test_an_unknown_host_is_a_page_in_a_browser_and_a_sentence_elsewhere(alice: Client) -> None:
    page = alice.fetch(new_host(), headers=HTML)
    assert page.status_code == 404 and page.headers["Content-Type"].startswith("text/html")
    assert "<h1" in page.text and "<style" in page.text
    host = new_host()
    plain = alice.fetch(host)
    assert plain.status_code == 404 and plain.headers["X-Cf-RouterError"] == "unknown_route"
    assert f"Requested route ('{host}.apps.localhost:{alice.port}') does not exist" in plain.text


def test_a_route_without_a_ready_instance_says_when_to_try_again(alice: Client, push: Push) -> None:
    app = push(start=False)
    wait_until(lambda: alice.fetch(app["name"]).status_code == 503, "the route to be known")
    page, plain = alice.fetch(app["name"], headers=HTML), alice.fetch(app["name"])
    for answer in (page, plain):
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert "<h1" in page.text and page.headers["Content-Type"].startswith("text/html")
    assert plain.headers["X-Cf-RouterError"] == "no_endpoints" and "has no available endpoints" in plain.text


def test_another_tenants_route_is_refused_without_saying_whose(root: Client, alice: Client, one: Any) -> None:
    elsewhere = root.space(f"org-{secrets.token_hex(3)}", "elsewhere")
    try:
        mallory = root.person("mallory", elsewhere)
        domain = mallory.only("/v3/domains?names=apps.localhost")
        where = {**ends("domain", domain), **ends("space", elsewhere)}
        for path in ("", "/deeper"):
            taken = {"host": one["name"], "path": path, "relationships": where}
            answer = mallory.send("POST", "/v3/routes", json=taken)
            assert answer.status_code == 422, answer.text
            (error,) = answer.json()["errors"]
            assert f"{one['name']}.apps.localhost" in error["detail"] and "already in use" in error["detail"].lower()
            for known in (one["guid"], alice.username, "production"):
                assert known not in answer.text
        assert mallory.call("GET", f"/v3/routes?hosts={one['name']}")["resources"] == []
    finally:
        root.call("DELETE", f"/v3/organizations/{elsewhere['relationships']['organization']['data']['guid']}")


# Who gets it -------------------------------------------------------------------------------------------------------------


def test_a_path_leads_to_its_own_app(alice: Client, space: Any, one: Any, two: Any) -> None:
    host = new_host()
    lead(alice, make_route(alice, space, host), one)
    lead(alice, make_route(alice, space, host, "/api"), two)
    wait_until(lambda: alice.fetch(host, "/api").text == two["name"], "the route with the path")
    for path in ("/api", "/api/", "/api/v1/things", "/api?page=1"):
        assert alice.fetch(host, path).text == two["name"], path
    for path in ("/", "/apis", "/other/api"):
        assert alice.fetch(host, path).text == one["name"], path


def test_several_apps_on_one_route_share_it_and_stand_in_for_each_other(
    alice: Client, space: Any, one: Any, push: Push
) -> None:
    other, host = push(), new_host()
    lead(alice, make_route(alice, space, host), one, other)
    names = {one["name"], other["name"]}
    wait_until(lambda: {alice.fetch(host).text for _ in range(10)} == names, "both apps to answer")
    with load(alice, host) as seen:
        alice.call("POST", f"/v3/apps/{other['guid']}/actions/stop")
        wait_until(lambda: [each["state"] for each in alice.stats(other)] == ["DOWN"], "the one to stop")
        wait_until(lambda: {alice.fetch(host).text for _ in range(10)} == {one["name"]}, "the other to answer alone")
    assert set(seen[host]) <= names, seen


def test_several_routes_lead_to_one_app_until_they_are_unmapped(alice: Client, space: Any, one: Any) -> None:
    hosts = [new_host() for _ in range(3)]
    routes = [make_route(alice, space, host) for host in hosts]
    for route in routes:
        lead(alice, route, one)
    for host in (*hosts, one["name"]):
        wait_until(lambda host=host: alice.fetch(host).text == one["name"], host)
    (end,) = alice.call("GET", f"/v3/routes/{routes[0]['guid']}/destinations")["destinations"]
    alice.call("DELETE", f"/v3/routes/{routes[0]['guid']}/destinations/{end['guid']}")
    alice.call("DELETE", f"/v3/routes/{routes[1]['guid']}")
    wait_until(lambda: [alice.fetch(host).status_code for host in hosts] == [404, 404, 200], "two routes to end")


def test_a_routes_url_can_be_opened(alice: Client, space: Any, one: Any) -> None:
    (route,) = alice.call("GET", f"/v3/apps/{one['guid']}/routes")["resources"][:1]
    assert route["url"] == f"{route['host']}.apps.localhost:{alice.port}"


# What is carried ---------------------------------------------------------------------------------------------------------


@contextmanager
def connection(client: Client, name: str) -> Iterator[tuple[http.client.HTTPConnection, dict[str, str]]]:
    made = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    try:
        yield made, {"Host": f"{name}.apps.localhost:{client.port}"}
    finally:
        made.close()


def test_a_connection_is_kept(alice: Client, one: Any) -> None:
    with connection(alice, one["name"]) as (kept, host):
        kept.connect()
        before = kept.sock
        for _ in range(5):
            kept.request("GET", "/", headers=host)
            answer = kept.getresponse()
            assert answer.read().decode() == one["name"] and answer.getheader("Connection") != "close"
        assert kept.sock is before


def test_a_websocket_speaks_both_ways(alice: Client, one: Any) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = ["GET /ws HTTP/1.1", f"Host: {one['name']}.apps.localhost:{alice.port}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
    with socket.create_connection(("127.0.0.1", alice.port), timeout=30) as client:
        client.sendall("\r\n".join(lines).encode())
        stream = client.makefile("rb")
        assert b" 101 " in stream.readline()
        while (header := stream.readline()) != b"\r\n":
            assert header
        for text in (b"first", b"second"):
            client.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)  # a mask of nothing
            assert stream.read(2 + len(text)) == bytes([0x81, len(text)]) + text


def test_events_arrive_as_they_are_sent(alice: Client, one: Any) -> None:
    with connection(alice, one["name"]) as (client, host):
        client.request("GET", "/events", headers=host)
        answer = client.getresponse()
        assert answer.readline() == b"data: first\n"
        alice.fetch(one["name"], "/go")  # the second is sent now, and not before
        assert [answer.readline() for _ in range(2)][1] == b"data: second\n"


def test_large_and_slow_bodies_arrive_whole(alice: Client, one: Any) -> None:
    body = os.urandom(20 << 20)
    assert alice.fetch(one["name"], method="POST", data=body).text == hashlib.sha256(body).hexdigest()
    with connection(alice, one["name"]) as (client, host):
        client.putrequest("POST", "/", skip_host=True)
        for header in ({**host, "Content-Length": "40"}).items():
            client.putheader(*header)
        client.endheaders()
        for _ in range(8):
            client.send(b"slow.")
            time.sleep(0.5)
        assert client.getresponse().read().decode() == hashlib.sha256(b"slow." * 8).hexdigest()


def test_an_app_is_told_who_asked_and_how(alice: Client, one: Any) -> None:
    pretended = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "bank.example"}
    answer = alice.fetch(one["name"], "/headers", headers=pretended)
    seen, host = answer.json(), f"{one['name']}.apps.localhost:{alice.port}"
    first, _, last = seen["x-forwarded-for"].partition(",")
    assert first == "192.0.2.7" and IPv4Address(last.strip()) != IPv4Address(first)  # whoever connected is the last
    assert (seen["x-forwarded-proto"], seen["x-forwarded-host"], seen["host"]) == ("http", host, host)
    assert len(seen["x-request-id"]) == 36 and seen["x-vcap-request-id"] == seen["x-request-id"]
    assert answer.headers["X-Vcap-Request-Id"] == seen["x-request-id"]
    wait_until(
        lambda: any(source == "RTR" and seen["x-request-id"] in line for source, line in alice.logs(one)),
        "the request in the app's log",
    )


# From app to app ---------------------------------------------------------------------------------------------------------


def test_an_app_reaches_another_through_its_public_route_only(house: House, alice: Client, one: Any, two: Any) -> None:
    (route,) = alice.call("GET", f"/v3/routes?hosts={two['name']}")["resources"]
    # By the address that the name would have: no name server knows names under "localhost".
    inside = {"url": f"http://{Works(house).gateway}:{alice.port}/", "host": route["url"]}
    assert alice.fetch(one["name"], "/fetch", params=inside).text == two["name"]
    address = alice.fetch(two["name"], "/env", params={"name": "CF_INSTANCE_IP"}).text
    straight = {"host": address, "port": "8080"}
    assert alice.fetch(one["name"], "/connect", params=straight).text.startswith("closed")
    assert alice.fetch(two["name"], "/connect", params=straight).text == "open"  # there is something to reach
