"""Collects Django's static files, works out the start command, and writes the profile scripts."""

import subprocess
from pathlib import Path

import supplied
import web
from buildpack import is_set, refuse, say, title
from release import RELEASE

NOT_USED = ("STATIC_ROOT", "Unknown command: 'collectstatic'", "ModuleNotFoundError: No module named 'django'")


def main(app: Path, cache: Path, deps: Path, index: Path, profile: Path) -> None:
    environment = supplied.environment(deps)
    if (app / "manage.py").is_file() and not is_set("DISABLE_COLLECTSTATIC"):
        _collect_static(app, environment)
    start, why_not = web.command(app, deps / index / "bin")
    if not (app / "Procfile").is_file():
        if start:
            say(f"No Procfile; the web process will be: {start}")
        elif why_not:
            say(f"No Procfile, and no start command could be guessed: this is {why_not}.")
    RELEASE.write_text(start)
    supplied.write_profile(deps, profile)


def _collect_static(app: Path, environment: dict[str, str]) -> None:
    title("Collecting Django's static files")
    command = ["python", "manage.py", "collectstatic", "--noinput"]
    environment = environment | {"PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        command, env=environment, cwd=app, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if ended.returncode and any(sign in ended.stdout for sign in NOT_USED):
        say("The app does not use them.")
        return
    for line in ended.stdout.splitlines():
        say(line)
    if ended.returncode:
        last = next((line.strip() for line in reversed(ended.stdout.splitlines()) if line.strip()), "nothing")
        refuse(
            f"`manage.py collectstatic` failed; its last line is: {last}. Correct the app, or set the environment "
            "variable DISABLE_COLLECTSTATIC to 1 if static files are not to be collected."
        )
