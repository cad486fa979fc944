"""Taking one's data along, and closing one's account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import signin
from accounts.forms import tell
from accounts.models import User
from accounts.views.account import CRUMBS
from paas.lib.errors import PaasError
from tenants.actions import account as actions
from tenants.downloads import stream
from tenants.forms import CloseForm
from tenants.models import Organization


@login_required
@require_POST
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Everything that is kept about the person, as a file."""
    person: Any = request.user
    return stream(actions.export(person), filename="my-data.json", content_type="application/json")


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest) -> HttpResponse:
    """Says what goes, and asks for the username and the password."""
    person: Any = request.user
    form = CloseForm(request.POST if request.method == "POST" else None, person=person)
    if request.method == "POST" and form.is_valid() and _confirmed(form, person):
        try:
            actions.close(person)
        except PaasError as error:
            if error.status == 403:
                raise
            tell(form, error)
        else:
            logout(request)
            messages.success(request, "Your account is closed.")
            return redirect("home")
    shown = {
        "form": form,
        "alone": actions.managed_alone(person),
        "organizations": Organization.objects.filter(deleting_at=None, roles__user=person).distinct(),
        "crumbs": CRUMBS,
    }
    return render(request, "account/close.html", shown, status=400 if form.errors else 200)


def _confirmed(form: forms.Form, person: User) -> bool:
    """Whether the password is theirs, where they have one; it is not guessed here without end, either."""
    if "password" not in form.fields:
        return True
    try:
        if not signin.confirm(person, form.cleaned_data["password"]):
            form.add_error("password", "The password is not right.")
    except signin.Locked as error:
        tell(form, error, "password")
    return not form.errors
