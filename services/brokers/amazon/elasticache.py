"""Redis in ElastiCache: a replication group for each instance, and for each binding a user of that group alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from services.brokers.base import Binding, Bound, Fetched, Instance, Previous
from services.brokers.engine import secrets
from services.brokers.engine.base import NotAllowed, NotReady, Schemas, schema

from .base import FINAL, PLAN, WEEKLY, Kind, weekly
from .cloud import Failed, labels, tags

Found = Mapping[str, Any]
PORT, BACKUP_DAYS = 6379, 7
ENGINE = "redis"
POLICY = "maxmemory_policy"
POLICIES = (
    "volatile-lru", "allkeys-lru", "volatile-lfu", "allkeys-lfu", "volatile-random", "allkeys-random", "volatile-ttl",
    "noeviction",
)  # fmt: skip
NOBODY = "off ~keys* -@all"  # every group needs a user called "default", who shall not get in
EVERYTHING = "on ~* &* +@all -@admin"


class Caches(Kind):
    tags, plan_updateable = ("redis",), True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        evicts = {"type": "string", "enum": [*POLICIES], "description": "What goes when memory is full."}
        both = schema(maxmemory_policy=evicts, preferred_maintenance_window=WEEKLY)
        self.schemas = Schemas(create=both, update=both, bind=schema())

    def make(self, instance: Instance) -> None:
        found = self._found(instance)
        if found is None:
            self._prepare(instance)
            self._create(instance)
            raise NotReady("Amazon makes the cache.")
        self.check_plan(instance, self._labels(found))
        self._check_available(found)

    def change(self, instance: Instance, previous: Previous) -> None:
        found, given = self._existing(instance), instance.parameters or {}
        if found["Status"] != "available":
            raise NotReady(f"Amazon is at work on the cache: {found['Status']}.")
        after, before = self.plan(instance), self.offer.plan(self._labels(found).get(PLAN, ""))
        wanted = weekly(given)
        if before != after:
            if len(found["MemberClusters"]) != after.more["nodes"]:
                raise NotAllowed(f"{after.name} has another number of machines. Make a new cache of that plan.")
            wanted["CacheNodeType"] = after.more["node"]
        if POLICY in given:
            self._evict(instance, given[POLICY])
        if wanted:
            name = found["ReplicationGroupId"]
            self.cloud.call(
                "elasticache", "modify_replication_group", ReplicationGroupId=name, ApplyImmediately=True, **wanted
            )
            whose = tags({PLAN: after.id})
            self.cloud.call("elasticache", "add_tags_to_resource", ResourceName=found["ARN"], Tags=whose)

    def settle(self, instance: Instance) -> None:
        self._check_available(self._existing(instance))

    def drop(self, instance: Instance) -> None:
        found, name = self._found(instance), self.cloud.short_name(instance.guid)
        if found is not None:
            if found["Status"] != "deleting":
                self._delete(instance, found)
            raise NotReady("Amazon deletes the cache.")
        self._without("UserGroupNotFound", "delete_user_group", UserGroupId=name)
        self._without("UserNotFound", "delete_user", UserId=name)
        self._without("CacheParameterGroupNotFound", "delete_cache_parameter_group", CacheParameterGroupName=name)
        if self._group(name) is not None:
            raise NotReady("Amazon deletes the group of users.")

    def look(self, instance: Instance) -> Fetched | None:
        found = self._found(instance)
        if found is None:
            return None
        group = self.cloud.short_name(instance.guid)
        set_here = {"CacheParameterGroupName": group, "Source": "user"}
        kept = self.cloud.pages("elasticache", "describe_cache_parameters", "Parameters", **set_here)
        values = {each["ParameterName"]: each.get("ParameterValue") for each in kept}
        policy = values.get("maxmemory-policy")
        return Fetched({POLICY: policy} if policy else {}, plan_id=self._labels(found).get(PLAN, ""))

    def add_user(self, binding: Binding) -> dict[str, Any]:
        found = self._existing(binding.instance)
        self._check_available(found)
        user, group = self.cloud.short_name(binding.guid), self.cloud.short_name(binding.instance.guid)
        whose = {**self.labels(binding.instance), "paas:binding": binding.guid}
        if self._user(user) is None:
            self._make_user(user, binding.guid, whose, AccessString=EVERYTHING, Passwords=[self._password(binding)])
        there = self._group(group) or {}
        if user not in there.get("UserIds", []) and there.get("Status") == "active":
            self.cloud.call("elasticache", "modify_user_group", UserGroupId=group, UserIdsToAdd=[user])
            there = self._group(group) or {}
        if user not in there.get("UserIds", []) or there.get("Status") != "active":
            raise NotReady("Amazon lets the user in.")
        return self._credentials(found, binding)

    def drop_user(self, binding: Binding) -> None:
        """Its groups lose it with it, and its connections end."""
        user = self._user(self.cloud.short_name(binding.guid))
        if user is None:
            return
        if user.get("Status") != "deleting":
            self.cloud.call("elasticache", "delete_user", UserId=user["UserId"])
        if self._user(user["UserId"]) is not None:
            raise NotReady("Amazon removes the user.")

    def look_user(self, binding: Binding) -> Fetched | None:
        found = self._found(binding.instance)
        if found is None or self._user(self.cloud.short_name(binding.guid)) is None:
            return None
        return Fetched({}, bound=Bound(self._credentials(found, binding)))

    def forget(self, before: datetime) -> None:
        of_ours = self.cloud.pages("elasticache", "describe_snapshots", "Snapshots", SnapshotSource="user")
        for each in [*of_ours]:
            name, taken = each["SnapshotName"], [node["SnapshotCreateTime"] for node in each["NodeSnapshots"]]
            ours = name.startswith(self.cloud.short_name("")) and name.endswith(FINAL)
            if ours and each["SnapshotStatus"] == "available" and taken and max(taken) < before:
                self.cloud.call("elasticache", "delete_snapshot", SnapshotName=name)

    # ---------------------------------------------------------------------------------------------------------------

    def _prepare(self, instance: Instance) -> None:
        """Make what the cache stands on: who may get in (so far nobody), and its settings."""
        name, whose = self.cloud.short_name(instance.guid), self.labels(instance)
        if self._user(name) is None:
            self._make_user(name, "default", whose, AccessString=NOBODY, NoPasswordRequired=True)
        if self._group(name) is None:
            group = {"UserGroupId": name, "UserIds": [name], "Tags": tags(whose)}
            self.cloud.call("elasticache", "create_user_group", Engine=ENGINE, **group)
        if (self._group(name) or {}).get("Status") != "active":
            raise NotReady("Amazon makes the group of users.")
        try:
            self.cloud.call(
                "elasticache",
                "create_cache_parameter_group",
                CacheParameterGroupName=name,
                CacheParameterGroupFamily=self.offer.more["family"],
                Description=instance.guid,
                Tags=tags(whose),
            )
        except Failed as error:
            if error.reason != "CacheParameterGroupAlreadyExists":
                raise
        self._evict(instance, (instance.parameters or {}).get(POLICY, POLICIES[0]))

    def _create(self, instance: Instance) -> None:
        account, given, more = self.cloud.account, instance.parameters or {}, self.plan(instance).more
        name = self.cloud.short_name(instance.guid)
        self.cloud.call(
            "elasticache",
            "create_replication_group",
            ReplicationGroupId=name,
            ReplicationGroupDescription=instance.guid,
            Engine=ENGINE,
            EngineVersion=str(self.offer.more["version"]),
            CacheNodeType=more["node"],
            NumNodeGroups=1,
            ReplicasPerNodeGroup=more["nodes"] - 1,
            AutomaticFailoverEnabled=more["nodes"] > 1,
            MultiAZEnabled=more["nodes"] > 1,
            CacheParameterGroupName=name,
            UserGroupIds=[name],
            TransitEncryptionEnabled=True,
            AtRestEncryptionEnabled=True,
            SnapshotRetentionLimit=BACKUP_DAYS,
            AutoMinorVersionUpgrade=True,
            Tags=tags(self.labels(instance)),
            **({"KmsKeyId": account.kms_key} if account.kms_key else {}),
            **({"CacheSubnetGroupName": account.cache_subnet_group} if account.cache_subnet_group else {}),
            **({"SecurityGroupIds": [*account.security_groups]} if account.security_groups else {}),
            **weekly(given),
        )

    def _delete(self, instance: Instance, found: Found) -> None:
        name, plan = found["ReplicationGroupId"], self.offer.plan(instance.plan_id)
        last = {"FinalSnapshotIdentifier": name + FINAL} if plan is None or plan.more.get("final_snapshot") else {}
        if found["Status"] in ("creating", "create-failed"):
            last = {}
        self.cloud.call("elasticache", "delete_replication_group", ReplicationGroupId=name, **last)

    def _make_user(self, id: str, name: str, whose: Mapping[str, str], **way: Any) -> None:
        self.cloud.call("elasticache", "create_user", UserId=id, UserName=name, Engine=ENGINE, Tags=tags(whose), **way)

    def _evict(self, instance: Instance, policy: str) -> None:
        self.cloud.call(
            "elasticache",
            "modify_cache_parameter_group",
            CacheParameterGroupName=self.cloud.short_name(instance.guid),
            ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": policy}],
        )

    def _check_available(self, found: Found) -> None:
        if found["Status"] == "create-failed":
            raise NotAllowed("Amazon could not make the cache. Tell the platform team.")
        if found["Status"] != "available":
            raise NotReady(f"Amazon is at work on the cache: {found['Status']}.")

    def _found(self, instance: Instance) -> Found | None:
        name = self.cloud.short_name(instance.guid)
        told = {"ReplicationGroupId": name}
        return self._first("ReplicationGroupNotFound", "describe_replication_groups", "ReplicationGroups", **told)

    def _existing(self, instance: Instance) -> Found:
        found = self._found(instance)
        if found is None:
            raise NotAllowed(f"The cache {instance.name} is not there: it was never made, or is deleted.")
        return found

    def _user(self, id: str) -> Found | None:
        return self._first("UserNotFound", "describe_users", "Users", UserId=id)

    def _group(self, id: str) -> Found | None:
        return self._first("UserGroupNotFound", "describe_user_groups", "UserGroups", UserGroupId=id)

    def _first(self, missing: str, operation: str, key: str, **which: str) -> Found | None:
        found = self._without(missing, operation, **which)
        return dict(found[key][0]) if found and found[key] else None

    def _without(self, missing: str, operation: str, **which: str) -> dict[str, Any] | None:
        """Call it; None where there is no such thing."""
        try:
            return self.cloud.call("elasticache", operation, **which)
        except Failed as error:
            if error.reason != missing:
                raise
        return None

    def _labels(self, found: Found) -> dict[str, str]:
        told = self.cloud.call("elasticache", "list_tags_for_resource", ResourceName=found["ARN"])
        return labels(told["TagList"])

    def _password(self, binding: Binding) -> str:
        return secrets.password(self.keys[0], "binding", binding.guid)

    def _credentials(self, found: Found, binding: Binding) -> dict[str, Any]:
        host, port = (found["NodeGroups"][0]["PrimaryEndpoint"][part] for part in ("Address", "Port"))
        password = self._password(binding)
        return {
            "host": host,
            "port": port,
            "name": "0",
            "username": binding.guid,
            "password": password,
            "tls_enabled": True,
            "uri": f"rediss://{quote(binding.guid)}:{quote(password)}@{host}:{port}/0",
        }
