"""What a quota refuses begins as Cloud Foundry says it, and names the limit."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from tenants import quotas
from tenants.models import QuotaUse, SpaceQuota
from tenants.quotas import QuotaExceeded

pytestmark = pytest.mark.django_db
LIMITS = {limit.column: 10 for limit in quotas.LIMITS.values()} | {"per_process_memory_mb": 10, "per_app_tasks": 2}
SAYS = {
    "memory_mb": ("memory quota_exceeded", "memory space_quota_exceeded"),
    "instances": (
        "app_instance_limit app_instance_limit_exceeded",
        "app_instance_limit space_app_instance_limit_exceeded",
    ),
    "log_rate": ("log_rate_limit exceeds organization log rate quota", "log_rate_limit exceeds space log rate quota"),
    "routes": ("Routes quota exceeded for organization 'ministry'", "Routes quota exceeded for space 'production'"),
    "service_instances": (
        "You have exceeded your organization's services limit.",
        "You have exceeded your space's services limit.",
    ),
    "service_keys": (
        "You have exceeded your organization's limit for service binding of type key.",
        "You have exceeded your space's limit for service binding of type key.",
    ),
}


@pytest.fixture(params=[0, 1], ids=["organization", "space"])
def limited(request: Any, space: Any, quota: Any) -> int:
    """Limit the organization, or the space."""
    if request.param:
        del (mine := dict(LIMITS))["total_domains"]
        space.quota = SpaceQuota.objects.create(organization=space.organization, name="small", **mine)
        space.save()
    else:
        type(quota).objects.filter(pk=quota.pk).update(**LIMITS)
    return int(request.param)


@pytest.mark.parametrize("what", SAYS)
def test_what_is_too_much_is_refused_and_not_counted(limited: int, space: Any, what: str) -> None:
    quotas.take(space, **{what: 6})
    with pytest.raises(QuotaExceeded) as refused, transaction.atomic():
        quotas.take(space, **{what: 5})
    said = refused.value.detail
    assert said.startswith(SAYS[what][limited])
    unit = quotas.LIMITS[what].unit
    assert f"10{unit} at most, 6{unit} used, 5{unit} more asked for" in said
    assert getattr(QuotaUse.objects.get(space=space), what) == 6
    quotas.give(space, **{what: 6})
    assert getattr(QuotaUse.objects.get(organization=space.organization), what) == 0


def test_instances_and_tasks_have_limits_of_their_own(limited: int, space: Any) -> None:
    place = ("organization", "space")[limited]
    for refused, says in (
        (
            lambda: quotas.check_process_memory(space, 11),
            ("memory instance_memory_limit_exceeded", "memory space_instance_memory_limit_exceeded")[limited],
        ),
        (
            lambda: quotas.check_process_memory(space, 11, of_task=True),
            f"memory_in_mb exceeds {place} instance memory quota",
        ),
        (lambda: quotas.check_log_rate(space, -1), f"log_rate_limit exceeds {place} log rate quota"),
        (lambda: quotas.check_tasks(space, 2), "app_task_limit quota exceeded"),
        (lambda: quotas.take_for_task(space, memory_mb=11), f"memory_in_mb exceeds {place} memory quota"),
    ):
        with pytest.raises(QuotaExceeded) as error:
            refused()
        assert error.value.detail.startswith(says)
    quotas.check_process_memory(space, 10)
    quotas.check_log_rate(space, 5)
    quotas.check_tasks(space, 1)
