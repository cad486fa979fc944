"""Envoys as somebody would configure them by hand: the backend that all requests end at, and the references."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from paas.seams.routers.bootstrap import binary
from tests.contracts.routing import free_port

HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
LOG = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
BODY = "hello\n"


def answering(port: int) -> dict[str, Any]:
    """A backend that says hello, and costs next to nothing."""
    return _server(port, {"direct_response": {"status": 200, "body": {"inline_string": BODY}}})


def forwarding(port: int, backend: int, *, log: Path | None = None) -> dict[str, Any]:
    """The least that leads every request to the backend; with ``log``, a line of Envoy's usual format for each."""
    endpoint = {"endpoint": {"address": _address(backend)}}
    cluster = {
        "name": "backend",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "backend", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return _server(port, {"route": {"cluster": "backend"}}, cluster, log=log)


def _server(port: int, action: dict[str, Any], *clusters: dict[str, Any], log: Path | None = None) -> dict[str, Any]:
    everything = {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **action}]}
    manager: dict[str, Any] = {
        "@type": HTTP,
        "stat_prefix": "http",
        "route_config": {"name": "all", "virtual_hosts": [everything]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
    }
    if log:
        file = {"@type": LOG, "path": str(log)}
        manager["access_log"] = [{"name": "envoy.access_loggers.file", "typed_config": file}]
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    listener = {"name": "all", "address": _address(port), "filter_chains": [chain]}
    return {"static_resources": {"listeners": [listener], "clusters": list(clusters)}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@dataclass(frozen=True)
class Running:
    port: int
    pid: int


@contextmanager
def static(config: dict[str, Any], folder: Path, name: str, *flags: str) -> Iterator[Running]:
    """Run an Envoy with this configuration for the length of the block."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(config))
    words = [binary(), "--config-path", file, "--log-level", "error", "--disable-hot-restart", *flags]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        port = config["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"]
        _wait(port)
        yield Running(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def backend_and_references(folder: Path) -> Iterator[tuple[int, Running, Running]]:
    """Run all three; give the backend's port, the bare reference and the one that logs."""
    with ExitStack() as stack:
        backend = free_port()
        stack.enter_context(static(answering(backend), folder, "backend", "--concurrency", "1"))
        bare = stack.enter_context(static(forwarding(free_port(), backend), folder, "bare"))
        config = forwarding(free_port(), backend, log=folder / "access.log")
        yield backend, bare, stack.enter_context(static(config, folder, "logging"))


def _wait(port: int) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            if requests.get(f"http://127.0.0.1:{port}/", timeout=2).text == BODY:
                return
        except requests.RequestException:
            pass  # it is not there yet
        assert time.monotonic() < end, f"The Envoy at {port} does not answer."
        time.sleep(0.05)
