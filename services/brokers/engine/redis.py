"""Redis: every binding has its own user, who may do everything with the data and nothing with the server."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import quote

import redis
from redis import exceptions

from paas.seams.runtimes.base import BINDINGS

from . import snapshots
from .base import Json, Metrics, NotReady, Schemas, Site, SlowQuery, User, Wanted, schema
from .depot import Depot

PLATFORM = "platform"
POLICIES = (
    "volatile-lru",
    "allkeys-lru",
    "volatile-lfu",
    "allkeys-lfu",
    "volatile-random",
    "allkeys-random",
    "volatile-ttl",
    "noeviction",
)
# The rest is for buffers, for what changes while the data is written to disk, and for what takes snapshots.
DATA_SHARE, LEAST_REST_MB = 60, 128  # percent of memory
OWN_CONNECTIONS = 8
SECONDS = 5
SLOW_SEEN = 128
# All of the data, also what Redis calls dangerous for its cost; not the server, its users or its other clients.
RIGHTS = ("~*", "&*", "+@all", "-@admin", "-@dangerous", "+info", "+keys", "+flushdb", "+flushall", "+sort", "+sort_ro")
RUN = "/tmp/redis"  # noqa: S108 - of the container, which has no other user


class Redis(snapshots.Snapshots):
    port, folder, tags = 6379, "/var/lib/redis", ("redis", "cache", "key-value")
    policy: ClassVar[Json] = {
        "type": "string",
        "enum": [*POLICIES],
        "description": "What goes when memory is full. Without it: volatile-lru, what has a time to live and was used least.",
    }

    def __init__(self, more: Mapping[str, Any]) -> None:
        reboot = {"type": "boolean", "description": "Start the server anew. Apps lose their connections for seconds."}
        self.schemas = Schemas(
            create=schema(maxmemory_policy=self.policy, **snapshots.RESTORE),
            update=schema(maxmemory_policy=self.policy, reboot=reboot),
            bind=schema(),
        )

    def files(self, site: Site, parameters: Json) -> dict[str, str]:
        lines = "".join(f"{name} {value}\n" for name, value in _settings(site).items())
        digest = hashlib.sha256(site.passwords[0].encode()).hexdigest()
        given = {"redis.conf": lines, "users.acl": f"user default off\nuser {PLATFORM} on #{digest} ~* &* +@all\n"}
        return {**given, **snapshots.files(site.depot, site.size)} if site.depot else given

    def settle(self, site: Site, parameters: Json) -> None:
        with self._platform(site) as server:
            server.ping()
            if policy := parameters.get("maxmemory_policy"):
                server.config_set("maxmemory-policy", policy)
                server.config_rewrite()

    def add_user(self, site: Site, user: User, parameters: Json) -> None:
        with self._platform(site) as server:
            server.execute_command("ACL SETUSER", user.name, "reset", "on", f">{user.password}", *RIGHTS)
            server.acl_save()

    def parameters(self, site: Site) -> Json:
        with self._platform(site) as server:
            return {"maxmemory_policy": server.config_get("maxmemory-policy")["maxmemory-policy"]}

    def user_parameters(self, site: Site, name: str) -> Json | None:
        with self._platform(site) as server:
            return {} if name in server.acl_users() else None

    def credentials(self, site: Site, user: User) -> dict[str, Any]:
        way = f"{quote(user.name)}:{quote(user.password)}@{site.host}:{self.port}"
        return {
            "host": site.host,
            "port": self.port,
            "name": "0",
            "username": user.name,
            "password": user.password,
            "tls_enabled": True,
            "uri": f"rediss://{way}/0",
        }

    def drop_user(self, site: Site, name: str) -> None:
        with self._platform(site) as server:
            server.acl_deluser(name)  # which ends its connections
            server.acl_save()

    def metrics(self, site: Site) -> Metrics:
        with self._platform(site) as server:
            told: dict[str, Any] = server.info("everything")
            slow = server.slowlog_get(SLOW_SEEN)
        hits, misses = told["keyspace_hits"], told["keyspace_misses"]
        databases = [value for key, value in told.items() if key.startswith("db") and isinstance(value, dict)]
        return Metrics(
            connections=told["connected_clients"] - 1,
            connections_limit=site.size.connections,
            size_bytes=told["used_memory_dataset"],
            cache_hits=hits / (hits + misses) if hits + misses else None,
            slow_queries=_slowest(slow),
            items=sum(each["keys"] for each in databases),
        )

    def restore_files(self, site: Site, source: Depot, wanted: Wanted) -> dict[str, str]:
        return snapshots.restore_files(source, site.size, wanted)

    @contextmanager
    def _platform(self, site: Site) -> Iterator[redis.Redis]:
        """Log in with the newest password, or with an older one, which is then replaced."""
        for number, password in enumerate(site.passwords):
            server = redis.Redis(
                host=site.address,
                port=self.port,
                username=PLATFORM,
                password=password,
                ssl=True,
                ssl_ca_certs=str(site.authority),
                socket_timeout=SECONDS,
                socket_connect_timeout=SECONDS,
                decode_responses=True,
            )
            try:
                server.ping()
                if number:
                    server.execute_command("ACL SETUSER", PLATFORM, "resetpass", f">{site.passwords[0]}")
                    server.acl_save()
                yield server
            except exceptions.AuthenticationError as error:
                if number + 1 == len(site.passwords):
                    raise NotReady(f"Redis does not let the platform in: {error}") from error
            except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
                raise NotReady(f"Redis does not answer yet: {error}") from error
            else:
                return
            finally:
                server.close()


def _settings(site: Site) -> dict[str, Any]:
    memory = site.size.memory_mb
    return {
        "port": 0,
        "unixsocket": f"{RUN}/server.sock",  # for snapshots
        "unixsocketperm": 700,
        "repl-diskless-sync-delay": 0,  # which are sent as to a replica, of which there is but one
        "tls-port": Redis.port,
        "tls-cert-file": f"{BINDINGS}/certificate.pem",
        "tls-key-file": f"{RUN}/key.pem",
        "tls-auth-clients": "no",
        "tls-protocols": '"TLSv1.2 TLSv1.3"',
        "dir": Redis.folder,
        "aclfile": f"{Redis.folder}/users.acl",
        "appendonly": "yes",
        "aof-timestamp-enabled": "yes",
        "maxmemory": f"{min(memory * DATA_SHARE // 100, memory - LEAST_REST_MB)}mb",
        "maxclients": site.size.connections + OWN_CONNECTIONS,
        "slowlog-log-slower-than": 10_000,  # microseconds
        "slowlog-max-len": SLOW_SEEN,
        "loglevel": "notice",
        "save": '""',  # the log alone is what a restart reads
    }


def _slowest(entries: list[dict[str, Any]]) -> tuple[SlowQuery, ...]:
    """Sum the slow log up by command; keys and values are the tenant's own business."""
    spent: defaultdict[str, list[float]] = defaultdict(list)
    for entry in entries:
        spent[str(entry["command"]).partition(" ")[0].upper()].append(entry["duration"] / 1000)
    found = [SlowQuery(name, len(each), sum(each) / len(each), sum(each)) for name, each in spent.items()]
    return tuple(sorted(found, key=lambda each: -each.mean_ms))
