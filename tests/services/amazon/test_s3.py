"""Buckets in S3: who may do what with them, and from where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.brokers.amazon.s3 import rules
from services.brokers.base import Binding, Done, Instance, Refused
from tests.services.amazon.stand_in import Amazon, enforcing

ONE = {"kind": "aws-s3-bucket", "plan": "default"}


@pytest.fixture
def bucket(amazon: Amazon) -> Instance:
    return amazon.made(**ONE)


def statement(amazon: Amazon, binding: Binding) -> dict[str, Any]:
    """What the binding's user may do, as Amazon has it."""
    name = f"paas-{binding.guid}"
    policy = amazon.client("iam").get_user_policy(UserName=name, PolicyName="binding")
    (found,) = policy["PolicyDocument"]["Statement"]
    return dict(found)


def test_a_bucket_is_closed_and_says_whose_it_is(amazon: Amazon) -> None:
    bucket = amazon.made(**ONE)
    s3, name = amazon.client("s3"), f"paas-{bucket.guid}"
    closed = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert all(closed.values()) and len(closed) == 4
    tags = {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags["paas:organization"] == "org-guid" and tags["paas:space"] == "space-guid"
    assert tags["paas:instance"] == bucket.guid


def test_a_public_bucket_is_read_by_anybody(amazon: Amazon) -> None:
    bucket = amazon.made(**ONE, public_bucket=True)
    s3, name = amazon.client("s3"), f"paas-{bucket.guid}"
    (rule,) = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert rule["Principal"] == "*" and rule["Action"] == "s3:GetObject" and rule["Effect"] == "Allow"
    assert not s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"]
    found = amazon.broker.fetch(bucket)
    assert found and found.parameters == {"public_bucket": True}


def test_nobody_comes_to_a_bucket_without_encryption() -> None:
    for public in (False, True):
        denied = next(
            rule for rule in rules("arn:aws:s3:::b", public=public, encrypted=True) if rule["Effect"] == "Deny"
        )
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} and denied["Principal"] == "*"
        assert denied["Resource"] == ["arn:aws:s3:::b", "arn:aws:s3:::b/*"] and denied["Action"] == "s3:*"


def test_credentials_work_only_from_the_platform_unless_asked_otherwise(amazon: Amazon, bucket: Instance) -> None:
    inside, outside = amazon.binding(bucket), amazon.binding(bucket, allow_external_access=True)
    amazon.credentials(inside)
    amazon.credentials(outside)
    assert statement(amazon, inside)["Condition"] == {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}}
    assert "Condition" not in statement(amazon, outside)


def test_who_reads_does_not_write_and_nobody_meets_another_bucket(amazon: Amazon, bucket: Instance) -> None:
    other, name = amazon.made(**ONE), f"paas-{bucket.guid}"
    writes = amazon.client("s3", **amazon.credentials(amazon.binding(bucket, allow_external_access=True)))
    binding = amazon.binding(bucket, permissions="read-only", allow_external_access=True)
    reads = amazon.client("s3", **amazon.credentials(binding))
    with enforcing(amazon):
        writes.put_object(Bucket=name, Key="hello", Body=b"there")
        assert reads.get_object(Bucket=name, Key="hello")["Body"].read() == b"there"
        with pytest.raises(reads.exceptions.ClientError, match="AccessDenied"):
            reads.put_object(Bucket=name, Key="hello", Body=b"no")
        with pytest.raises(writes.exceptions.ClientError, match="AccessDenied"):
            writes.put_object(Bucket=f"paas-{other.guid}", Key="hello", Body=b"no")
        with pytest.raises(writes.exceptions.ClientError, match="AccessDenied"):
            writes.delete_bucket(Bucket=name)
        writes.delete_object(Bucket=name, Key="hello")


def test_a_secret_that_is_told_again_is_kept_encrypted(amazon: Amazon, bucket: Instance) -> None:
    binding = amazon.binding(bucket)
    credentials = amazon.credentials(binding)
    assert amazon.credentials(binding) == credentials
    tags = amazon.client("iam").list_user_tags(UserName=f"paas-{binding.guid}")["Tags"]
    assert credentials["aws_secret_access_key"] not in json.dumps(tags)
    assert max(len(each["Value"]) for each in tags) <= 256  # which is what Amazon keeps
    found = amazon.broker.fetch(binding)
    assert found and found.bound and found.bound.credentials == credentials


def test_a_worker_that_dies_between_key_and_tag_leaves_one_key_that_works(amazon: Amazon, bucket: Instance) -> None:
    binding = amazon.binding(bucket)
    first, iam, name = amazon.credentials(binding), amazon.client("iam"), f"paas-{binding.guid}"
    iam.untag_user(UserName=name, TagKeys=["paas:secret"])
    second = amazon.credentials(binding)
    keys = [each["AccessKeyId"] for each in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]]
    assert keys == [second["aws_access_key_id"]] != [first["aws_access_key_id"]]


def test_a_bucket_with_objects_is_not_deleted(amazon: Amazon, bucket: Instance) -> None:
    s3, name = amazon.client("s3"), f"paas-{bucket.guid}"
    s3.put_object(Bucket=name, Key="hello", Body=b"there")
    refused = amazon.broker.remove(bucket)
    assert isinstance(refused, Refused) and "not empty" in refused.error.detail
    s3.delete_object(Bucket=name, Key="hello")
    assert amazon.broker.remove(bucket) == Done()


def test_a_user_has_the_operators_path_boundary_and_prefix(amazon: Amazon) -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    broker = amazon.broker_with(prefix="prod", user_path="/teams/", permissions_boundary=boundary)
    asked: dict[str, Any] = {}  # moto keeps no boundaries of users
    events = broker.cloud._client("iam").meta.events
    events.register("provide-client-params.iam.CreateUser", lambda params, **_: asked.update(params))
    bucket = amazon.instance(**ONE)
    assert broker.provision(bucket) == Done()
    binding = amazon.binding(bucket)
    assert isinstance(broker.bind(binding), Done)
    user = amazon.client("iam").get_user(UserName=f"prod-{binding.guid}")["User"]
    assert user["Path"] == "/teams/" and asked["PermissionsBoundary"] == boundary
    assert broker.remove(binding) == Done() and broker.remove(bucket) == Done()


@pytest.mark.parametrize("parameters", [{"permissions": "owner"}, {"unknown": 1}, {"allow_external_access": "yes"}])
def test_parameters_that_it_does_not_know_are_refused(
    amazon: Amazon, bucket: Instance, parameters: dict[str, Any]
) -> None:
    refused = amazon.broker.bind(amazon.binding(bucket, **parameters))
    assert isinstance(refused, Refused) and next(iter(parameters)) in refused.error.detail
