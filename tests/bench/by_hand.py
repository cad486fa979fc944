"""The same app brought up by hand: `docker build` on the stack's image, `docker run`, and the first answer."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from apps.stacks import image_name
from paas.host.shell import run
from tests.bench.ground import soon
from tests.contracts.routing import free_port

# The host's network while building: the engine's default bridge may have been closed by the operator.
BUILD = ("docker", "build", "--quiet", "--network", "host")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# What changes least comes first, so that a change of the source alone does not install again.
LAYERED = "COPY requirements.txt .\n{install}\nCOPY . .\n"
# As most begin: one line less, and every change installs again.
PLAIN = "COPY . .\n{install}\n"
INSTALL = "RUN /home/vcap/venv/bin/pip install --quiet --no-cache-dir -r requirements.txt"
DOCKERFILE = f"""
FROM {image_name()}
COPY ca.crt /tmp/ca.crt
ENV PIP_CERT=/tmp/ca.crt
RUN python3 -m venv /home/vcap/venv
WORKDIR /home/vcap/app
%s
CMD ["/home/vcap/venv/bin/python", "app.py"]
"""


class ByHand:
    """One person's folder, image and container."""

    def __init__(self, order: str = LAYERED, *options: str) -> None:
        self.options = options
        self.tag = f"bench-{secrets.token_hex(3)}"
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        shutil.copy(BUNDLE, self.folder / "ca.crt")
        (self.folder / "Dockerfile").write_text(DOCKERFILE % order.format(install=INSTALL))
        self.container = ""

    def push(self, files: Mapping[str, str]) -> float:
        """Return the seconds from the files as they are now to the new container's first answer."""
        for name, content in files.items():
            (self.folder / name).write_text(content)
        port, before = free_port(), self.container
        began = time.monotonic()
        run([*BUILD, *self.options, "--tag", self.tag, "--label", self.tag, self.folder])
        publish = ["--publish", f"127.0.0.1:{port}:8080"]
        self.container = run(["docker", "run", "--detach", *publish, self.tag]).strip()
        soon(lambda: _answers(port), "the container's answer")
        taken = time.monotonic() - began
        self._remove(before)
        return taken

    def remove(self) -> None:
        self._remove(self.container)
        run(["docker", "image", "rm", "--force", self.tag])
        run(["docker", "image", "prune", "--force", "--filter", f"label={self.tag}"])  # what was changed since
        shutil.rmtree(self.folder)

    @staticmethod
    def _remove(container: str) -> None:
        if container:
            run(["docker", "rm", "--force", container])


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/", timeout=2).status_code == 200
    except requests.RequestException:
        return False
