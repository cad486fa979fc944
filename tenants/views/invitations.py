"""Pages of invitations: inviting people, what became of it, the list with its buttons, the mail domains."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import mail
from paas.lib.web import found, tells_errors
from tenants import navigation
from tenants.access import authorize, verbs_held
from tenants.actions import invitation as actions
from tenants.actions import role as roles
from tenants.forms import InviteForm, MailDomainsForm, errors_told_in
from tenants.models import Invitation, Organization, Space
from tenants.offers import Choices, in_words
from tenants.permissions import short
from tenants.views.places import organization_seen

PER_PAGE = 25
PENDING = Invitation.State.PENDING


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest, guid: str) -> HttpResponse:
    """Addresses and roles; what became of each address is answered at once, for it may hold links."""
    organization = _managed(request, guid)
    user: Any = request.user
    choices = Choices(organization, Space.objects.visible_to(user))
    form = InviteForm(request.POST if request.method == "POST" else None, choices=choices)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            results = actions.invite(user, organization, emails=form.cleaned_data["emails"], offered=form.offered())
            return _told(request, organization, results)
    shown = {
        "organization": organization,
        "form": form,
        "columns": [short(label) for label in choices.in_spaces.values()],
        "lines": [(space, _boxes(space, choices, form)) for space in choices.spaces.values()],
        "sent_here": mail.is_sent_here(),
        "days": actions.DAYS,
        "crumbs": _crumbs(organization),
    }
    return render(request, "tenants/invite.html", shown, status=400 if form.errors else 200)


@login_required
@require_safe
def invitations(request: HttpRequest, guid: str) -> HttpResponse:
    """Who is invited and has not joined yet; with ``past``, who has, and what was withdrawn."""
    organization = _managed(request, guid)
    user: Any = request.user
    past = "past" in request.GET
    rows = organization.invitations.select_related("invited_by", "accepted_by").order_by("-sent_at", "-id")
    rows = rows.exclude(state=PENDING) if past else rows.filter(state=PENDING)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    choices = Choices(organization, Space.objects.visible_to(user))
    shown = {
        "organization": organization,
        "page": page,
        "past": past,
        "lines": [(row, in_words(choices.of(row)), row.expires_at <= timezone.now()) for row in page],
        "domains": organization.mail_domains,
        "may_update": "organization.update" in verbs_held(user, organization),
        "crumbs": _crumbs(organization),
    }
    return render(request, "tenants/invitations.html", shown)


@login_required
@require_POST
@never_cache
@tells_errors("organization_invitations")
def send(request: HttpRequest, guid: str, invitation: str) -> HttpResponse:
    """A new link: sent, or shown to be passed on."""
    organization = _managed(request, guid)
    result = actions.send_again(request.user, _one(organization, invitation))  # type: ignore[arg-type]
    if result.link:
        return _told(request, organization, [result])
    messages.success(request, result.detail)
    return redirect("organization_invitations", guid)


@login_required
@require_POST
@tells_errors("organization_invitations")
def withdraw(request: HttpRequest, guid: str, invitation: str) -> HttpResponse:
    gone = actions.withdraw(request.user, _one(_managed(request, guid), invitation))  # type: ignore[arg-type]
    messages.success(request, f"The invitation of {gone.email} is withdrawn. Its link does not work any more.")
    return redirect("organization_invitations", guid)


@login_required
@require_http_methods(["GET", "POST"])
def mail_domains(request: HttpRequest, guid: str) -> HttpResponse:
    """Whose addresses may be invited."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    authorize(user, "organization.update", organization)
    given = {"domains": "\n".join(organization.mail_domains)}
    form = MailDomainsForm(request.POST if request.method == "POST" else None, initial=given)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            actions.set_mail_domains(user, organization, domains=form.cleaned_data["domains"])
            messages.success(request, "The list of mail domains is saved.")
            return redirect("organization_invitations", guid)
    shown = {"organization": organization, "form": form, "crumbs": _crumbs(organization)}
    return render(request, "tenants/mail_domains.html", shown, status=400 if form.errors else 200)


def _managed(request: HttpRequest, guid: str) -> Organization:
    user: Any = request.user
    organization = organization_seen(user, guid)
    authorize(user, roles.VERB, organization)
    return organization


def _boxes(space: Space, choices: Choices, form: InviteForm) -> list[tuple[str, str, bool]]:
    """Return (value, label, is it ticked) of each role that can be offered in the space."""
    return [
        (f"{space.guid} {role}", label, (space.guid, role) in form.ticked) for role, label in choices.in_spaces.items()
    ]


def _one(organization: Organization, guid: str) -> Invitation:
    return found(organization.invitations, guid, "There is no such invitation.")


def _told(request: HttpRequest, organization: Organization, results: list[actions.Result]) -> HttpResponse:
    shown = {"organization": organization, "results": results, "crumbs": _crumbs(organization)}
    return render(request, "tenants/invite_results.html", shown)


def _crumbs(organization: Organization) -> list[navigation.Crumb]:
    members = ("Members", reverse("organization_members", args=[organization.guid]))
    return [*navigation.org_crumbs(organization), members]
