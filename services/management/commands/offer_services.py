"""Puts the services that come with the platform on offer, as the operator's files have them now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from services.models import ServiceBroker

NAMES = {"container": "platform", "amazon": "amazon"}


class Command(BaseCommand):
    help = "Offer the platform's own services; run at every start: of those on its engine once their images are built."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", nargs="?", choices=[*NAMES], default="container")

    def handle(self, *args: Any, kind: str, **options: Any) -> None:
        without = kind == "amazon" and not settings.PAAS_AWS["region"]
        if without and not ServiceBroker.objects.filter(kind=kind).exists():
            return
        broker, _ = ServiceBroker.objects.get_or_create(kind=kind, defaults={"name": NAMES[kind]})
        ServiceBroker.objects.filter(pk=broker.pk, due_at=None).update(due_at=timezone.now())
