"""Removes what the platform's own engine still has of an instance that was purged, or that no database knows any more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from services import outside
from services.models import Repository, ServiceInstance


class Command(BaseCommand):
    help = "Remove the container, data and address of an instance without a row; backups that are kept stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("guid", help="as the broker's differences tell it")

    def handle(self, *args: Any, guid: str, **options: Any) -> None:
        broker = outside.own_services()
        if guid not in {held.guid for held in broker.inventory()}:
            raise CommandError(f"The engine has nothing of an instance {guid}.")
        if ServiceInstance.objects.filter(guid=guid).exists():
            raise CommandError(f"The instance {guid} is known. Delete it as a service instance, or purge it first.")
        broker.clear(guid)
        broker.keeping.give_up(guid)
        if not Repository.objects.filter(guid=guid).exists():
            broker.keeping.forget(guid)
        self.stdout.write(f"Nothing is left of the instance {guid}, but for backups that are kept.")
