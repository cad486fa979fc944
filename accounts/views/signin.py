"""Signing in by a link, and one's own password."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import actions, factors, sessions, signin
from accounts.forms import PasswordForm, tell
from accounts.models import User
from accounts.views.account import CRUMBS, person_of
from paas.lib.errors import Unprocessable


def _has_factor(request: HttpRequest) -> bool:
    return factors.has(person_of(request))


@sensitive_post_parameters()
@login_required
@reauthentication_required(enabled=_has_factor)
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change the password, or set the first one."""
    person = person_of(request)
    first = not person.has_usable_password()
    form = PasswordForm(request.POST if request.method == "POST" else None, first=first)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_password(
                person, person, password=form.cleaned_data["new"], old=form.cleaned_data.get("old", "")
            )
        except (actions.WrongPassword, signin.Locked) as error:
            tell(form, error, "old")
        except Unprocessable as error:
            tell(form, error, "new")
        else:
            changed = User.objects.get(pk=person.pk)
            update_session_auth_hash(request, changed)
            sessions.begin(User, request, changed)
            messages.success(
                request, "The password is set. Command lines have to log in again; API tokens go on working."
            )
            return redirect("account")
    shown = {"form": form, "first": first, "person": person, "crumbs": CRUMBS}
    return render(request, "account/password.html", shown, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, secret: str) -> HttpResponse:
    """A sign-in link: opening it (a mail program may do that, too) shows a button; only the button uses it up."""
    if request.method == "POST":
        try:
            person = signin.by_link(secret)
        except signin.Refused:
            return render(request, "account/link.html", {"found": None}, status=404)
        if request.user.is_authenticated:
            logout(request)
        record_authentication(request, person, method="link")
        return perform_login(request, Login(user=person, redirect_url=reverse("account_password")))
    found = signin.link_of(secret)
    return render(request, "account/link.html", {"found": found}, status=200 if found else 404)
