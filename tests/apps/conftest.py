"""An app of alice's with a droplet to run, and the outside world in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AuditEvent, User
from apps import addresses, outside
from apps.actions import app as apps
from apps.models import App, Domain, Droplet, Route
from paas.lib.queue import work
from paas.seams.blobs.base import Blobs
from paas.seams.runtimes.fake import FakeRuntime
from tenants.models import QuotaUse, Region, Space

WORLD = (outside.runtime, outside.router, outside.builder)


@pytest.fixture
def runtime(settings: Any, region: Region) -> Iterator[FakeRuntime]:
    """The region's engine, in memory, and a thousand addresses."""
    settings.PAAS_RUNTIME_KIND = settings.PAAS_ROUTER_KIND = settings.PAAS_BUILDER_KIND = "fake"
    settings.PAAS_MEMORY_MB = 16 * 1024
    addresses.fill(region, "10.99.0.0/22")
    for each in WORLD:
        each.cache_clear()
    yield outside.runtime()  # type: ignore[misc]
    for each in WORLD:
        each.cache_clear()


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Iterator[Blobs]:
    """The blob store, on a disk of its own."""
    settings.PAAS_STATE = tmp_path
    outside.blobs.cache_clear()
    yield outside.blobs()
    outside.blobs.cache_clear()


@pytest.fixture
def app(alice: User, space: Space) -> App:
    return apps.create(alice, space, name="site")


@pytest.fixture
def make_droplet() -> Callable[..., Droplet]:
    def make(app: App, **fields: Any) -> Droplet:
        usual = {"state": "STAGED", "key": "droplets/one.tgz", "sha256": "0" * 64, "stack": "debian12"}
        types = {"web": "python app.py", "worker": "python worker.py"}
        return Droplet.objects.create(app=app, **{**usual, "process_types": types, **fields})

    return make


@pytest.fixture
def droplet(alice: User, app: App, make_droplet: Callable[..., Droplet]) -> Droplet:
    """The app's current droplet."""
    made = make_droplet(app)
    apps.use_droplet(alice, app, droplet=made)
    app.refresh_from_db()
    return made


@pytest.fixture
def converge(runtime: FakeRuntime) -> Callable[[App], App]:
    def run(app: App) -> App:
        work("apps.jobs.converge", app.pk)
        return App.objects.get(pk=app.pk)

    return run


@pytest.fixture
def running(alice: User, app: App, droplet: Droplet, converge: Callable[[App], App]) -> App:
    """The app, live."""
    return converge(apps.start(alice, app))


@pytest.fixture
def recorded() -> Callable[[str], AuditEvent]:
    """Return the newest audit event of a type; there must be one."""
    return lambda type: AuditEvent.objects.filter(type=type).latest("id")


@pytest.fixture
def used(space: Space) -> Callable[[], QuotaUse]:
    """Return what the space uses of its quota now."""
    return lambda: QuotaUse.objects.get(space=space)


@pytest.fixture
def domain(region: Region) -> Domain:
    """The domain that everybody's apps are on."""
    return Domain.objects.create(name="apps.example", region=region)


@pytest.fixture
def route(space: Space, domain: Domain) -> Route:
    """A route of alice's space that leads nowhere yet."""
    return Route.objects.create(space=space, domain=domain, host="site")
