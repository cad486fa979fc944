"""The variables that every running or staging app gets from the platform."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps.actions.app import check_environment
from apps.models import EnvironmentGroup
from tenants.access import authorize


@transaction.atomic
def update(actor: User, name: str, *, variables: dict[str, str | None]) -> EnvironmentGroup:
    """Merge variables into the group ("running" or "staging"); null removes one. Apps get them at their next start."""
    authorize(actor, "platform.manage")
    check_environment(variables)
    EnvironmentGroup.objects.get_or_create(name=name)
    group = EnvironmentGroup.objects.select_for_update().get(name=name)
    before = audit.state(group, ("variables",))
    changed = {**group.variables, **variables}
    group.variables = {key: value for key, value in changed.items() if value is not None}
    group.save(update_fields=["variables", "updated_at"])
    after = audit.state(group, ("variables",))
    audit.record(actor, "audit.environment_variable_group.update", group, before=before, after=after)
    return group
