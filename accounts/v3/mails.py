"""The v3 door of the outbox: ours, not Cloud Foundry's. Platform admins see what was sent, and what was not."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import mail
from accounts.access import may
from accounts.actions import mail as actions
from accounts.models import Mail
from paas.lib.errors import BadQueryParameter
from paas.lib.v3 import Names, Query, ResourceViewSet, Text, base, link, stamp
from paas.lib.v3.query import values


def in_states(name: str, text: str) -> Q:
    """The messages that are in one of the states."""
    asked = values(text)
    if wrong := [value for value in asked if value not in mail.STATES]:
        raise BadQueryParameter(f"{name} '{wrong[0]}' is not one of: {', '.join(mail.STATES)}")
    return Q(*(mail.STATES[value] for value in asked), _connector=Q.OR)


class MailViewSet(ResourceViewSet):
    noun = "Mail"
    query = Query(filters={"tos": Names("to"), "kinds": Text("kind"), "states": in_states}, labels=False)

    def queryset(self) -> QuerySet[Mail]:
        return Mail.objects.all() if may(self.user, "mail.view") else Mail.objects.none()

    def present(self, resource: Mail) -> dict[str, Any]:
        """Show no link: ``actions/show`` does, and is recorded."""
        here = f"/v3/mails/{resource.guid}"
        return base(
            resource,
            to=resource.to,
            kind=resource.kind,
            subject=resource.subject,
            body=mail.hidden(resource.body),
            state=mail.state_of(resource),
            sent_at=stamp(resource.sent_at),
            attempts=resource.attempts,
            error=resource.last_error or None,
            links={
                "self": link(self.request, here),
                "show": link(self.request, f"{here}/actions/show", method="POST"),
                "send": link(self.request, f"{here}/actions/send", method="POST"),
            },
        )

    def show(self, request: Request, guid: str) -> Response:
        """Show a mail with its links."""
        message = self.found(guid)
        return Response({**self.present(message), "body": actions.show(self.user, message)})

    def send(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.send_again(self.user, self.found(guid))))
