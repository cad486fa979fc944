"""``/oauth/token``: signing in on a command line, going on with a refresh token, and signing out."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import revoke_token
from accounts.adapter import address_of
from accounts.tokens import known
from accounts.uaa import grants
from accounts.uaa.door import UaaView
from paas.lib.errors import NotFound
from paas.lib.text import storable

BAD_CREDENTIALS = {"error": "unauthorized", "error_description": "Bad credentials"}
FIELDS = (  # whatever else came in would be taken for the library's own
    "grant_type", "client_id", "client_secret", "username", "password", "passcode", "refresh_token", "scope",
)  # fmt: skip
NO_GRANT = {"error": "unsupported_grant_type", "error_description": "Unsupported grant type"}


@method_decorator(sensitive_post_parameters(), name="dispatch")
class TokenView(UaaView):
    """Answers a grant with tokens; the whole exchange is one transaction."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (FormParser,)

    def post(self, request: Request) -> Response:
        form = {name: storable(value) for name, value in request.data.items() if name in FIELDS and value}
        agent = storable(request.headers.get("User-Agent", ""))[:255]
        headers = {"REMOTE_ADDR": address_of(request._request), "USER_AGENT": agent}
        if given := request.headers.get("Authorization"):
            headers["HTTP_AUTHORIZATION"] = given
        if form.get("grant_type") not in ("password", "refresh_token", "client_credentials"):
            return Response(NO_GRANT, status=400)
        with transaction.atomic():
            _, body, status = grants.endpoint().create_token_response("/uaa/oauth/token", "POST", form, headers)
        answer: dict[str, Any] = json.loads(body)
        if answer.get("error") == "invalid_client":
            answer = BAD_CREDENTIALS
        return Response(answer, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


class RevokeView(UaaView):
    """``cf logout``: takes back the token with that ``jti``."""

    def delete(self, request: Request, jti: str) -> Response:
        token = known(jti)
        if token is None:
            raise NotFound(f"There is no token {jti} (any more).")
        revoke_token(request.user, token)
        return Response({"jti": jti})
