"""The contract of one kind of server: what its container is given, and what is done to it once it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from paas.lib.errors import PaasError

if TYPE_CHECKING:
    from .depot import Depot

Json = Mapping[str, Any]
# In an app's container: all whom the machine trusts, and the install's own authority alone
CA_FILE, OWN_CA_FILE = "/etc/cf-system-certificates/ca.crt", "/etc/cf-system-certificates/services.crt"


class NotReady(PaasError):
    """The server does not answer yet, or not now: it is starting, recovering, or its container is being replaced."""

    status, title = 503, "ServiceUnavailable"


class NotKept(NotReady):
    """The server answers, and what it should put into the backup store is not there."""


class NotAllowed(PaasError):
    """The server cannot do what is asked for, and never will; the sentence says why."""

    status, title = 422, "UnprocessableEntity"


@dataclass(frozen=True)
class Size:
    """What a plan gives: memory and disk in MB, cores, connections at the same time."""

    memory_mb: int
    disk_mb: int
    cpus: float
    connections: int


@dataclass(frozen=True)
class Site:
    """One instance's server: where it is, what it may use, and how the platform gets in.

    ``passwords`` are the superuser's, newest first: an older one is still in force where the keys have just rotated.
    """

    guid: str
    address: str
    host: str
    authority: Path
    size: Size
    passwords: tuple[str, ...] = field(repr=False)
    depot: Depot | None = None  # where its backups go; None where it has none
    ca_file: str = CA_FILE  # in an app's container: who signed the server's certificate


@dataclass(frozen=True)
class User:
    """One binding's own user."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class SlowQuery:
    """A statement without its values, as often as it ran; times are milliseconds."""

    text: str
    calls: int
    mean_ms: float
    total_ms: float


@dataclass(frozen=True)
class Metrics:
    """How a server is right now. Sizes are bytes; ``cache_hits`` is a share from 0 to 1, None before the first read."""

    connections: int
    connections_limit: int
    size_bytes: int
    cache_hits: float | None
    slow_queries: tuple[SlowQuery, ...] = ()
    items: int | None = None  # keys, where there are no tables


@dataclass(frozen=True)
class Taken:
    """One backup: ``full``, or what has changed since the last that was."""

    label: str
    full: bool
    begun_at: datetime
    ended_at: datetime
    size_bytes: int  # that it takes in the store


@dataclass(frozen=True)
class Backups:
    """How a server's backups are right now. ``archived_at`` is when the newest part of its log was put away."""

    running: bool
    error: str  # of the last backup, "" where it did not fail
    taken: tuple[Taken, ...]
    archived_at: datetime | None
    archive_fails: bool
    interrupted: bool = False  # a last backup that is not there: the server went away meanwhile, another may succeed
    lost: bool = False  # a part of the log, so that what was written since the last backup cannot be restored


@dataclass(frozen=True)
class Wanted:
    """What is to be restored: the named backup as it was taken, the state at a time, or (neither) the newest.

    ``point``: the named backup, and the log from there to the point of that name.
    """

    backup: str = ""
    at: datetime | None = None
    point: str = ""


@dataclass(frozen=True)
class Mark:
    """A heartbeat that is in the depot, and what else a restore of it must have: JSON that its kind of server understands."""

    at: datetime
    measured: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Schemas:
    """JSON schemas of the parameters that creating, updating and binding take."""

    create: Json
    update: Json
    bind: Json


def schema(**properties: Json) -> Json:
    """Return the JSON schema of an object with these properties and no others."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


class Server(ABC):
    """One kind of server. Every call that changes something may be made again."""

    port: ClassVar[int]
    folder: ClassVar[str]  # where the volume is mounted
    tags: ClassVar[tuple[str, ...]]
    schemas: Schemas

    @abstractmethod
    def files(self, site: Site, parameters: Json) -> dict[str, str]:
        """Return what the container finds in its folder of given files, beside its key and certificate."""

    @abstractmethod
    def settle(self, site: Site, parameters: Json) -> None:
        """Make a server that runs what the parameters say; raise ``NotReady`` or ``NotAllowed``."""

    @abstractmethod
    def add_user(self, site: Site, user: User, parameters: Json) -> None:
        """Make the user, or give it its password again."""

    @abstractmethod
    def parameters(self, site: Site) -> Json:
        """Return the parameters that are in force; raise ``NotReady``."""

    @abstractmethod
    def user_parameters(self, site: Site, name: str) -> Json | None:
        """Return those of a binding's user, None where there is no such user; raise ``NotReady``."""

    @abstractmethod
    def credentials(self, site: Site, user: User) -> dict[str, Any]:
        """Return what the user's binding holds, without asking the server."""

    @abstractmethod
    def drop_user(self, site: Site, name: str) -> None:
        """End the user's connections and remove it; what it made stays, and belongs to the others."""

    @abstractmethod
    def metrics(self, site: Site) -> Metrics:
        """Ask the server how it is; raise ``NotReady``."""


class BackedUp(Server):
    """A server that writes its backups by itself to its depot: a store that is mounted at ``store``, or a bucket.

    A restore is a task of its own (``restore`` is its command) on the new volume, with the depot of the other to read.
    One that only proves ends with the line "proved: heartbeat 1700000000.5, seconds 41": what the heartbeat tells
    (seconds since 1970), and how long it took. Behind it ", rows 12 5" may stand, for ``check``.
    """

    store: ClassVar[str]
    restore: ClassVar[str]
    prove: ClassVar[str]  # restore, read all of it, and keep nothing

    @abstractmethod
    def back_up(self, site: Site, *, full: bool) -> None:
        """Begin a backup, unless one is under way; raise ``NotReady``."""

    @abstractmethod
    def backups(self, site: Site) -> Backups:
        """Ask for what there is; raise ``NotReady``."""

    @abstractmethod
    def beat(self, site: Site, *, kept: bool = False) -> datetime:
        """Write the heartbeat and return its time; ``kept``: once it is in the store. Raise ``NotReady``."""

    @abstractmethod
    def write_last(self, site: Site) -> bool:
        """Have in the depot what the server can come back with after its end; return whether it is.

        Raise ``NotReady`` where the server does not answer, ``NotKept`` where it does and the depot does not, and
        ``NotAllowed`` where there is nothing to come back with.
        """

    def mark(self, site: Site) -> Mark:
        """Write a heartbeat that is in the depot when this returns, and measure what must be there; raise ``NotReady``."""
        return Mark(self.beat(site, kept=True))

    def proof_files(self, site: Site, source: Depot, mark: Mark) -> dict[str, str]:
        """Return what the task is given that restores the mark for nothing but proof."""
        return self.restore_files(site, source, Wanted())

    def check(self, site: Site, mark: Mark, found: Sequence[str]) -> None:
        """Compare what the proof found with what was measured; raise ``NotAllowed`` saying what is wrong, or ``NotReady``."""
        return  # there is nothing to compare where nothing was measured

    @abstractmethod
    def restore_files(self, site: Site, source: Depot, wanted: Wanted) -> dict[str, str]:
        """Return what the restoring task is given to read the ``source``."""
