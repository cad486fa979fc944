"""What services take of a region's machine."""

from __future__ import annotations

from django.db.models import IntegerField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from services.models import ServiceInstance
from tenants.models import Region


def taken_mb(region: Region) -> int:
    """The memory of every instance on the platform's own engine."""
    ours = ServiceInstance.objects.there().filter(region=region, plan__offering__broker__kind="container")
    memory = Cast(KeyTextTransform("memory_mb", "plan__broker_metadata"), IntegerField())
    return int(ours.aggregate(mb=Sum(memory))["mb"] or 0)
