"""The builder's contract: source and buildpacks in, a droplet in the blob store out, with steps and lines on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class BuildpackRef:
    """A buildpack: ``builtin`` has a folder name, ``blob`` a zip's key, ``url`` a git or zip address."""

    name: str
    kind: Literal["builtin", "blob", "url"]
    location: str


@dataclass(frozen=True)
class BuildRequest:
    """One build. ``buildpacks`` were asked for by name, or are the candidates to try in order if ``detect``."""

    guid: str
    app: str
    source_key: str  # of a .zip in the blob store, already checked; "" where ``source_url`` is given
    droplet_key: str  # where the droplet goes
    cache_key: str  # read if it exists, replaced after a success
    stack: str
    buildpacks: tuple[BuildpackRef, ...]
    detect: bool
    environment: Mapping[str, str] = field(repr=False)
    memory_mb: int = 1024
    disk_mb: int = 4096
    timeout: int = 900  # seconds
    source_url: str = ""  # of a git repository, which the build fetches from inside its container
    source_ref: str = ""  # branch, tag or commit; "" is the repository's main branch


@dataclass(frozen=True)
class Step:
    """A step begins ("download", "fetch", "detect", "supply", "finalize", "package"); the one before has ended."""

    name: str
    title: str


@dataclass(frozen=True)
class Line:
    text: str
    stream: Literal["OUT", "ERR"] = "OUT"


@dataclass(frozen=True)
class UsedBuildpack:
    name: str
    detect_output: str
    version: str
    buildpack_name: str


@dataclass(frozen=True)
class BuildSidecar:
    name: str
    process_types: tuple[str, ...]
    command: str
    memory_mb: int | None = None


@dataclass(frozen=True)
class Built:
    """What came out; the droplet's .tgz is in the blob store under the request's ``droplet_key``."""

    sha256: str
    size: int
    process_types: Mapping[str, str]
    buildpacks: tuple[UsedBuildpack, ...]
    sidecars: tuple[BuildSidecar, ...] = ()


class BuildFailed(Exception):
    """The build ended without a droplet through the source's fault, a limit, or a cancel.

    ``title`` is Cloud Foundry's (NoAppDetectedError, BuildpackCompileFailed, StagingError, ...);
    ``sentence`` says what happened, the likely cause and the next step.
    """

    def __init__(self, title: str, sentence: str) -> None:
        self.title, self.sentence = title, sentence
        super().__init__(f"{title} - {sentence}")


class Builder(ABC):
    @abstractmethod
    def build(
        self,
        request: BuildRequest,
        emit: Callable[[Step | Line], None],
        cancelled: Callable[[], bool],
    ) -> Built:
        """Build, calling ``emit`` as it goes and ``cancelled`` at least once a second.

        Started again with the same guid (after a dead worker) it removes what the first left, and begins anew.
        Raises ``BuildFailed``; a cancel is ``BuildFailed("StagingCancelled", ...)``.
        """

    @abstractmethod
    def clean(self, keep: Collection[str]) -> None:
        """Remove whatever builds that are not in ``keep`` (guids) left behind."""
