"""A builder with the real buildpacks, and a way to run what comes out of it as the platform does."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from docker.types import Mount

from apps import stacks
from paas.seams.blobs.disk import DiskBlobs
from paas.seams.builders.base import BuildRequest
from paas.seams.builders.container import ContainerBuilder
from tests.contracts.building import BUILDPACKS, Bench, network

TRUSTED = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
TRUST = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def image() -> str:
    return stacks.ensure(print)


@pytest.fixture(scope="session")
def install() -> Iterator[str]:
    install = f"t{uuid.uuid4().hex[:6]}"
    with network(install):
        yield install


@pytest.fixture
def bench(install: str, image: str, tmp_path: Path) -> Iterator[Bench]:
    blobs = DiskBlobs(root=tmp_path / "blobs")
    builder = ContainerBuilder(
        install=install, state=tmp_path / "state", blobs=blobs, images={"debian12": image}, buildpacks=BUILDPACKS
    )
    yield Bench(builder, blobs)
    builder.clean(())


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Running:
    """An app in a container, started by the launcher."""

    container: Container

    @property
    def address(self) -> str:
        self.container.reload()
        return next(iter(self.container.attrs["NetworkSettings"]["Networks"].values()))["IPAddress"]

    @property
    def output(self) -> str:
        return self.container.logs().decode()

    def ended(self) -> int:
        """Wait until it ends; return its status."""
        return self.container.wait(timeout=60)["StatusCode"]

    def get(self, path: str = "/", **headers: str) -> Answer:
        """Ask, again and again until it listens."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self._ask(path, {name.replace("_", "-"): value for name, value in headers.items()})
            except OSError as error:
                if time.monotonic() > deadline:
                    raise AssertionError(f"The app did not answer ({error}). It said:\n{self.output}") from error
                time.sleep(0.1)

    def _ask(self, path: str, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self.address, 8080, timeout=10)
        try:
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))
        finally:
            connection.close()


Run = Callable[..., Running]


@pytest.fixture
def run(bench: Bench, install: str, image: str, tmp_path: Path) -> Iterator[Run]:
    """Run a droplet on the stack with a read-only root, as a cell does."""

    def start(request: BuildRequest, command: str = "", **environment: str) -> Running:
        home = tmp_path / f"home-{uuid.uuid4().hex[:6]}"
        home.mkdir()
        with bench.blobs.local(request.droplet_key) as droplet:
            subprocess.run(["tar", "-xzf", droplet, "-C", home], check=True)
        subprocess.run(["chown", "-R", "2000:2000", home], check=True)
        return Running(stack.enter_context(_container(install, image, home, command, environment)))

    with ExitStack() as stack:
        yield start


@contextmanager
def _container(
    install: str, image: str, home: Path, command: str, environment: Mapping[str, str]
) -> Iterator[Container]:
    container = docker.from_env().containers.run(
        image,
        ["/usr/local/lib/paas/launch", command],
        detach=True,
        labels={"paas.install": install},
        environment={"PORT": "8080", **environment},
        mounts=[Mount("/home/vcap", str(home), type="bind")],
        tmpfs={"/tmp": "size=16m"},
        network=f"paas-{install}",
        user="2000:2000",
        read_only=True,
        init=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit="512m",
    )
    try:
        yield container
    finally:
        container.remove(force=True)


Lock = Callable[..., dict[str, bytes]]


@pytest.fixture
def lock(image: str, tmp_path: Path) -> Lock:
    """Let a package manager of the stack write a lock file for some source; return the source with it."""

    def make(source: Mapping[str, str], command: str) -> dict[str, bytes]:
        folder = tmp_path / f"lock-{uuid.uuid4().hex[:6]}"
        folder.mkdir()
        for name, text in source.items():
            (folder / name).write_text(text)
        docker.from_env().containers.run(
            image,
            ["bash", "-c", command],
            remove=True,
            user="0:0",
            network_mode="host",
            working_dir="/work",
            environment={"HOME": "/tmp"} | dict.fromkeys(TRUST, "/ca.crt"),
            mounts=[Mount("/work", str(folder), type="bind"), Mount("/ca.crt", TRUSTED, type="bind", read_only=True)],
        )
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    return make
