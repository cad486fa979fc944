"""The page that an invitation's link opens: opening it (a mail scanner may do that, too) accepts nothing; a button does."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import factors, gate
from paas.lib.errors import PaasError
from tenants.actions import invitation as invitations
from tenants.actions import joining
from tenants.forms import JoinForm, errors_told_in
from tenants.models import Invitation, Organization
from tenants.offers import Choices, in_words


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """Join as who is signed in, or as somebody new, who chooses a name and a password."""
    invitation = joining.invitation_of(secret)
    if invitation is None:
        return render(request, "tenants/join_gone.html", {}, status=404)
    if request.user.is_authenticated:
        return _as_somebody(request, secret, invitation)
    return _as_new(request, secret, invitation)


def _as_somebody(request: HttpRequest, secret: str, invitation: Invitation) -> HttpResponse:
    person: Any = request.user
    error = None
    if request.method == "POST":
        try:
            joining.accept(person, secret)
        except PaasError as refused:
            if refused.status in (403, 404):
                raise
            error = refused
        else:
            messages.success(request, f"You are in {invitation.organization.name} now.")
            there = reverse("organization", args=[invitation.organization.guid])
            return redirect(gate.ways(there) if factors.due(person) else there)
    is_for = joining.is_for(person, invitation)
    allowed = is_for or invitations.allowed(invitation.organization, person.email or "")
    return _page(request, secret, invitation, error=error, is_for=is_for, allowed=allowed)


def _as_new(request: HttpRequest, secret: str, invitation: Invitation) -> HttpResponse:
    known = invitations.account_of(invitation.email) is not None
    form = JoinForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not known and form.is_valid():
        with errors_told_in(form):
            return _made(request, secret, invitation.organization, form)
    return _page(request, secret, invitation, form=form, known=known)


def _made(request: HttpRequest, secret: str, organization: Organization, form: JoinForm) -> HttpResponse:
    """Make the account and sign it in; who wants a passkey instead of a password adds it next."""
    told = form.cleaned_data
    names = {name: told[name] for name in ("given_name", "family_name")}
    person = joining.join(secret, password=told.get("new", ""), **names)
    record_authentication(request, person, method="invitation", reauthenticated=True)  # so that a passkey can follow
    if form.by_passkey:
        messages.success(request, f"You are in {organization.name} now. Add the passkey that you will sign in with.")
        there = reverse("mfa_add_webauthn")
    else:
        messages.success(request, f"Welcome. You are in {organization.name} now.")
        there = reverse("organization", args=[organization.guid])
    return perform_login(request, Login(user=person, redirect_url=there))


def _page(request: HttpRequest, secret: str, invitation: Invitation, **more: Any) -> HttpResponse:
    shown = {
        "invitation": invitation,
        "organization": invitation.organization,
        "offered": in_words(Choices(invitation.organization).of(invitation)),
        "here": reverse("join", args=[secret]),
        **more,
    }
    form = more.get("form")
    wrong = more.get("error") or (form is not None and form.errors)
    return render(request, "tenants/join.html", shown, status=400 if wrong else 200)
