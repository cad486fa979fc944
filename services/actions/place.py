"""The place of a binding among those of its app: what takes another's is found where the other was."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from services import credentials
from services.models import Binding


def take(binding: Binding, *, of: Binding) -> None:
    """Let a locked binding have another's place from now on."""
    binding.place, binding.placed_at = credentials.place_of(of), timezone.now()
    binding.save(update_fields=["place", "placed_at", "updated_at"])


def inherit(binding: Binding, there: Sequence[Binding]) -> None:
    """Give a binding that is made beside others to the same instance the place that those have taken, if they have."""
    taken = [row for row in there if row.placed_at]
    if taken:
        last = max(taken, key=lambda row: row.placed_at)
        binding.place, binding.placed_at = last.place, last.placed_at
