"""Guesses how an app without a Procfile is started, where there is only one way to see it."""

import re
from pathlib import Path

from buildpack import read

SOURCES = ("app.py", "main.py", "wsgi.py", "asgi.py", "application.py")
MADE = re.compile(r"^(?P<name>\w+)(?:\s*:\s*\w+)?\s*=\s*(?:\w+\.)?(?P<framework>Flask|FastAPI|Starlette)\(", re.MULTILINE)


def command(app: Path, programs: Path) -> tuple[str, str]:
    """Return (command, "") or ("", why there is none); ``programs`` is the virtual environment's bin."""
    if (app / "manage.py").is_file():
        modules = [path for path in app.glob("*/wsgi.py") if "application" in read(path)]
        if len(modules) != 1:
            return "", "a Django project with other than one wsgi.py"
        return _with(programs, "gunicorn", f"gunicorn {modules[0].parent.name}.wsgi:application", "a Django project")
    found = [(app / name, match) for name in SOURCES for match in MADE.finditer(read(app / name))]
    if len(found) != 1:
        return "", ""
    path, match = found[0]
    target = f"{path.stem}:{match['name']}"
    if match["framework"] == "Flask":
        return _with(programs, "gunicorn", f"gunicorn {target}", f"a Flask app in {path.name}")
    start = f'uvicorn {target} --host 0.0.0.0 --port "$PORT" --proxy-headers --forwarded-allow-ips "*"'
    return _with(programs, "uvicorn", start, f"an ASGI app in {path.name}")


def _with(programs: Path, program: str, start: str, what: str) -> tuple[str, str]:
    if (programs / program).exists():
        return start, ""
    return "", f"{what}, but {program} is not among its packages"
