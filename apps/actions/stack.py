"""Stacks come with the platform's version; only what is said of them changes."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps.models import Stack
from paas.lib.v3.bodies import merged
from tenants.access import authorize


@transaction.atomic
def update(actor: User, stack: Stack, *, metadata: dict[str, Any] | None = None) -> Stack:
    authorize(actor, "platform.manage")
    stack = Stack.objects.lock(stack.pk)
    before = audit.state(stack)
    for name, value in merged(stack, metadata or {}).items():
        setattr(stack, name, value)
    stack.save(update_fields=["labels", "annotations", "updated_at"])
    audit.record(actor, "audit.stack.update", stack, before=before, after=audit.state(stack))
    return stack
