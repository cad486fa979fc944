"""Where one is signed in, and ending that."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import actions, sessions
from accounts.agents import described
from accounts.views.account import CRUMBS, person_of
from paas.lib.web import found


@login_required
@require_safe
def list_sessions(request: HttpRequest) -> HttpResponse:
    here = request.session.get(sessions.KEY)
    rows = [(row, described(row.agent), row.guid == here) for row in sessions.of(person_of(request))]
    return render(request, "usersessions/list.html", {"rows": rows, "crumbs": CRUMBS})


@login_required
@require_POST
def end(request: HttpRequest, guid: str) -> HttpResponse:
    person = person_of(request)
    row = found(sessions.of(person).select_related("user"), guid, "There is no such session (any more).")
    actions.end_session(person, row)
    messages.success(request, "That session has ended.")
    return redirect("account_sessions")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    ended = actions.end_sessions(person_of(request), person_of(request), but=request.session.get(sessions.KEY, ""))
    some = "There were no other sessions." if not ended else "The other session has ended."
    messages.success(request, some if ended < 2 else f"The {ended} other sessions have ended.")
    return redirect("account_sessions")
