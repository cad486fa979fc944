"""``/oauth/clients``: robots, which get their tokens for a client id and a secret."""

from __future__ import annotations

from typing import Any

from oauth2_provider.models import Application
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import authorize
from accounts.actions import create_robot, delete_user
from accounts.tokens import ROBOT_SECONDS, SCOPES
from accounts.uaa.door import UaaView
from accounts.uaa.users import text_of
from paas.lib.errors import NotFound, Unprocessable

GRANTS = ["client_credentials"]


def shape(client: Application) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "scope": SCOPES,
        "authorized_grant_types": GRANTS,
        "access_token_validity": ROBOT_SECONDS,
        "lastModified": int(client.updated.timestamp() * 1000),
    }


class ClientsView(UaaView):
    """Makes robots."""

    def post(self, request: Request) -> Response:
        if request.data.get("authorized_grant_types", GRANTS) != GRANTS:
            raise Unprocessable("A client can only be made for the grant type client_credentials.")
        robot = create_robot(
            request.user, client_id=text_of(request.data, "client_id"), secret=text_of(request.data, "client_secret")
        )
        return Response(shape(Application.objects.get(user=robot)), status=201)


class ClientView(UaaView):
    """One robot's client."""

    def get(self, request: Request, client_id: str) -> Response:
        client = self._found(client_id)
        authorize(request.user, "account.view", client.user if client else None)
        return Response(shape(self._there(client, client_id)))

    def delete(self, request: Request, client_id: str) -> Response:
        authorize(request.user, "account.manage")
        client = self._there(self._found(client_id), client_id)
        answer = shape(client)
        assert client.user is not None
        delete_user(request.user, client.user)
        return Response(answer)

    @staticmethod
    def _found(client_id: str) -> Application | None:
        rows = Application.objects.select_related("user").exclude(user=None)
        return rows.filter(client_id=client_id).first() if "\0" not in client_id else None

    @staticmethod
    def _there(client: Application | None, client_id: str) -> Application:
        if client is None:
            raise NotFound(f"No client with requested id: {client_id}")
        return client
