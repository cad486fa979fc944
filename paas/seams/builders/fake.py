"""Builds without running anything of the app, for tests of what comes before and after a build."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from paas.seams.blobs.base import BlobNotFound, Blobs
from paas.seams.builders.base import Builder, BuildFailed, BuildpackRef, BuildRequest, Built, Line, Step, UsedBuildpack
from paas.seams.builders.lifecycle.archive import unpack
from paas.seams.builders.lifecycle.processes import procfile
from paas.seams.builders.lifecycle.voice import Refused
from paas.seams.builders.watch import Watch

Emit = Callable[[Step | Line], None]

LOOKED_FOR = {
    "python": ("requirements.txt", "Pipfile", "pyproject.toml"),
    "nodejs": ("package.json",),
    "staticfile": ("Staticfile",),
    "binary": ("Procfile",),
}
STARTED = {"nodejs": "npm start", "staticfile": "$HOME/boot.sh"}


class FakeBuilder(Builder):
    """Takes the same requests and gives droplets of the same layout; in them is the source as it came."""

    def __init__(self, *, blobs: Blobs) -> None:
        self._blobs = blobs
        self.repositories: dict[str, dict[str, str]] = {}  # what is behind which address: names and texts of files

    def build(self, request: BuildRequest, emit: Emit, cancelled: Callable[[], bool]) -> Built:
        watch = Watch(cancelled, timeout=request.timeout)
        watch.check()
        emit(Step("download", "Fetch source and cache"))
        with tempfile.TemporaryDirectory(prefix="paas-build-") as folder:
            app = Path(folder, "app")
            try:
                self._unpack(request, app)
                return self._stage(request, app, emit, watch)
            except Refused as refused:
                raise BuildFailed(refused.title, refused.sentence) from refused

    def clean(self, keep: Collection[str]) -> None:
        """Nothing is left behind that could be removed."""

    def _unpack(self, request: BuildRequest, app: Path) -> None:
        app.mkdir()
        if request.source_url:
            self._clone(request.source_url, app)
            return
        try:
            with self._blobs.local(request.source_key) as archive:
                unpack(archive, app)
        except BlobNotFound as error:
            raise BuildFailed("StagingError", "The pushed source is no longer stored. Push it again.") from error

    def _clone(self, url: str, app: Path) -> None:
        if url not in self.repositories:
            raise BuildFailed("StagingError", f"git could not fetch {url}. Check the address and that it is public.")
        for name, text in self.repositories[url].items():
            (app / name).parent.mkdir(parents=True, exist_ok=True)
            (app / name).write_text(text)

    def _stage(self, request: BuildRequest, app: Path, emit: Emit, watch: Watch) -> Built:
        commands = procfile(app)
        chosen = request.buildpacks
        if request.detect:
            emit(Step("detect", "Find out what kind of app it is"))
            chosen = (_detect(request.buildpacks, app),)
        for buildpack in chosen:
            emit(Step("supply", f"Supply with {buildpack.name}"))
            emit(Line(f"-----> {buildpack.name}"))
        emit(Step("finalize", f"Finalize with {chosen[-1].name}"))
        default = STARTED.get(chosen[-1].location, "")
        types = ({"web": default} if default else {}) | commands
        emit(Step("package", "Make the droplet"))
        watch.check()
        blob = self._blobs.put(request.droplet_key, _droplet(app, start_command=types.get("web", "")))
        self._blobs.put(request.cache_key, io.BytesIO(b"nothing"))
        used = tuple(UsedBuildpack(each.name, each.name if request.detect else "", "", "") for each in chosen)
        return Built(sha256=blob.sha256, size=blob.size, process_types=types, buildpacks=used)


def _detect(candidates: Collection[BuildpackRef], app: Path) -> BuildpackRef:
    for candidate in candidates:
        if any((app / name).is_file() for name in LOOKED_FOR.get(candidate.location, ())):
            return candidate
    looked = "; ".join(f"{each.name} looked for {', '.join(LOOKED_FOR.get(each.location, ()))}" for each in candidates)
    raise BuildFailed("NoAppDetectedError", f"No buildpack recognised the app. Tried: {looked}.")


def _droplet(app: Path, *, start_command: str) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as droplet:
        droplet.add(app, "./app")
        for name in ("deps", "profile.d", "logs", "tmp"):
            folder = tarfile.TarInfo(f"./{name}")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            droplet.addfile(folder)
        content = json.dumps({"detected_buildpack": "", "start_command": start_command}).encode()
        info = tarfile.TarInfo("./staging_info.yml")
        info.size, info.mode = len(content), 0o644
        droplet.addfile(info, io.BytesIO(content))
    packed.seek(0)
    return packed
