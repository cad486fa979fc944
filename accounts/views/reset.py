"""A lost password: asking for a link, which is answered the same whoever asks, and setting a new one with it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import actions, resets, signin
from accounts.forms import tell
from accounts.forms.reset import LostPasswordForm, NewPasswordForm
from accounts.origin import address_of
from paas.lib.errors import NotFound, RateLimited, Unprocessable

TOO_MANY = "Too many links were asked for from your address. Wait five minutes, then try again."


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    form = LostPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            signin.ask(address_of(request))
        except signin.Locked as error:
            raise RateLimited(TOO_MANY) from error
        resets.wish(form.cleaned_data["login"])
        return render(request, "account/password_reset_done.html", {"hours": resets.HOURS})
    return render(request, "account/password_reset.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def use(request: HttpRequest, secret: str) -> HttpResponse:
    """Opening the link (a mail program may do that, too) uses nothing up; the new password does."""
    found = resets.in_force(secret)
    if found is None:
        return render(request, "account/password_reset_from_key.html", {"found": None}, status=404)
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.reset_password(secret, password=form.cleaned_data["new"])
        except NotFound:
            return render(request, "account/password_reset_from_key.html", {"found": None}, status=404)
        except Unprocessable as error:
            tell(form, error, "new")
        else:
            messages.success(request, "The password is set. Sign in with it.")
            return redirect("account_login")
    shown = {"form": form, "found": found}
    return render(request, "account/password_reset_from_key.html", shown, status=400 if form.errors else 200)
