"""The rules for names in an archive from outside: where they may lead, and that each is there once."""

from __future__ import annotations

from pathlib import PurePosixPath

from paas.lib.errors import Unprocessable

MOST_NAMES = 200_000  # files, links and folders together
LONGEST_NAME = 1024  # bytes
MOST_HOPS = 40  # links that a kernel follows before it gives up
MOST_WORK = 50_000_000  # parts of paths that are looked at in order to follow an archive's links


def refused(what: str) -> Unprocessable:
    return Unprocessable(f"The upload was refused: {what}")


def shown(name: str) -> str:
    """The name as a sentence may hold it: short, and without anything that cannot be printed."""
    text = ascii(name)[1:-1] if not name.isprintable() else name
    return f"'{text[:200]}'"


def inside(name: str) -> str:
    """Return the name as a plain relative path ("." for the folder itself); raise if it could lead elsewhere."""
    if any("\ud800" <= char <= "\udfff" for char in name):
        raise refused(
            f"the name {shown(name)} is not UTF-8. Rename the file, or pack it with a tool that writes UTF-8."
        )
    path = PurePosixPath(name)
    if path.is_absolute():
        raise refused(f"the path {shown(name)} is absolute. Pack the files with paths relative to the app's folder.")
    if ".." in path.parts:
        raise refused(f"the path {shown(name)} leads out of the app's folder. Pack the files without '..'.")
    if "\0" in name or len(name.encode()) > LONGEST_NAME or any(len(part.encode()) > 255 for part in path.parts):
        raise refused(f"the name {shown(name)} is one that no file can have here. Rename it and pack again.")
    return str(path)


class Tree:
    """The names of one archive. ``absolute`` allows links into the stack, as droplets have them."""

    def __init__(self, *, absolute: bool = False) -> None:
        self.folders: set[str] = set()
        self.files: set[str] = set()
        self.links: dict[str, str] = {}
        self._absolute = absolute
        self._work = 0

    def folder(self, name: str) -> str:
        """Note a folder; the same one may come more than once."""
        name = inside(name)
        if name != ".":
            self._above(f"{name}/")
        return name

    def file(self, name: str) -> str:
        """Note a file; raise if the name is taken or leads elsewhere. Returns the plain name."""
        name = self._new(name)
        self.files.add(name)
        return name

    def link(self, name: str, target: str) -> str:
        name = self._new(name)
        if not target or len(target.encode("utf-8", "surrogateescape")) > LONGEST_NAME or "\0" in target:
            raise refused(f"the link {shown(name)} leads to nothing that can be a path.")
        self.links[name] = target
        return name

    def check(self) -> None:
        """Raise where names stand in each other's way, or a link leaves the folder."""
        for name in self.folders:
            if name in self.files or name in self.links:
                raise refused(f"{shown(name)} is a file or a link, and a folder too. Pack the files anew.")
        for name, target in self.links.items():
            if not self._stays(name, target):
                raise refused(
                    f"the link {shown(name)} -> {shown(target)} leaves the app's folder. "
                    "Replace it by the file that it leads to."
                )

    def _new(self, name: str) -> str:
        name = inside(name)
        if name == ".":
            raise refused("an entry has no name. Pack the files anew.")
        if name in self.files or name in self.links:
            raise refused(f"the name {shown(name)} is there twice. Pack the files anew.")
        self._above(name)
        return name

    def _above(self, name: str) -> None:
        """Note the folders that the path goes through."""
        end = name.rfind("/")
        while end > 0 and (folder := name[:end]) not in self.folders:
            self.folders.add(folder)
            end = name.rfind("/", 0, end)
        if len(self.folders) + len(self.files) + len(self.links) >= MOST_NAMES:
            raise refused(
                f"it holds more than {MOST_NAMES} files and folders. Leave out what the build can fetch by itself "
                "(.cfignore does that), such as node_modules."
            )

    def _stays(self, name: str, target: str) -> bool:
        """Walk the way that the link takes, through other links too."""
        here = name.split("/")[:-1]
        ahead = target.split("/")[::-1]
        hops = 0
        if target.startswith("/"):
            return self._absolute
        while ahead:
            self._work += len(here) + 8
            if self._work > MOST_WORK:
                raise refused("its links lead through too many others. Replace them by the files that they lead to.")
            part = ahead.pop()
            if part == ".." and not here:
                return False
            if part == "..":
                here.pop()
            elif part not in ("", "."):
                here.append(part)
            further = self.links.get("/".join(here)) if part not in ("", ".", "..") else None
            if further is None:
                continue
            hops += 1
            if further.startswith("/") or hops > MOST_HOPS:
                return self._absolute or hops > MOST_HOPS
            here.pop()
            ahead += further.split("/")[::-1]
        return True
