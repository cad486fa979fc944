"""Redis on the platform's own engine: what a binding may do, and what outlives a restart or another plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis
from redis import exceptions

from services.brokers.base import Done, Instance, Previous
from services.brokers.engine import plans
from services.brokers.engine.redis import OWN_CONNECTIONS
from tests.cell.machine import wait_until
from tests.services.bed import KEYS, Bed

pytestmark = pytest.mark.slow

Connect = Callable[..., "redis.Redis[Any]"]

# What a client does that trusts what its container trusts, in an app that has no library of its own.
CLIENT = """
import socket, ssl, sys
from urllib.parse import urlsplit
uri = urlsplit(sys.argv[1])
context = ssl.create_default_context()
try:
    with socket.create_connection((uri.hostname, uri.port), 3) as plain:
        with context.wrap_socket(plain, server_hostname=uri.hostname) as line:
            line.sendall(f"AUTH {uri.username} {uri.password}\\r\\nPING\\r\\n".encode())
            answer = b""
            while answer.count(b"\\n") < 2 and (more := line.recv(1000)):
                answer += more
            print(answer.decode().split())
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def store(bed: Bed) -> Instance:
    return bed.made("redis", "micro-7")


@pytest.fixture
def connect(bed: Bed) -> Connect:
    def log_in(credentials: dict[str, Any]) -> redis.Redis[Any]:
        address = bed.addresses.taken[credentials["host"].partition(".")[0]]
        return redis.Redis(
            host=address,
            port=credentials["port"],
            username=credentials["username"],
            password=credentials["password"],
            ssl=True,
            ssl_ca_certs=str(bed.machine.runtime.authority.certificate()),
            decode_responses=True,
        )

    return log_in


def test_an_app_reaches_it_with_the_server_verified_and_no_other_app_does(bed: Bed, store: Instance) -> None:
    uri = bed.credentials(bed.binding(store))["uri"]
    assert uri.startswith("rediss://")
    mine, stranger = bed.app("site", store), bed.app("stranger")
    assert bed.machine.inside(mine.instance, "python3", "-c", CLIENT, uri).stdout.strip() == "['+OK', '+PONG']"
    assert "Error" in bed.machine.inside(stranger.instance, "python3", "-c", CLIENT, uri).stdout


MAY_NOT = [
    "CONFIG GET requirepass",
    "CONFIG SET dir /tmp",
    "ACL LIST",
    "ACL SETUSER another on",
    "SHUTDOWN",
    "MONITOR",
    "REPLICAOF 10.0.0.1 6379",
    "SAVE",
    "MODULE LIST",
    "CLIENT KILL TYPE normal",
]


def test_a_binding_has_all_of_the_data_and_nothing_of_the_server(bed: Bed, store: Instance, connect: Connect) -> None:
    client = connect(bed.credentials(bed.binding(store)))
    client.set("a", "1")
    assert client.get("a") == "1" and client.keys() == ["a"] and client.eval("return redis.call('GET', 'a')", 0) == "1"
    for command in MAY_NOT:
        with pytest.raises(exceptions.NoPermissionError):
            client.execute_command(*command.split())
            pytest.fail(f"A binding may run: {command}")
    client.flushall()


def test_unbinding_ends_open_connections(bed: Bed, store: Instance, connect: Connect) -> None:
    binding = bed.binding(store)
    client = connect(bed.credentials(binding)).client()
    client.ping()
    assert bed.broker.remove(binding) == Done()
    with pytest.raises((exceptions.ConnectionError, exceptions.AuthenticationError)):
        client.ping()
    assert bed.broker.fetch(binding) is None


def test_the_plan_is_kept_to(bed: Bed, store: Instance, connect: Connect) -> None:
    credentials, limit, opened = bed.credentials(bed.binding(store)), bed.size(store).connections, []
    try:
        for _ in range(limit):
            opened.append(connect(credentials).client())
            opened[-1].ping()
        assert bed.broker.metrics(store).connections == limit  # the platform still gets in
        with pytest.raises(exceptions.ConnectionError):
            for _ in range(OWN_CONNECTIONS + 1):  # which Redis cannot keep for the platform alone
                opened.append(connect(credentials).client())
                opened[-1].ping()
    finally:
        for each in opened:
            each.close()
    assert bed.limited(store)


def test_the_engine_restarts_it_with_the_control_plane_and_the_agent_down(bed: Bed, connect: Connect) -> None:
    store = bed.made("redis", "micro-7")
    credentials = bed.credentials(bed.binding(store))
    connect(credentials).set("kept", "yes")
    bed.machine.stop_agent()
    try:
        bed.kill(store)
        assert wait_until(lambda: _or_none(lambda: connect(credentials).get("kept")), "Redis to be back") == "yes"
    finally:
        bed.machine.start_agent()


def test_data_users_and_settings_outlive_a_reboot_and_another_plan(bed: Bed, connect: Connect) -> None:
    small = bed.made("redis", "micro-7", maxmemory_policy="allkeys-lru")
    credentials = bed.credentials(bed.binding(small))
    connect(credentials).set("kept", "yes")
    assert bed.broker.update(replace(small, parameters={"reboot": True}), Previous(small.plan_id)) == Done()
    assert connect(credentials).get("kept") == "yes"
    large = replace(small, plan_id=plans.identity("redis", "small-7"))
    assert bed.broker.update(large, Previous(small.plan_id)) == Done()
    assert connect(credentials).get("kept") == "yes"
    assert connect(credentials).info("memory")["maxmemory_policy"] == "allkeys-lru"


def test_new_keys_of_the_platform_reach_a_server_that_runs(bed: Bed) -> None:
    store = bed.made("redis", "micro-7")
    new = "n" * 40
    assert bed.broker_with(keys=(new, *KEYS)).metrics(store).connections == 0
    assert bed.broker_with(keys=(new,)).metrics(store).connections == 0


def test_metrics_tell_of_hits_and_items(bed: Bed, store: Instance, connect: Connect) -> None:
    client = connect(bed.credentials(bed.binding(store)))
    client.set("a", "1")
    client.get("a"), client.get("b")
    metrics = bed.broker.metrics(store)
    assert metrics.items == 1 and metrics.connections >= 1 and metrics.cache_hits and 0 < metrics.cache_hits < 1


def _or_none(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except exceptions.ConnectionError:
        return None
