"""``fields[service_plan.service_offering]=name,guid``: parts of related resources, asked for by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from paas.lib.errors import BadQueryParameter

Part = Callable[[Any], Any]


@dataclass(frozen=True)
class Fields:
    """What may be asked of one related resource. ``of`` finds it from a row of the page, or None; it is loaded already.

    ``parts`` maps a name to a function of the related row; "relationships.space" goes below "relationships".
    """

    kind: str  # where it stands in ``included``: "service_brokers"
    of: Callable[[Any], Any]
    parts: Mapping[str, Part]

    def read(self, path: str, names: list[str], rows: list[Any]) -> dict[str, dict[str, Any]]:
        """Return what was asked for of each related row, by its guid; raise ``BadQueryParameter``."""
        if [name for name in names if name not in self.parts]:
            raise BadQueryParameter(f"Fields {path} can only contain: " + ", ".join(f"'{name}'" for name in self.parts))
        related = {found.guid: found for found in map(self.of, rows) if found is not None}
        return {guid: self._shown(found, names) for guid, found in related.items()}

    def _shown(self, row: Any, names: list[str]) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name in names:
            group, _, inner = name.partition(".")
            if inner:
                shown.setdefault(group, {})[inner] = self.parts[name](row)
            else:
                shown[name] = self.parts[name](row)
        return shown
