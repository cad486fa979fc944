"""Installs an app's packages into a virtual environment, from its cache where nothing has changed."""

import re
import shutil
from hashlib import sha256
from pathlib import Path

from buildpack import answer, link_tree, read, refuse, run, say, title
from versions import PYTHON, THERE

TOOLS = Path("/usr/local/lib/paas/tools/bin")
WHEELS = Path("/usr/share/python-wheels")  # Debian's, for a new virtual environment without the network
FOLLOWED = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]+(\S+)", re.MULTILINE)
# What is in the app itself can change while its line does not.
LOCAL = re.compile(r"^\s*(?:-e\b|--editable|\.|/|file:|\S+\s*@\s*file:|git\+|\S+\s*@\s*git\+)", re.MULTILINE)


class Packages:
    def __init__(self, app: Path, cache: Path, venv: Path, environment: dict[str, str]) -> None:
        self._app, self._cache, self._venv = app, cache, venv
        self._environment = environment | {
            "PIP_CACHE_DIR": str(cache / "pip"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_PROGRESS_BAR": "off",
            "PIP_ROOT_USER_ACTION": "ignore",
            "UV_CACHE_DIR": str(cache / "uv"),
            "UV_NO_PROGRESS": "1",
            "UV_PROJECT_ENVIRONMENT": str(venv),
            "UV_PYTHON": str(PYTHON),
            "UV_PYTHON_DOWNLOADS": "never",
            "WORKON_HOME": "/tmp/pipenv",  # it locks in an environment of its own
        }

    def install(self) -> None:
        if (self._app / "requirements.txt").is_file():
            self._install_requirements(self._app / "requirements.txt")
        elif (self._app / "uv.lock").is_file():
            title("Installing the packages of uv.lock with uv")
            self._restore()
            self._uv("sync", "--locked", "--no-dev", "--no-editable", "--compile-bytecode")
            self._keep("uv")
        elif (self._app / "Pipfile").is_file():
            self._install_pipfile()
        elif (self._app / "pyproject.toml").is_file():
            self._install_project()
        else:
            self._install_setup()

    def _install_requirements(self, requirements: Path, *, said: str = "requirements.txt") -> None:
        text = _followed(requirements)
        if not any(line.split("#")[0].strip() for line in text.splitlines()):
            say("No packages are asked for.")
            self._create()
            return
        key = "" if LOCAL.search(text) else sha256(f"{THERE}\n{text}".encode()).hexdigest()
        if key and read(self._cache / "venv.key") == key:
            title(f"Reusing the packages of the build before: {said} has not changed")
            self._restore()
            return
        title(f"Installing the packages of {said} with pip")
        self._create()
        self._pip("install", "--requirement", str(requirements), *self._vendored())
        self._keep(key)

    def _install_pipfile(self) -> None:
        if not (self._app / "Pipfile.lock").is_file():
            title("Locking the Pipfile, since it came without a Pipfile.lock")
            self._pipenv("lock")
        requirements = self._cache / "Pipfile.requirements.txt"
        requirements.write_text(self._pipenv("requirements"))
        self._install_requirements(requirements, said="Pipfile.lock")

    def _install_project(self) -> None:
        text = read(self._app / "pyproject.toml")
        if "[project]" not in text:
            refuse(
                "pyproject.toml has no [project] table, so that its packages cannot be told. Add one, "
                "or push a requirements.txt (`poetry export -o requirements.txt` makes one)."
            )
        title("Installing the packages of pyproject.toml with uv")
        say("There is no uv.lock: versions are chosen anew. Push one, and every build uses the same.")
        self._create()
        compiled = ["--compile-bytecode", "--requirement", "pyproject.toml"]
        self._uv("pip", "install", "--python", str(self._venv), *compiled)

    def _install_setup(self) -> None:
        title("Installing the app and its packages from setup.py with pip")
        self._create()
        self._pip("install", ".")

    def _vendored(self) -> list[str]:
        """Install from the app's own folder ``vendor`` where it brings packages along, and from nowhere else."""
        vendor = self._app / "vendor"
        archives = [path for path in vendor.glob("*") if path.name.endswith((".whl", ".tar.gz", ".zip"))]
        return ["--no-index", "--find-links", str(vendor)] if archives else []

    def _create(self) -> None:
        if (self._venv / "bin" / "python").exists():
            return
        self._uv("venv", "--quiet", "--python", str(PYTHON), str(self._venv))
        # Packages made for older Pythons expect it without saying so; few ever import it.
        offline = ["--no-index", "--find-links", str(WHEELS)]
        self._uv("pip", "install", "--quiet", "--python", str(self._venv), *offline, "setuptools")

    def _restore(self) -> None:
        if (self._cache / "venv").is_dir():
            link_tree(self._cache / "venv", self._venv)

    def _keep(self, key: str) -> None:
        if key:
            link_tree(self._venv, self._cache / "venv")
        else:
            shutil.rmtree(self._cache / "venv", ignore_errors=True)
        (self._cache / "venv.key").write_text(key)

    def _pip(self, *words: str) -> None:
        pip = [TOOLS / "pip", "--python", self._venv / "bin" / "python", *words]
        run(pip, self._environment, folder=self._app)

    def _uv(self, *words: str) -> None:
        run([TOOLS / "uv", *words], self._environment, folder=self._app)

    def _pipenv(self, *words: str) -> str:
        own = {"PIPENV_IGNORE_VIRTUALENVS": "1", "PIPENV_VERBOSITY": "-1", "PIPENV_NOSPIN": "1"}
        return answer([TOOLS / "pipenv", *words], self._environment | own, folder=self._app)


def _followed(requirements: Path) -> str:
    """Return the file's text with that of every file that it names, each once."""
    texts: dict[Path, str] = {}
    waiting = [requirements]
    while waiting:
        path = waiting.pop()
        if path not in texts:
            texts[path] = read(path)
            waiting += [path.parent / name for name in FOLLOWED.findall(texts[path])]
    return "\n".join(texts.values())
