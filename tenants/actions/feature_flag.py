"""Turning the platform's feature flags."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import User
from tenants import flags
from tenants.access import authorize
from tenants.models import FeatureFlag


@transaction.atomic
def turn(actor: User, name: str, *, enabled: bool, custom_error_message: str | None = None) -> FeatureFlag:
    """Set the flag for everybody; the message is what people read who are refused because of it."""
    authorize(actor, "platform.manage")
    had = FeatureFlag.objects.select_for_update().filter(name=name).first()
    before = {"enabled": flags.flag(name), "custom_error_message": had.custom_error_message if had else ""}
    message = {} if custom_error_message is None else {"custom_error_message": custom_error_message}
    row, _made = FeatureFlag.objects.update_or_create(name=name, defaults={"enabled": enabled, **message})
    after = {"enabled": enabled, "custom_error_message": row.custom_error_message}
    audit.record(actor, "audit.feature_flag.update", row, before=before, after=after)
    return row
