"""The cast: alice develops in the space, bob audits it, dora manages the organization, charlie is from elsewhere, root runs the platform."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tenants import access
from tenants.models import Organization, OrganizationQuota, QuotaUse, Region, Space
from tests import database

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# Each run has a cache of its own as well, from the first test on: whoever has used it keeps the prefix it had then.
caches.settings["default"]["KEY_PREFIX"] = secrets.token_hex(8)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Give each test run that is under way a database of its own, so that several can run side by side."""
    with django_db_blocker.unblock(), database.own() as name:
        connections["default"].settings_dict["TEST"]["NAME"] = name
        yield


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The database is there already; what has been migrated need not be made again."""
    return True


def make_user(name: str, **fields: Any) -> User:
    return User.objects.person(f"{name}@example.com", "correct horse battery", **fields)


@pytest.fixture
def system(db: None) -> User:
    return User.objects.get_or_create(username="system", origin="system", defaults={"kind": User.Kind.SYSTEM})[0]


@pytest.fixture
def root(system: User) -> User:
    return make_user("root", platform_role=User.PlatformRole.ADMIN)


@pytest.fixture
def quota(db: None) -> OrganizationQuota:
    return OrganizationQuota.objects.get_or_create(
        name="default", defaults={"total_memory_mb": 100 * 1024, "total_routes": 1000, "total_service_instances": 100}
    )[0]


@pytest.fixture
def region(db: None) -> Region:
    return Region.objects.get_or_create(name="local", defaults={"is_default": True})[0]


@pytest.fixture
def make_org(quota: OrganizationQuota) -> Callable[[str], Organization]:
    def make(name: str) -> Organization:
        organization = Organization.objects.create(name=name, quota=quota)
        QuotaUse.objects.create(organization=organization)
        return organization

    return make


@pytest.fixture
def make_space(region: Region) -> Callable[..., Space]:
    def make(organization: Organization, name: str) -> Space:
        space = Space.objects.create(organization=organization, name=name, region=region)
        QuotaUse.objects.create(space=space)
        return space

    return make


@pytest.fixture
def org(make_org: Callable[[str], Organization]) -> Organization:
    return make_org("ministry")


@pytest.fixture
def space(org: Organization, make_space: Callable[..., Space]) -> Space:
    return make_space(org, "production")


@pytest.fixture
def other_space(make_org: Callable[[str], Organization], make_space: Callable[..., Space]) -> Space:
    return make_space(make_org("council"), "production")


def _member(
    name: str, space: Space, root: User, *, org_roles: tuple[str, ...] = (), space_roles: tuple[str, ...] = ()
) -> User:
    user = make_user(name)
    for role in ("organization_user", *org_roles):
        access.give(user, role, space.organization, by=root)
    for role in space_roles:
        access.give(user, role, space, by=root)
    return user


@pytest.fixture
def alice(space: Space, root: User) -> User:
    return _member("alice", space, root, space_roles=("space_developer",))


@pytest.fixture
def bob(space: Space, root: User) -> User:
    return _member("bob", space, root, space_roles=("space_auditor",))


@pytest.fixture
def dora(space: Space, root: User) -> User:
    return _member("dora", space, root, org_roles=("organization_manager",))


@pytest.fixture
def charlie(other_space: Space, root: User) -> User:
    return _member("charlie", other_space, root, space_roles=("space_developer",))


@pytest.fixture
def api() -> Callable[[User], APIClient]:
    """Return a client that calls the API as the user; tokens have tests of their own."""

    def client(user: User) -> APIClient:
        made = APIClient()
        made.default_format = "json"  # type: ignore[attr-defined]
        made.force_authenticate(user=user)
        return made

    return client


@pytest.fixture
def now() -> Any:
    return timezone.now()


@pytest.fixture(autouse=True)
def no_loop_of_a_browser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hide the loop of the browser, which goes on in this thread, from tests that run one of their own."""
    loop = None if "chromium" in request.fixturenames else asyncio._get_running_loop()
    if loop:
        asyncio._set_running_loop(None)
    yield
    if loop:
        asyncio._set_running_loop(loop)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests: a second one in this thread would find the first one's loop running."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # as long as everything else waits
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in the thread that the tests query from
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield running
        running.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
