"""Amazon when it is slow, away, or asked too often."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from services.brokers.amazon.broker import AmazonBroker
from services.brokers.amazon.cloud import Cloud
from services.brokers.base import Accepted, BrokerError, Done, OperationInProgress, Previous, Refused
from tests.services.amazon.stand_in import Amazon

TOO_OFTEN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Body:
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield TOO_OFTEN


@pytest.fixture
def busy(amazon: Amazon) -> AmazonBroker:
    """A broker that S3 answers as it does those who ask too often, until that is taken back."""
    broker = amazon.broker_with()
    events = broker.cloud._client("s3").meta.events
    events.register("before-send.s3.*", lambda request, **_: AWSResponse(request.url, 503, {}, Body()), "slow")
    return broker


def test_who_asks_too_often_asks_again(amazon: Amazon, busy: AmazonBroker) -> None:
    bucket = amazon.instance("aws-s3-bucket", "default")
    assert isinstance(busy.provision(bucket), Accepted)
    assert busy.poll(bucket, "provision").state == "in progress"
    waits = busy.update(replace(bucket, parameters=None), Previous(bucket.plan_id))
    assert isinstance(waits, Refused) and isinstance(waits.error, OperationInProgress)
    assert isinstance(busy.remove(bucket), Accepted)
    with pytest.raises(BrokerError):
        busy.fetch(bucket)
    busy.cloud._client("s3").meta.events.unregister("before-send.s3.*", unique_id="slow")
    assert busy.provision(bucket) == Done() == busy.remove(bucket)


def test_no_level_of_the_log_shows_what_is_sent_and_answered(amazon: Amazon, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        bucket = amazon.made("aws-s3-bucket", "default")
        credentials = amazon.credentials(amazon.binding(bucket))
        amazon.broker_with(keys=("another" * 9,)).provision(amazon.instance("aws-rds-postgres", "tiny-15"))
    assert caplog.records
    assert credentials["aws_secret_access_key"] not in caplog.text and "MasterUserPassword" not in caplog.text


def test_where_it_gives_no_answer_nobody_can_tell(amazon: Amazon) -> None:
    away = amazon.broker_with(endpoint_url="http://127.0.0.1:9")
    with pytest.raises(BrokerError, match="gave no answer"):
        away.provision(amazon.instance("aws-s3-bucket", "default"))


def test_what_is_no_longer_configured_says_so(amazon: Amazon) -> None:
    with pytest.raises(BrokerError, match="PAAS_AWS_REGION"):
        amazon.broker_with(region="").fetch(amazon.instance("aws-s3-bucket", "default"))


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-2", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_names_of_resources_begin_as_the_region_has_it(amazon: Amazon, region: str, partition: str) -> None:
    assert Cloud(replace(amazon.account, region=region)).partition == partition
