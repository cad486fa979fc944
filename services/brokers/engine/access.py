"""Keys to the bucket of backups: the operator's own, or those of a user for each instance, who is let into its place alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from paas.seams.runtimes.authority import MACHINE

from .base import NotReady
from .depot import Bucket, Depot, Depots

PATH = "/paas-backups/"  # of the users, so that an operator can allow these and no others
POLICY = "own-backups"
MOST_KEYS = 2  # that Amazon gives to one user
SETTLED = timedelta(minutes=10)  # after which a key that was replaced is in no worker's hands any more
READING = timedelta(hours=12)  # the longest restore
READ = ("s3:GetObject", "s3:GetObjectVersion")
WRITE = (*READ, "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
KNOWN_AFTER = 20.0  # seconds, for a new key
UNKNOWN = ("InvalidAccessKeyId", "AccessDenied")
PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})


class Access(Depots):
    """Those in a bucket. Raises ``NotReady`` where it does not answer."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def depot(self, guid: str, cipher: str) -> Depot:
        place = self.bucket.below(guid)
        return Depot(guid, cipher, replace(place, access_key="", secret_key="") if place.own_users else place)

    def writer(self, depot: Depot) -> Depot:
        """Make a new key of the instance's own user. The key that it has now stays good."""
        if not self.bucket.own_users:
            return depot
        name = _user(depot.guid)
        with _answering():
            self._ensure_user(name, self.bucket.below(depot.guid))
            self._make_room(name)
            key = self._iam.create_access_key(UserName=name)["AccessKey"]
            made = _with_key(depot, key["AccessKeyId"], key["SecretAccessKey"])
            _wait_until_known(made.bucket)
        return made

    def reader(self, depot: Depot) -> Depot:
        """Make a key that only reads there, and ends by itself."""
        if not self.bucket.own_users:
            return depot
        with _answering():
            told = self._client("sts").get_federation_token(
                Name=depot.guid.replace("-", ""),
                Policy=json.dumps(policy(self.bucket.below(depot.guid), READ)),
                DurationSeconds=int(READING.total_seconds()),
            )["Credentials"]
        return _with_key(depot, told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"])

    def dismiss(self, guid: str) -> None:
        if not self.bucket.own_users:
            return
        name = _user(guid)
        with _answering(), _may_be_gone():
            for key in self._keys(name):
                self._iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            with _may_be_gone():
                self._iam.delete_user_policy(UserName=name, PolicyName=POLICY)
            self._iam.delete_user(UserName=name)

    def empty(self, guid: str) -> None:
        place, s3 = self.bucket.below(guid), self._client("s3")
        with _answering():
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=place.name, Prefix=f"{place.prefix}/"):
                found = [{"Key": each["Key"]} for each in page.get("Contents", ())]
                told = s3.delete_objects(Bucket=place.name, Delete={"Objects": found}) if found else {}
                for error in told.get("Errors", ()):
                    raise NotReady(
                        f"The backup store does not let the platform remove {error['Key']}: {error['Message']}"
                    )

    def _ensure_user(self, name: str, place: Bucket) -> None:
        try:
            self._iam.create_user(UserName=name, Path=PATH)
        except self._iam.exceptions.EntityAlreadyExistsException:
            pass  # it is the instance's, from before
        self._iam.put_user_policy(UserName=name, PolicyName=POLICY, PolicyDocument=json.dumps(policy(place, WRITE)))

    def _make_room(self, name: str) -> None:
        """Remove the older key where there are as many as there can be: it was that of a container before the last."""
        keys = sorted(self._keys(name), key=lambda each: each["CreateDate"])
        if len(keys) < MOST_KEYS:
            return
        if keys[-1]["CreateDate"] > datetime.now(UTC) - SETTLED:
            raise NotReady(
                "The key to the backup store has just been made anew. It takes ten minutes until another can be."
            )
        self._iam.delete_access_key(UserName=name, AccessKeyId=keys[0]["AccessKeyId"])

    def _keys(self, name: str) -> list[dict[str, Any]]:
        return list(self._iam.list_access_keys(UserName=name)["AccessKeyMetadata"])

    @cached_property
    def _iam(self) -> Any:
        return self._client("iam")

    def _client(self, service: str) -> Any:
        return _client(self.bucket, service)


def policy(place: Bucket, actions: tuple[str, ...]) -> dict[str, Any]:
    """Return what allows these actions in that place of the bucket, and nothing else anywhere."""
    bucket = f"arn:aws:s3:::{place.name}"
    there = {"StringLike": {"s3:prefix": f"{place.prefix}/*"}}
    allowed = [
        {"Effect": "Allow", "Action": [*actions], "Resource": f"{bucket}/{place.prefix}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket, "Condition": there},
    ]
    return {"Version": "2012-10-17", "Statement": allowed}


def _client(bucket: Any, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=bucket.endpoint or None,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key or None,
        aws_secret_access_key=bucket.secret_key or None,
        verify=str(bucket.authorities or MACHINE),
        config=PATIENCE.merge(Config(s3={"addressing_style": "path" if bucket.endpoint else "auto"})),
    )


def _wait_until_known(place: Any) -> None:
    """Amazon takes seconds until a new key is good everywhere. What is begun too early fails, and is tried again."""
    s3, deadline = _client(place, "s3"), time.monotonic() + KNOWN_AFTER
    while True:
        try:
            s3.list_objects_v2(Bucket=place.name, Prefix=f"{place.prefix}/", MaxKeys=1)
            return
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNKNOWN or time.monotonic() > deadline:
                raise
            time.sleep(1)


def _user(guid: str) -> str:
    return f"paas-backups-{guid}"


def _with_key(depot: Depot, key: str, secret: str, token: str = "") -> Depot:
    place: Any = depot.bucket
    return replace(depot, bucket=replace(place, access_key=key, secret_key=secret, token=token))


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise NotReady(f"The backup store does not answer as it should: {error}") from error


@contextmanager
def _may_be_gone() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
