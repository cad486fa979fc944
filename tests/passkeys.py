"""A browser's holder of passkeys that says yes, through the devtools."""

from __future__ import annotations

from typing import Any

KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def hold_key(page: Any, **more: Any) -> Any:
    """Give the page's browser a passkey holder; return what talks to it, and its id."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    held = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY | more})
    return devtools, held["authenticatorId"]
