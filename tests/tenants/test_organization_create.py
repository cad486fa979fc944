"""A new organization has the default quota and a sandbox that its maker develops in and manages."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent
from tenants import access
from tenants.actions import organization as actions
from tenants.models import FeatureFlag, Organization, OrganizationQuota, QuotaUse, Space

pytestmark = pytest.mark.django_db


def test_it_gets_the_default_quota_and_a_sandbox(api: Any, root: Any, quota: Any, region: Any) -> None:
    OrganizationQuota.objects.create(name="another")
    made = api(root).post("/v3/organizations", {"name": "treasury", "suspended": False})
    assert made.status_code == 201
    assert made.json()["relationships"]["quota"]["data"]["guid"] == quota.guid
    sandbox = Space.objects.get(organization__name="treasury")
    assert sandbox.name == "sandbox" and QuotaUse.objects.filter(space=sandbox).exists()
    assert access.roles_held(root, space=sandbox) == {
        "organization_user", "organization_manager", "space_developer", "space_manager",
    }  # fmt: skip
    types = set(AuditEvent.objects.filter(organization_name="treasury").values_list("type", flat=True))
    assert types >= {"audit.organization.create", "audit.space.create", "audit.user.space_developer_add"}
    again = api(root).post("/v3/organizations", {"name": "treasury"})
    assert again.json()["errors"][0]["detail"] == "Organization 'treasury' already exists."
    assert Space.objects.filter(name="sandbox").count() == 1


def test_whoever_is_let_by_the_flag_has_one_too(charlie: Any, quota: Any, region: Any) -> None:
    FeatureFlag.objects.create(name="user_org_creation", enabled=True)
    made = actions.create(charlie, name="harbour")
    assert access.may(charlie, "app.push", made.spaces.get()) and access.may(charlie, "space.delete", made.spaces.get())


def test_others_make_none(api: Any, alice: Any, bob: Any) -> None:
    for person in (alice, bob):
        assert api(person).post("/v3/organizations", {"name": "x"}).status_code == 403
    assert not Organization.objects.filter(name="x").exists()
