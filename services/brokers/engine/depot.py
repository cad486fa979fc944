"""Where backups go: to a store on the machine that is mounted into the container, or to a bucket, straight from there."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from paas.seams.runtimes.base import BINDINGS, Peer, Store

from .base import CA_FILE, NotReady

SHARE = 5  # times the disk: what backups and the log of a week may take
STORE, PROOF = (
    "backups",
    "proof",
)  # what is put behind an instance's guid: for its store, and for where a backup is tried
AUTHORITIES = "store-ca.pem"  # the file in ``BINDINGS``


@dataclass(frozen=True)
class Bucket:
    """A place in a bucket of Amazon's S3 (``endpoint`` "") or of what speaks its protocol, and a key to it.

    ``authorities`` is the file with all who may vouch for it, where those that the machine trusts are not enough.
    ``token`` comes with a key that ends. ``own_users``: each instance gets a user of its own, else it has this key.
    """

    name: str
    prefix: str  # without a slash at its ends
    region: str
    endpoint: str = ""  # https://HOST[:PORT]
    authorities: Path | None = None
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    own_users: bool = False

    def below(self, *names: str) -> Bucket:
        return replace(self, prefix="/".join((self.prefix, *names)))

    @property
    def host(self) -> str:
        return self._parts.hostname or f"s3.{self.region}.amazonaws.com"

    @property
    def port(self) -> int:
        return self._parts.port or 443

    @property
    def ca_file(self) -> str:
        """Where the container finds whom to believe."""
        return f"{BINDINGS}/{AUTHORITIES}" if self.authorities else CA_FILE

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.endpoint)


@dataclass(frozen=True)
class Depot:
    """Where the backups of one instance lie, and what they are encrypted with. Without a bucket it is a store."""

    guid: str
    cipher: str = field(repr=False)
    bucket: Bucket | None = None  # the instance's own place in it

    def stores(self, path: str, *, size_mb: int, read_only: bool = False) -> tuple[Store, ...]:
        """Return what is mounted at ``path`` of a container."""
        if self.bucket:
            return ()
        return (Store(store_name(self.guid), path, 0 if read_only else size_mb * SHARE, read_only=read_only),)

    def files(self) -> dict[str, str]:
        """Return what the container must be given beside its own configuration."""
        if self.bucket is None or self.bucket.authorities is None:
            return {}
        return {AUTHORITIES: self.bucket.authorities.read_text()}

    def reaches(self) -> tuple[Peer, ...]:
        """Return the ways that must be open; those of Amazon's own addresses, which are public and many, are."""
        if self.bucket is None or not self.bucket.endpoint:
            return ()
        host, port = self.bucket.host, self.bucket.port
        try:
            found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            raise NotReady(f"The address of the backup store, {host}, cannot be found: {error}.") from error
        return tuple(Peer(address, port) for address in sorted({str(each[4][0]) for each in found}))


class Depots:
    """Where the backups of all instances lie: in stores on the machine itself, for which nobody needs a key."""

    def depot(self, guid: str, cipher: str) -> Depot:
        """Return where an instance's backups lie."""
        return Depot(guid, cipher)

    def writer(self, depot: Depot) -> Depot:
        """Return the depot with what the instance needs to write there."""
        return depot

    def reader(self, depot: Depot) -> Depot:
        """Return the depot with what it takes to read there."""
        return depot

    def dismiss(self, guid: str) -> None:
        """Take away what the instance needed to write there; what it wrote stays."""

    def empty(self, guid: str) -> None:
        """Remove what lies in the instance's place in a bucket; the runtime removes stores."""


def depots(bucket: Bucket | None) -> Depots:
    """Return those in the bucket, if there is one; only then its library is loaded, which weighs much."""
    if bucket is None:
        return Depots()
    from .access import Access

    return Access(bucket)


def store_name(guid: str) -> str:
    return f"{guid}-{STORE}"
