"""Queues in SQS: for each instance one to work with and one for dead letters; users send, receive, or do both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.brokers.base import Binding, Bound, Fetched, Instance, Json, Previous
from services.brokers.engine.base import NotAllowed, Schemas, schema

from .base import PLAN, Kind, told
from .cloud import Failed
from .users import AccessKey, Users

MISSING = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
LONGEST_KEPT = 1_209_600  # seconds: 14 days
PRIMARY, SECONDARY = "pri", "sec"
LOOK = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")
SEND = (*LOOK, "sqs:SendMessage")
RECEIVE = (*LOOK, "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage")
FULL = (
    *dict.fromkeys((*SEND, *RECEIVE)),
    "sqs:ListDeadLetterSourceQueues",
    "sqs:ListQueueTags",
    "sqs:PurgeQueue",
)
POLICIES = {"full": FULL, "producer": SEND, "consumer": RECEIVE}
ATTRIBUTES = {  # parameter -> Amazon's name, least, most, what it is
    "delay_seconds": ("DelaySeconds", 0, 900, "Seconds before a new message can be received."),
    "maximum_message_size": ("MaximumMessageSize", 1024, 1_048_576, "Bytes that a message may have."),
    "message_retention_period": ("MessageRetentionPeriod", 60, LONGEST_KEPT, "Seconds that a message is kept."),
    "receive_message_wait_time_seconds": (
        "ReceiveMessageWaitTimeSeconds", 0, 20, "Seconds that receiving waits for a message.",
    ),
    "visibility_timeout": (
        "VisibilityTimeout", 0, 43_200, "Seconds for which others do not see a message that was received.",
    ),
}  # fmt: skip
REDRIVE = "redrive_max_receive_count"


class Queues(Kind):
    tags, plan_updateable = ("sqs",), False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.users = Users(self.cloud)
        numbers: dict[str, Json] = {
            name: {"type": "integer", "minimum": least, "maximum": most, "description": text}
            for name, (_, least, most, text) in ATTRIBUTES.items()
        }
        text = "How often a message is received in vain before it moves to the second queue; 0: never."
        numbers[REDRIVE] = {"type": "integer", "minimum": 0, "maximum": 1000, "description": text}
        policy = {
            "type": "string",
            "enum": [*POLICIES],
            "description": "What these credentials may do; without it, all.",
        }
        self.schemas = Schemas(create=schema(**numbers), update=schema(**numbers), bind=schema(access_policy=policy))

    def make(self, instance: Instance) -> None:
        primary, labels = self._url(instance, PRIMARY), self.labels(instance)
        if primary:
            self.check_plan(instance, self._labels(primary))
        fifo = bool(self.plan(instance).more.get("fifo"))
        kind = {"FifoQueue": "true"} if fifo else {}
        for part in (SECONDARY, PRIMARY):
            if self._url(instance, part) is None:
                name = self._name(instance, part, fifo=fifo)
                self.cloud.call("sqs", "create_queue", QueueName=name, Attributes=kind, tags=labels)
        self._set(instance, instance.parameters or {})

    def change(self, instance: Instance, previous: Previous) -> None:
        self._existing(instance, PRIMARY)
        self._set(instance, instance.parameters or {})

    def settle(self, instance: Instance) -> None:
        """What was set is so at once, or within a minute, of which nothing can be seen."""

    def drop(self, instance: Instance) -> None:
        for part in (PRIMARY, SECONDARY):
            if url := self._url(instance, part):
                self.cloud.call("sqs", "delete_queue", QueueUrl=url)

    def look(self, instance: Instance) -> Fetched | None:
        url = self._url(instance, PRIMARY)
        if url is None:
            return None
        found = self.cloud.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
        numbers = {name: int(found[theirs]) for name, (theirs, *_) in ATTRIBUTES.items() if theirs in found}
        if policy := found.get("RedrivePolicy"):
            numbers[REDRIVE] = int(json.loads(policy)["maxReceiveCount"])
        return Fetched(numbers, plan_id=self._labels(url).get(PLAN, ""))

    def add_user(self, binding: Binding) -> dict[str, Any]:
        urls = {part: self._existing(binding.instance, part) for part in (PRIMARY, SECONDARY)}
        policy = (binding.parameters or {}).get("access_policy", "full")
        parts = (PRIMARY,) if policy == "producer" else (PRIMARY, SECONDARY)  # who only sends meets no dead letters
        where = [self._arn(urls[part]) for part in parts]
        allowed = {"Effect": "Allow", "Action": list(POLICIES[policy]), "Resource": where}
        key = self.users.make(binding, [allowed], owner=self.labels(binding.instance))
        return self._credentials(urls, key)

    def drop_user(self, binding: Binding) -> None:
        self.users.drop(binding)

    def look_user(self, binding: Binding) -> Fetched | None:
        found = self.users.look(binding)
        if found is None:
            return None
        whose, key = found
        urls = {part: self._url(binding.instance, part) or "" for part in (PRIMARY, SECONDARY)}
        return Fetched(told(whose), bound=Bound(self._credentials(urls, key)))

    def forget(self, before: datetime) -> None:
        """Nothing is kept of a queue."""

    def _set(self, instance: Instance, given: Json) -> None:
        """Set what is given, and leave the rest as it is."""
        primary, secondary = self._existing(instance, PRIMARY), self._existing(instance, SECONDARY)
        wanted = {theirs: str(given[name]) for name, (theirs, *_) in ATTRIBUTES.items() if name in given}
        if REDRIVE in given:
            wanted["RedrivePolicy"] = self._redrive(secondary, given[REDRIVE])
        if wanted:
            self.cloud.call("sqs", "set_queue_attributes", QueueUrl=primary, Attributes=wanted)
        longest = {"MessageRetentionPeriod": str(LONGEST_KEPT)}  # dead letters are there to be looked at
        self.cloud.call("sqs", "set_queue_attributes", QueueUrl=secondary, Attributes=longest)

    def _redrive(self, secondary: str, count: int) -> str:
        return json.dumps({"deadLetterTargetArn": self._arn(secondary), "maxReceiveCount": count}) if count else ""

    def _name(self, instance: Instance, part: str, *, fifo: bool) -> str:
        return f"{self.cloud.name(instance.guid)}-{part}" + (".fifo" if fifo else "")

    def _url(self, instance: Instance, part: str) -> str | None:
        """Return where the queue is, of whichever of the two plans, None where there is none."""
        for fifo in (False, True):
            try:
                name = self._name(instance, part, fifo=fifo)
                found: str = self.cloud.call("sqs", "get_queue_url", QueueName=name)["QueueUrl"]
                return found
            except Failed as error:
                if error.reason not in MISSING:
                    raise
        return None

    def _existing(self, instance: Instance, part: str) -> str:
        found = self._url(instance, part)
        if found is None:
            raise NotAllowed(f"The queue of {instance.name} is not there: it was never made, or is deleted.")
        return found

    def _labels(self, url: str) -> dict[str, str]:
        return dict(self.cloud.call("sqs", "list_queue_tags", QueueUrl=url).get("Tags", {}))

    def _arn(self, url: str) -> str:
        found = self.cloud.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def _credentials(self, urls: Mapping[str, str], key: AccessKey) -> dict[str, Any]:
        account = self.cloud.account
        other = {"aws_endpoint_url": account.endpoint_url} if account.endpoint_url else {}
        return {
            "aws_access_key_id": key.id,
            "aws_secret_access_key": key.secret,
            "aws_region": account.region,
            "primary_queue_url": urls[PRIMARY],
            "secondary_queue_url": urls[SECONDARY],
            **other,
        }
