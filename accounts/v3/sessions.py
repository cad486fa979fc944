"""The v3 door of sign-ins that go on, and of lost second factors: ours, not Cloud Foundry's."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions, sessions
from accounts.access import may
from accounts.models import User, UserSession
from paas.lib.v3 import Query, ResourceViewSet, base, link, no_content, stamp, to_one


class SessionViewSet(ResourceViewSet):
    """Everybody sees their own."""

    noun = "Session"
    query = Query(orders={"seen_at": "seen_at"}, labels=False)

    def queryset(self) -> QuerySet[UserSession]:
        return sessions.of(self.user).select_related("user").order_by()

    def present(self, resource: UserSession) -> dict[str, Any]:
        return base(
            resource,
            client=resource.client,
            agent=resource.agent,
            address=resource.address,
            seen_at=stamp(resource.seen_at),
            expires_at=stamp(resource.expires_at),
            relationships={"user": to_one(resource.user.guid)},
            links={"self": link(self.request, f"/v3/sessions/{resource.guid}")},
        )

    def destroy(self, request: Request, guid: str) -> Any:
        actions.end_session(self.user, self.found(guid))
        return no_content()


class PersonViewSet(ResourceViewSet):
    """What is done to somebody's sign-ins: oneself, or for platform admins everybody."""

    noun = "User"

    def queryset(self) -> QuerySet[User]:
        people = User.objects.filter(kind=User.Kind.PERSON)
        return people if may(self.user, "account.view") else people.filter(pk=self.user.pk)

    def end_sessions(self, request: Request, guid: str) -> Response:
        return Response({"ended": actions.end_sessions(self.user, self.found(guid))})

    def reset_second_factor(self, request: Request, guid: str) -> Any:
        actions.reset_factors(self.user, self.found(guid))
        return no_content()
