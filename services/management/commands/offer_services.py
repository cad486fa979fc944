"""Puts the services that come with the platform on offer, as the operator's file has them now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from services.models import ServiceBroker


class Command(BaseCommand):
    help = "Offer the platform's own services; run at every start, once their images are built."

    def handle(self, *args: Any, **options: Any) -> None:
        broker, _ = ServiceBroker.objects.get_or_create(kind="container", defaults={"name": "platform"})
        ServiceBroker.objects.filter(pk=broker.pk, due_at=None).update(due_at=timezone.now())
