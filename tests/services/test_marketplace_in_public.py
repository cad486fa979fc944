"""Whoever has no token reads what is open to everybody, as with Cloud Foundry, unless the flag hides it."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from services.models import Plan, PlanVisibility
from tenants.models import FeatureFlag

pytestmark = pytest.mark.django_db
WITH_ALL = "?include=service_offering&fields[service_offering.service_broker]=name,guid&available=true"


def names(path: str) -> list[str]:
    answer = APIClient().get(path)
    assert answer.status_code == 200, answer.content
    return [each["name"] for each in answer.json()["resources"]]


def test_plans_that_are_open_to_everybody_are_read_without_a_token(plans: dict[str, Plan], org: Any) -> None:
    PlanVisibility.objects.create(plan=plans["large"], organization=org)
    Plan.objects.filter(name="large").update(visibility_type=Plan.Visibility.ORGANIZATION)
    assert names(f"/v3/service_plans{WITH_ALL}") == ["small"]
    assert names("/v3/service_offerings") == ["db"]
    small, large = (f"/v3/service_plans/{plans[name].guid}" for name in ("small", "large"))
    assert [APIClient().get(path).status_code for path in (small, large)] == [200, 404]
    Plan.objects.update(visibility_type=Plan.Visibility.ADMIN)
    assert names("/v3/service_plans") == names("/v3/service_offerings") == []


def test_nothing_else_is(plans: dict[str, Plan]) -> None:
    plan = f"/v3/service_plans/{plans['small'].guid}"
    asked = [("get", f"{plan}/visibility"), ("patch", plan), ("delete", plan), ("get", "/v3/service_brokers")]
    for method, path in asked:
        assert getattr(APIClient(), method)(path).status_code == 401, path


def test_the_flag_hides_it(plans: dict[str, Plan]) -> None:
    FeatureFlag.objects.create(name="hide_marketplace_from_unauthenticated_users", enabled=True)
    for path in ("/v3/service_plans", "/v3/service_offerings"):
        assert APIClient().get(path).status_code == 401


def test_a_token_that_is_wrong_is_refused(plans: dict[str, Plan]) -> None:
    client = APIClient(headers={"Authorization": "bearer nonsense"})
    assert client.get("/v3/service_plans").status_code == 401


def test_it_costs_the_same_however_much_there_is(plans: dict[str, Plan], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(5):
        names(f"/v3/service_plans{WITH_ALL}")


def test_brokers_are_told_where_the_platform_is(plans: dict[str, Plan], foreign: Any, settings: Any) -> None:
    (call,) = foreign.asked("catalog")
    assert call.headers["x-api-info-location"] == f"{settings.PAAS_DOMAIN}{settings.PAAS_PORT_SUFFIX}/v2/info"
