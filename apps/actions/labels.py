"""Labels and annotations of what belongs to an app and has nothing else that may change."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from paas.lib.v3.bodies import merged
from tenants.access import authorize


@transaction.atomic
def describe(actor: User, thing: Any, *, metadata: dict[str, Any] | None = None) -> Any:
    """Merge labels and annotations into those of a revision, deployment, task or the like; null removes one."""
    authorize(actor, "app.update", thing.app.space)
    thing = type(thing).objects.lock(thing.pk)
    before = audit.state(thing)
    for name, value in merged(thing, metadata or {}).items():
        setattr(thing, name, value)
    thing.save(update_fields=["labels", "annotations", "updated_at"])
    kind = thing._meta.model_name
    audit.record(
        actor,
        f"audit.app.{kind}.update",
        thing.app,
        before=before,
        after=audit.state(thing),
        **{f"{kind}_guid": thing.guid},
    )
    return thing
