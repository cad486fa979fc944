"""Python apps, built and run."""

from __future__ import annotations

import pytest

from paas.seams.builders.base import BuildFailed
from tests.buildpacks.conftest import Lock, Run
from tests.contracts.building import Bench

FLASK = {
    "requirements.txt": "flask~=3.0\ngunicorn\n",
    "app.py": "from flask import Flask\napp = Flask(__name__)\n\n@app.get('/')\ndef hello():\n    return 'hello from flask'\n",
}
DANGEROUS = "import itsdangerous, http.server, os\nprint(itsdangerous.__name__, flush=True)\n"
DANGEROUS += "http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ['PORT']))\n"
PROJECT = '[project]\nname = "hello"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["itsdangerous"]\n'
UV = "/usr/local/lib/paas/tools/bin/uv"

DJANGO = {
    "requirements.txt": "django~=5.2\ngunicorn\n",
    "manage.py": "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n"
    "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
    "site1/__init__.py": "",
    "site1/settings.py": "SECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'site1.urls'\nSTATIC_URL = '/static/'\n"
    "STATIC_ROOT = 'collected'\nINSTALLED_APPS = ['django.contrib.staticfiles']\nSTATICFILES_DIRS = ['assets']\n",
    "site1/urls.py": "from django.http import HttpResponse\nfrom django.urls import path\n"
    "urlpatterns = [path('', lambda request: HttpResponse('hello from django'))]\n",
    "site1/wsgi.py": "import os\nfrom django.core.wsgi import get_wsgi_application\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\napplication = get_wsgi_application()\n",
    "assets/site.css": "body {}",
}


def test_a_flask_app_answers_without_a_procfile(bench: Bench, run: Run) -> None:
    request, built = bench.push(FLASK)
    assert built.process_types == {"web": "gunicorn app:app"}
    assert (built.buildpacks[0].buildpack_name, built.buildpacks[0].version[:5]) == ("python", "3.11.")
    assert run(request).get().text == "hello from flask"


def test_an_unchanged_push_installs_nothing_again_and_still_runs(bench: Bench, run: Run) -> None:
    bench.push(FLASK)
    assert "Installing the packages" in bench.story.text
    request, _ = bench.push(FLASK)
    assert "Reusing the packages" in bench.story.text
    assert run(request).get().text == "hello from flask"


def test_changed_requirements_are_installed(bench: Bench) -> None:
    bench.push(FLASK)
    request, _ = bench.push(FLASK | {"requirements.txt": "-r more.txt\n", "more.txt": "itsdangerous==2.2.0\n"})
    assert "Successfully installed itsdangerous-2.2.0" in bench.story.text
    bench.push(FLASK | {"requirements.txt": "-r more.txt\n", "more.txt": "itsdangerous==2.1.2\n"})
    assert "Successfully installed itsdangerous-2.1.2" in bench.story.text
    assert not any("flask/" in name for name in bench.droplet(request))


def test_a_django_project_answers_with_its_static_files_collected(bench: Bench, run: Run) -> None:
    request, built = bench.push(DJANGO)
    assert built.process_types == {"web": "gunicorn site1.wsgi:application"}
    assert "app/collected/site.css" in bench.droplet(request)
    assert run(request).get().text == "hello from django"


def test_collectstatic_that_fails_says_how_to_leave_it_out(bench: Bench) -> None:
    broken = DJANGO | {"site1/settings.py": DJANGO["site1/settings.py"] + "import nowhere_to_be_found\n"}
    with pytest.raises(BuildFailed, match=r"collectstatic.*nowhere_to_be_found.*DISABLE_COLLECTSTATIC"):
        bench.push(broken)
    bench.push(broken, environment={"DISABLE_COLLECTSTATIC": "1"})


def test_uv_installs_what_the_lock_says(bench: Bench, run: Run, lock: Lock) -> None:
    source = lock({"pyproject.toml": PROJECT, "main.py": DANGEROUS, "Procfile": "web: python main.py"}, f"{UV} lock")
    for _ in range(2):
        request, _ = bench.push(source)
        assert run(request).get().status == 200


def test_a_lock_that_does_not_fit_is_refused(bench: Bench, lock: Lock) -> None:
    source = lock({"pyproject.toml": PROJECT}, f"{UV} lock")
    changed = source | {"pyproject.toml": PROJECT.replace("itsdangerous", "blinker")}
    with pytest.raises(BuildFailed, match=r"uv\.lock does not fit pyproject\.toml"):
        bench.push(changed)


def test_a_project_without_a_lock_gets_its_packages(bench: Bench, run: Run) -> None:
    request, _ = bench.push({"pyproject.toml": PROJECT, "main.py": DANGEROUS, "Procfile": "web: python main.py"})
    assert run(request).get().status == 200


def test_a_pipfile_is_locked_and_installed(bench: Bench, run: Run) -> None:
    pipfile = '[packages]\nitsdangerous = "*"\n\n[requires]\npython_version = "3.11"\n'
    request, _ = bench.push({"Pipfile": pipfile, "main.py": DANGEROUS, "Procfile": "web: python main.py"})
    assert run(request).get().status == 200


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("runtime.txt", "python-3.13.x"),
        (".python-version", "3.12\n"),
        ("Pipfile", '[requires]\npython_version = "3.9"\n'),
        ("pyproject.toml", '[project]\nname = "x"\nrequires-python = ">=3.12"\n'),
        ("runtime.txt", "python-3.11.99"),
    ],
)
def test_a_python_that_the_stack_has_not_is_refused_with_what_it_has(bench: Bench, name: str, text: str) -> None:
    with pytest.raises(BuildFailed, match=f"{name} asks for Python .* this stack has Python 3.11"):
        bench.push({"requirements.txt": "", name: text})


@pytest.mark.parametrize("text", ["python-3.11", "python-3.11.x", "3.11.*", "3"])
def test_the_python_that_the_stack_has_is_taken(bench: Bench, text: str) -> None:
    bench.push({"requirements.txt": "", "runtime.txt": text})


def test_a_package_that_is_not_there_is_named(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as failure:
        bench.push({"requirements.txt": "flask-that-nobody-made==9\n"})
    assert failure.value.title == "BuildpackCompileFailed"
    assert "pip found no package flask-that-nobody-made==9" in failure.value.sentence
    assert "No matching distribution" in failure.value.sentence


def test_a_line_that_pip_cannot_read_is_named(bench: Bench) -> None:
    with pytest.raises(BuildFailed, match=r"requirements\.txt holds something that pip cannot read"):
        bench.push({"requirements.txt": "flask = 3\n"})


def test_no_process_at_all_is_a_warning_since_a_command_may_come_later(bench: Bench, run: Run) -> None:
    request, built = bench.push({"requirements.txt": ""})
    assert built.process_types == {}
    assert "add a Procfile" in bench.story.text
    stopped = run(request)
    assert stopped.ended() == 1
    assert "There is no command to start" in stopped.output
    assert run(request, "python -m http.server $PORT").get().status == 200
