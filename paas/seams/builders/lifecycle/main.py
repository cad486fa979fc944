"""Stages one app: unpack, detect, run the buildpacks, pack; the exit status is Cloud Foundry's."""

from __future__ import annotations

import dataclasses
import errno
import json
import sys
from typing import Any

from . import archive, buildpacks, droplet, processes, repository, staging
from .place import INPUT, OUTPUT, Place
from .voice import OTHER, Refused, failure, result, say, step, warn

PLACE = Place()


def main() -> int:
    try:
        stage(json.loads((INPUT / "request.json").read_text()))
    except Refused as refused:
        failure(refused)
        return refused.status
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        warn(f"No space left on device: {error.filename or ''}")
        return OTHER
    return 0


def stage(request: dict[str, Any]) -> None:
    for folder in dataclasses.astuple(PLACE):
        folder.mkdir(parents=True, exist_ok=True)
    files = repository.fetch(request["repository"], PLACE.app) if request["repository"] else _unpack()
    say(f"{files} file{'s' * (files != 1)}")
    processes.procfile(PLACE.app)  # what cannot end well should not begin
    droplet.unpack_cache(INPUT / "cache.tgz", PLACE.cache)
    cached = droplet.fingerprint(PLACE.cache)
    environment = staging.environment_for(request["environment"])
    staged = _run(request, environment)
    if not staged.process_types.get("web"):
        warn("There is no `web` process: add a Procfile with a `web:` line, or give the app a start command.")
    step("package", "Make the droplet")
    web = staged.process_types.get("web", "")
    droplet.pack_droplet(OUTPUT / "droplet.tgz", detected=staged.detected, start_command=web)
    changed = droplet.fingerprint(PLACE.cache) != cached
    if changed:
        droplet.pack_cache(PLACE.cache, OUTPUT / "cache.tgz")
    size = (OUTPUT / "droplet.tgz").stat().st_size
    say(f"Droplet: {size / (1 << 20):.1f} MB" if size >= 1 << 20 else f"Droplet: {max(size >> 10, 1)} KB")
    result(cache=changed, **dataclasses.asdict(staged))


def _unpack() -> int:
    return archive.unpack(INPUT / "source.zip", PLACE.app)


def _run(request: dict[str, Any], environment: dict[str, str]) -> staging.Staged:
    references = request["buildpacks"]
    if request["detect"]:
        step("detect", "Find out what kind of app it is")
        candidates = [buildpacks.obtain(reference, number) for number, reference in enumerate(references)]
        chosen, said = staging.detect(candidates, PLACE, environment)
        staged = staging.run([chosen], PLACE, environment)
        return dataclasses.replace(staged, detected=said, used=[{**staged.used[0], "detect_output": said}])
    if not references:
        raise Refused(
            OTHER, "NoBuildpacksFound", "The build names no buildpack. Name one with -b, or let it be detected."
        )
    return staging.run([buildpacks.obtain(each, number) for number, each in enumerate(references)], PLACE, environment)


if __name__ == "__main__":
    sys.exit(main())
