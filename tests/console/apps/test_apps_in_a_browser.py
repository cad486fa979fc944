"""The pages about a space and its apps in a real browser: axe, a phone's width, their weight, and what scripts add."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone
from playwright.sync_api import expect

from accounts import audit
from apps import outside
from apps.actions import app as apps
from apps.actions import destination, push, route
from apps.models import App, Build, Buildpack, BuildStep, Domain, Package
from paas.seams.runtimes.base import LogLine

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WIDTHS = (1200, 360)
MOST = 150_000  # bytes of a page with all that it loads, as they cross the wire
FAILED = "BuildpackCompileFailed - pip found no package flaask.\nThe last lines:\nERROR: " + "x" * 200
TABS = ("", "/builds", "/logs", "/events", "/routes", "/environment", "/revisions", "/settings")
BEHIND = ("/push", "/push/git", "/push/cf", "/delete", "/revisions/1/deploy")


def log(source: str, *texts: str, kind: str = "APP/PROC/WEB") -> None:
    outside.runtime().write_log(source, [LogLine(0, kind, "0", "OUT", text) for text in texts])


@pytest.fixture
def busy(alice: Any, running: App, converge: Any, system: Any, space: Any) -> App:
    """A running app with routes, variables, a crash, builds and lines."""
    Buildpack.objects.create(name="binary_buildpack", builtin="binary", state="READY")
    domain = Domain.objects.create(name="apps.localhost")
    for path in ("", "/with-a-path-that-is-long-enough-to-be-a-nuisance-on-a-phone"):
        made = route.create(alice, space, domain=domain, host="site", path=path)
        destination.add(alice, made, ends=[destination.End(running)])
    route.create(alice, space, domain=domain, host="reserved-with-a-rather-long-name-that-has-no-place-to-break")
    apps.create(alice, space, name="another-app-with-a-rather-long-name-that-nobody-would-type")
    apps.set_environment(alice, running, variables={"DATABASE_URL": "y" * 90})
    converge(apps.restart(alice, running))
    apps.set_environment(alice, running, variables={"A_VARIABLE_WITH_A_NAME_THAT_IS_LONG_ENOUGH_TO_WRAP": "1"})
    audit.record(
        system, "app.crash", running, index=0, reason="CRASHED", exit_status=137, exit_description="out of memory",
        process_type="web", last_lines=["MemoryError " + "z" * 150],
    )  # fmt: skip
    log(running.guid, *(f"\x1b[3{n % 8}mline {n}\x1b[0m " + "w" * (n % 200) for n in range(400)))
    return App.objects.get(pk=running.pk)


@pytest.fixture
def build(alice: Any, busy: App) -> Build:
    """A build that is under way."""
    package = push.create_package(alice, busy, source_url="https://example.org/team/app.git", source_ref="main")
    made = push.stage(alice, package)
    Build.objects.filter(pk=made.pk).update(started_at=timezone.now(), due_at=None)
    now = timezone.now()
    BuildStep.objects.create(build=made, name="detect", title="Find out", started_at=now, ended_at=now)
    BuildStep.objects.create(build=made, name="supply", title="Supply", started_at=now)
    log(made.guid, "-----> \x1b[1mPython\x1b[0m", kind="STG")
    return made


@pytest.fixture
def addresses(busy: App, build: Build, alice: Any) -> list[str]:
    now = timezone.now()
    ended = {"app": busy, "package": build.package, "created_by": alice, "started_at": now - timedelta(seconds=3)}
    failed = Build.objects.create(
        **ended, state="FAILED", ended_at=now, error=FAILED, error_title="BuildpackCompileFailed"
    )
    staged = Build.objects.create(**ended, state="STAGED", ended_at=now, droplet=busy.droplet)
    empty = App.objects.exclude(pk=busy.pk).get()
    found = busy.destinations.select_related("route").first()
    assert found
    line = outside.runtime().read_log(busy.guid)[50].at
    space = f"/spaces/{busy.space.guid}"
    return [
        *(f"/builds/{each.guid}" for each in (build, failed, staged)),
        *(f"/apps/{busy.guid}{tab}" for tab in (*TABS, *BEHIND)),
        *(f"/apps/{empty.guid}{tab}" for tab in TABS),
        *(f"{space}{tab}" for tab in ("", "/routes", "/new", "/new/git", "/new/cf")),
        *(f"/routes/{found.route.guid}{tab}" for tab in ("", "/delete")),
        f"/apps/{busy.guid}/logs?at={line}#{line}",
        "/search?q=site",
    ]


def weight(page: Any) -> int:
    """What crosses the wire, assets compressed as they are served, pages as they are."""
    loaded = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    return sum(packed(name) for name in loaded if "/static/" in name) + len(page.content().encode())


def packed(url: str) -> int:
    file = finders.find(url.partition("/static/")[2])
    assert isinstance(file, str), url
    return len(gzip.compress(Path(file).read_bytes()))


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_clean_fits_and_is_light(
    visit: Any, faults: Any, alice: Any, addresses: list[str], width: int
) -> None:
    for address in addresses:
        page = visit(address, alice, width=width)
        assert page.locator("h1").count() == 1, address
        assert faults(page) == [], address
        assert weight(page) < MOST, address
        page.context.close()


def test_every_page_says_as_much_without_scripts(visit: Any, alice: Any, addresses: list[str]) -> None:
    for address in addresses:
        page = visit(address, alice, script=False)
        assert page.locator("h1").count() == 1, address
        assert page.locator("main").inner_text().strip(), address
        page.context.close()


def test_a_build_is_watched_to_its_end(visit: Any, alice: Any, build: Build) -> None:
    page = visit(f"/builds/{build.guid}", alice)
    log(build.guid, "Collecting \x1b[32mflask\x1b[0m", kind="STG")
    page.get_by_text("Collecting").wait_for()
    assert page.locator(".ansi-32").inner_text() == "flask"
    BuildStep.objects.filter(build=build).update(ended_at=timezone.now())
    BuildStep.objects.create(build=build, name="package", title="Make the droplet", started_at=timezone.now())
    page.get_by_text("Make the droplet").wait_for()
    Build.objects.filter(pk=build.pk).update(
        state="FAILED", error=FAILED, error_title="BuildpackCompileFailed", ended_at=timezone.now()
    )
    page.get_by_role("heading", name="The buildpack could not build the app").wait_for()
    assert page.complaints == []


def test_lines_that_came_while_the_connection_was_away_are_not_lost(visit: Any, alice: Any, build: Build) -> None:
    page = visit(f"/builds/{build.guid}", alice)
    page.context.set_offline(True)
    page.get_by_text("The connection was lost").wait_for()
    log(build.guid, "said in between", kind="STG")
    page.context.set_offline(False)
    page.get_by_text("said in between").wait_for()
    assert page.get_by_text("said in between").count() == 1


def test_logs_are_live_and_can_be_paused(visit: Any, alice: Any, busy: App) -> None:
    page = visit(f"/apps/{busy.guid}/logs?from=router", alice)
    log(busy.guid, "GET /one", kind="RTR")
    page.get_by_text("GET /one").wait_for()
    page.get_by_role("button", name="Pause").click()
    log(busy.guid, "GET /two", kind="RTR")
    log(busy.guid, "from the app")
    page.wait_for_timeout(2000)
    assert page.get_by_text("GET /two").count() == 0
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("GET /two").wait_for()
    assert page.get_by_text("from the app").count() == 0


def test_a_link_to_a_line_shows_that_line(visit: Any, alice: Any, busy: App) -> None:
    at = outside.runtime().read_log(busy.guid)[30].at
    page = visit(f"/apps/{busy.guid}/logs?at={at}#{at}", alice)
    expect(page.locator(f'[id="{at}"]')).to_be_visible()
    assert page.evaluate(f"document.getElementById('{at}').matches(':target')")


def test_the_instances_are_looked_at_again(visit: Any, alice: Any, busy: App, runtime: Any) -> None:
    page = visit(f"/apps/{busy.guid}", alice)
    assert page.get_by_text("Running", exact=True).count() == 1
    page.get_by_role("button", name="Restart instance 0 of web").focus()
    busy.running.update(state="crashed", ready=False, details="exited, exit status 1")
    page.get_by_text("exited, exit status 1").wait_for()
    assert page.locator(":focus").get_attribute("id") == "restart-web-0"
    assert page.complaints == []


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    top = tmp_path / "my-site"
    for name, text in {
        "Procfile": "web: ./bin/run\n",
        "bin/run": "#!/bin/sh\n",
        ".cfignore": "*.log\nnode_modules/\n",
        "noise.log": "x",
        "node_modules/a/b.js": "x",
        ".git/HEAD": "x",
        "ünï/cødé.txt": "x",
    }.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    yield top


def test_a_folder_is_packed_and_pushed(visit: Any, faults: Any, alice: Any, busy: App, folder: Path) -> None:
    page = visit(f"/spaces/{busy.space.guid}/new", alice)
    page.locator("#folder").set_input_files(str(folder))
    page.get_by_text("Chosen: my-site").wait_for()
    page.get_by_role("button", name="Create and build").click()
    page.get_by_text("Enter a name for the app.").first.wait_for()  # what was chosen stays chosen
    assert faults(page) == []
    page.get_by_label("Name").fill("my site")
    page.get_by_role("button", name="Create and build").click()
    page.wait_for_url("**/builds/*")
    package = Package.objects.latest("id")
    assert package.app.name == "my site"
    with outside.blobs().open(package.key) as blob, zipfile.ZipFile(blob) as archive:
        assert sorted(archive.namelist()) == ["Procfile", "bin/run", "ünï/cødé.txt"]
        assert archive.getinfo("bin/run").external_attr >> 16 & 0o111


def test_a_file_is_pushed_without_scripts_too(visit: Any, alice: Any, busy: App, folder: Path, tmp_path: Path) -> None:
    packed_folder = shutil.make_archive(str(tmp_path / "site"), "gztar", folder)
    for script in (True, False):
        page = visit(f"/spaces/{busy.space.guid}/new", alice, script=script)
        page.get_by_label("Source").set_input_files(packed_folder)
        page.get_by_label("Name").fill(f"site {script}")
        page.get_by_role("button", name="Create and build").click()
        page.wait_for_url("**/builds/*")
    assert Package.objects.filter(state="READY").exclude(key="").count() == 2


def test_slash_goes_to_the_search(visit: Any, alice: Any, busy: App) -> None:
    page = visit(f"/spaces/{busy.space.guid}", alice)
    page.keyboard.press("/")
    page.keyboard.type("site")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Search").wait_for()
    assert page.locator(f'main a[href="/apps/{busy.guid}"]').count() == 1
