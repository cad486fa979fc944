"""The console's pages about one's own account: signing in by a link, the password, API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions, signin, tokens
from accounts.adapter import address_of
from accounts.forms import PasswordForm, TokenForm, tell
from accounts.models import ApiToken, AuditEvent, User
from paas.lib.errors import NotFound, Unprocessable

SIGN_INS = ("audit.user.sign-in", "audit.user.sign-in-refused")
SHOWN = 10
HOME = ("Organizations", "/")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    return _account(request, TokenForm())


def _account(request: HttpRequest, form: TokenForm, **context: Any) -> HttpResponse:
    person = _person(request)
    shown = {
        "person": person,
        "tokens": ApiToken.objects.filter(user=person).order_by("-created_at", "-id"),
        "now": timezone.now(),
        "sign_ins": AuditEvent.objects.filter(target_guid=person.guid, type__in=SIGN_INS).newest()[:SHOWN],
        "form": form,
        "crumbs": [HOME],
    }
    return render(request, "account/account.html", shown | context, status=400 if form.errors else 200)


@login_required
@require_POST
@never_cache
def token_create(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once: it goes into no redirect, no message and no session."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _account(request, form)
    asked = form.cleaned_data
    try:
        token, text = actions.create_api_token(
            _person(request),
            name=asked["name"],
            expires_at=timezone.now() + timedelta(days=asked["days"]),
            scope=tokens.READ if asked["only_reads"] else "",
        )
    except Unprocessable as error:
        tell(form, error, "name")
        return _account(request, form)
    return render(
        request, "account/token.html", {"token": token, "text": text, "crumbs": [HOME, ("Account", "/account")]}
    )


@login_required
@require_POST
def token_revoke(request: HttpRequest, guid: str) -> HttpResponse:
    person = _person(request)
    token = ApiToken.objects.filter(user=person, guid=guid).first() if "\0" not in guid else None
    if token is None:
        raise NotFound("There is no such token (any more).")
    actions.revoke_api_token(person, token)
    messages.success(request, f"The token “{token.name}” is revoked. Whatever used it is refused from now on.")
    return redirect("account")


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change the password, or set the first one."""
    person = _person(request)
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
            update_session_auth_hash(request, User.objects.get(pk=person.pk))
            messages.success(
                request, "The password is set. Command lines have to log in again; API tokens go on working."
            )
            return redirect("account")
    shown = {"form": form, "first": first, "person": person, "crumbs": [HOME, ("Account", "/account")]}
    return render(request, "account/password.html", shown, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, secret: str) -> HttpResponse:
    """A sign-in link: opening it (a mail program may do that, too) shows a button; only the button uses it up."""
    if request.method == "POST":
        try:
            person = signin.by_link(secret, address=address_of(request))
        except signin.Refused:
            return render(request, "account/link.html", {"found": None}, status=404)
        login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
        messages.success(request, f"You are signed in as {person.username}. Now set a password.")
        return redirect("account_password")
    found = signin.link_of(secret)
    return render(request, "account/link.html", {"found": found}, status=200 if found else 404)
