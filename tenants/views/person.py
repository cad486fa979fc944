"""One person in an organization: their roles everywhere, why they can do what they can, and seeing it as they do."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from paas.lib.web import found
from tenants import access, navigation, reasons, view_as
from tenants.actions import view_as as actions
from tenants.actions.role import VERB
from tenants.models import Organization, OrganizationRole, Space, SpaceRole, in_force
from tenants.permissions import BOTH, ORGANIZATION, PLATFORM, TABLE
from tenants.views.matrix import ALL_SPACES, lines_of, spaces_seen
from tenants.views.places import organization_seen


@login_required
@require_GET
def person(request: HttpRequest, guid: str, person: str) -> HttpResponse:
    """Their roles as check boxes, each grant with its end, and the question why they can or cannot do something."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    found = _person(organization, person)
    words = request.GET.get("space", "").strip().replace("\0", "")
    there = spaces_seen(user, organization)
    page = Paginator(there.filter(name__icontains=words) if words else there, ALL_SPACES).get_page(
        request.GET.get("page")
    )
    [line] = lines_of(user, [found], [organization, *page])
    shown = {
        "organization": organization,
        "person": found,
        "line": line,
        "page": page,
        "words": words,
        "editable": any(cell.editable for cell in line.cells),
        "grants": _grants(user, found, organization),
        "verbs": [(verb, each.sentence) for verb, each in TABLE.items() if each.where != PLATFORM],
        "places": there,
        "may_manage": access.may(user, VERB, organization),
        "may_read_events": access.may(user, "audit.read", organization),
        "is_self": found == user,
        **_answered(request, user, found, organization),
        "crumbs": navigation.org_crumbs(organization),
    }
    return render(request, "tenants/person.html", shown)


@login_required
@require_POST
def view_as_begin(request: HttpRequest, guid: str, person: str) -> HttpResponse:
    """See the organization as they do, from now on, in this browser."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    access.authorize(user, VERB, organization)
    found = _person(organization, person)
    actions.begin(user, found, organization=organization)
    request.session[view_as.KEY] = [found.guid, organization.guid]
    return redirect("organization", organization.guid)


@login_required
@require_POST
def view_as_stop(request: HttpRequest) -> HttpResponse:
    """Be oneself again."""
    user: Any = request.user
    viewing = getattr(request, "viewing", None)
    request.session.pop(view_as.KEY, None)
    if viewing is None:
        return redirect("home")
    actions.finish(user, viewing["member"], organization=viewing["organization"])
    messages.success(request, "You see everything as yourself again.")
    return redirect("organization_person", viewing["organization"].guid, viewing["member"].guid)


def _person(organization: Organization, guid: str) -> User:
    """Return who belongs to the organization, through a role in one of its spaces at the least."""
    in_spaces = SpaceRole.objects.filter(in_force(), content_object__organization=organization).values("user")
    members = access.people_of(organization) | User.objects.filter(pk__in=in_spaces)
    person: User = found(members, guid, "There is no such person in the organization.")
    return person


def _grants(reader: User, person: User, organization: Organization) -> list[tuple[str, reasons.Row]]:
    """Every role of the person that the reader sees, with who gave it, the organization's first."""
    joined = reasons.JOINED
    of_organization = OrganizationRole.objects.filter(in_force(), user=person, content_object=organization)
    spaces = Space.objects.visible_to(reader).filter(organization=organization)
    of_spaces = SpaceRole.objects.filter(in_force(), user=person, content_object__in=spaces)
    rows: list[reasons.Row] = [
        *of_organization.select_related(*joined, "content_object"),
        *of_spaces.select_related(*joined, "content_object__organization").order_by("content_object__name", "id"),
    ]
    return [(access.role_label(row.permission), row) for row in rows]


def _answered(request: HttpRequest, reader: User, person: User, organization: Organization) -> dict[str, Any]:
    """Answer what was asked: a permission, and where."""
    verb, where = (request.GET.get(name, "").replace("\0", "") for name in ("permission", "where"))
    if verb not in TABLE or TABLE[verb].where == PLATFORM:
        return {"verb": "", "where": where}
    place: Organization | Space | None = organization
    if where and TABLE[verb].where not in (ORGANIZATION,):
        place = spaces_seen(reader, organization).filter(guid=where).first()
    elif TABLE[verb].where not in (ORGANIZATION, BOTH):
        place = None
    told = {"verb": verb, "where": where, "asked": TABLE[verb].sentence}
    if place is None:
        return told | {"where_missing": True}
    return told | {"answer": reasons.why(person, verb, place), "answer_place": place}
