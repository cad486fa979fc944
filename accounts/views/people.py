"""What platform admins do for somebody who cannot get in: sessions that are ended, a second factor that is reset."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions, factors, sessions
from accounts.access import authorize
from accounts.models import User
from accounts.views.account import HOME, person_of
from paas.lib.web import found, tells_errors


@login_required
@require_safe
def person(request: HttpRequest, guid: str) -> HttpResponse:
    found = _found(request, guid)
    held = [factors.WORDS[row.type] for row in factors.of(found).order_by("pk")]
    shown = {"person": found, "factors": held, "sessions": sessions.of(found).count(), "crumbs": [HOME]}
    return render(request, "account/person.html", shown)


@login_required
@require_http_methods(["GET", "POST"])
@tells_errors("person")
def reset_factors(request: HttpRequest, guid: str) -> HttpResponse:
    found = _found(request, guid)
    if request.method == "POST":
        actions.reset_factors(person_of(request), found)
        messages.success(request, f"{found.username} has no second factor any more, and was told so.")
        return redirect("person", guid)
    crumbs = [HOME, (found.display_name, f"/people/{guid}")]
    return render(request, "account/person_reset_factors.html", {"person": found, "crumbs": crumbs})


@login_required
@require_POST
@tells_errors("person")
def end_sessions(request: HttpRequest, guid: str) -> HttpResponse:
    found = _found(request, guid)
    actions.end_sessions(person_of(request), found)
    messages.success(request, f"{found.username} is signed out everywhere.")
    return redirect("person", guid)


def _found(request: HttpRequest, guid: str) -> User:
    authorize(person_of(request), "account.factor.reset")
    return found(User.objects.filter(kind=User.Kind.PERSON), guid, "There is no such person (any more).")
