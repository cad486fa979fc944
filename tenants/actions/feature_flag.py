"""Turning the platform's feature flags."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import User
from tenants import access
from tenants.access import authorize
from tenants.models import FeatureFlag


@transaction.atomic
def turn(actor: User, name: str, *, enabled: bool, custom_error_message: str | None = None) -> FeatureFlag:
    """Set the flag for everybody; the message is what people read who are refused because of it."""
    authorize(actor, "platform.manage")
    before = access.flag(name)
    message = {} if custom_error_message is None else {"custom_error_message": custom_error_message}
    row, _made = FeatureFlag.objects.update_or_create(name=name, defaults={"enabled": enabled, **message})
    audit.record(actor, "audit.feature_flag.update", row, before=before, after=enabled, **message)
    return row
