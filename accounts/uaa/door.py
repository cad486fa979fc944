"""What the OAuth server's views share: bodies of any type, and errors in UAA's shape."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions import UsernameTaken, WrongPassword
from accounts.ranges import AddressRefused
from accounts.signin import Locked
from paas.lib.errors import InvalidAuthToken, NotAuthenticated, NotAuthorized, NotFound, PaasError, Unprocessable
from paas.lib.v3.door import FirstRenderer, as_paas_error

log = logging.getLogger(__name__)

# error -> (status, UAA's word for it, its sentence where ours would not be known to clients)
WORDS: dict[type[PaasError], tuple[int, str, str]] = {
    UsernameTaken: (409, "scim_resource_already_exists", ""),
    WrongPassword: (401, "unauthorized", ""),
    Unprocessable: (400, "invalid_scim_resource", ""),
    InvalidAuthToken: (401, "invalid_token", "The token expired, was revoked, or the token ID is incorrect."),
    Locked: (401, "unauthorized", ""),
    NotAuthenticated: (401, "unauthorized", "Full authentication is required to access this resource"),
    AddressRefused: (403, "access_denied", ""),
    NotAuthorized: (403, "insufficient_scope", "Insufficient scope for this resource"),
    NotFound: (404, "scim_resource_not_found", ""),
}


def error_response(error: PaasError) -> Response:
    usual = (error.status, "server_error" if error.status >= 500 else "invalid_request", "")
    status, word, sentence = next((words for kind, words in WORDS.items() if isinstance(error, kind)), usual)
    text = sentence or error.detail
    return Response({"error": word, "error_description": text, "message": text}, status=status)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    error = as_paas_error(exc)
    if error is None:
        log.error("Unforeseen error", exc_info=exc)
        error = PaasError()
    return error_response(error)


class UaaView(APIView):
    """A view of the OAuth server; a bearer token is needed unless the view says otherwise."""

    content_negotiation_class = FirstRenderer
    schema = None  # UAA's own API is not part of the description of ours

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return exception_handler


class Unknown(UaaView):
    """A path of UAA's that is not built."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise NotFound("The platform's OAuth server has no such address.")
