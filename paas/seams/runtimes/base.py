"""The runtime's contract: workloads in, observations out, and the logs that instances leave."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

BINDINGS = "/etc/cf-service-bindings"  # where an instance finds the files of its workload

State = Literal["starting", "running", "crashed", "stopping", "stopped", "unknown"]


@dataclass(frozen=True)
class StackDroplet:
    """A droplet in Cloud Foundry's layout (a .tgz in the blob store), run on a stack's image."""

    stack: str
    key: str  # of the blob
    digest: str  # sha256, hex


@dataclass(frozen=True)
class ImageRef:
    """An image that the engine pulls or already has; credentials only for private registries."""

    name: str
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class HealthCheck:
    """How to tell that an instance lives. Times are whole seconds."""

    type: Literal["port", "http", "process"] = "port"
    endpoint: str = "/"
    port: int = 8080
    timeout: int = 60  # until the first success, or the instance is given up
    invocation_timeout: int = 1  # for one check
    interval: int = 30  # between checks once it is healthy


@dataclass(frozen=True)
class Sidecar:
    name: str
    command: str
    memory_mb: int | None = None


@dataclass(frozen=True)
class Placement:
    """One instance that should exist; its address is its own for life."""

    guid: str
    index: int
    address: str
    zone: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of the workload's


@dataclass(frozen=True)
class Volume:
    """A disk that outlives the instance and is found again by its name. It only grows; ``forget`` takes it away."""

    name: str
    path: str  # in the container
    size_mb: int


@dataclass(frozen=True)
class Store:
    """A disk for what must outlive the instance and its volume: it takes room as it fills, and has its size as a limit.

    Several may read from it at the same time, one writes. It goes when ``forget`` is told its name.
    """

    name: str
    path: str  # in the container
    size_mb: int  # at least; 0 takes it as it is
    read_only: bool = False


@dataclass(frozen=True)
class Workload:
    """All that a runtime needs to run one process of one revision; nothing in it is a model."""

    app: str  # guid; also the id under which its logs are kept
    app_name: str
    process_type: str  # "web"; a task is "task"
    revision: str  # guid
    log_source: str  # "APP/PROC/WEB", "APP/TASK/migrate"
    source: StackDroplet | ImageRef
    command: str  # "" leaves it to the droplet or the image
    environment: Mapping[str, str]
    instances: tuple[Placement, ...]
    memory_mb: int
    disk_mb: int
    log_rate: int = -1  # bytes per second of one instance; -1 is without limit
    ports: tuple[int, ...] = (8080,)
    health: HealthCheck = HealthCheck()
    readiness: HealthCheck = HealthCheck(type="process")
    sidecars: tuple[Sidecar, ...] = ()
    reaches: tuple[Peer, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict, repr=False)  # below ``BINDINGS``, which it may only read
    one_off: bool = False  # a task: it ends, and is not started again
    volume: Volume | None = None  # then it has one instance, since two must not write to it
    stores: tuple[Store, ...] = ()
    host: str = ""  # the name by which others find it
    cpus: float | None = None  # cores at most; None is in proportion to memory


@dataclass(frozen=True)
class Peer:
    """An address and port that the workload may open connections to."""

    address: str
    port: int
    protocol: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True)
class Exit:
    """How an instance ended; ``reason`` is "out of memory", "exited", "killed" or "unhealthy"."""

    status: int
    reason: str
    at: datetime
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """One instance as it was seen at ``seen_at``. Bytes are bytes; ``cpu`` is 1.0 for one whole core."""

    instance: str
    app: str
    process_type: str
    revision: str
    index: int
    address: str
    state: State
    ready: bool  # alive and willing: traffic may go there
    since: datetime
    seen_at: datetime
    crashes: int = 0
    exit: Exit | None = None
    cpu: float | None = None
    memory_mb: int = 0  # what it may use at most
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    log_bytes_per_second: int | None = None


@dataclass(frozen=True)
class Happening:
    """Something an instance did by itself: an exit, a failed liveness check. ``number`` only grows."""

    number: int
    at: datetime
    kind: Literal["exited", "unhealthy"]
    instance: str
    app: str
    process_type: str
    index: int
    exit: Exit


@dataclass(frozen=True)
class LogLine:
    """One line of a log. ``at`` is nanoseconds since 1970, unique and growing within one source: the cursor."""

    at: int
    source_type: str  # "APP/PROC/WEB", "STG", "RTR", "API", "CELL", "HEALTH"
    instance: str  # index, as text
    stream: Literal["OUT", "ERR"]
    text: str


class Runtime(ABC):
    """One region. Every call is idempotent; what it makes has a name that follows from its arguments."""

    @abstractmethod
    def apply(self, workload: Workload) -> None:
        """Make every instance in ``workload.instances`` exist; do not wait until it is healthy.

        Instances that are there already are left alone. Raises ``InsufficientResources``.
        """

    @abstractmethod
    def prune(self, app: str, keep: Collection[str], *, grace: int = 10) -> None:
        """End every instance of the app whose guid is not in ``keep``: SIGTERM, ``grace`` seconds, SIGKILL.

        Returns when they and their disks are gone and their last lines are kept.
        """

    @abstractmethod
    def observe(self, apps: Collection[str] | None = None) -> list[Observation]:
        """Return every instance that exists (of those apps), with usage, in one go; never one call each."""

    @abstractmethod
    def happenings(self, after: int) -> list[Happening]:
        """Return what happened since number ``after``, oldest first; kept at least a day."""

    @abstractmethod
    def write_log(self, source: str, lines: Sequence[LogLine]) -> None:
        """Append the platform's own lines (STG, API, CELL) to a log; ``at`` 0 means now."""

    @abstractmethod
    def read_log(
        self,
        source: str,
        *,
        start: int = 0,
        end: int | None = None,
        limit: int = 100,
        descending: bool = False,
        source_types: Collection[str] = (),
        instance: str = "",
    ) -> list[LogLine]:
        """Return lines with ``start <= at < end``, oldest first (newest first if ``descending``)."""

    @abstractmethod
    def kept(self) -> set[str]:
        """Return the sources that have volumes or stores, whether anything runs on them or not."""

    @abstractmethod
    def forget(self, source: str) -> None:
        """Remove what outlived the instances of an app or build that is gone: its log, its volumes."""
