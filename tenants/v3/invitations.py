"""The v3 door of invitations: ours, in Cloud Foundry's manner. Many addresses at once, each with its own result."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import BadQueryParameter, Unprocessable
from paas.lib.v3 import INVALID, Form, Names, Query, ResourceViewSet, Text, ToOne, base, link, named, stamp, to_one
from paas.lib.v3.query import values
from tenants.access import authorize
from tenants.actions import invitation as actions
from tenants.actions import joining
from tenants.actions import role as roles
from tenants.models import Invitation, Organization, Space
from tenants.offers import Choices, Offer
from tenants.permissions import LABELS
from tenants.v3 import shapes

EXPIRED = "expired"


class Ends(Form):
    space = ToOne(required=False)
    custom_role = ToOne(required=False)


class Offered(Form):
    """A role as ``POST /v3/roles`` takes it, but for whose it becomes."""

    type = serializers.ChoiceField(list(LABELS), required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    relationships = Ends(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if ("type" in sent) == ("custom_role" in sent.get("relationships", {})):
            raise serializers.ValidationError("must have either a type or a custom_role")
        return sent


class Where(Form):
    organization = ToOne()


class New(Form):
    emails = serializers.ListField(child=serializers.CharField(max_length=320), max_length=actions.MOST)
    roles = Offered(many=True, required=False)
    relationships = Where()


class Acceptance(Form):
    secret = serializers.CharField(max_length=255)


class Joining(Acceptance):
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    given_name = serializers.CharField(max_length=255, required=False, allow_blank=True)
    family_name = serializers.CharField(max_length=255, required=False, allow_blank=True)


class Domains(Form):
    mail_domains = serializers.ListField(child=serializers.CharField(max_length=253), max_length=100)


def in_states(name: str, text: str) -> Q:
    """Invitations in one of the states; one that nobody accepted in time has expired."""
    now, any_of = timezone.now(), Q()
    for value in values(text):
        if value == EXPIRED:
            any_of |= Q(state=Invitation.State.PENDING, expires_at__lte=now)
        elif value == Invitation.State.PENDING:
            any_of |= Q(state=value, expires_at__gt=now)
        elif value in Invitation.State.values:
            any_of |= Q(state=value)
        else:
            known = ", ".join([*Invitation.State.values, EXPIRED])
            raise BadQueryParameter(f"{name} '{value}' is not one of: {known}")
    return any_of


class InvitationViewSet(ResourceViewSet):
    noun = "Invitation"
    query = Query(
        filters={
            "organization_guids": Text("organization__guid"),
            "emails": Names("email"),
            "states": in_states,
        },
        labels=False,
    )

    def queryset(self) -> QuerySet[Invitation]:
        there = Organization.objects.visible_to(self.user).values("pk")
        return Invitation.objects.filter(organization__in=there).select_related(
            "organization", "invited_by", "accepted_by"
        )

    def present(self, resource: Invitation) -> dict[str, Any]:
        here = f"/v3/invitations/{resource.guid}"
        late = resource.state == Invitation.State.PENDING and resource.expires_at <= timezone.now()
        return base(
            resource,
            email=resource.email,
            state=EXPIRED if late else resource.state,
            roles=[_role(kept) for kept in resource.roles],
            sent_at=stamp(resource.sent_at),
            expires_at=stamp(resource.expires_at),
            relationships={
                "organization": to_one(resource.organization.guid),
                "invited_by": to_one(resource.invited_by.guid if resource.invited_by else None),
                "accepted_by": to_one(resource.accepted_by.guid if resource.accepted_by else None),
            },
            links={
                "self": link(self.request, here),
                "organization": link(self.request, f"/v3/organizations/{resource.organization.guid}"),
                "send": link(self.request, f"{here}/actions/send", method="POST"),
            },
        )

    def create(self, request: Request) -> Response:
        """Invite people by e-mail address. 422 where not one of the addresses could be invited or added."""
        sent = New.read(request.data)
        there = Organization.objects.visible_to(self.user)
        organization = named(there, sent["relationships"]["organization"], "organization")
        authorize(self.user, roles.VERB, organization)
        offered = self._offers(organization, sent.get("roles", []))
        results = actions.invite(self.user, organization, emails=sent["emails"], offered=offered)
        if all(result.outcome in (actions.Outcome.REFUSED, actions.Outcome.INVALID) for result in results):
            raise Unprocessable(*(result.detail for result in results))
        return Response({"results": [self._result(result) for result in results]}, status=201)

    def destroy(self, request: Request, guid: str) -> Response:
        """Withdraw an invitation."""
        return Response(self.present(actions.withdraw(self.user, self.found(guid))))

    def send(self, request: Request, guid: str) -> Response:
        return Response(self._result(actions.send_again(self.user, self.found(guid))))

    def accept(self, request: Request) -> Response:
        """Accept an invitation as oneself, with the secret that ends its link."""
        return Response(self.present(joining.accept(self.user, **Acceptance.read(request.data))))

    def _result(self, result: actions.Result) -> dict[str, Any]:
        """``link`` is there only where no mail is sent: then somebody has to pass it on."""
        return {
            "email": result.email,
            "result": str(result.outcome),
            "detail": result.detail,
            "invitation": self.present(result.invitation) if result.invitation else None,
            "link": result.link or None,
        }

    def _offers(self, organization: Organization, sent: list[dict[str, Any]]) -> list[Offer]:
        choices = Choices(organization, Space.objects.visible_to(self.user))
        found = []
        for each in sent:
            ends = each.get("relationships", {})
            role, space = each.get("type") or ends["custom_role"], ends.get("space")
            if space and space not in choices.spaces:
                raise Unprocessable(INVALID.format("space"))
            offer = choices.offer(role, space, each.get("expires_at"))
            if offer is None:
                raise Unprocessable(f"There is no role '{role}' {'for spaces' if space else 'for organizations'}.")
            found.append(offer)
        return found


class JoiningViewSet(ResourceViewSet):
    """Who holds the link's secret may join without having been anybody here."""

    noun = "Invitation"
    authentication_classes = ()
    permission_classes = ()

    def join(self, request: Request) -> Response:
        """Accept an invitation as somebody new: its address gets an account with the password given."""
        sent = Joining.read(request.data)
        return Response(shapes.user(request, joining.join(sent.pop("secret"), **sent)), status=201)


class MailDomainsViewSet(ResourceViewSet):
    """The mail domains whose addresses may be invited to an organization; none listed means any."""

    noun = "Organization"

    def queryset(self) -> QuerySet[Organization]:
        return Organization.objects.visible_to(self.user)

    def present(self, resource: Organization) -> dict[str, Any]:
        here = f"/v3/organizations/{resource.guid}"
        links = {"self": link(self.request, f"{here}/mail_domains"), "organization": link(self.request, here)}
        return {"mail_domains": resource.mail_domains, "links": links}

    def update(self, request: Request, guid: str) -> Response:
        domains = Domains.read(request.data)["mail_domains"]
        organization = actions.set_mail_domains(self.user, self.found(guid), domains=domains)
        return Response(self.present(organization))


def _role(kept: dict[str, Any]) -> dict[str, Any]:
    cf = kept["role"] in LABELS
    ends = {} if cf else {"custom_role": to_one(kept["role"])}
    return {
        "type": kept["role"] if cf else None,
        "expires_at": kept["expires_at"],
        "relationships": {**ends, **({"space": to_one(kept["space"])} if kept["space"] else {})},
    }
