"""What the agent knows of one instance, all of it read from its container's labels and seen with its own eyes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("instance", "task")


@dataclass(frozen=True)
class Check:
    """How to tell that an instance lives; times are whole seconds."""

    type: str = "process"
    endpoint: str = "/"
    port: int = 8080
    timeout: int = 60
    invocation_timeout: int = 1
    interval: int = 30


@dataclass
class Instance:
    """``status`` is the engine's word; ``healthy`` and ``ready`` are what the checks said since the last start."""

    guid: str
    container: str
    labels: Mapping[str, str]
    status: str = "created"
    pid: int = 0
    started_at: str = ""
    since: int = field(default_factory=time.time_ns)  # in this state
    seen: int = field(default_factory=time.time_ns)
    healthy: bool = False
    ready: bool = False
    unhealthy: bool = False  # we are ending its process, since it does not pass its checks
    memory_ran_out: bool = False  # the engine told so since the last start
    crashes: int = 0
    exit: dict[str, Any] | None = None
    ending: bool = False

    @property
    def one_off(self) -> bool:
        return self.labels["paas.kind"] == "task"

    @property
    def app(self) -> str:
        return self.labels["paas.app"]

    @property
    def index(self) -> str:
        return self.labels["paas.index"]

    @property
    def address(self) -> str:
        return self.labels["paas.address"]

    @property
    def health(self) -> Check:
        return Check(**json.loads(self.labels["paas.health"]))

    @property
    def readiness(self) -> Check:
        return Check(**json.loads(self.labels["paas.readiness"]))

    @property
    def running(self) -> bool:
        return self.status == "running" and self.pid > 0

    def state(self) -> str:
        """Return the seam's word for how it is."""
        if self.ending or self.status == "removing":
            return "stopping"
        if self.status == "running":
            return "running" if self.healthy else "starting"
        if self.status in ("exited", "dead"):
            return "stopped" if self.one_off else "crashed"
        return {"created": "starting", "restarting": "crashed"}.get(self.status, "unknown")

    def set_status(self, status: str) -> None:
        before = self.state()
        self.status = status
        if self.state() != before:
            self.since = time.time_ns()

    def set_healthy(self, healthy: bool) -> None:
        before = self.state()
        self.healthy = healthy
        if self.state() != before:
            self.since = time.time_ns()
