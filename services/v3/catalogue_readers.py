"""Who reads offerings and plans: with a token whoever sees them, without one anybody what is open to all."""

from __future__ import annotations

from typing import Any

from paas.lib.rest import SignedIn
from tenants.flags import flag

HIDES = "hide_marketplace_from_unauthenticated_users"
READING = ("list", "retrieve")


class ReadByAnybody(SignedIn):
    """Lists and single resources are read without a token, unless the platform's flag hides them."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if request.user is None and view.action in READING and not flag(HIDES):
            return True
        return super().has_permission(request, view)
