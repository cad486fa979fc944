"""``make doctor``: looks at everything an install stands on, and says how to mend what it finds."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from . import debian, install_checks, machine_checks
from .install import Install, load
from .settings import read, state_folder
from .shell import HostError


def doctor(given: Mapping[str, str] = os.environ) -> int:
    """Print one line per check; return 1 if any found something."""
    state = state_folder(given)
    install = load(state)
    settings = read({**last_settings(state / "env", install), **given})
    checks = [(title, partial(check, settings)) for title, check in machine_checks.CHECKS]
    if install:
        checks += [(title, partial(check, settings, install)) for title, check in install_checks.CHECKS]
    os.environ["PATH"] += f":{debian.SBIN}"
    findings = sum(_report(title, check) for title, check in checks)
    if install is None:
        print(f"       There is no install in {state} yet: `make run` makes one.")
    print(f"\n{len(checks)} checks, {findings or 'no'} finding{'' if findings == 1 else 's'}.")
    return 1 if findings else 0


def _report(title: str, check: Callable[[], str]) -> bool:
    try:
        finding = check()
    except (HostError, OSError) as error:
        finding = str(error)
    print(f"{'mend' if finding else 'ok':>5}  {title}", flush=True)
    if finding:
        print("       " + finding.replace("\n", "\n       "), flush=True)
    return bool(finding)


def last_settings(file: Path, install: Install | None) -> dict[str, str]:
    """Return what the operator said at the last start: what was written down then, but for our own choices."""
    lines = file.read_text().splitlines() if file.exists() else []
    found = {name: value for name, _, value in (line.partition("=") for line in lines if not line.startswith("#"))}
    ours = {"PAAS_SUBNET"}
    if install:
        stores = {"DATABASE_URL": install.postgres_port, "REDIS_URL": install.redis_port}
        stores["DATABASE_OWNER_URL"] = install.postgres_port
        ours |= {name for name, port in stores.items() if f"@127.0.0.1:{port}/" in found.get(name, "")}
    return {name: value for name, value in found.items() if name not in ours}
