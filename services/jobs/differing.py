"""Says in a sentence how something in a catalogue was before and is now: the whole where it is short, else the parts that differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.costs import in_words

SHOWN = 60  # characters of a value in a sentence
PARTS = 5  # that one sentence tells
# What columns of their own tell already.
IN_METADATA = {"costs": "costs", "shareable": "shareable", "documentation_url": "documentationUrl"}


def sentences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one for each column that differs; both have the same columns."""
    differing = [name for name in after if before[name] != after[name]]
    told = {IN_METADATA[name] for name in differing if name in IN_METADATA}
    return [
        sentence
        for name in differing
        if (sentence := _sentence(name, before[name], after[name], told if name == "broker_metadata" else set()))
    ]


def _sentence(column: str, before: Any, after: Any, told: set[str]) -> str:
    words = column.replace("_", " ")
    if column == "available":
        return "it is offered again."
    if column == "costs":
        return f"{words}: {_prices(before)} before, {_prices(after)} now."
    if isinstance(before, list) and isinstance(after, list):
        return f"{words}: {_members(before, after)}."
    if isinstance(before, dict) and isinstance(after, dict):
        parts = [*_parts({**before, **dict.fromkeys(told)}, {**after, **dict.fromkeys(told)})]
        more = f"; and {len(parts) - PARTS} more" if len(parts) > PARTS else ""
        return f"{words}: {'; '.join(parts[:PARTS])}{more}." if parts else ""
    return f"{words} was {_shown(before)} and is {_shown(after)}."


def _parts(before: dict[str, Any], after: dict[str, Any], within: str = "") -> Iterator[str]:
    """Tell the smallest parts that differ; their names are those on the way to them, with dots between."""
    for key in [*before, *(key for key in after if key not in before)]:
        name = f"{within}{key}"
        if key not in after:
            yield f"{name} removed"
        elif key not in before:
            yield f"{name} added{_added(after[key])}"
        elif isinstance(before[key], dict) and isinstance(after[key], dict):
            yield from _parts(before[key], after[key], f"{name}.")
        elif isinstance(before[key], list) and isinstance(after[key], list):
            if before[key] != after[key]:
                yield f"{name} {_members(before[key], after[key])}"
        elif before[key] != after[key]:
            yield f"{name} {_shown(before[key])} before, {_shown(after[key])} now"


def _added(value: Any) -> str:
    return "" if isinstance(value, dict | list) else f" ({_shown(value)})"


def _members(before: list[Any], after: list[Any]) -> str:
    """Tell which came and which went."""
    came, went = [each for each in after if each not in before], [each for each in before if each not in after]
    told = [
        f"{', '.join(map(_shown, some[:PARTS]))}{_more(some)} {verb}"
        for some, verb in ((came, "added"), (went, "removed"))
        if some
    ]
    return " and ".join(told) or "in another order, or another number of times"


def _more(some: list[Any]) -> str:
    return f" and {len(some) - PARTS} more" if len(some) > PARTS else ""


def _prices(costs: list[dict[str, Any]]) -> str:
    return ", ".join(map(in_words, costs[:PARTS])) + _more(costs) or "not given"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text[:SHOWN]}{'...' if len(text) > SHOWN else ''}'"
