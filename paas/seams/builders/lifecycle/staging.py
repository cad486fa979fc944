"""Runs the buildpacks over an app: detect, supply, finalize (or compile), release."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import processes
from .buildpacks import Buildpack
from .place import HOME, TEMPORARY, Place
from .voice import COMPILE, DETECT, FINALIZE, RELEASE, SUPPLY, Refused, say, step


@dataclass(frozen=True)
class Staged:
    """What the buildpacks made of the app."""

    detected: str
    used: list[dict[str, str]]
    process_types: dict[str, str]
    sidecars: list[dict[str, Any]]


def detect(candidates: Sequence[Buildpack], place: Place, environment: Mapping[str, str]) -> tuple[Buildpack, str]:
    """Return the first buildpack that takes the app, and what it said; raise ``Refused`` naming what all looked for."""
    looked: list[str] = []
    for buildpack in candidates:
        if not buildpack.has("detect"):
            continue
        tried = subprocess.run(
            buildpack.command("detect", place.app), env=environment, capture_output=True, text=True, errors="replace"
        )
        said = " ".join(tried.stdout.split())
        if tried.returncode == 0:
            say(f"{buildpack.name}: {said or 'yes'}")
            return buildpack, said
        looked.append(f"{buildpack.name} looked for {said}" if said else buildpack.name)
    there = sorted(path.name + ("/" if path.is_dir() else "") for path in place.app.iterdir())
    raise Refused(
        DETECT,
        "NoAppDetectedError",
        "No buildpack recognised the app. Tried: " + ("; ".join(looked) or "none, since none is enabled") + ". "
        f"At the top of what was pushed there is: {', '.join(there[:12])}{' ...' if len(there) > 12 else ''}. "
        "Push the folder that holds those files, add the missing one, or name a buildpack with -b.",
    )


def run(buildpacks: Sequence[Buildpack], place: Place, environment: Mapping[str, str]) -> Staged:
    """Run every buildpack in order, the last one to the end, and gather what they say of the droplet."""
    for number, buildpack in enumerate(buildpacks[:-1]):
        if not buildpack.has("supply"):
            raise Refused(
                SUPPLY,
                "BuildpackCompileFailed",
                f"The buildpack {buildpack.name} does not support multi-buildpack apps: it has no bin/supply. "
                "Put it last, or leave it out.",
            )
        _supply(buildpack, number, place=place, environment=environment, count=len(buildpacks))
    last, number = buildpacks[-1], len(buildpacks) - 1
    if last.has("finalize"):
        if last.has("supply"):
            _supply(last, number, place=place, environment=environment, count=len(buildpacks))
        step("finalize", f"Finalize with {last.name}")
        index = _index(number, len(buildpacks))
        (place.deps / index).mkdir(exist_ok=True)
        (place.cache / "final").mkdir(exist_ok=True)
        arguments = (place.app, place.cache / "final", place.deps, index, place.profile)
        _script(last, "finalize", *arguments, environment=environment, status=FINALIZE)
    else:
        step("finalize", f"Compile with {last.name}")
        shutil.rmtree(place.deps / _index(number, len(buildpacks)), ignore_errors=True)
        _script(last, "compile", place.app, _cache(place, last), environment=environment, status=COMPILE)
    types, sidecars = processes.launched(place.deps)
    types = (types or _release(last, place, environment)) | processes.procfile(place.app)
    return Staged(
        "", [_used(place, each, number, len(buildpacks)) for number, each in enumerate(buildpacks)], types, sidecars
    )


def _supply(buildpack: Buildpack, number: int, *, place: Place, environment: Mapping[str, str], count: int) -> None:
    step("supply", f"Supply with {buildpack.name}")
    index = _index(number, count)
    (place.deps / index).mkdir(parents=True, exist_ok=True)
    arguments = (place.app, _cache(place, buildpack), place.deps, index)
    _script(buildpack, "supply", *arguments, environment=environment, status=SUPPLY)


def _release(buildpack: Buildpack, place: Place, environment: Mapping[str, str]) -> dict[str, str]:
    if not buildpack.has("release"):
        return {}
    command = buildpack.command("release", place.app)
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, errors="replace", check=False)
    if ended.returncode:
        raise Refused(
            RELEASE, "BuildpackReleaseFailed", f"bin/release of {buildpack.name} ended with status {ended.returncode}."
        )
    return processes.released(ended.stdout, buildpack.name)


def _script(
    buildpack: Buildpack, script: str, *arguments: Path | str, environment: Mapping[str, str], status: int
) -> None:
    try:
        ended = subprocess.run(
            buildpack.command(script, *arguments),
            env=environment,
            stdin=subprocess.DEVNULL,
            cwd=arguments[0],
            check=False,
        )
    except OSError as error:
        raise Refused(
            status,
            "BuildpackCompileFailed",
            f"bin/{script} of the buildpack {buildpack.name} cannot be started ({error.strerror}). "
            "Its first line may name a program that the stack does not have: use another version of the buildpack.",
        ) from error
    if ended.returncode:
        raise Refused(status, "BuildpackCompileFailed")


def _cache(place: Place, buildpack: Buildpack) -> Path:
    folder = place.cache / buildpack.key
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _index(number: int, count: int) -> str:
    return f"{number:02}" if count >= 10 else str(number)


def _used(place: Place, buildpack: Buildpack, number: int, count: int) -> dict[str, str]:
    path = place.deps / _index(number, count) / "config.yml"
    facts = (processes.words(path.read_text()) or {}) if path.is_file() else {}
    facts = facts if isinstance(facts, dict) else {}
    return {
        "name": buildpack.name,
        "version": str(facts.get("version", "")),
        "buildpack_name": str(facts.get("name", "")),
    }


def environment_for(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the buildpacks: the container's, the contract's, and what the platform gave."""
    own = {name: value for name, value in os.environ.items() if name != "HOSTNAME"}
    contract = {
        "HOME": str(HOME),
        "USER": "vcap",
        "TMPDIR": str(TEMPORARY),
        "CF_INSTANCE_ADDR": "",
        "CF_INSTANCE_PORT": "",
    }
    return {**own, **contract, "LANG": "en_US.UTF-8", **given}
