"""Pages about one's own API tokens; a new one is shown once, in no redirect, no message and no session."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import authorize
from accounts.actions import revoke_api_token
from accounts.models import ApiToken
from accounts.tokens import READ
from paas.lib.web import found
from tenants.actions import token as actions
from tenants.forms import errors_told_in
from tenants.machine_forms import TokenForm
from tenants.navigation import HOME
from tenants.permissions import TABLE

ACCOUNT = ("Account", "/account")


@login_required
@require_GET
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens that I have: what each may do, and when and from where it was used."""
    user: Any = request.user
    rows = ApiToken.objects.filter(user=user).order_by("-created_at", "-id")
    shown = {
        "listed": [(token, told(token)) for token in rows],
        "now": timezone.now(),
        "crumbs": [HOME, ACCOUNT],
    }
    return render(request, "account/tokens.html", shown)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Asks what the token may do, and shows it."""
    user: Any = request.user
    authorize(user, "account.token.create", user)
    form = TokenForm(request.POST or None, person=user)
    crumbs = [HOME, ACCOUNT, ("API tokens", reverse("account_tokens"))]
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            asked = {"name": form.cleaned_data["name"], "expires_at": form.ends, "permissions": form.asked}
            token, text = actions.create(user, **asked)
            shown = {"token": token, "text": text, "told": told(token), "crumbs": crumbs}
            return render(request, "account/token.html", shown)
    return render(request, "account/token_create.html", {"form": form, "crumbs": crumbs})


@login_required
@require_POST
def revoke(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    token = found(ApiToken.objects.filter(user=user), guid, "There is no such token (any more).")
    revoke_api_token(user, token)
    messages.success(request, f"The token “{token.name}” is revoked. Whatever used it is refused from now on.")
    return redirect("account_tokens")


def told(token: ApiToken) -> tuple[str, list[str]]:
    """Return what a token may do, in short and sentence by sentence."""
    if token.verbs is None:
        return ("read everything that you see" if token.scope == READ else "everything that you may do"), []
    sentences = [TABLE[verb].sentence for verb in token.verbs if verb in TABLE]
    return f"{len(sentences)} permission{'' if len(sentences) == 1 else 's'}", sentences
