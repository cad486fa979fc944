"""Reads the Staticfile."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from buildpack import read, refuse

ON = ("true", "enabled", "visible", "yes", "on", "1")


@dataclass(frozen=True)
class Options:
    root: str
    directory: bool
    ssi: bool
    pushstate: bool
    force_https: bool
    strict_transport: bool
    strict_transport_subdomains: bool
    dot_files: bool
    location_include: str
    status_codes: dict[str, str]


def options(app: Path) -> Options:
    try:
        found = yaml.load(read(app / "Staticfile"), yaml.BaseLoader) or {}
    except yaml.YAMLError as error:
        refuse(f"The Staticfile is not YAML ({' '.join(str(error).split())}). Write lines like `root: public`.")
    if not isinstance(found, dict):
        refuse("The Staticfile holds no settings that can be read. Write lines like `root: public`, or leave it empty.")
    root = str(found.get("root") or "").strip("/")
    if root and (".." in root.split("/") or not (app / root).is_dir()):
        refuse(f"The Staticfile says `root: {root}`, and the app has no such folder. Correct it, or build it before you push.")
    codes = found.get("status_codes") or {}
    return Options(
        root=root,
        directory=_is_on(found, "directory"),
        ssi=_is_on(found, "ssi"),
        pushstate=_is_on(found, "pushstate"),
        force_https=_is_on(found, "force_https"),
        strict_transport=_is_on(found, "http_strict_transport_security"),
        strict_transport_subdomains=_is_on(found, "http_strict_transport_security_include_subdomains"),
        dot_files=_is_on(found, "host_dot_files"),
        location_include=str(found.get("location_include") or ""),
        status_codes=codes if isinstance(codes, dict) else {},
    )


def _is_on(found: dict, name: str) -> bool:
    return str(found.get(name, "")).lower() in ON
