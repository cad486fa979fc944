"""What a bound app gets out of its PostgreSQL, against the same two containers made by hand."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from paas.host.shell import run
from services.brokers.engine import pgbackrest
from services.brokers.engine.base import CA_FILE
from tests.bench.copies import PASSWORD, Copy, Network, ServerCopy
from tests.bench.ground import Ground, soon
from tests.bench.services import container, instance, network
from tests.bench.table import Row, median
from tests.platform import apps
from tests.platform.client import ends

PROGRAM, THERE = "/usr/lib/postgresql/15/bin/pgbench", "/home/vcap/pgbench"
SCALE, CLIENTS, SECONDS, ROUNDS = "10", "4", "5", 3
KINDS = {
    "reads and writes": (),
    "reads": ("--select-only",),
    "reads, a connection for each": ("--select-only", "--connect"),
}
RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
USER = f"CREATE ROLE bench LOGIN NOINHERIT IN ROLE manager PASSWORD '{PASSWORD}'; ALTER ROLE bench SET role = manager"
UNGUARDED = ("sed", "-i", "s/^hostssl  main/host     main/", "/tmp/postgresql/pg_hba.conf")
Bench = Callable[..., str]


def measure(ground: Ground) -> list[Row]:
    """The reference has the same image, limits, settings, backups and client, on a bridge without rules."""
    with network() as own, instance(ground, "postgres") as (made, _):
        server = ServerCopy(own, container(ground, made["guid"]))
        client: Copy | None = None
        try:
            ours, client = _ours(ground, own, made)
            ground.say("the same by hand")
            references = _by_hand(server, client)
            for bench in (ours, references["TLS"]):
                bench("--initialize", "--quiet", "--scale", SCALE)
            return [
                _row(ground, kind, ours, f"{name} by hand", reference)
                for kind in KINDS
                for name, reference in references.items()
            ]
        finally:
            for copy in (server, *([client] if client else [])):
                copy.remove()


def _ours(ground: Ground, own: Network, made: Any) -> tuple[Bench, Copy]:
    """Push an app with pgbench in it, bind it and fill its database; return how it is run, and a copy of its container."""
    ground.say("an app that is bound to a postgres")
    client, name = ground.client, f"bench-{secrets.token_hex(3)}"
    app = client.push(ground.space, name, apps.server(name))
    body = {"type": "app", "relationships": {**ends("app", app), **ends("service_instance", made)}}
    client.call("POST", "/v3/service_credential_bindings", body)
    client.call("POST", f"/v3/apps/{app['guid']}/actions/restart")
    before = {each["Id"] for each in _containers(own, app)}
    soon(lambda: len(now := _containers(own, app)) == 1 and now[0]["Id"] not in before, "the restarted app")
    found = _containers(own, app)[0]["Id"]
    program = run(["docker", "exec", container(ground, made["guid"]), "base64", PROGRAM])
    _put(found, program)
    binding = client.only(f"/v3/service_credential_bindings?app_guids={app['guid']}")
    address = client.call("GET", f"/v3/service_credential_bindings/{binding['guid']}/details")["credentials"]["uri"]
    backups = f"/v3/service_instances/{made['guid']}/backups"
    soon(lambda: client.call("GET", backups)["resources"], "the first backup", seconds=300, pause=1)
    return _bench(found, address), Copy(own, found, command=["sleep", "infinity"])


def _containers(own: Network, app: Any) -> list[Any]:
    return list(own.engine.containers(filters={"label": f"paas.app={app['guid']}"}))


def _put(container: str, program: str) -> None:
    write = f"base64 --decode > {THERE} && chmod 755 {THERE}"
    run(["docker", "exec", "--interactive", container, "sh", "-c", write], stdin=program)


def _by_hand(server: ServerCopy, client: Copy) -> dict[str, Bench]:
    server.start()
    client.start()
    server.ready("postgres")
    with server.superuser() as connection:
        connection.execute(USER)
        pgbackrest.begin(connection, full=True)
        soon(lambda: pgbackrest.state(connection).taken, "the copy's first backup", pause=1)
        server.run(*UNGUARDED)
        connection.execute("SELECT pg_reload_conf()")
    address = f"postgresql://bench:{PASSWORD}@{server.address}/main?sslmode="
    return {
        "TLS": _bench(client.container, f"{address}verify-ca&sslrootcert={CA_FILE}"),
        "no TLS": _bench(client.container, f"{address}disable"),
    }


def _bench(container: str, address: str) -> Bench:
    def bench(*options: str) -> str:
        return run(["docker", "exec", container, THERE, *options, address])

    return bench


def _row(ground: Ground, kind: str, ours: Bench, name: str, reference: Bench) -> Row:
    """Let both work in turns, and equally often: a database gets faster with what it has written before."""
    ways, options = (ours, reference), KINDS[kind]
    _taken(ways, options)  # not counted
    rounds = []
    for number in range(ROUNDS):
        ground.say(f"pgbench, {kind}, against {name}, {number + 1} of {ROUNDS}")
        rounds.append(_taken(ways, options))
    taken = [median(times) for times in zip(*rounds, strict=True)]
    return Row(f"pgbench from a bound app, {kind}, against {name}", "a second", *taken)


def _taken(ways: tuple[Bench, ...], options: tuple[str, ...]) -> list[float]:
    """Return the transactions of a second."""
    found = []
    for bench in ways:
        told = bench("--client", CLIENTS, "--time", SECONDS, *options)
        rate = RATE.search(told)
        assert rate, told
        found.append(float(rate[1]))
    return found
