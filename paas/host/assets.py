"""Fetches the browser's packages (GOV.UK Frontend, htmx) and lays out the files that the console serves."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from . import stamps
from .engine import docker
from .settings import CHECKOUT, TOOLS
from .shell import HostError
from .steps import Steps
from .virtualenv import alone

NODE = TOOLS / "node"
STAMP = TOOLS / "stamps" / "node"
DEFINITION = (CHECKOUT / "package.json", CHECKOUT / "package-lock.json")
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
GOVUK = NODE / "node_modules" / "govuk-frontend" / "dist" / "govuk"
HTMX = NODE / "node_modules" / "htmx.org" / "dist"


def ensure(state: Path, stack_image: str, steps: Steps) -> None:
    """Leave ``assets`` in the state folder, for Django's static files to find."""
    with alone("node"):
        key = stamps.digest(*DEFINITION)
        stale = not (STAMP.is_file() and STAMP.read_text() == key)
        if stale:
            with steps.step("Fetching the console's packages with npm"):
                stamps.make(STAMP, key, lambda: _fetch(stack_image))
    stamps.make(state / "stamps" / "assets", stamps.digest(key, Path(__file__)), lambda: _lay_out(state / "assets"))


def _fetch(image: str) -> None:
    """Run npm in a container of the stack, since this machine need not have it."""
    shutil.rmtree(NODE, ignore_errors=True)
    NODE.mkdir(parents=True)
    for file in DEFINITION:
        shutil.copy(file, NODE)
    mounts = [f"type=bind,source={NODE},target=/node"]
    mounts += [f"type=bind,source={CA_BUNDLE},target=/etc/cf-system-certificates/ca.crt,readonly"]
    options = [word for mount in mounts for word in ("--mount", mount)]
    options += ["--env", "NODE_EXTRA_CA_CERTS=/etc/cf-system-certificates/ca.crt", "--env", "HOME=/tmp"]
    options += ["--user", "0:0", "--network", "host", "--workdir", "/node", "--entrypoint", "npm"]
    docker("run", "--rm", *options, image, "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def _lay_out(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _write(folder / "govuk" / "govuk-frontend.min.css", _without_crown((GOVUK / "govuk-frontend.min.css").read_text()))
    _write(folder / "govuk" / "govuk-frontend.min.js", (GOVUK / "govuk-frontend.min.js").read_text())
    _write(folder / "htmx" / "htmx.min.js", (HTMX / "htmx.min.js").read_text())


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # The maps are not served, and Django refuses to publish a file that names one which is not there.
    file.write_text(re.sub(r"^/[/*]# sourceMappingURL=.*$", "", text, flags=re.MULTILINE))


def _without_crown(css: str) -> str:
    """Take out the typeface and the crest, which only services on GOV.UK may use."""
    css, fonts = re.subn(r"@font-face\{[^}]*\}", "", css)
    css, families = re.subn(r"GDS Transport,\s*arial", "arial", css)
    css, crests = re.subn(r"url\(/assets/images/govuk-crest[^)]*\)", "none", css)
    if not (fonts and families and crests) or "GDS Transport" in css or "/assets/" in css:
        raise HostError("govuk-frontend.min.css has changed: look how this version names its typeface and crest.")
    return css
