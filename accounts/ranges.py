"""From where an account may be used: lists of addresses and networks, kept as text in their shortest form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User
from paas.lib.errors import NotAuthorized, Unprocessable

REFUSED = "audit.user.address-refused"
ONCE_IN = timedelta(hours=1)  # how often a refusal of the same address is recorded
MOST = 50


class AddressRefused(NotAuthorized):
    """The account may not be used from where the request came from."""


def read(lines: Iterable[str]) -> list[str]:
    """Return the ranges as they are kept; raise ``Unprocessable`` for what is none."""
    found = list(dict.fromkeys(_one(line.strip()) for line in lines if line.strip()))
    if len(found) > MOST:
        raise Unprocessable(f"An account has at most {MOST} address ranges. Put neighbours together in one.")
    return found


def _one(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise Unprocessable(
            f"'{text}' is no address range. Write an address like 203.0.113.7 or a network like 203.0.113.0/24."
        ) from error
    if "/" in text and ip_address(text.partition("/")[0]) != network.network_address:
        raise Unprocessable(f"'{text}' is an address inside a network. Did you mean {network}, or the address alone?")
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def hold(ranges: Iterable[str], address: str) -> bool:
    """Return whether the address is in one of the ranges; what is no address is in none."""
    try:
        here = ip_address(address)
    except ValueError:
        return False
    if isinstance(here, IPv6Address) and here.ipv4_mapped:
        here = here.ipv4_mapped
    return any(here in ip_network(each) for each in ranges)


def require(user: User, address: str) -> None:
    """Raise ``AddressRefused`` unless the account may be used from there; refusals are recorded once per hour."""
    if not user.address_ranges or hold(user.address_ranges, address):
        return
    robot = getattr(user, "robot", None)  # what the floor above knows of it: whose events it belongs to
    known = AuditEvent.objects.filter(type=REFUSED, target_guid=user.guid, created_at__gt=timezone.now() - ONCE_IN)
    if not known.filter(data__from_address=address).exists():
        audit.record(user, REFUSED, user, organization=robot and robot.organization, from_address=address)
    raise AddressRefused(
        f"'{user.username}' may not be used from {address or 'an unknown address'}. "
        "A manager of its organization can change its address ranges."
    )
