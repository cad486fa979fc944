"""A role that goes in the middle of something: what it takes with it at once, and what goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from apps import uploads
from apps.actions import push
from apps.models import App, Build, Buildpack, Stack
from apps.views import logs
from paas.lib.errors import NotAuthorized
from paas.lib.queue import work
from paas.seams.blobs.base import Blobs
from paas.seams.runtimes.base import LogLine
from paas.seams.runtimes.fake import FakeRuntime
from tenants.actions import departure
from tests.apps.archives import zipped

Api = Callable[[User], APIClient]


@pytest.fixture
def leave(alice: User, dora: User, app: App) -> Callable[[], None]:
    def gone() -> None:
        departure.leave(dora, alice, organization=app.space.organization)

    return gone


@pytest.fixture
def written(runtime: FakeRuntime, app: App) -> None:
    """More than is read at a time."""
    runtime.write_log(app.guid, [LogLine(0, "APP/PROC/WEB", "0", "OUT", f"line {n}") for n in range(logs.AT_ONCE + 5)])


def test_a_stream_of_logs_ends(api: Api, alice: User, app: App, written: None, leave: Callable[[], None]) -> None:
    client = api(alice)
    assert client.get(f"/api/v1/read/{app.guid}").status_code == 200
    leave()
    assert client.get(f"/api/v1/read/{app.guid}").status_code == 404


def test_a_log_page_that_is_open_gets_no_more(alice: User, app: App, written: None, leave: Callable[[], None]) -> None:
    browser = Client()
    browser.force_login(alice)
    page = f"/apps/{app.guid}/logs/lines?cursor=0"
    assert browser.get(page).status_code == 200
    leave()
    assert browser.get(page).status_code in (401, 403, 404)


def test_a_download_of_logs_breaks_off(
    alice: User, app: App, written: None, leave: Callable[[], None], rf: Any
) -> None:
    request = rf.get(f"/apps/{app.guid}/logs/download")
    request.user = alice
    pieces = iter(logs.download(request, app.guid))
    assert b"line 0" in next(pieces)
    leave()
    with pytest.raises(NotAuthorized):
        list(pieces)


def test_a_queued_build_goes_on_and_says_whose_it_was(
    api: Api, alice: User, dora: User, app: App, runtime: FakeRuntime, store: Blobs, leave: Callable[[], None]
) -> None:
    Stack.objects.create(name="debian12", is_default=True)
    Buildpack.objects.create(name="binary_buildpack", builtin="binary", position=1, state="READY", stack="debian12")
    package = uploads.receive(alice, push.create_package(alice, app), bits=zipped())
    build = push.stage(alice, package)
    leave()
    work("apps.jobs.stage", build.pk)
    assert Build.objects.get().state == "STAGED"
    shown = api(dora).get(f"/v3/builds/{build.guid}").json()
    assert shown["created_by"]["guid"] == alice.guid
    assert api(alice).get(f"/v3/builds/{build.guid}").status_code == 404
