"""``make clean``: removes everything that an install ever made, after asking."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from apps import stacks

from . import debian, engine, images, setup, stop, virtualenv
from .engine import docker, listed
from .install import Install, load
from .settings import CHECKOUT, TOOLS, state_folder
from .shell import HostError, run, succeeds
from .steps import Steps

TABLES = ("filter", "nat", "mangle")


def clean(environment: Mapping[str, str] = os.environ) -> int:
    """Stop and remove the install in the state folder; ``YES=1`` answers the question."""
    state, steps = state_folder(environment), Steps()
    install = load(state)
    if install is None and state != TOOLS:
        steps.say(f"There is no install in {state}.")
        return 0
    if environment.get("YES") != "1" and not _agreed(state):
        return 1
    debian.check_machine()
    stop.stop(environment)
    with steps.step(f"Removing all that the install in {state} made"):
        if install:
            engine.ensure(steps)
            _remove_from_engine(install)
            remove_firewall(install)
        last = not [path for path in setup.registered() if path != state]
        _remove_state(state, keep_tools=not last)
    if last:
        _remove_shared(steps)
    steps.say("Debian packages and the engine stay: others may use them by now.")
    return 0


def _agreed(state: Path) -> bool:
    if not sys.stdin.isatty():
        raise HostError("`make clean` removes every app, database and log of the install. Say YES=1 to mean it.")
    answer = input(f"Remove every app, database and log of the install in {state}? [y/N] ")
    return answer.strip().lower() in ("y", "yes")


def _remove_from_engine(install: Install) -> None:
    stop.stop_containers(install)
    for kind, form in (("volume", "{{.Name}}"), ("network", "{{.Name}}"), ("image", "{{.ID}}")):
        if names := sorted(set(listed(kind, install.label, form=form))):
            docker(kind, "rm", *(["--force"] if kind == "image" else []), *names)


def remove_firewall(install: Install) -> None:
    """Remove the chains that carry the install's name, and the rules that lead there or speak of its bridge."""
    for table in TABLES:
        rules = run(["iptables", "-w", "-t", table, "-S"]).splitlines()
        ours = [shlex.split(rule) for rule in rules if f"paas-{install.id}" in rule.lower()]
        chains = [words[1] for words in ours if words[0] == "-N"]
        for words in ours:
            if words[0] == "-A" and words[1] not in chains:
                run(["iptables", "-w", "-t", table, "-D", *words[1:]])
        for verb in ("-F", "-X"):
            for chain in chains:
                run(["iptables", "-w", "-t", table, verb, chain])


def _remove_state(state: Path, *, keep_tools: bool) -> None:
    if left := stop.mounts_under(state):
        raise HostError(f"{left[0]} is still mounted, so {state} was left alone. End what uses it and try again.")
    others = [path for path in setup.registered() if path != state]
    kept = {virtualenv.FOLDER, TOOLS / "node", TOOLS / "stamps", setup.REGISTER} if keep_tools else set()
    for path in state.iterdir() if state.is_dir() else ():
        if path in kept or any(other.is_relative_to(path) for other in others):
            continue
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if state.is_dir() and not any(state.iterdir()):
        state.rmdir()
    if setup.REGISTER.exists():
        setup.REGISTER.write_text("".join(f"{path}\n" for path in others))


def _remove_shared(steps: Steps) -> None:
    """Remove what the installs of this checkout shared: tools, and the images where nobody else runs on the engine."""
    for path in (virtualenv.FOLDER, TOOLS / "node", TOOLS / "stamps"):
        shutil.rmtree(path, ignore_errors=True)
    setup.REGISTER.unlink(missing_ok=True)
    if TOOLS.is_dir() and not any(TOOLS.iterdir()):
        TOOLS.rmdir()
    for cache in (".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache"):
        shutil.rmtree(CHECKOUT / cache, ignore_errors=True)
    others = [
        kind for kind in ("container", "volume") if listed(kind, "paas.install", form='{{.Label "paas.install"}}')
    ]
    if others:
        steps.say("The images stay: another install on this engine uses them.")
        return
    for name in listed("image", images.LABEL, form="{{.ID}}"):
        succeeds(["docker", "image", "rm", name])
    stacks.remove(steps.say)
