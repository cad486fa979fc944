"""Managers are told once of each limit of which little is left, until it has been below that again."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Mail
from tenants import access
from tenants.actions import space_quota
from tenants.jobs.quotas import warn
from tenants.models import QuotaUse

pytestmark = pytest.mark.django_db


def use(place: Any, **amounts: int) -> None:
    QuotaUse.objects.filter(**{type(place).__name__.lower(): place}).update(**amounts)


def told() -> list[str]:
    return list(Mail.objects.filter(kind="quota-warning").order_by("id").values_list("to", flat=True))


def test_each_limit_is_told_once_until_it_fell_below(dora: Any, org: Any, quota: Any) -> None:
    use(org, memory_mb=quota.total_memory_mb * 8 // 10 - 1)
    warn()
    assert told() == []
    use(org, memory_mb=quota.total_memory_mb * 8 // 10)
    for _twice in range(2):
        warn()
    assert told() == [dora.email]
    mail = Mail.objects.get()
    assert "Memory: 80 GB of 100 GB" in mail.body and f"/orgs/{org.guid}/use" in mail.body
    assert QuotaUse.objects.get(organization=org).warned_at
    use(org, routes=quota.total_routes)  # another limit is another mail, of that alone
    warn()
    assert len(told()) == 2
    assert "Memory" not in Mail.objects.latest("id").body and "Routes: 1000 of 1000" in Mail.objects.latest("id").body
    use(org, memory_mb=0)
    warn()
    use(org, memory_mb=quota.total_memory_mb)
    warn()
    assert len(told()) == 3 and "Routes" not in Mail.objects.latest("id").body


def test_a_spaces_managers_are_told_and_without_any_the_organizations(
    dora: Any, alice: Any, bob: Any, root: Any, org: Any, space: Any
) -> None:
    space_quota.create(dora, org, name="small", spaces=[space], total_instances=5, total_service_instances=5)
    use(space, instances=4)
    warn()
    assert told() == [dora.email]
    access.give(alice, "space_manager", space, by=root)
    use(space, service_instances=5)
    warn()
    assert told() == [dora.email, alice.email]
    assert f"/spaces/{space.guid}/use" in Mail.objects.latest("id").body


def test_what_has_no_limit_or_is_being_deleted_warns_nobody(dora: Any, org: Any, space: Any, now: Any) -> None:
    use(org, instances=1000)
    use(space, memory_mb=10**9, routes=10**6)
    warn()
    use(org, routes=10**6)
    org.deleting_at = now
    org.save()
    warn()
    assert told() == []
