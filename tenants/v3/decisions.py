"""What the doors of all requests share: their filters, how they look, and answering them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from paas.lib.v3 import Choice, Form, Query, ResourceViewSet, Text, base, link, stamp, to_one
from tenants.models import Decision
from tenants.v3.role_grants import MOST_WORDS


class Answer(Form):
    answer = serializers.CharField(max_length=MOST_WORDS, required=False, allow_blank=True)


def filtered(asker: str) -> Query:
    """Return what a collection takes; ``asker`` is the field that says who asked."""
    return Query(
        filters={
            "states": Choice("state", tuple(Decision.State.values)),
            "user_guids": Text(f"{asker}__guid"),
            "organization_guids": Text("organization__guid"),
            "space_guids": Text("space__guid"),
        },
        labels=False,
    )


class DecisionViewSet(ResourceViewSet):
    """``actions`` is the module with ``refuse`` and ``withdraw``, ``path`` where the collection is."""

    actions: ClassVar[Any]
    path: ClassVar[str]

    def shown(
        self,
        resource: Decision,
        *,
        asker: User | None,
        relationships: Mapping[str, str | None] | None = None,
        **own: Any,
    ) -> dict[str, Any]:
        """Return the request with its own fields and relationships; wants both places and ``decided_by`` joined."""
        here = f"{self.path}/{resource.guid}"
        ends = {
            "user": asker.guid if asker else None,
            "organization": resource.organization.guid,
            "space": resource.space.guid if resource.space else None,
            **(relationships or {}),
            "decided_by": resource.decided_by.guid if resource.decided_by else None,
        }
        steps = ("accept", "refuse", "withdraw")
        return base(
            resource,
            state=resource.state,
            reason=resource.reason,
            **own,
            answer=resource.answer,
            decided_at=stamp(resource.decided_at),
            relationships={name: to_one(guid) for name, guid in ends.items()},
            links={
                "self": link(self.request, here),
                **{did: link(self.request, f"{here}/actions/{did}", "POST") for did in steps},
            },
        )

    def refuse(self, request: Request, guid: str) -> Response:
        made = self.actions.refuse(self.user, self.found(guid), **Answer.read(request.data))
        return Response(self.present(made))

    def withdraw(self, request: Request, guid: str) -> Response:
        Form.read(request.data)
        return Response(self.present(self.actions.withdraw(self.user, self.found(guid))))
