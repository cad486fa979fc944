"""Pages about people cost the same with ten members and with ten thousand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from accounts.models import User, UserSession
from tenants.models import Organization, OrganizationRole
from tests.console.counting import queries

FEW, MANY = 10, 10_000


def join(org: Organization, first: int, count: int) -> None:
    permission = Permission.objects.get(codename="organization_user", content_type__app_label="tenants")
    people = User.objects.bulk_create(
        User(username=f"person{first + number}", email=f"p{first + number}@example.com") for number in range(count)
    )
    connection.cursor().execute("ANALYZE accounts_user")  # else each foreign key is looked up as if there were nobody
    OrganizationRole.objects.bulk_create(
        OrganizationRole(user=person, permission=permission, content_object=org, cf_type="organization_user")
        for person in people
    )


@pytest.fixture
def pages(org: Any, space: Any, alice: User) -> list[str]:
    one = f"/orgs/{org.guid}"
    names = ("", "/members", "/access", "/roles", "/robots", "/invitations", "/requests", "/departures", "/events")
    return ["/", *(one + name for name in names), f"{one}/people/{alice.guid}", f"/spaces/{space.guid}/members"]


def test_queries_are_constant(browser: Any, org: Any, dora: User, bob: User, pages: list[str]) -> None:
    client = browser(dora)
    UserSession.objects.update(seen_at=timezone.now() + timedelta(hours=1))  # it is not noted meanwhile
    join(org, 0, FEW)
    for page in pages:
        client.get(page)  # what is looked up once
    few = {page: queries(client, page) for page in pages}
    join(org, FEW, MANY - FEW)
    many = {page: queries(client, page) for page in pages}
    assert {page: (few[page], many[page]) for page in pages if many[page] > few[page]} == {}
