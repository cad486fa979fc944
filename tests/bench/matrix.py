"""The matrix of everybody's roles in a large organization, against the same rows fetched by bare SQL."""

from __future__ import annotations

import os
from typing import Any

import django

from tests.bench.ground import Ground
from tests.bench.lists import analyze, database, in_turns
from tests.bench.table import Row

PEOPLE, SPACES, EVERY = 500, 60, 3  # everybody holds a role in each third space


def measure(ground: Ground) -> list[Row]:
    """Measure the page in this process: the door with its middleware and template, but no sockets."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paas.settings")
    django.setup()
    ground.say(f"the matrix of {PEOPLE} people and {SPACES} spaces")
    from django.test import override_settings

    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with database(), override_settings(STORAGES=plain):  # nothing was collected for this process
        manager, organization = _team()
        analyze()
        return _pages(manager, organization)


def _team() -> tuple[Any, Any]:
    from django.contrib.auth.models import Permission

    from accounts.models import User
    from tenants import access
    from tenants.models import (
        Organization,
        OrganizationQuota,
        OrganizationRole,
        QuotaUse,
        Region,
        Space,
        SpaceRole,
    )

    region = Region.objects.get_or_create(name="local", defaults={"is_default": True})[0]
    quota = OrganizationQuota.objects.get_or_create(name="default")[0]
    organization = Organization.objects.create(name="large", quota=quota)
    QuotaUse.objects.create(organization=organization)
    manager = User.objects.person("manager@example.org")
    for role in ("organization_user", "organization_manager"):
        access.give(manager, role, organization, by=manager)
    people = User.objects.bulk_create(
        User(username=f"person-{n}@example.org", email=f"p{n}@example.org") for n in range(PEOPLE - 1)
    )
    spaces = Space.objects.bulk_create(
        Space(organization=organization, name=f"space {n}", region=region) for n in range(SPACES)
    )
    held = {name: Permission.objects.get(codename=name) for name in ("organization_user", "space_developer")}
    member = {"permission": held["organization_user"], "cf_type": "organization_user", "content_object": organization}
    OrganizationRole.objects.bulk_create(OrganizationRole(user=person, **member) for person in people)
    developer = {"permission": held["space_developer"], "cf_type": "space_developer"}
    SpaceRole.objects.bulk_create(
        SpaceRole(user=person, content_object=space, **developer)
        for n, person in enumerate(people)
        for m, space in enumerate(spaces)
        if (n + m) % EVERY == 0
    )
    return manager, organization


def _pages(manager: Any, organization: Any) -> list[Row]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from tenants.views.matrix import PEOPLE as ROWS
    from tenants.views.matrix import SPACES as COLUMNS

    client = Client(headers={"accept": "text/html"}, SERVER_NAME="localhost")
    client.force_login(manager)

    def ours() -> int:
        answer = client.get(f"/orgs/{organization.guid}/access")
        assert answer.status_code == 200, answer.content
        return len(answer.content)

    given = {"organization": organization.pk, "rows": ROWS, "columns": COLUMNS}

    def reference() -> None:
        with connection.cursor() as cursor:
            for statement in STATEMENTS:
                cursor.execute(statement, given)
                cursor.fetchall()

    with CaptureQueriesContext(connection) as queries:
        size = ours()
    note = f"{len(queries)} queries, {size / 1000:,.0f} kB of HTML; the reference fetches the rows and draws nothing"
    what = f"matrix of {PEOPLE} by {SPACES}, one page of {ROWS} by {COLUMNS}"
    return [Row(what, "ms", *in_turns(ours, reference), note=note)]


_MEMBERS = "SELECT user_id FROM tenants_organizationrole WHERE content_object_id = %(organization)s"
_SHOWN = f"SELECT id FROM accounts_user WHERE id IN ({_MEMBERS}) ORDER BY lower(username), id LIMIT %(rows)s"
_ACROSS = (
    "SELECT id FROM tenants_space WHERE organization_id = %(organization)s ORDER BY lower(name), id LIMIT %(columns)s"
)
STATEMENTS = (
    f"SELECT count(*) FROM accounts_user WHERE id IN ({_MEMBERS})",
    f"SELECT id, guid, username, email, given_name, family_name FROM accounts_user WHERE id IN ({_SHOWN})",
    "SELECT count(*) FROM tenants_space WHERE organization_id = %(organization)s",
    f"SELECT id, guid, name FROM tenants_space WHERE id IN ({_ACROSS})",
    "SELECT r.user_id, p.codename FROM tenants_organizationrole r JOIN auth_permission p ON p.id = r.permission_id "
    f"WHERE r.content_object_id = %(organization)s AND r.user_id IN ({_SHOWN})",
    "SELECT r.user_id, r.content_object_id, p.codename FROM tenants_spacerole r JOIN auth_permission p ON p.id = r.permission_id "
    f"WHERE r.content_object_id IN ({_ACROSS}) AND r.user_id IN ({_SHOWN})",
)
