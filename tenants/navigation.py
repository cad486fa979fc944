"""Where a page is: the breadcrumbs above it, and the tabs that an organization's or a space's pages share."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import User
from tenants.access import verbs_held
from tenants.models import Organization, RoleRequest, Space

Crumb = tuple[str, str]
Tab = tuple[str, str, bool]

HOME: Crumb = ("Organizations", "/")
ORGANIZATION_TABS = (
    ("Spaces", "organization", "organization.view"),
    ("Members", "organization_members", "organization.view"),
    ("Roles", "organization_roles", "organization.view"),
    ("Robots", "organization_robots", "organization.view"),
    ("Quota", "organization_use", "usage.view"),
    ("Events", "organization_events", "audit.read"),
    ("Settings", "organization_settings", "organization.view"),
)
SPACE_TABS = (
    ("Apps", "space", "space.view"),
    ("Services", "space_services", "service.view"),
    ("Routes", "space_routes", "space.view"),
    ("Quota", "space_use", "space.view"),
    ("Events", "space_events", "audit.read"),
    ("Members", "space_members", "space.view"),
    ("Settings", "space_settings", "space.view"),
)


def org_crumbs(organization: Organization) -> list[Crumb]:
    """The way to a page inside the organization."""
    return [HOME, (organization.name, reverse("organization", args=[organization.guid]))]


def space_crumbs(space: Space) -> list[Crumb]:
    """The way to a page inside the space; wants ``organization`` joined."""
    return [*org_crumbs(space.organization), (space.name, reverse("space", args=[space.guid]))]


def org_tabs(organization: Organization, user: User, current: str) -> list[Tab]:
    """Return (text, URL, is it this page); ``current`` is the URL's name."""
    return _tabs(ORGANIZATION_TABS, organization, user, current)


def space_tabs(space: Space, user: User, current: str) -> list[Tab]:
    """Return (text, URL, is it this page); ``current`` is the URL's name."""
    return _tabs(SPACE_TABS, space, user, current)


def _tabs(tabs: tuple[tuple[str, str, str], ...], place: Organization | Space, user: User, current: str) -> list[Tab]:
    verbs = verbs_held(user, place)
    waiting = waiting_requests(place) if "member.manage" in verbs else 0
    counts = {"Members": f" ({waiting} request{'' if waiting == 1 else 's'})" if waiting else ""}
    return [
        (text + counts.get(text, ""), reverse(name, args=[place.guid]), name == current)
        for text, name, verb in tabs
        if verb in verbs
    ]


def waiting_requests(place: Organization | Space) -> int:
    """Return how many requests for roles there wait for an answer; an organization's spaces count."""
    here = {"space": place} if isinstance(place, Space) else {"organization": place}
    return RoleRequest.objects.filter(state=RoleRequest.State.PENDING, **here).count()
