"""Databases in RDS: Amazon's API makes and changes them, and what is inside them is done as in those of our own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from services.brokers.base import Binding, Bound, Fetched, Instance, Previous
from services.brokers.engine import secrets
from services.brokers.engine.base import NotAllowed, NotReady, Schemas, Site, Size, User
from services.brokers.engine.configuration import RESTORE

from . import restores, versions
from .base import FINAL, PLAN, WEEKLY, WINDOW, Kind, weekly
from .cloud import Failed, labels, tags
from .databases import KINDS, MASTERS, Inside
from .plans import Plan

Found = Mapping[str, Any]
DATABASE, BACKUP_DAYS = "main", 7
AT_WINDOW, NEWEST_MINOR = "apply_at_maintenance_window", "update_minor_version_to_latest"
RESTORED = "paas:restored"  # "new": it has the password of whom it was made from; "known": and the users
CHANGES = "paas:changes"  # whether those that were asked for last are made now, or later at its window
BROKEN = (
    "failed", "inaccessible-encryption-credentials", "incompatible-create", "incompatible-network",
    "incompatible-option-group", "incompatible-parameters", "incompatible-restore", "restore-error",
)  # fmt: skip
UNFINISHED = ("creating", *BROKEN)  # of which no snapshot can be taken


class Databases(Kind):
    engine: ClassVar[str]  # as Amazon calls it
    plan_updateable = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.server: Inside = KINDS[self.engine](self.offer.more)
        at = {"type": "boolean", "description": "Change it then, and not at once."}
        newest = {"type": "boolean", "description": "Bring the server to the newest minor version of its release."}
        create, update, bind = (dict(each) for each in self._of_server())
        create["properties"] = {**create["properties"], **RESTORE, WINDOW: WEEKLY}
        update["properties"] = {**update["properties"], WINDOW: WEEKLY, AT_WINDOW: at, NEWEST_MINOR: newest}
        self.schemas = Schemas(create=create, update=update, bind=bind)

    def make(self, instance: Instance) -> None:
        found = self._found(instance.guid)
        if found is None:
            self._create(instance)
            raise NotReady("Amazon makes the database.")
        known = labels(found.get("TagList", []))
        self.check_plan(instance, known)
        self._check_available(found)
        if known.get(RESTORED) == "new":
            self._take_over(instance, found)
            raise NotReady("Amazon gives the database its own password.")
        site = self._site(instance, found)
        self.server.settle(site, instance.parameters or {})
        if RESTORED in known:
            for name in self.server.bound_users(site):  # who were bound to what it was made from
                self.server.drop_user(site, name)
            arn = found["DBInstanceArn"]
            self.cloud.call("rds", "remove_tags_from_resource", ResourceName=arn, TagKeys=[RESTORED])

    def change(self, instance: Instance, previous: Previous) -> None:
        found, given = self._existing(instance), instance.parameters or {}
        if found["DBInstanceStatus"] != "available":
            raise NotReady(f"Amazon is at work on the database: {found['DBInstanceStatus']}.")
        after = self.plan(instance)
        wanted = self._size(instance, found, after) if labels(found["TagList"]).get(PLAN) != after.id else {}
        wanted |= weekly(given)
        if given.get(NEWEST_MINOR) and (version := versions.newest_minor(self.cloud, found)):
            wanted["EngineVersion"] = version
        name, now = found["DBInstanceIdentifier"], not given.get(AT_WINDOW)
        if wanted:
            self.cloud.call("rds", "modify_db_instance", DBInstanceIdentifier=name, ApplyImmediately=now, **wanted)
            self._tag(found, {PLAN: after.id, CHANGES: "now" if now else "later"})
        if given.get("reboot"):
            self.cloud.call("rds", "reboot_db_instance", DBInstanceIdentifier=name)

    def settle(self, instance: Instance) -> None:
        found, given = self._existing(instance), instance.parameters or {}
        self._check_available(found)
        if labels(found["TagList"]).get(CHANGES) == "now" and found.get("PendingModifiedValues"):
            raise NotReady("Amazon changes the database.")
        self.server.settle(self._site(instance, found), given)

    def drop(self, instance: Instance) -> None:
        found = self._found(instance.guid)
        if found is None:
            return
        name, status, plan = found["DBInstanceIdentifier"], found["DBInstanceStatus"], self.offer.plan(instance.plan_id)
        last: dict[str, Any] = {"SkipFinalSnapshot": True}
        if status not in UNFINISHED and (plan is None or plan.more.get("final_snapshot")):
            last = {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": name + FINAL}
        if status != "deleting":
            self.cloud.call("rds", "delete_db_instance", DBInstanceIdentifier=name, **last)
        raise NotReady("Amazon deletes the database.")

    def look(self, instance: Instance) -> Fetched | None:
        found = self._found(instance.guid)
        if found is None:
            return None
        inside = self.server.parameters(self._site(instance, found))
        window = {WINDOW: found["PreferredMaintenanceWindow"]} if found.get("PreferredMaintenanceWindow") else {}
        return Fetched({**inside, **window}, plan_id=labels(found.get("TagList", [])).get(PLAN, ""))

    def add_user(self, binding: Binding) -> dict[str, Any]:
        found = self._existing(binding.instance)
        self._check_available(found)
        site, user = self._site(binding.instance, found), self._user(binding)
        self.server.add_user(site, user, binding.parameters or {})
        return dict(self.server.credentials(site, user))

    def drop_user(self, binding: Binding) -> None:
        if found := self._found(binding.instance.guid):
            self.server.drop_user(self._site(binding.instance, found), self._user(binding).name)

    def look_user(self, binding: Binding) -> Fetched | None:
        found = self._found(binding.instance.guid)
        if found is None:
            return None
        site, user = self._site(binding.instance, found), self._user(binding)
        parameters = self.server.user_parameters(site, user.name)
        if parameters is None:
            return None
        return Fetched(parameters, bound=Bound(self.server.credentials(site, user)))

    def forget(self, before: datetime) -> None:
        of_ours = self.cloud.pages("rds", "describe_db_snapshots", "DBSnapshots", SnapshotType="manual")
        for each in [*of_ours]:
            name = each["DBSnapshotIdentifier"]
            ours = name.startswith(self.cloud.name("")) and name.endswith(FINAL) and each["Engine"] == self.engine
            if ours and each["Status"] == "available" and each["SnapshotCreateTime"] < before:
                self.cloud.call("rds", "delete_db_snapshot", DBSnapshotIdentifier=name)

    # ---------------------------------------------------------------------------------------------------------------

    def _of_server(self) -> tuple[Mapping[str, Any], ...]:
        """The schemas of the same server on our own engine, without where its backups are."""
        found = self.server.schemas
        own = {name: about for name, about in found.create["properties"].items() if name not in RESTORE}
        return {**found.create, "properties": own}, found.update, found.bind

    def _create(self, instance: Instance) -> None:
        wish, plan = restores.wanted(instance.parameters), self.plan(instance)
        if wish is not None:
            self._restore(instance, plan, wish)
            return
        account, more = self.cloud.account, plan.more
        self.cloud.call(
            "rds",
            "create_db_instance",
            Engine=self.engine,
            EngineVersion=str(self.offer.more["version"]),
            AllocatedStorage=more["storage_gb"],
            MasterUsername=MASTERS[self.engine],
            MasterUserPassword=self._passwords(instance)[0],
            DBName=DATABASE,
            StorageEncrypted=True,
            BackupRetentionPeriod=BACKUP_DAYS,
            **({"KmsKeyId": account.kms_key} if account.kms_key else {}),
            **self._shape(instance, plan),
            Tags=tags(self.labels(instance)),
        )

    def _restore(self, instance: Instance, plan: Plan, wish: restores.Wanted) -> None:
        whose = tags({**self.labels(instance), RESTORED: "new"})
        shape = {**self._shape(instance, plan), "Tags": whose}
        if wish.snapshot:
            found = restores.snapshot(self.cloud, instance, wish)
            self._check_source(found, plan)
            taken = found["DBSnapshotIdentifier"]
            self.cloud.call("rds", "restore_db_instance_from_db_snapshot", DBSnapshotIdentifier=taken, **shape)
            return
        found = restores.source(self.cloud, instance, wish)
        self._check_source(found, plan)
        name = shape.pop("DBInstanceIdentifier")
        names = {"SourceDBInstanceIdentifier": found["DBInstanceIdentifier"], "TargetDBInstanceIdentifier": name}
        at = {"RestoreTime": wish.before} if wish.before else {"UseLatestRestorableTime": True}
        self.cloud.call("rds", "restore_db_instance_to_point_in_time", **names, **at, **shape)

    def _check_source(self, found: Found, plan: Plan) -> None:
        if found["Engine"] != self.engine:
            raise NotAllowed("What is to be restored is a database of another kind. Choose a plan of that one.")
        if found["AllocatedStorage"] > plan.more["storage_gb"]:
            raise NotAllowed(
                f"The plan {plan.name} has {plan.more['storage_gb']} GB of disk, less than what is to be restored "
                f"had ({found['AllocatedStorage']} GB). Choose a larger one."
            )

    def _shape(self, instance: Instance, plan: Plan) -> dict[str, Any]:
        """What creating and restoring take alike."""
        account = self.cloud.account
        return {
            "DBInstanceIdentifier": self.cloud.name(instance.guid),
            "DBInstanceClass": plan.more["class"],
            "MultiAZ": plan.more["standby"],
            "StorageType": "gp2",
            "PubliclyAccessible": False,
            "AutoMinorVersionUpgrade": True,
            "CopyTagsToSnapshot": True,
            **({"DBSubnetGroupName": account.subnet_group} if account.subnet_group else {}),
            **({"VpcSecurityGroupIds": [*account.security_groups]} if account.security_groups else {}),
            **weekly(instance.parameters or {}),
        }

    def _take_over(self, instance: Instance, found: Found) -> None:
        """Give a database that was made from another its own password, its plan's disk, and backups."""
        own = {"MasterUserPassword": self._passwords(instance)[0], "BackupRetentionPeriod": BACKUP_DAYS}
        wanted = {**self._size(instance, found, self.plan(instance)), **own}
        name = found["DBInstanceIdentifier"]
        self.cloud.call("rds", "modify_db_instance", DBInstanceIdentifier=name, ApplyImmediately=True, **wanted)
        self._tag(found, {RESTORED: "known"})

    def _size(self, instance: Instance, found: Found, plan: Plan) -> dict[str, Any]:
        """What makes it as large as the plan says; raise where it would have to shrink."""
        storage, now = plan.more["storage_gb"], found["AllocatedStorage"]
        if storage < now:
            raise NotAllowed(
                f"The plan {plan.name} has {storage} GB of disk, less than the {now} GB of {instance.name}, and a disk "
                "cannot shrink. Make a new instance and move the data."
            )
        more = {"AllocatedStorage": storage} if storage > now else {}
        return {"DBInstanceClass": plan.more["class"], "MultiAZ": plan.more["standby"], **more}

    def _check_available(self, found: Found) -> None:
        status = found["DBInstanceStatus"]
        if status in BROKEN:
            raise NotAllowed(f"Amazon cannot run the database: {status}. Tell the platform team.")
        if status != "available" and not status.startswith("storage-optimization"):
            raise NotReady(f"Amazon is at work on the database: {status}.")

    def _found(self, guid: str) -> Found | None:
        try:
            name = self.cloud.name(guid)
            return dict(self.cloud.call("rds", "describe_db_instances", DBInstanceIdentifier=name)["DBInstances"][0])
        except Failed as error:
            if error.reason != "DBInstanceNotFound":
                raise
        return None

    def _existing(self, instance: Instance) -> Found:
        found = self._found(instance.guid)
        if found is None:
            raise NotAllowed(f"The database {instance.name} is not there: it was never made, or is deleted.")
        return found

    def _tag(self, found: Found, changed: Mapping[str, str]) -> None:
        self.cloud.call("rds", "add_tags_to_resource", ResourceName=found["DBInstanceArn"], Tags=tags(changed))

    def _site(self, instance: Instance, found: Found) -> Site:
        if not found.get("Endpoint"):
            raise NotReady(f"The database has no address yet: {found['DBInstanceStatus']}.")
        connections = self.plan(instance).more["connections"]
        return Site(
            guid=instance.guid,
            address="",  # the name is looked up with each connection: it moves when another machine takes over
            host=found["Endpoint"]["Address"],
            authority=self.trust,
            size=Size(memory_mb=0, disk_mb=found["AllocatedStorage"] * 1024, cpus=0, connections=connections),
            passwords=self._passwords(instance),
        )

    def _passwords(self, instance: Instance) -> tuple[str, ...]:
        return secrets.passwords(self.keys, "superuser", instance.guid)

    def _user(self, binding: Binding) -> User:
        name = "u" + binding.guid.replace("-", "")[:31]
        return User(name, secrets.password(self.keys[0], "binding", binding.guid))


class PostgresDatabases(Databases):
    engine, tags = "postgres", ("postgres", "postgresql", "relational")


class MysqlDatabases(Databases):
    engine, tags = "mysql", ("mysql", "relational")
