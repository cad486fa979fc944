"""Redis in ElastiCache, as Amazon's API has it: moto runs no server, so nobody can log in here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.brokers.base import Accepted, Done, Instance, Previous, Progress, Refused
from tests.services.amazon.stand_in import Amazon

KIND = "aws-elasticache-redis"


def made(amazon: Amazon, plan: str, **parameters: Any) -> Instance:
    instance = amazon.instance(KIND, plan, **parameters)
    assert isinstance(amazon.broker.provision(instance), Accepted)
    assert amazon.broker.poll(instance, "provision") == Progress("succeeded")
    return instance


@pytest.fixture(scope="module")
def cache(amazon: Amazon) -> Instance:
    return made(amazon, "tiny-7")


def name(guid: str) -> str:
    return "paas-" + guid.replace("-", "")


def there(amazon: Amazon, instance: Instance) -> dict[str, Any]:
    groups = amazon.client("elasticache").describe_replication_groups(ReplicationGroupId=name(instance.guid))
    (found,) = groups["ReplicationGroups"]
    return dict(found)


def test_a_cache_is_as_its_plan_says_and_encrypted(amazon: Amazon) -> None:
    cache = made(amazon, "small-ha-7")
    found = there(amazon, cache)
    assert found["CacheNodeType"] == "cache.t3.medium" and len(found["MemberClusters"]) == 2
    assert found["AutomaticFailover"] == found["MultiAZ"] == "enabled"
    assert found["TransitEncryptionEnabled"] and found["AtRestEncryptionEnabled"]
    assert found["SnapshotRetentionLimit"] == 7


def test_every_binding_has_a_user_of_that_cache_alone_and_nobody_else_gets_in(amazon: Amazon, cache: Instance) -> None:
    binding, client = amazon.binding(cache), amazon.client("elasticache")
    credentials = amazon.credentials(binding)
    assert credentials["uri"].startswith(f"rediss://{binding.guid}:") and credentials["tls_enabled"]
    (group,) = client.describe_user_groups(UserGroupId=name(cache.guid))["UserGroups"]
    assert set(group["UserIds"]) == {name(cache.guid), name(binding.guid)}
    (default,) = client.describe_users(UserId=name(cache.guid))["Users"]
    assert default["UserName"] == "default" and default["AccessString"].startswith("off ")
    (own,) = client.describe_users(UserId=name(binding.guid))["Users"]
    assert own["UserName"] == binding.guid and "-@admin" in own["AccessString"]
    assert isinstance(amazon.broker.remove(binding), Accepted)
    assert amazon.broker.poll(binding, "remove") == Progress("gone") and amazon.broker.fetch(binding) is None


def test_what_goes_when_memory_is_full_is_chosen_and_changed(amazon: Amazon) -> None:
    cache = made(amazon, "tiny-7", maxmemory_policy="allkeys-lru")
    found = amazon.broker.fetch(cache)
    assert found and found.parameters == {"maxmemory_policy": "allkeys-lru"}
    changed = replace(cache, parameters={"maxmemory_policy": "noeviction"})
    assert amazon.broker.update(changed, Previous(cache.plan_id)) == Done()
    found = amazon.broker.fetch(cache)
    assert found and found.parameters == {"maxmemory_policy": "noeviction"}


def test_a_plan_with_another_number_of_machines_is_another_cache(amazon: Amazon, cache: Instance) -> None:
    other = replace(cache, plan_id=amazon.instance(KIND, "tiny-ha-7").plan_id)
    refused = amazon.broker.update(other, Previous(cache.plan_id))
    assert isinstance(refused, Refused) and "number of machines" in refused.error.detail


def test_all_that_it_stood_on_goes_with_it(amazon: Amazon) -> None:
    cache, client = made(amazon, "tiny-7"), amazon.client("elasticache")
    assert isinstance(amazon.broker.remove(cache), Accepted)
    assert amazon.broker.poll(cache, "remove") == Progress("gone")
    for gone in (
        lambda: client.describe_user_groups(UserGroupId=name(cache.guid)),
        lambda: client.describe_cache_parameters(CacheParameterGroupName=name(cache.guid)),
    ):
        with pytest.raises(client.exceptions.ClientError, match="NotFound"):
            gone()
    assert amazon.broker.remove(cache) == Done()
