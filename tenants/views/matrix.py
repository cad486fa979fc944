"""The matrix: people down, the organization and its spaces across, roles as check boxes; one form, one save."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from paas.lib.errors import NotAuthorized, NotFound, PaasError, Unprocessable
from paas.lib.text import is_storable
from tenants import access, navigation
from tenants.actions import matrix as actions
from tenants.actions.role import VERB
from tenants.models import Organization, OrganizationRole, Space, SpaceRole, in_force
from tenants.permissions import short
from tenants.role_forms import GiveForm
from tenants.views.places import organization_seen, people_like

PEOPLE, SPACES = 20, 5  # of one page
ALL_SPACES = 30  # of one person's page
Place = Organization | Space


@dataclass(frozen=True)
class Box:
    """One check box; ``value`` is "person place role" by guid and name."""

    value: str
    label: str
    held: bool


@dataclass(frozen=True)
class Cell:
    """What one person holds in one place; who may change it gets all the boxes."""

    place: Place
    boxes: list[Box]
    editable: bool

    @property
    def held(self) -> list[str]:
        return [box.label for box in self.boxes if box.held]


@dataclass(frozen=True)
class Line:
    person: User
    cells: list[Cell]


@dataclass(frozen=True)
class Gain:
    """What one person gains and loses, as the page asks before it is saved."""

    person: User
    gives: list[tuple[str, Place]]
    takes: list[tuple[str, Place]]


@login_required
@require_GET
def matrix(request: HttpRequest, guid: str) -> HttpResponse:
    """Who holds which role where; filtered by person and space, a page of each at a time."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    words, spaces = (request.GET.get(name, "").strip().replace("\0", "") for name in ("q", "space"))
    people = Paginator(people_like(organization, words), PEOPLE).get_page(request.GET.get("page"))
    there = (
        spaces_seen(user, organization).filter(name__icontains=spaces) if spaces else spaces_seen(user, organization)
    )
    columns = Paginator(there, SPACES).get_page(request.GET.get("spaces"))
    lines = lines_of(user, list(people), [organization, *columns])
    shown = {
        "organization": organization,
        "page": people,
        "columns": columns,
        "words": words,
        "space_words": spaces,
        "filtered": bool(words or spaces),
        "lines": lines,
        "editable": any(cell.editable for line in lines for cell in line.cells),
        "query": urlencode({name: value for name, value in request.GET.items() if value}),
        "tabs": navigation.org_tabs(organization, user, "organization_members"),
        "crumbs": [navigation.HOME],
    }
    return render(request, "tenants/matrix.html", shown)


@login_required
@require_POST
def review(request: HttpRequest, guid: str) -> HttpResponse:
    """Tell what a save would change, for the manager to confirm; nothing is written."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    was, held = (set(request.POST.getlist(name)) for name in ("was", "held"))
    give, take = _changes(user, organization, held - was), _changes(user, organization, was - held)
    actions.authorize_all(user, [*give, *take])
    if not give and not take:
        messages.info(request, "Nothing was changed.")
        return redirect(_back(request, organization))
    return _reviewed(request, organization, give, take, GiveForm())


@login_required
@require_POST
def save(request: HttpRequest, guid: str) -> HttpResponse:
    """Make the changes that were reviewed, all or nothing."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    give, take = (_changes(user, organization, set(request.POST.getlist(name))) for name in ("give", "take"))
    form = GiveForm(request.POST)
    if form.is_valid():
        ends = {"expires_at": form.cleaned_data["until"], "reason": form.cleaned_data["reason"]}
        try:
            actions.change_everywhere(user, organization, give=give, take=take, **ends)
        except (NotAuthorized, NotFound):
            raise
        except PaasError as refused:
            form.add_error(None, refused.detail)
        else:
            messages.success(request, "The roles are saved.")
            return redirect(_back(request, organization))
    return _reviewed(request, organization, give, take, form)


def spaces_seen(user: User, organization: Organization) -> QuerySet[Space]:
    rows = Space.objects.visible_to(user).filter(organization=organization)
    return rows.select_related("organization").order_by(Lower("name"), "id")


def lines_of(reader: User, people: list[User], places: list[Place]) -> list[Line]:
    """Return a line for each person with a cell for each place: the organization first, then spaces of it."""
    organization, spaces = places[0].organization, [place for place in places if isinstance(place, Space)]
    held = _held(people, organization, spaces)
    labels = {type(place): access.roles_of(place) for place in (organization, *spaces[:1])}
    managed = set(Space.objects.where(reader, VERB).filter(organization=organization).values_list("pk", flat=True))
    manages = access.may(reader, VERB, organization)

    def cell(person: User, place: Place) -> Cell:
        has = held[person.pk, place.guid]
        boxes = [
            Box(f"{person.guid} {place.guid} {role}", short(label), role in has)
            for role, label in labels[type(place)].items()
        ]
        editable = place.pk in managed if isinstance(place, Space) else manages
        return Cell(place, boxes, editable and not organization.suspended)

    return [Line(person, [cell(person, place) for place in places]) for person in people]


def _held(people: list[User], organization: Organization, spaces: list[Space]) -> dict[tuple[int, str], set[str]]:
    found: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    names = ("user", "content_object__guid", "permission__codename")
    for rows in (
        OrganizationRole.objects.filter(in_force(), content_object=organization, user__in=people),
        SpaceRole.objects.filter(in_force(), content_object__in=spaces, user__in=people),
    ):
        for person, place, role in rows.values_list(*names):
            found[person, place].add(role)
    return found


def _changes(user: User, organization: Organization, values: Iterable[str]) -> list[actions.Change]:
    """Read "person place role"; what there is not, or is not to be seen, is told."""
    parts = [value.split(" ", 2) for value in values if is_storable(value)]
    if any(len(each) != 3 for each in parts):
        raise Unprocessable("The form came back damaged. Load the page again.")
    people = access.people_of(organization).filter(guid__in={each[0] for each in parts})
    persons = {person.guid: person for person in people}
    places: dict[str, Place] = {organization.guid: organization}
    places |= {space.guid: space for space in spaces_seen(user, organization).filter(guid__in={p[1] for p in parts})}
    roles = {type(place): access.roles_of(place) for place in places.values()}
    found = []
    for person, place, role in sorted(parts):
        if place not in places:
            raise NotFound("There is no such space, or you have no role in it.")
        if person not in persons or role not in roles[type(places[place])]:
            raise Unprocessable("Somebody or something of this is not here any more. Load the page again.")
        found.append(actions.Change(persons[person], places[place], role))
    return found


def _reviewed(
    request: HttpRequest,
    organization: Organization,
    give: list[actions.Change],
    take: list[actions.Change],
    form: GiveForm,
) -> HttpResponse:
    places = {change.place for change in (*give, *take)}
    labels = {type(place): access.roles_of(place) for place in places}

    def told(changes: list[actions.Change], person: User) -> list[tuple[str, Place]]:
        return [(short(labels[type(each.place)][each.role]), each.place) for each in changes if each.user == person]

    people = sorted({change.user for change in (*give, *take)}, key=lambda person: person.username.lower())
    shown = {
        "organization": organization,
        "gains": [Gain(person, told(give, person), told(take, person)) for person in people],
        "give": [f"{each.user.guid} {each.place.guid} {each.role}" for each in give],
        "take": [f"{each.user.guid} {each.place.guid} {each.role}" for each in take],
        "form": form,
        "back": request.POST.get("back", ""),
        "back_url": _back(request, organization),
        "crumbs": navigation.org_crumbs(organization),
    }
    return render(request, "tenants/matrix_review.html", shown)


def _back(request: HttpRequest, organization: Organization) -> str:
    """To the page that the form was on: the matrix as it was filtered, or one person's page."""
    kind, _, rest = request.POST.get("back", "").partition(":")
    if kind == "person" and rest.isascii() and rest.replace("-", "").isalnum():
        return reverse("organization_person", args=[organization.guid, rest])
    page = reverse("organization_matrix", args=[organization.guid])
    return f"{page}?{rest}" if kind == "matrix" and rest else page
