"""One's own names and e-mail address."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import mail
from accounts.actions import email as addresses
from accounts.actions import profile
from accounts.forms import tell
from accounts.forms.profile import EmailForm, NamesForm
from accounts.models import EmailChange
from accounts.views.account import CRUMBS, person_of
from paas.lib.errors import PaasError


@login_required
@require_http_methods(["GET", "POST"])
def names(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    given = {"given_name": person.given_name, "family_name": person.family_name}
    form = NamesForm(request.POST if request.method == "POST" else None, initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            profile.rename(person, **form.cleaned_data)
        except PaasError as error:
            if error.status == 403:
                raise
            tell(form, error)
        else:
            messages.success(request, "Your name is saved.")
            return redirect("account")
    return render(request, "account/names.html", {"form": form, "crumbs": CRUMBS}, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """Ask for another address; what was asked for before is shown with who has confirmed it."""
    person = person_of(request)
    form = EmailForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            addresses.begin_email_change(person, email=form.cleaned_data["email"])
        except PaasError as error:
            if error.status == 403:
                raise
            tell(form, error, "email")
        else:
            messages.success(request, _sent(person.email))
            return redirect("account_email")
    shown = {
        "form": form,
        "person": person,
        "change": EmailChange.objects.filter(user=person, expires_at__gt=timezone.now()).first(),
        "crumbs": CRUMBS,
    }
    return render(request, "account/email.html", shown, status=400 if form.errors else 200)


@login_required
@require_POST
def email_cancel(request: HttpRequest) -> HttpResponse:
    addresses.cancel_email_change(person_of(request))
    messages.success(request, "The change is called off. Your e-mail address stays as it is.")
    return redirect("account_email")


@never_cache
@require_http_methods(["GET", "POST"])
def email_confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """A link of one of the two messages: opening it shows a button, and only the button confirms."""
    change, error = addresses.change_of(secret), None
    if change is not None and request.method == "POST":
        try:
            change = addresses.confirm_email(secret)
        except PaasError as refused:
            error = refused
        else:
            return render(
                request, "account/email_confirmed.html", {"change": change, "whole": addresses.is_confirmed(change)}
            )
    shown = {"change": change, "error": error}
    status = 404 if change is None else error.status if error else 200
    return render(request, "account/email_confirm.html", shown, status=status)


def _sent(old: str | None) -> str:
    both = "Messages are on their way to both addresses. " if old else "A message is on its way to the new address. "
    if not mail.is_sent_here():
        both = "No mail server is set: ask a platform admin for the links in the outbox. "
    return both + "The change takes effect when " + ("both have" if old else "it has") + " confirmed it."
