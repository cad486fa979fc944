"""Ways to sign in: passkeys, an authenticator app, recovery codes. allauth's pages, with what is recorded and mailed."""

from __future__ import annotations

from typing import Any

from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_safe

from accounts import audit, factors
from accounts.adapter import Adapter, FactorAdapter
from accounts.forms.factors import NO_PASSKEY
from accounts.sessions import KEY
from accounts.views.account import CRUMBS, person_of
from paas.lib.errors import NotFound

WAYS = ("Ways to sign in", "/account/ways")


@login_required
@require_safe
def ways(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    held = list(factors.of(person).order_by("created_at", "id"))
    left = [len(each.wrap().get_unused_codes()) for each in held if each.type == factors.CODES]
    following = request.GET.get("next", "")
    shown = {
        "person": person,
        "passkeys": [each for each in held if each.type == factors.PASSKEY],
        "app": next((each for each in held if each.type == factors.APP), None),
        "codes_left": left[0] if left else None,
        "required": factors.required_by(person),
        "has_factor": any(each.type in factors.SECOND for each in held),
        "next": following if Adapter(request).is_safe_url(following) else "",
        "crumbs": CRUMBS,
    }
    return render(request, "mfa/index.html", shown)


class _Page:
    """A page below the ways to sign in; nobody else's form is kept until they have signed in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "crumbs": [*CRUMBS, WAYS]}  # type: ignore[misc]


class _Change(_Page):
    """A change, in one transaction with what is recorded of it."""

    request: HttpRequest

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]
        return answer


def _added(request: HttpRequest, type: str) -> None:
    person = person_of(request)
    ended = factors.added(person, factors.of(person).filter(type=type).latest("pk"), here=request.session[KEY])
    if ended:
        messages.info(request, f"Your other sign-ins ({ended}) are over: each has to show a second factor now.")


class AddApp(_Change, totp.ActivateTOTPView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        _added(self.request, factors.APP)
        return response


class RemoveApp(_Change, totp.DeactivateTOTPView):
    def form_valid(self, form: Any) -> HttpResponse:
        gone = self.authenticator
        response = super().form_valid(form)
        factors.removed(person_of(self.request), gone)
        return response


class AddPasskey(_Change, webauthn.AddWebAuthnView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        _added(self.request, factors.PASSKEY)
        return response


class RenamePasskey(_Change, webauthn.EditWebAuthnView):
    success_url = reverse_lazy("mfa_index")


class RemovePasskey(_Change, webauthn.RemoveWebAuthnView):
    success_url = reverse_lazy("mfa_index")

    def delete(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        gone = self.get_object()
        adapter = FactorAdapter()
        if not adapter.can_delete_authenticator(gone):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("mfa_index")
        response = super().form_valid(form)
        factors.removed(person_of(self.request), gone)
        return response


class NewCodes(_Change, codes.GenerateRecoveryCodesView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        factors.codes_made(person_of(self.request))
        return response


class ConfirmPasskey(webauthn.ReauthenticateWebAuthnView):
    def form_invalid(self, form: Any) -> HttpResponse:
        messages.error(self.request, NO_PASSKEY)
        return redirect(self.request.get_full_path())


class Codes(_Page, codes.ViewRecoveryCodesView):
    """The codes, this once."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if not factors.of(person_of(self.request)).filter(type=factors.CODES).exists():
            raise NotFound("You have no recovery codes. They are made with your first second factor.")
        shown = super().get_context_data(**kwargs)
        if shown["can_view_codes"]:
            person = person_of(self.request)
            audit.record(person, "audit.user.recovery-codes-shown", person)
        return shown
