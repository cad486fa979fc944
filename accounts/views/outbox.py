"""The outbox of the platform's mail, for platform admins: what was sent, what was not and why, and links to pass on."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import mail
from accounts.access import authorize, may
from accounts.actions import mail as actions
from accounts.models import Mail
from accounts.views.account import HOME, person_of
from paas.lib.web import found, tells_errors

PER_PAGE = 25
OUTBOX = ("Outbox", "/outbox")


@login_required
@require_safe
def messages_list(request: HttpRequest) -> HttpResponse:
    """What is in the outbox, newest first."""
    authorize(person_of(request), "mail.view")
    rows = Mail.objects.defer("body").order_by("-created_at", "-id")
    words, state = request.GET.get("q", "").strip().replace("\0", ""), request.GET.get("state", "")
    if words:
        rows = rows.filter(Q(to__icontains=words) | Q(subject__icontains=words))
    if state in mail.STATES:
        rows = rows.filter(mail.STATES[state])
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    shown = {
        "page": page,
        "lines": [(message, mail.state_of(message)) for message in page],
        "words": words,
        "state": state,
        "states": list(mail.STATES),
        "sent_here": mail.is_sent_here(),
        "crumbs": [HOME],
    }
    return render(request, "account/outbox.html", shown)


@login_required
@require_safe
def one(request: HttpRequest, guid: str) -> HttpResponse:
    """One message, without its links."""
    message = _found(request, guid)
    return _page(request, message, mail.hidden(message.body))


@login_required
@require_POST
@never_cache
def show(request: HttpRequest, guid: str) -> HttpResponse:
    """The message with its links, to be copied; the reading is recorded."""
    message = _found(request, guid)
    return _page(request, message, actions.show(person_of(request), message), whole=True)


@login_required
@require_POST
@tells_errors("outbox_message")
def send(request: HttpRequest, guid: str) -> HttpResponse:
    message = actions.send_again(person_of(request), _found(request, guid))
    messages.success(request, f"The message to {message.to} is on its way.")
    return redirect("outbox_message", guid)


def _found(request: HttpRequest, guid: str) -> Mail:
    authorize(person_of(request), "mail.view")
    return found(Mail.objects, guid, "There is no such message (any more).")


def _page(request: HttpRequest, message: Mail, body: str, *, whole: bool = False) -> HttpResponse:
    shown = {
        "message": message,
        "state": mail.state_of(message),
        "body": body,
        "links": mail.links(body) if whole else [],
        "hides": not whole and mail.holds_link(message),
        "sendable": mail.is_sent_here() and message.due_at is None and mail.BLANK not in message.body,
        "may_manage": may(person_of(request), "mail.manage"),
        "crumbs": [HOME, OUTBOX],
    }
    return render(request, "account/outbox_message.html", shown)
