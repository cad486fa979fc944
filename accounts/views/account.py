"""The page about one's own account, to which the others come back."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import factors
from accounts.models import AuditEvent, User

SIGN_INS = ("audit.user.sign-in", "audit.user.sign-in-refused")
SHOWN = 10
HOME = ("Organizations", "/")
CRUMBS = [HOME, ("Account", "/account")]


def person_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    shown = {
        "person": person,
        "sign_ins": AuditEvent.objects.filter(target_guid=person.guid, type__in=SIGN_INS).newest()[:SHOWN],
        "second_factor": factors.has(person) or bool(factors.required_by(person)),
        "crumbs": [HOME],
    }
    return render(request, "account/account.html", shown)
