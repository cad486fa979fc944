"""The v3 door of the keys of a robot: for who manages robots; what a key opens with is answered once."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import RobotKey
from paas.lib.errors import NotAuthorized, NotFound
from paas.lib.models import by_guid
from paas.lib.v3 import Form, Names, Query, ResourceViewSet, base, link, no_content, stamp, to_one
from tenants.access import may
from tenants.actions import robot_key as actions
from tenants.actions.robot import VERB
from tenants.models import Robot


class New(Form):
    name = serializers.CharField(max_length=100)
    expires_at = serializers.DateTimeField(required=False)


class Rotation(Form):
    days = serializers.IntegerField(min_value=0, max_value=actions.MOST_OVERLAP_DAYS, required=False)
    expires_at = serializers.DateTimeField(required=False)


class RobotKeyViewSet(ResourceViewSet):
    """The keys of one robot: for who manages robots, and never with what they open."""

    noun = "Key"
    query = Query(filters={"names": Names("name")}, orders={"name": "name", "expires_at": "expires_at"}, labels=False)

    def robot(self) -> Robot:
        guid = self.kwargs["robot"]
        rows = Robot.objects.visible_to(self.user).select_related("user", "organization")
        found = by_guid(rows, guid)
        if found is None:
            raise NotFound("Robot not found")
        if not may(self.user, VERB, found.organization):
            raise NotAuthorized()
        return found

    def queryset(self) -> QuerySet[RobotKey]:
        return RobotKey.objects.filter(robot=self.robot().user).select_related("robot", "seen_by")

    def present(self, resource: RobotKey) -> dict[str, Any]:
        here = f"/v3/robots/{resource.robot.guid}/keys/{resource.guid}"
        return base(
            resource,
            name=resource.name,
            expires_at=stamp(resource.expires_at),
            last_used_at=stamp(resource.last_used_at),
            last_used_address=resource.last_used_address or None,
            relationships={
                "robot": to_one(resource.robot.guid),
                "seen_by": to_one(resource.seen_by.guid if resource.seen_by else None),
            },
            links={
                "self": link(self.request, here),
                "robot": link(self.request, f"/v3/robots/{resource.robot.guid}"),
                "rotate": link(self.request, f"{here}/actions/rotate", "POST"),
            },
        )

    def create(self, request: Request, robot: str) -> Response:
        """Answer the key's text as ``secret``: this once."""
        return self._shown(actions.create(self.user, self.robot(), **New.read(request.data)))

    def rotate(self, request: Request, robot: str, guid: str) -> Response:
        """Answer a new key with its ``secret``; the old one works ``days`` more (7 unless told otherwise)."""
        return self._shown(actions.rotate(self.user, self.found(guid), **Rotation.read(request.data)))

    def destroy(self, request: Request, robot: str, guid: str) -> Any:
        actions.revoke(self.user, self.found(guid))
        return no_content()

    def _shown(self, made: tuple[RobotKey, str]) -> Response:
        key, text = made
        return Response({**self.present(key), "client_id": key.robot.username, "secret": text}, status=201)
