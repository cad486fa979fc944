"""Where a thing that an audit event names has a page, if it is still there and the reader sees it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from django.urls import reverse

from accounts.models import AuditEvent, User
from tenants.access import people_visible_to
from tenants.models import Organization, Space

Finder = Callable[[User, Collection[str]], Iterable[str]]
# What events call a thing -> (which of these guids there are for the reader, the page's name). Each floor adds its own.
PAGES: dict[str, tuple[Finder, str]] = {}


def page_of(*kinds: str, name: str) -> Callable[[Finder], Finder]:
    """Decorate a function that says which things of a kind the reader sees; ``name`` is the page's URL name."""

    def register(finder: Finder) -> Finder:
        PAGES.update(dict.fromkeys(kinds, (finder, name)))
        return finder

    return register


@page_of("organization", "quota_request", name="organization")
def organizations(reader: User, guids: Collection[str]) -> Iterable[str]:
    return Organization.objects.visible_to(reader).filter(guid__in=guids).values_list("guid", flat=True)


@page_of("space", name="space")
def spaces(reader: User, guids: Collection[str]) -> Iterable[str]:
    return Space.objects.visible_to(reader).filter(guid__in=guids).values_list("guid", flat=True)


@page_of("user", "robot", "role_request", name="person_events")
def people(reader: User, guids: Collection[str]) -> Iterable[str]:
    seen = people_visible_to(reader).exclude(kind=User.Kind.SYSTEM)
    return seen.filter(guid__in=guids).values_list("guid", flat=True)


def links(reader: User, events: Collection[AuditEvent]) -> dict[str, str]:
    """Return {guid: URL} for the things and the people of the events; a query for each kind of thing."""
    wanted: dict[tuple[Finder, str], set[str]] = {}
    for event in events:
        for kind, guid in ((event.target_type, event.target_guid), ("user", event.actor_guid)):
            if kind in PAGES:
                wanted.setdefault(PAGES[kind], set()).add(guid)
    return {
        guid: reverse(name, args=[guid]) for (finder, name), guids in wanted.items() for guid in finder(reader, guids)
    }
