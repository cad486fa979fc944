"""The operator's account at Amazon: the one place that calls it, names things in it, and reads its errors."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from paas.lib.errors import PaasError
from services.brokers.base import BrokerError
from services.brokers.engine.base import NotReady
from services.brokers.errors import Unreachable

log = logging.getLogger(__name__)

CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 25, 2  # together less than a minute
FORBIDDEN = (
    "AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "InvalidAccessKeyId",
    "InvalidClientTokenId", "SignatureDoesNotMatch", "UnauthorizedOperation",
)  # fmt: skip
LATER = (
    "InvalidDBInstanceState", "InvalidReplicationGroupState", "InvalidUserGroupState", "InvalidUserState",
    "RequestLimitExceeded", "RequestThrottled", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException",
)  # fmt: skip
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class Failed(BrokerError):
    """Amazon answered that it did not do it; ``reason`` is its own word for why."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Account:
    """What the operator has there. ``region`` "" is nothing at all; without keys, the machine's own identity is used."""

    region: str
    prefix: str = "paas"
    endpoint_url: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    sources: tuple[str, ...] = ()  # networks that the platform's apps come from, as Amazon sees them
    user_path: str = "/paas/"
    permissions_boundary: str = ""
    subnet_group: str = ""
    cache_subnet_group: str = ""
    security_groups: tuple[str, ...] = ()
    kms_key: str = ""


class Cloud:
    """Calls Amazon. Its library takes long to load and much memory, so that is done with the first call."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Return what it answers; raise ``Failed``, ``NotReady`` where it will do it later, ``Unreachable`` without an answer."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            answer: dict[str, Any] = getattr(self._client(service), operation)(**arguments)
        except ClientError as error:
            raise _failed(service, operation, error.response.get("Error", {})) from error
        except (BotoCoreError, ResponseParserError) as error:
            log.warning("Amazon gave no answer to %s %s: %s", service, operation, error)
            raise Unreachable(f"Amazon gave no answer to {service} {operation}. Try again later.") from error
        return answer

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterable[dict[str, Any]]:
        """Yield everything that a list has under ``key``, page after page."""
        marker: dict[str, str] = {}
        while True:
            answer = self.call(service, operation, **arguments, **marker)
            yield from answer.get(key, [])
            if not answer.get("Marker"):
                return
            marker = {"Marker": answer["Marker"]}

    def name(self, guid: str) -> str:
        """Return what something is called there; it follows from the guid, and the operator's policy from the prefix."""
        return f"{self.account.prefix}-{guid}"

    def short_name(self, guid: str) -> str:
        """Return the same where names have 40 characters at most."""
        return f"{self.account.prefix}-{guid.replace('-', '')}"

    @property
    def partition(self) -> str:
        """Return the first part of every name of a resource in the region."""
        found = (name for start, name in PARTITIONS.items() if self.account.region.startswith(start))
        return next(found, "aws")

    @property
    def encrypted(self) -> bool:
        """Whether it is called over TLS: a stand-in need not be."""
        return not self.account.endpoint_url.startswith("http://")

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._connect(service)
            return self._clients[service]

    def _connect(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        account = self.account
        if not account.region:
            raise BrokerError("Amazon is not configured any more. Ask the platform team to set PAAS_AWS_REGION again.")
        return boto3.client(
            service,
            region_name=account.region,
            endpoint_url=account.endpoint_url or None,
            aws_access_key_id=account.access_key or None,
            aws_secret_access_key=account.secret_key or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "max_attempts": TRIES},
                s3={"addressing_style": "path" if account.endpoint_url else "auto"},
            ),
        )


def tags(labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as most of its services want them."""
    return [{"Key": key, "Value": value} for key, value in labels.items()]


def labels(found: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in found}


def _failed(service: str, operation: str, said: Mapping[str, Any]) -> PaasError:
    """Who is forbidden what there is the operator's business, and stands in the log alone."""
    code, message = str(said.get("Code", "")).removesuffix("Fault"), str(said.get("Message", ""))
    if code in LATER:
        return NotReady("Amazon is at work on it, or on much else, and is asked again later.")
    if code in FORBIDDEN:
        log.warning("Amazon forbids %s %s: %s %s", service, operation, code, message)
        told = f"The platform's credentials at Amazon do not allow {service} {operation}. Tell the platform team."
        return Failed(code, told)
    return Failed(code, f"Amazon did not do {service} {operation}: {message or code}")
