"""``/login`` and ``/passcode``: what a command line asks before it signs in, and the page where a browser gets a code."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import actions, factors, gate
from accounts.models import User
from accounts.signin import PASSCODE_SECONDS
from paas.lib.v3 import origin
from paas.lib.web import wants_html

VERSION = "77.0.0"  # of the UAA whose API this is


@require_GET
def login(request: HttpRequest) -> HttpResponse:
    """What to ask for, as JSON; a browser is sent to the console's own page."""
    if wants_html(request):
        return redirect(settings.LOGIN_URL)
    here = f"{origin(request)}/uaa"
    return JsonResponse(
        {
            "app": {"version": VERSION},
            "links": {"uaa": here, "login": here, "passwd": f"{origin(request)}/account/password"},
            "zone_name": "uaa",
            "entityID": here,
            "commit_id": settings.PAAS_API_VERSION,
            "idpDefinitions": {},
            "prompts": {
                "username": ["text", "Username or e-mail"],
                "password": ["password", "Password"],
                "passcode": ["password", f"Temporary Authentication Code ( Get one at {here}/passcode )"],
            },
            "timestamp": timezone.now().strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
    )


@never_cache
@login_required
@require_GET
def passcode(request: HttpRequest) -> HttpResponse:
    """Show who is signed in, with a second factor where one is required, a code for ``cf login --sso``."""
    person = request.user
    assert isinstance(person, User)
    if factors.due(person):
        return redirect(gate.ways(request.path))
    code = actions.create_passcode(person)
    return render(request, "account/passcode.html", {"code": code, "minutes": PASSCODE_SECONDS // 60})
