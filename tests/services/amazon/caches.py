"""What moto's ElastiCache lacks: groups of users, groups of parameters, and caches that are gone once deleted."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.responses import ElastiCacheResponse


class Missing(ElastiCacheException):
    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__("There is no such thing.")


def complete() -> None:
    """Teach moto's server the rest; what it knows already is left as it is."""
    for name, method in KNOWN.items():
        setattr(ElastiCacheResponse, name, method)


def _kept(self: Any, what: str) -> dict[str, Any]:
    """Where the account's things of a kind are kept, beside moto's own."""
    found: dict[str, Any] = self.elasticache_backend.__dict__.setdefault(f"_more_{what}", {})
    return found


def _one(self: Any, what: str, name: str, missing: str) -> Any:
    try:
        return _kept(self, what)[name]
    except KeyError as error:
        raise Missing(missing) from error


def _group(self: Any) -> Any:
    return _one(self, "groups", self._get_param("UserGroupId"), "UserGroupNotFound")


def create_user_group(self: Any) -> ActionResult:
    given = self._get_params()
    made = {"UserGroupId": given["UserGroupId"], "Status": "active", "Engine": given["Engine"]}
    _kept(self, "groups")[given["UserGroupId"]] = made | {"UserIds": list(given["UserIds"])}
    return ActionResult(made)


def modify_user_group(self: Any) -> ActionResult:
    group, given = _group(self), self._get_params()
    group["UserIds"] += given.get("UserIdsToAdd", [])
    return ActionResult(group)


def describe_user_groups(self: Any) -> ActionResult:
    group = _group(self)
    there = self.elasticache_backend.users
    return ActionResult({"UserGroups": [group | {"UserIds": [user for user in group["UserIds"] if user in there]}]})


def delete_user_group(self: Any) -> ActionResult:
    _group(self)
    return ActionResult(_kept(self, "groups").pop(self._get_param("UserGroupId")))


def delete_replication_group(self: Any) -> ActionResult:
    name = self._get_param("ReplicationGroupId")
    group = self.elasticache_backend.delete_replication_group(name, retain_primary_cluster=False)
    if final := self._get_param("FinalSnapshotIdentifier"):
        _kept(self, "finals")[final] = name
    del self.elasticache_backend.replication_groups[name]
    return ActionResult({"ReplicationGroup": group})


def create_cache_parameter_group(self: Any) -> ActionResult:
    name = self._get_param("CacheParameterGroupName")
    _kept(self, "parameters").setdefault(name, {})
    return ActionResult({"CacheParameterGroup": {"CacheParameterGroupName": name}})


def modify_cache_parameter_group(self: Any) -> ActionResult:
    name, given = self._get_param("CacheParameterGroupName"), self._get_params()["ParameterNameValues"]
    values = _one(self, "parameters", name, "CacheParameterGroupNotFound")
    values.update({each["ParameterName"]: each["ParameterValue"] for each in given})
    return ActionResult({"CacheParameterGroupName": name})


def describe_cache_parameters(self: Any) -> ActionResult:
    values = _one(self, "parameters", self._get_param("CacheParameterGroupName"), "CacheParameterGroupNotFound")
    return ActionResult({"Parameters": [{"ParameterName": n, "ParameterValue": v} for n, v in values.items()]})


def delete_cache_parameter_group(self: Any) -> ActionResult:
    name = self._get_param("CacheParameterGroupName")
    _one(self, "parameters", name, "CacheParameterGroupNotFound")
    del _kept(self, "parameters")[name]
    return ActionResult({})


KNOWN = {
    each.__name__: each
    for each in (
        create_user_group, modify_user_group, describe_user_groups, delete_user_group,
        delete_replication_group, create_cache_parameter_group, modify_cache_parameter_group,
        describe_cache_parameters, delete_cache_parameter_group,
    )
}  # fmt: skip
