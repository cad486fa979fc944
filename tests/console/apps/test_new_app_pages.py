"""Pushing from the console: a new app and a new version, from a file and from a git repository."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.models import App, Build, Buildpack, Destination, Domain, Package, Process, Route
from paas.lib.queue import work
from tenants import access
from tenants.actions import custom_role

pytestmark = pytest.mark.django_db

PROCFILE = {"Procfile": "web: ./run\n", "run": "#!/bin/sh\n"}


@pytest.fixture(autouse=True)
def world(runtime: Any) -> Domain:
    Buildpack.objects.create(name="binary_buildpack", builtin="binary", state="READY")
    return Domain.objects.create(name="apps.example")


def zipped(files: dict[str, str]) -> SimpleUploadedFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return SimpleUploadedFile("site.zip", packed.getvalue())


def tarred(files: dict[str, str]) -> SimpleUploadedFile:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return SimpleUploadedFile("site.tgz", packed.getvalue())


def wish(**fields: Any) -> dict[str, Any]:
    return {"name": "My Site", "memory_mb": 64, "instances": 2, "command": "", "buildpack": "", **fields}


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_upload_becomes_an_app_with_a_route_and_a_build(
    browser: Any, alice: Any, space: Any, converge: Any, pack: Any
) -> None:
    answer = browser(alice).post(f"/spaces/{space.guid}/new", wish(bits=pack(PROCFILE), command="./other"))
    build = Build.objects.get()
    assert answer["Location"] == f"/builds/{build.guid}"
    app = App.objects.get()
    web = Process.objects.get(app=app)
    assert (app.name, web.memory_mb, web.instances, web.command) == ("My Site", 64, 2, "./other")
    assert Route.objects.get().fqdn == "my-site.apps.example"
    assert Destination.objects.get().app == app
    work("apps.jobs.stage", build.pk)
    app = converge(app)
    assert app.state == App.State.STARTED
    assert app.running.count() == 2


def test_a_bad_upload_leaves_nothing_and_keeps_what_was_typed(browser: Any, alice: Any, space: Any) -> None:
    answer = browser(alice).post(f"/spaces/{space.guid}/new", wish(bits=zipped({"../out": "x"})))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "There is a problem" in text
    assert "leads out of the app" in text
    assert 'value="My Site"' in text
    assert not App.objects.exists()
    assert not Package.objects.exists()
    assert not Route.objects.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"bits": SimpleUploadedFile("x.zip", b"")}, "neither a zip nor a tar"),
        ({"bits": SimpleUploadedFile("x.pdf", b"%PDF")}, "neither a zip nor a tar"),
        ({}, "Choose the file to push."),
        ({"name": ""}, "Enter a name"),
        ({"memory_mb": "much"}, "as a number"),
        ({"buildpack": "nothing"}, "Select a valid choice"),
        ({"memory_mb": 999_999, "instances": 1}, "quota"),
    ],
)
def test_what_is_wrong_is_said(browser: Any, alice: Any, space: Any, quota: Any, sent: Any, said: str) -> None:
    quota.per_process_memory_mb = 1024
    quota.save()
    sent = sent if "bits" in sent or not sent else {**sent, "bits": zipped(PROCFILE)}
    answer = browser(alice).post(f"/spaces/{space.guid}/new", wish(**sent))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not App.objects.exists()


def test_a_name_or_an_address_that_is_taken_is_said(
    browser: Any, alice: Any, charlie: Any, space: Any, other_space: Any, world: Domain
) -> None:
    Route.objects.create(space=other_space, domain=world, host="my-site")
    text = browser(alice).post(f"/spaces/{space.guid}/new", wish(bits=zipped(PROCFILE))).content.decode()
    assert "already in use" in text
    assert other_space.organization.name not in text
    assert not App.objects.exists()


def test_a_git_repository_becomes_an_app(browser: Any, alice: Any, space: Any) -> None:
    sent = wish(url="https://example.org/app.git", ref="v2")
    answer = browser(alice).post(f"/spaces/{space.guid}/new/git", sent)
    package = Package.objects.get()
    assert (package.source_url, package.source_ref, package.state) == ("https://example.org/app.git", "v2", "READY")
    assert answer["Location"] == f"/builds/{Build.objects.get().guid}"


@pytest.mark.parametrize(
    "sent",
    [
        {"url": "file:///etc"},
        {"url": "ssh://git@example.org/app"},
        {"url": "https://me:hush@example.org/app.git"},
        {"url": "https://example.org/app.git", "ref": "--upload-pack=x"},
        {"url": "https://"},
    ],
)
def test_an_address_that_a_build_should_not_fetch_is_refused(browser: Any, alice: Any, space: Any, sent: Any) -> None:
    answer = browser(alice).post(f"/spaces/{space.guid}/new/git", wish(**sent))
    assert answer.status_code == 200
    assert "There is a problem" in answer.content.decode()
    assert not App.objects.exists()


def test_a_new_version_is_built_and_goes_live(browser: Any, alice: Any, running: App, converge: Any) -> None:
    answer = browser(alice).post(f"/apps/{running.guid}/push", {"bits": zipped(PROCFILE), "buildpack": ""})
    build = Build.objects.get()
    assert answer["Location"] == f"/builds/{build.guid}"
    work("apps.jobs.stage", build.pk)
    app = converge(running)
    build.refresh_from_db()
    assert app.droplet == build.droplet
    assert "went live" in browser(alice).get(f"/builds/{build.guid}").content.decode()


def test_two_pushes_at_once_are_told_of_each_other(browser: Any, alice: Any, running: App) -> None:
    client = browser(alice)
    client.post(f"/apps/{running.guid}/push", {"bits": zipped(PROCFILE), "buildpack": ""})
    answer = client.post(f"/apps/{running.guid}/push", {"bits": zipped(PROCFILE), "buildpack": ""})
    assert "Only one build" in answer.content.decode()
    assert Build.objects.count() == Package.objects.count() == 1


def test_the_lines_for_cf_can_be_pasted(browser: Any, alice: Any, org: Any, space: Any, app: App) -> None:
    org.name = "the ministry; rm -rf"
    org.save()
    text = browser(alice).get(f"/spaces/{space.guid}/new/cf").content.decode()
    assert f"cf api {settings.PAAS_URL}" in text
    assert "cf target -o &#x27;the ministry; rm -rf&#x27; -s production" in text
    assert "cf push site" in browser(alice).get(f"/apps/{app.guid}/push/cf").content.decode()


def test_only_who_may_push_sees_the_pages(
    browser: Any, bob: Any, charlie: Any, dora: Any, space: Any, app: App
) -> None:
    pages = [f"/spaces/{space.guid}/new{way}" for way in ("", "/git", "/cf")]
    pages += [f"/apps/{app.guid}/push{way}" for way in ("", "/git", "/cf")]
    for page in pages:
        assert browser(bob).get(page).status_code == browser(dora).get(page).status_code == 403
        assert browser(charlie).get(page).status_code == 404
    sent = wish(bits=zipped(PROCFILE))
    assert browser(bob).post(pages[0], sent).status_code == 403
    assert browser(charlie).post(pages[0], sent).status_code == 404


def test_a_role_of_named_permissions_is_enough(browser: Any, bob: Any, dora: Any, root: Any, space: Any) -> None:
    """What a first push from the console takes; the page of a refusal names what is missing."""
    verbs = ["app.view", "app.create", "app.push", "app.stage", "app.deploy", "app.run", "app.scale", "route.manage"]
    own = custom_role.create(dora, space.organization, name="Pushers", where="space", verbs=verbs)
    access.give(bob, own.guid, space, by=root)
    answer = browser(bob).post(f"/spaces/{space.guid}/new", wish(bits=zipped(PROCFILE)))
    assert answer.status_code == 302, answer.content.decode()
    custom_role.update(dora, own, verbs=[verb for verb in verbs if verb != "app.stage"])
    refused = browser(bob).post(f"/spaces/{space.guid}/new", wish(name="second", bits=zipped(PROCFILE)))
    assert refused.status_code == 403 and "Build a package again (app.stage)" in refused.content.decode()
