"""Puts what the buildpacks supplied (deps/N/bin, lib, env, profile.d) where the next ones and the app find it."""

import os
import shutil
from pathlib import Path

PATHS = {
    "PATH": "bin",
    "LD_LIBRARY_PATH": "lib",
    "LIBRARY_PATH": "lib",
    "CPATH": "include",
    "PKG_CONFIG_PATH": "pkgconfig",
}
AT_RUN_TIME = ("PATH", "LD_LIBRARY_PATH")


def environment(deps: Path) -> dict[str, str]:
    """Return this process's environment with what every buildpack so far has supplied."""
    found = dict(os.environ)
    for part in _parts(deps):
        for variable, folder in PATHS.items():
            if (part / folder).is_dir():
                found[variable] = ":".join(filter(None, [str(part / folder), found.get(variable, "")]))
        for file in sorted((part / "env").glob("*")):
            found[file.name] = file.read_text().rstrip("\n")
    return found


def write_profile(deps: Path, profile: Path) -> None:
    """Write the scripts that give the running app the same; the launcher sources them in order of name."""
    profile.mkdir(parents=True, exist_ok=True)
    lines = []
    for part in _parts(deps):
        for variable in AT_RUN_TIME:
            if (part / PATHS[variable]).is_dir():
                lines.append(f'export {variable}="$DEPS_DIR/{part.name}/{PATHS[variable]}${{{variable}:+:${variable}}}"\n')
        for script in sorted((part / "profile.d").glob("*")):
            shutil.copyfile(script, profile / f"{part.name}_{script.name}")
    (profile / "000_supplied.sh").write_text("".join(lines))


def _parts(deps: Path) -> list[Path]:
    """Return the buildpacks' folders, the last one first on every path since it is added last."""
    return sorted((part for part in deps.iterdir() if part.is_dir()), key=lambda part: int(part.name))
