"""How much of what a user may do is at hand: everything, or what a token or "view as" leaves of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Authority:
    """What narrows a user's permissions in one request; authority = what they may now, and all of this.

    ``verbs`` are the named permissions that are left (null: all), and ``barred`` those that are out of reach even so.
    ``organization`` is the key of the only one that is in sight, ``beside`` somebody who must be allowed the same, and
    ``via`` what the record says of it.
    """

    verbs: frozenset[str] | None = None
    organization: int | None = None
    beside: User | None = None
    via: str = ""
    barred: frozenset[str] = frozenset()

    @property
    def is_narrow(self) -> bool:
        """Whether it was cut down on purpose; what is merely barred goes without saying."""
        return self.verbs is not None or self.organization is not None or self.beside is not None

    def leaves(self, verb: str) -> bool:
        return verb not in self.barred and (self.verbs is None or verb in self.verbs)


WHOLE = Authority()
