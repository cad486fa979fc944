"""Pages about who may do what where: the table of people and roles, adding somebody, removing somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import User
from paas.lib.errors import NotFound, PaasError
from tenants import access, navigation
from tenants.actions import role as actions
from tenants.forms import OrganizationMemberForm, SpaceMemberForm, changes, errors_told_in
from tenants.models import Organization, Space, SpaceRole, in_force
from tenants.permissions import ORGANIZATION_ROLES, SPACE_ROLES, short
from tenants.views.places import organization_seen, people_like, space_seen

PER_PAGE = 25
Roles = Mapping[str, set[str]]  # guid of the person -> role names


@dataclass(frozen=True)
class Box:
    """One check box: ``held`` is what is so, ``ticked`` what the form shows."""

    value: str
    label: str
    held: bool
    ticked: bool


@dataclass(frozen=True)
class Line:
    """One person of the table, with the spaces (and the roles there) that the reader can see."""

    person: User
    boxes: list[Box]
    spaces: list[tuple[Space, str]]

    @property
    def roles(self) -> list[str]:
        return [box.label for box in self.boxes if box.held]


@login_required
@require_http_methods(["GET", "POST"])
def organization_members(request: HttpRequest, guid: str) -> HttpResponse:
    """Who belongs to the organization, with which roles; one form saves them all."""
    return _members(request, organization_seen(request.user, guid))  # type: ignore[arg-type]


@login_required
@require_http_methods(["GET", "POST"])
def space_members(request: HttpRequest, guid: str) -> HttpResponse:
    """Who has which roles in the space; one form saves them all."""
    return _members(request, space_seen(request.user, guid))  # type: ignore[arg-type]


@login_required
@require_http_methods(["GET", "POST"])
def organization_member_add(request: HttpRequest, guid: str) -> HttpResponse:
    return _add(request, organization_seen(request.user, guid))  # type: ignore[arg-type]


@login_required
@require_http_methods(["GET", "POST"])
def space_member_add(request: HttpRequest, guid: str) -> HttpResponse:
    return _add(request, space_seen(request.user, guid))  # type: ignore[arg-type]


def _members(request: HttpRequest, place: Organization | Space) -> HttpResponse:
    user: Any = request.user
    names = ORGANIZATION_ROLES if isinstance(place, Organization) else SPACE_ROLES
    error, give, take = None, {}, {}
    if request.method == "POST":
        give, take = changes(request.POST, names)
        try:
            _change(user, place, give, take)
        except PaasError as refused:
            if refused.status in (403, 404):
                raise
            error = refused
        else:
            messages.success(request, "The roles are saved." if give or take else "Nothing was changed.")
            return _back(request, place)
    page, words = _people(request, place)
    kind = "space" if isinstance(place, Space) else "organization"
    tabs = navigation.space_tabs if isinstance(place, Space) else navigation.org_tabs
    shown = {
        "place": place,
        "kind": kind,
        "organization": place.organization,
        "space": place if isinstance(place, Space) else None,
        "columns": [short(label) for label in names.values()],
        "page": page,
        "words": words,
        "lines": _lines(list(page), place, user, give, take),
        "error": error,
        "may_manage": actions.VERB in access.verbs_held(user, place),
        "waiting": navigation.waiting_requests(place) if actions.VERB in access.verbs_held(user, place) else 0,
        "tabs": tabs(place, user, f"{kind}_members"),  # type: ignore[arg-type]
        "crumbs": navigation.org_crumbs(place.organization) if isinstance(place, Space) else [navigation.HOME],
    }
    return render(request, "tenants/members.html", shown)


def _change(user: User, place: Organization | Space, give: Roles, take: Roles) -> None:
    people = {person.guid: person for person in access.people_of(place).filter(guid__in={*give, *take})}
    if missing := {*give, *take} - set(people):
        raise NotFound(f"{len(missing)} of these people are not here any more. Load the page again.")
    actions.change(
        user,
        place,
        give={people[guid]: roles for guid, roles in give.items()},
        take={people[guid]: roles for guid, roles in take.items()},
    )


def _people(request: HttpRequest, place: Organization | Space) -> tuple[Page[User], str]:
    words = request.GET.get("q", "").strip().replace("\0", "")
    return Paginator(people_like(place, words), PER_PAGE).get_page(request.GET.get("page")), words


def _lines(people: list[User], place: Organization | Space, reader: User, give: Roles, take: Roles) -> list[Line]:
    names = ORGANIZATION_ROLES if isinstance(place, Organization) else SPACE_ROLES
    rows = access.role_rows(place).filter(user__in=people)
    held = {(row.user_id, row.permission.codename) for row in rows}
    spaces = _spaces_of(people, place, reader) if isinstance(place, Organization) else {}

    def box(person: User, role: str, label: str) -> Box:
        has = (person.pk, role) in held
        ticked = (has or role in give.get(person.guid, ())) and role not in take.get(person.guid, ())
        return Box(f"{person.guid} {role}", label, has, ticked)

    return [
        Line(person, [box(person, role, label) for role, label in names.items()], spaces.get(person.pk, []))
        for person in people
    ]


def _spaces_of(people: list[User], organization: Organization, reader: User) -> dict[int, list[tuple[Space, str]]]:
    """Return {person's key: [(space that the reader sees, the roles there in words)]}."""
    there = Space.objects.visible_to(reader).filter(organization=organization)
    rows = SpaceRole.objects.filter(in_force(), user__in=people, content_object__in=there)
    found: dict[int, dict[Space, list[str]]] = {}
    for row in rows.select_related("content_object", "permission").order_by(Lower("content_object__name"), "id"):
        label = SPACE_ROLES.get(row.permission.codename, row.permission.name).removeprefix("Space ")
        found.setdefault(row.user_id, {}).setdefault(row.content_object, []).append(label)
    return {person: [(space, ", ".join(roles)) for space, roles in spaces.items()] for person, spaces in found.items()}


def _add(request: HttpRequest, place: Organization | Space) -> HttpResponse:
    user: Any = request.user
    access.authorize(user, actions.VERB, place)
    form = (SpaceMemberForm if isinstance(place, Space) else OrganizationMemberForm)(request.POST or None, place=place)
    if request.method == "POST" and form.is_valid():
        person, asked = form.cleaned_data["person"], form.cleaned_data
        more = {"expires_at": asked["until"], "reason": asked["reason"]}
        with errors_told_in(form):
            actions.change(user, place, give={person: asked["roles"]}, take={}, **more)
            messages.success(request, f"{person.display_name} is in {place.name} now.")
            return redirect(_url(place), place.guid)
    shown = {
        "place": place,
        "kind": "space" if isinstance(place, Space) else "organization",
        "form": form,
        "back": _url(place),
        "crumbs": navigation.space_crumbs(place) if isinstance(place, Space) else navigation.org_crumbs(place),
    }
    return render(request, "tenants/member_add.html", shown)


def _url(place: Organization | Space) -> str:
    return "space_members" if isinstance(place, Space) else "organization_members"


def _back(request: HttpRequest, place: Organization | Space) -> HttpResponse:
    """To the table, with its filter and page; home if the reader has just lost sight of the place."""
    user: Any = request.user
    if not type(place).objects.visible_to(user).filter(pk=place.pk).exists():
        return redirect("home")
    asked = f"?{request.GET.urlencode()}" if request.GET else ""
    response = redirect(_url(place), place.guid)
    response["Location"] += asked
    return response
