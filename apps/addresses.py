"""Addresses of instances: one owner at a time, and nobody for ten minutes after."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from apps.models import Address, Instance, Task
from paas.lib.errors import InsufficientResources
from tenants.models import Region

COOLING = timedelta(minutes=10)  # so that a routing table that is a little old never leads to somebody else
NEVER_USED = datetime(2000, 1, 1, tzinfo=UTC)


def take(region: Region, owner: str) -> str:
    """Return the owner's address, taking the one that has been free for longest if it has none yet."""
    mine = Address.objects.filter(region=region, instance=owner).first()
    if mine:
        return mine.address
    free = Address.objects.select_for_update(skip_locked=True).filter(
        region=region, instance="", free_since__lt=timezone.now() - COOLING
    )
    address = free.order_by("free_since", "id").first()
    if address is None:
        raise InsufficientResources(
            "Every address of the region is in use, or was until ten minutes ago. Try again later, or tell the platform team."
        )
    address.instance = owner
    address.save(update_fields=["instance"])
    return address.address


def of(region: Region, owner: str) -> str | None:
    """Return the owner's address, None where it has none."""
    return Address.objects.filter(region=region, instance=owner).values_list("address", flat=True).first()


def owners_beside_apps(region: Region) -> list[str]:
    """Return the owners that are no instance or task of an app."""
    taken = Address.objects.filter(region=region).exclude(instance="")
    of_apps = Q(instance__in=Instance.objects.values("guid")) | Q(instance__in=Task.objects.values("guid"))
    return list(taken.exclude(of_apps).values_list("instance", flat=True))


def give_back(owners: Iterable[str]) -> None:
    Address.objects.filter(instance__in=list(owners)).exclude(instance="").update(
        instance="", free_since=timezone.now()
    )


def fill(region: Region, subnet: str) -> None:
    """Write the addresses that instances may have: the subnet but for its gateway and its top quarter (builds)."""
    network = ipaddress.ip_network(subnet)
    count = network.num_addresses * 3 // 4
    known = set(Address.objects.filter(region=region).values_list("address", flat=True))
    wanted = (str(network[number]) for number in range(2, count))
    Address.objects.bulk_create(
        [Address(region=region, address=a, free_since=NEVER_USED) for a in wanted if a not in known], batch_size=1000
    )
