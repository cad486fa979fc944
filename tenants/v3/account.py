"""The v3 door of one's own account: ours, not Cloud Foundry's. Names, the e-mail address, one's data, the end."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import signin
from accounts.access import authorize
from accounts.actions import email as addresses
from accounts.actions import profile
from accounts.actions.passwords import WrongPassword
from accounts.models import EmailChange, User
from paas.lib.errors import NotFound
from paas.lib.v3 import Form, ResourceViewSet, base, link, no_content, stamp
from tenants.actions import account as actions
from tenants.downloads import stream


class Change(Form):
    given_name = serializers.CharField(max_length=255, required=False, allow_blank=True)
    family_name = serializers.CharField(max_length=255, required=False, allow_blank=True)


class NewAddress(Form):
    email = serializers.CharField(max_length=254)


class Confirmation(Form):
    secret = serializers.CharField(max_length=255)


class Closing(Form):
    password = serializers.CharField(max_length=4096, required=False, trim_whitespace=False)


class AccountViewSet(ResourceViewSet):
    noun = "Account"

    def retrieve(self, request: Request, guid: str = "", **_: str) -> Response:
        """Show one's own account."""
        authorize(self.user, "account.view", self.user)
        return Response(self.present(self.user))

    def present(self, resource: User) -> dict[str, Any]:
        return base(
            resource,
            username=resource.username,
            origin=resource.origin,
            email=resource.email,
            given_name=resource.given_name,
            family_name=resource.family_name,
            platform_role=resource.platform_role or None,
            links={
                "self": link(self.request, "/v3/account"),
                "user": link(self.request, f"/v3/users/{resource.guid}"),
                "data": link(self.request, "/v3/account/data"),
                "email_change": link(self.request, "/v3/account/email_change"),
            },
        )

    def update(self, request: Request) -> Response:
        """Change one's names."""
        sent = Change.read(request.data)
        names = {name: sent.get(name, getattr(self.user, name)) for name in ("given_name", "family_name")}
        return Response(self.present(profile.rename(self.user, **names)))

    def data(self, request: Request) -> StreamingHttpResponse:
        """Show all that is kept about oneself, as a file."""
        return stream(actions.export(self.user), filename="my-data.json", content_type="application/json")

    def close(self, request: Request) -> Any:
        """Close one's own account; with the password, where there is one."""
        authorize(self.user, "account.close", self.user)
        password = Closing.read(request.data or {}).get("password", "")
        if self.user.has_usable_password() and not signin.confirm(self.user, password):
            raise WrongPassword("The password is not right.")
        actions.close(self.user)
        return no_content()


class EmailChangeViewSet(ResourceViewSet):
    noun = "E-mail change"

    def retrieve(self, request: Request, guid: str = "", **_: str) -> Response:
        """Show the change of one's e-mail address that waits to be confirmed."""
        authorize(self.user, "account.view", self.user)
        change = EmailChange.objects.filter(user=self.user).first()
        if change is None:
            raise NotFound("E-mail change not found")
        return Response(self.present(change))

    def present(self, resource: EmailChange) -> dict[str, Any]:
        return {
            "email": resource.email,
            "old_confirmed_at": stamp(resource.old_confirmed_at),
            "new_confirmed_at": stamp(resource.new_confirmed_at),
            "created_at": stamp(resource.created_at),
            "expires_at": stamp(resource.expires_at),
            "links": {"account": link(self.request, "/v3/account")},
        }

    def create(self, request: Request) -> Response:
        """Ask for another e-mail address; both addresses get a link to confirm with."""
        change = addresses.begin_email_change(self.user, **NewAddress.read(request.data))
        return Response(self.present(change), status=201)

    def destroy(self, request: Request) -> Any:
        """Call the change of one's e-mail address off."""
        addresses.cancel_email_change(self.user)
        return no_content()


class ConfirmationViewSet(ResourceViewSet):
    """Who holds the secret of a link that was mailed may confirm."""

    noun = "E-mail change"
    permission_classes = ()

    def confirm(self, request: Request) -> Response:
        """Confirm a change of an e-mail address."""
        change = addresses.confirm_email(**Confirmation.read(request.data))
        return Response({"email": change.email, "in_force": addresses.is_confirmed(change)})
