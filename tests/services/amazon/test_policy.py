"""The policy in the documentation: what the code asks of Amazon, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from services.brokers.amazon import s3, sqs
from services.brokers.amazon.broker import AmazonBroker
from services.brokers.base import Accepted, Binding, BrokerError, Done, Instance
from tests.cell.machine import ROOT
from tests.services.amazon.stand_in import Amazon, enforcing

SERVICES = ("s3", "sqs", "iam", "rds", "elasticache")
CODE = ROOT / "services/brokers/amazon"
OF_FILE = {
    "users": "iam",
    "restores": "rds",
    "versions": "rds",
}  # whose calls a file makes, where it is not called like them
ANOTHER_NAME = {"s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock"}
# What Amazon asks for besides: tags with what is made, and the last snapshot of what is deleted.
ALONG = {"sqs:CreateQueue": "sqs:TagQueue", "rds:DeleteDBInstance": "rds:CreateDBSnapshot"}


def documents() -> list[dict[str, Any]]:
    """The operator's policy, and the boundary of users."""
    text = (ROOT / "templates/docs/amazon.md").read_text()
    return [json.loads(found) for found in re.findall(r"```file\n(.*?)```", text, re.DOTALL)]


def allowed(document: dict[str, Any]) -> list[str]:
    return [action for statement in document["Statement"] for action in statement["Action"]]


def asked() -> Iterator[str]:
    """Every operation that the code names, as Amazon's policies call it."""
    session = botocore.session.get_session()
    models = {name: session.get_service_model(name) for name in SERVICES}
    operations = {name: {xform_name(each): each for each in model.operation_names} for name, model in models.items()}
    for path in CODE.glob("*.py"):
        service = OF_FILE.get(path.stem, path.stem)
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.value if isinstance(node, ast.Constant) else None
            if isinstance(name, str) and name in operations.get(service, {}):
                action = f"{service}:{operations[service][name]}"
                yield ANOTHER_NAME.get(action, action)


def test_the_policy_allows_exactly_what_the_code_asks() -> None:
    named = allowed(documents()[0])
    wanted = set(asked())
    assert len(named) == len(set(named))
    assert set(named) == wanted | {along for action, along in ALONG.items() if action in wanted}


def test_everything_that_changes_something_is_kept_to_the_prefix() -> None:
    shared = re.compile(r"arn:aws:(rds:REGION:ACCOUNT:(og|pg|subgrp)|elasticache:REGION:ACCOUNT:subnetgroup):\*")
    for statement in documents()[0]["Statement"]:
        where = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        looks = all(re.search(r":(Describe|List|Get)", action) for action in statement["Action"])
        assert looks or all("paas-" in each or shared.fullmatch(each) for each in where), statement["Sid"]


def test_users_are_made_within_the_boundary_only_which_is_what_they_may_at_most() -> None:
    operator, boundary = documents()
    for statement in operator["Statement"]:
        if {"iam:CreateUser", "iam:PutUserPolicy"} & {*statement["Action"]}:
            assert statement["Condition"]["StringEquals"]["iam:PermissionsBoundary"]
    assert {*allowed(boundary)} == {*s3.WRITE, *sqs.FULL}


@pytest.fixture(scope="module")
def key(amazon: Amazon) -> dict[str, str]:
    """Of somebody who has the policy of the documentation, and no other rights."""
    policy, iam = documents()[0], amazon.client("iam")
    for statement in policy["Statement"]:  # moto knows no addresses of resources but of buckets, and no conditions
        statement.pop("Condition", None)
        statement["Resource"] = statement["Resource"] if statement["Sid"] == "Buckets" else "*"
    iam.create_user(UserName="operator")
    iam.put_user_policy(UserName="operator", PolicyName="docs", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName="operator")["AccessKey"]
    return {"access_key": made["AccessKeyId"], "secret_key": made["SecretAccessKey"]}


@pytest.mark.parametrize("kind", ["aws-s3-bucket", "aws-sqs-queue", "aws-elasticache-redis", "aws-rds-postgres"])
def test_with_it_alone_a_service_is_made_bound_and_removed(amazon: Amazon, key: dict[str, str], kind: str) -> None:
    """Amazon's own side of it; who logs in to a database is not Amazon's business."""
    broker = amazon.broker_with(**key)
    offered = next(each for each in broker.catalog() if each.name == kind)
    instance = amazon.instance(kind, offered.plans[0].name)
    binding = amazon.binding(instance)
    with enforcing(amazon):
        _live(broker, instance, binding)


def _live(broker: AmazonBroker, instance: Instance, binding: Binding) -> None:
    assert isinstance(broker.provision(instance), Done | Accepted)
    if "rds" not in broker.services[instance.offering_id].kind:
        assert broker.poll(instance, "provision").state == "succeeded"
        assert isinstance(broker.bind(binding), Done)
        assert broker.poll(binding, "remove").state in ("gone", "in progress")
    assert isinstance(broker.remove(instance), Done | Accepted)
    assert broker.poll(instance, "remove").state == "gone"


def test_what_the_credentials_do_not_allow_is_said_without_names(amazon: Amazon) -> None:
    stranger = amazon.broker_with(access_key="stranger")
    with enforcing(amazon), pytest.raises(BrokerError, match="credentials at Amazon do not allow") as caught:
        stranger.provision(amazon.instance("aws-s3-bucket", "default"))
    assert "arn:" not in str(caught.value) and "stranger" not in str(caught.value)
