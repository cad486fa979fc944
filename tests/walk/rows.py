"""What a row of the table says of one operation, and what follows from it for each person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import SimpleNamespace as Things
from typing import Any

from tests.walk.people import Person, changes, holds

Send = Callable[[Things], Any]


class Outcome(Enum):
    """What becomes of a request."""

    DONE = "it is done"
    CANNOT = "whoever may is told why it cannot be"
    SIGNED_OUT = "a sign-in is asked for"
    HIDDEN = "there is no such thing"
    UNKNOWN = "a body names what there is not"
    REFUSED = "it is forbidden"
    SUSPENDED = "it is forbidden, the organization being suspended"


@dataclass(frozen=True)
class Row:
    """One operation: the verb that shows what its address names (``see``), and the verb that it takes (``do``).

    Nothing in ``see`` is for everybody who is signed in, nothing in ``do`` is reading what one sees. ``send`` makes the
    body of a request that works, from the guids of what is there.
    """

    method: str
    pattern: str
    see: str = ""
    do: str = ""
    send: Send | None = None
    ids: Mapping[str, str] = field(default_factory=dict)  # placeholder -> thing, where it is not the usual one
    query: str = ""
    named: bool = False  # what must be seen is named in the body, not in the address
    shows: str = ""  # the thing that a list holds for exactly those who see it
    own: bool = False  # it is about the person's own account
    public: bool = False  # nobody needs to sign in
    never: bool = False  # there is nothing at that address, or it is somebody else's own
    cannot: bool = False  # it can never be done here
    page: bool = False  # a form that answers with a page
    whole: bool = False  # not for a token that is narrowed, whatever it is narrowed to
    people: bool = False  # no robot is known there

    @property
    def operation(self) -> tuple[str, str]:
        return self.method, self.pattern

    @property
    def is_api(self) -> bool:
        return self.pattern.lstrip("^").startswith(("v2", "v3", "uaa/oauth", "uaa/Users", "uaa/^", "api/"))

    def outcome(self, person: Person) -> Outcome:
        """What the tables of verbs make of the person's request."""
        if not self.public and not (person.has_browser or (self.is_api and person.signed_in)):
            return Outcome.SIGNED_OUT
        if self.never or not (self.shows or self.seen_by(person)):
            return Outcome.UNKNOWN if self.named else Outcome.HIDDEN
        if (self.whole and person.token) or (self.people and person.is_robot):
            return Outcome.REFUSED
        if self.do and not holds(person, self.do, own=self.own):
            return Outcome.REFUSED
        if self.do and person.suspended and changes(self.do):
            return Outcome.SUSPENDED
        return Outcome.CANNOT if self.cannot else Outcome.DONE

    def seen_by(self, person: Person) -> bool:
        """Whether the person sees what the address names, or finds ``shows`` in the list."""
        return not self.see or holds(person, self.see, own=self.own)
