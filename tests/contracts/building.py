"""What the tests of builders and buildpacks share: an install of their own on the engine, sources, and a build's story."""

from __future__ import annotations

import io
import random
import stat
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from paas.seams.blobs.base import Blobs
from paas.seams.builders.base import Builder, BuildpackRef, BuildRequest, Built, Line, Step

BUILDPACKS = Path(__file__).parents[2] / "apps" / "buildpacks"
BUILT_IN = tuple(
    BuildpackRef(f"{name}_buildpack", "builtin", name) for name in ("staticfile", "python", "nodejs", "binary")
)
Source = Mapping[str, str | bytes]


@dataclass
class Story:
    """What a build told while it went on."""

    steps: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def __call__(self, event: Step | Line) -> None:
        if isinstance(event, Step):
            self.steps.append(event.name)
        else:
            self.lines.append(event)

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass
class Bench:
    """A builder with its blobs, and the requests that go to it."""

    builder: Builder
    blobs: Blobs
    app: str = field(default_factory=lambda: uuid.uuid4().hex)
    story: Story = field(default_factory=Story)

    def request(self, source: Source, **changes: object) -> BuildRequest:
        self.blobs.put(f"sources/{self.app}", zipped(source))
        facts: dict[str, object] = {
            "guid": uuid.uuid4().hex,
            "app": self.app,
            "source_key": f"sources/{self.app}",
            "droplet_key": f"droplets/{uuid.uuid4().hex}",
            "cache_key": f"caches/{self.app}",
            "stack": "debian12",
            "buildpacks": BUILT_IN,
            "detect": True,
            "environment": {},
        }
        return BuildRequest(**facts | changes)  # type: ignore[arg-type]

    def build(self, request: BuildRequest, cancelled: Callable[[], bool] = lambda: False) -> Built:
        self.story = Story()
        return self.builder.build(request, self.story, cancelled)

    def push(self, source: Source, **changes: object) -> tuple[BuildRequest, Built]:
        request = self.request(source, **changes)
        return request, self.build(request)

    def droplet(self, request: BuildRequest) -> dict[str, bytes]:
        """Return the droplet's files by name."""
        with self.blobs.open(request.droplet_key) as blob, tarfile.open(fileobj=blob, mode="r:gz") as droplet:
            found = {member.name: droplet.extractfile(member) for member in droplet if member.isreg()}
            return {name.removeprefix("./"): file.read() for name, file in found.items() if file}


def zipped(source: Source) -> io.BytesIO:
    """Pack files as ``cf push`` does; what begins with ``#!`` may be executed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in source.items():
            data = content.encode() if isinstance(content, str) else content
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | (0o755 if data.startswith(b"#!") else 0o644)) << 16
            archive.writestr(info, data)
    packed.seek(0)
    return packed


@contextmanager
def network(install: str) -> Iterator[str]:
    """Give the install the network that the cell makes for it, on a subnet that nobody has."""
    engine = docker.from_env()
    name = f"paas-{install}"
    options = {"com.docker.network.bridge.enable_icc": "false", "com.docker.network.bridge.name": name}
    while True:
        start = f"10.{random.randint(64, 199)}.{random.randint(0, 255)}"
        pool = IPAMPool(subnet=f"{start}.0/26", gateway=f"{start}.1")
        labels = {"paas.install": install}
        try:
            made = engine.networks.create(
                name, driver="bridge", options=options, labels=labels, ipam=IPAMConfig(pool_configs=[pool])
            )
            break
        except APIError as error:
            if "overlaps" not in str(error):
                raise
    try:
        yield name
    finally:
        made.remove()
