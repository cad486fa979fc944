"""What can be wrong with a broker, in Cloud Foundry's codes."""

from __future__ import annotations

from services.brokers.base import BrokerError, RequestRejected


class Unreachable(BrokerError):
    status, code, title = 502, 10001, "ServiceBrokerApiUnreachable"


class TimedOut(BrokerError):
    status, code, title = 504, 10001, "ServiceBrokerApiTimeout"


class NotLetIn(RequestRejected):
    status, code, title = 502, 10001, "ServiceBrokerApiAuthenticationFailed"


class Malformed(BrokerError):
    status, code, title = 502, 10001, "ServiceBrokerResponseMalformed"


class Conflicting(RequestRejected):
    status, code, title = 409, 10001, "ServiceBrokerConflict"


class TooOften(RequestRejected):
    status, code, title = 429, 10016, "ServiceBrokerRateLimitExceeded"


class AsyncRequired(RequestRejected):
    status, code, title = 400, 10001, "AsyncRequired"


class AppRequired(RequestRejected):
    status, code, title = 422, 10001, "RequiresApp"


class MaintenanceInfoConflict(RequestRejected):
    status, code, title = 422, 390006, "MaintenanceInfoConflict"


class InvalidBinding(BrokerError):
    """A binding was made that holds what it may not: nobody can use it."""


class InvalidVolumeMounts(InvalidBinding):
    status, code, title = 502, 90007, "ServiceBrokerInvalidVolumeMounts"


class InvalidSyslogDrain(InvalidBinding):
    status, code, title = 502, 90006, "InvalidLoggingServiceBinding"


class CatalogInvalid(BrokerError):
    """``problems`` are all the sentences; ``detail`` has them one a line."""

    status, code, title = 502, 270012, "ServiceBrokerCatalogInvalid"

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(("Service broker catalog is invalid:", *problems)))
