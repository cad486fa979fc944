"""Queues in SQS: how long messages live, where dead ones go, and who sends and receives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from services.brokers.base import Done, Instance, Previous, Refused
from tests.services.amazon.stand_in import Amazon, enforcing

KIND = "aws-sqs-queue"


@pytest.fixture
def queue(amazon: Amazon) -> Instance:
    return amazon.made(KIND, "standard")


def attributes(amazon: Amazon, url: str) -> dict[str, str]:
    found: dict[str, str] = amazon.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return found


def test_parameters_are_set_told_and_changed(amazon: Amazon) -> None:
    given = {"message_retention_period": 3600, "visibility_timeout": 60, "delay_seconds": 5}
    queue = amazon.made(KIND, "standard", **given, redrive_max_receive_count=3)
    url = amazon.credentials(amazon.binding(queue))["primary_queue_url"]
    assert attributes(amazon, url)["MessageRetentionPeriod"] == "3600"
    changed = replace(queue, parameters={"visibility_timeout": 90, "redrive_max_receive_count": 0})
    assert amazon.broker.update(changed, Previous(queue.plan_id)) == Done()
    found = amazon.broker.fetch(queue)
    assert found and found.parameters["visibility_timeout"] == 90 and found.parameters["delay_seconds"] == 5
    assert "redrive_max_receive_count" not in found.parameters and found.plan_id == queue.plan_id


def test_what_is_received_in_vain_moves_to_the_second_queue(amazon: Amazon) -> None:
    queue = amazon.made(KIND, "standard", redrive_max_receive_count=1, visibility_timeout=0)
    urls = amazon.credentials(amazon.binding(queue))
    sqs = amazon.client("sqs")
    sqs.send_message(QueueUrl=urls["primary_queue_url"], MessageBody="hello")
    for _ in range(2):
        sqs.receive_message(QueueUrl=urls["primary_queue_url"])
    (dead,) = sqs.receive_message(QueueUrl=urls["secondary_queue_url"])["Messages"]
    assert dead["Body"] == "hello"
    assert attributes(amazon, urls["secondary_queue_url"])["MessageRetentionPeriod"] == "1209600"


def test_a_fifo_queue_keeps_the_order(amazon: Amazon) -> None:
    queue = amazon.made(KIND, "fifo")
    urls = amazon.credentials(amazon.binding(queue))
    assert all(url.endswith(".fifo") for name, url in urls.items() if name.endswith("queue_url"))
    assert attributes(amazon, urls["primary_queue_url"])["FifoQueue"] == "true"
    found = amazon.broker.fetch(queue)
    assert found and found.plan_id == queue.plan_id


@pytest.mark.parametrize(
    ("policy", "sends", "receives"),
    [("full", True, True), ("producer", True, False), ("consumer", False, True)],
)
def test_who_sends_and_who_receives(amazon: Amazon, queue: Instance, policy: str, sends: bool, receives: bool) -> None:
    binding = amazon.binding(queue, access_policy=policy)
    credentials = amazon.credentials(binding)
    sqs, url = amazon.client("sqs", **credentials), credentials["primary_queue_url"]
    with enforcing(amazon):
        for allowed, ask in (
            (sends, lambda: sqs.send_message(QueueUrl=url, MessageBody="hello")),
            (receives, lambda: sqs.receive_message(QueueUrl=url)),
            (policy != "producer", lambda: sqs.receive_message(QueueUrl=credentials["secondary_queue_url"])),
            (False, lambda: sqs.delete_queue(QueueUrl=url)),
        ):
            if allowed:
                ask()
            else:
                with pytest.raises(sqs.exceptions.ClientError, match="AccessDenied"):
                    ask()
    found = amazon.broker.fetch(binding)
    assert found and found.parameters == {"access_policy": policy}


def test_both_queues_go(amazon: Amazon, queue: Instance) -> None:
    assert amazon.broker.remove(queue) == Done()
    assert "QueueUrls" not in amazon.client("sqs").list_queues(QueueNamePrefix=f"paas-{queue.guid}")


@pytest.mark.parametrize("parameters", [{"visibility_timeout": 43_201}, {"delay_seconds": -1}, {"fifo": True}])
def test_what_amazon_would_refuse_is_refused_before(amazon: Amazon, parameters: dict[str, Any]) -> None:
    instance = amazon.instance(KIND, "standard", **parameters)
    assert isinstance(amazon.broker.provision(instance), Refused)
    assert amazon.broker.fetch(instance) is None


def test_a_worker_that_died_half_way_is_taken_on_from(amazon: Amazon) -> None:
    queue = amazon.instance(KIND, "standard", redrive_max_receive_count=4)
    amazon.client("sqs").create_queue(QueueName=f"paas-{queue.guid}-sec")
    assert amazon.broker.provision(queue) == Done()
    url = amazon.client("sqs").get_queue_url(QueueName=f"paas-{queue.guid}-pri")["QueueUrl"]
    assert json.loads(attributes(amazon, url)["RedrivePolicy"])["maxReceiveCount"] == 4
