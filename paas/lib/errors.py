"""The one family of errors: an HTTP status, Cloud Foundry's code and title, and a whole sentence."""

from __future__ import annotations

from typing import ClassVar


class PaasError(Exception):
    """An error that a person or a client can act on.

    ``detail`` is a whole sentence: what happened, the likely cause, what to do.
    ``code`` and ``title`` are Cloud Foundry's (without the ``CF-`` prefix).
    """

    status: ClassVar[int] = 500
    code: ClassVar[int] = 10001
    title: ClassVar[str] = "ServerError"
    default: ClassVar[str] = "Something went wrong on our side. Try again; if it goes on, tell the platform team."

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.default
        super().__init__(self.detail)


class NotFound(PaasError):
    status, code, title = 404, 10010, "ResourceNotFound"
    default = "Resource not found"


class UnknownRequest(NotFound):
    status, code, title = 404, 10000, "NotFound"
    default = "Unknown request"


class NotAuthenticated(PaasError):
    status, code, title = 401, 10002, "NotAuthenticated"
    default = "Authentication error"


class InvalidAuthToken(PaasError):
    status, code, title = 401, 1000, "InvalidAuthToken"
    default = "Invalid Auth Token"


class NotAuthorized(PaasError):
    status, code, title = 403, 10003, "NotAuthorized"
    default = "You are not authorized to perform the requested action"
    missing = ""  # the permission that it takes, for pages: clients know the sentence above


class OrgSuspended(PaasError):
    status, code, title = 403, 10017, "OrgSuspended"
    default = "The organization is suspended"


class FeatureDisabled(PaasError):
    status, code, title = 403, 330002, "FeatureDisabled"


class BadRequest(PaasError):
    status, code, title = 400, 1004, "BadRequest"


class MessageParseError(PaasError):
    status, code, title = 400, 1001, "MessageParseError"
    default = "Request invalid due to parse error: the body is not valid JSON"


class BadQueryParameter(PaasError):
    status, code, title = 400, 10005, "BadQueryParameter"

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"The query parameter is invalid: {detail}")


class Unprocessable(PaasError):
    """Well-formed, but against a rule; ``errors`` holds every sentence when there are several."""

    status, code, title = 422, 10008, "UnprocessableEntity"

    def __init__(self, *details: str) -> None:
        self.errors = details
        super().__init__(", ".join(details))


class StagingInProgress(PaasError):
    status, code, title = 422, 170017, "StagingInProgress"
    default = "Only one build can be STAGING at a time per application."


class UploadInvalid(PaasError):
    status, code, title = 400, 160001, "AppBitsUploadInvalid"


class RateLimited(PaasError):
    status, code, title = 429, 10013, "RateLimitExceeded"
    default = "Rate Limit Exceeded"


class InsufficientResources(PaasError):
    status, code, title = 503, 150003, "InsufficientRunningResourcesAvailable"
    default = "The platform has no room for this right now. Ask for less memory, or tell the platform team."


class ServiceUnavailable(PaasError):
    status, code, title = 503, 10015, "ServiceUnavailable"
    default = "The platform cannot answer right now. Try again in a minute."
