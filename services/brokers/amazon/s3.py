"""Buckets in S3: a bucket for each instance, and for each binding a user who reads, or reads and writes, that bucket."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from services.brokers.base import Binding, Bound, Fetched, Instance, Previous
from services.brokers.engine.base import NotAllowed, Schemas, schema

from .base import PLAN, Kind, kept, told
from .cloud import Failed, labels, tags
from .users import AccessKey, Users

MISSING = ("NoSuchBucket", "404")
READ = ("s3:GetBucketLocation", "s3:ListBucket", "s3:GetBucketCORS", "s3:GetObject")
UPLOAD = ("s3:AbortMultipartUpload", "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts")
WRITE = (*READ, *UPLOAD, "s3:PutBucketCORS", "s3:PutObject", "s3:DeleteObject")
READ_ONLY, READ_WRITE = "read-only", "read-write"


class Buckets(Kind):
    tags, plan_updateable = ("s3",), False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.users = Users(self.cloud)
        public = {"type": "boolean", "description": "Anybody on the internet may read everything in it."}
        permissions = {
            "type": "string",
            "enum": [READ_WRITE, READ_ONLY],
            "description": "What these credentials may do; without it, read and write.",
        }
        external = {"type": "boolean", "description": "The credentials work outside the platform, too."}
        bind = schema(permissions=permissions, allow_external_access=external)
        self.schemas = Schemas(create=schema(public_bucket=public), update=schema(), bind=bind)

    def make(self, instance: Instance) -> None:
        name, region = self.cloud.name(instance.guid), self.cloud.account.region
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
        try:
            self.cloud.call("s3", "create_bucket", Bucket=name, **where)
        except Failed as error:
            if error.reason == "BucketAlreadyExists":
                raise NotAllowed(f"Somebody else at Amazon has a bucket called {name}. Try again.") from error
            if error.reason != "BucketAlreadyOwnedByYou":
                raise
        self.check_plan(instance, self._labels(name) or {})
        whose = tags({**self.labels(instance), **kept(instance.parameters)})
        self.cloud.call("s3", "put_bucket_tagging", Bucket=name, Tagging={"TagSet": whose})
        self._guard(name, public=bool((instance.parameters or {}).get("public_bucket")))

    def change(self, instance: Instance, previous: Previous) -> None:
        if self._labels(self.cloud.name(instance.guid)) is None:
            raise NotAllowed(f"The bucket of {instance.name} is not there any more.")

    def settle(self, instance: Instance) -> None:
        """A bucket has nothing that changes."""

    def drop(self, instance: Instance) -> None:
        try:
            self.cloud.call("s3", "delete_bucket", Bucket=self.cloud.name(instance.guid))
        except Failed as error:
            if error.reason == "BucketNotEmpty":
                raise NotAllowed(
                    "The bucket is not empty. Delete the objects in it, their old versions too, and try again."
                ) from error
            if error.reason not in MISSING:
                raise

    def look(self, instance: Instance) -> Fetched | None:
        found = self._labels(self.cloud.name(instance.guid))
        return None if found is None else Fetched(told(found), plan_id=found.get(PLAN, ""))

    def add_user(self, binding: Binding) -> dict[str, Any]:
        name = self.cloud.name(binding.instance.guid)
        if self._labels(name) is None:
            raise NotAllowed(f"The bucket of {binding.instance.name} is not there: it was never made, or is deleted.")
        owner = self.labels(binding.instance)
        return self._credentials(name, self.users.make(binding, [self._statement(name, binding)], owner=owner))

    def drop_user(self, binding: Binding) -> None:
        self.users.drop(binding)

    def look_user(self, binding: Binding) -> Fetched | None:
        found = self.users.look(binding)
        if found is None:
            return None
        whose, key = found
        return Fetched(told(whose), bound=Bound(self._credentials(self.cloud.name(binding.instance.guid), key)))

    def forget(self, before: datetime) -> None:
        """Nothing is kept of a bucket."""

    def _statement(self, bucket: str, binding: Binding) -> dict[str, Any]:
        """What the user may do, from where: the platform's own addresses, unless it was asked otherwise."""
        given = binding.parameters or {}
        where = f"arn:{self.cloud.partition}:s3:::{bucket}"
        inside = {"Condition": {"IpAddress": {"aws:SourceIp": [*self.cloud.account.sources]}}}
        return {
            "Effect": "Allow",
            "Action": list(READ if given.get("permissions") == READ_ONLY else WRITE),
            "Resource": [where, f"{where}/*"],
            **({} if given.get("allow_external_access") else inside),
        }

    def _guard(self, name: str, *, public: bool) -> None:
        """Let nobody in but users of ours and, of a public bucket, readers; and nobody without encryption."""
        closed = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
        closed |= {"BlockPublicPolicy": not public, "RestrictPublicBuckets": not public}
        self.cloud.call("s3", "put_public_access_block", Bucket=name, PublicAccessBlockConfiguration=closed)
        where = f"arn:{self.cloud.partition}:s3:::{name}"
        if found := rules(where, public=public, encrypted=self.cloud.encrypted):
            policy = json.dumps({"Version": "2012-10-17", "Statement": found})
            self.cloud.call("s3", "put_bucket_policy", Bucket=name, Policy=policy)

    def _labels(self, name: str) -> dict[str, str] | None:
        """Return the bucket's tags, None where there is no bucket."""
        try:
            return labels(self.cloud.call("s3", "get_bucket_tagging", Bucket=name)["TagSet"])
        except Failed as error:
            if error.reason == "NoSuchTagSet":  # a worker died after it was made
                return {}
            if error.reason not in MISSING:
                raise
        return None

    def _credentials(self, name: str, key: AccessKey) -> dict[str, Any]:
        account = self.cloud.account
        other = {"aws_endpoint_url": account.endpoint_url} if account.endpoint_url else {}
        return {
            "aws_access_key_id": key.id,
            "aws_secret_access_key": key.secret,
            "aws_region": account.region,
            "bucket_name": name,
            "deploy_env": account.prefix,
            **other,
        }


def rules(where: str, *, public: bool, encrypted: bool) -> list[dict[str, Any]]:
    """Return what holds for everybody who comes to the bucket; ``encrypted`` shuts out who comes without TLS."""
    everybody = {"Principal": "*"}
    plain = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    denied = {"Effect": "Deny", "Action": "s3:*", "Resource": [where, f"{where}/*"], **everybody, **plain}
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{where}/*", **everybody}
    return [*([denied] if encrypted else []), *([read] if public else [])]
