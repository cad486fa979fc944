"""Addresses of services on the platform's own engine: of the stock that instances of apps have theirs from."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.db import transaction

from tenants.models import Region

KEPT_BY = "apps.addresses"  # on the floor above, so it is found by its name


class Stock:
    """The addresses of the region that there is."""

    def take(self, owner: str) -> str:
        with transaction.atomic():
            return str(_kept().take(_region(), owner))

    def of(self, owner: str) -> str | None:
        found: str | None = _kept().of(_region(), owner)
        return found

    def owners(self) -> list[str]:
        """Return those that services have given: not instances and tasks of apps."""
        found: list[str] = _kept().owners_beside_apps(_region())
        return found

    def give_back(self, owner: str) -> None:
        _kept().give_back([owner])


def _kept() -> Any:
    return import_module(KEPT_BY)


def _region() -> Region:
    return Region.objects.get(is_default=True)
