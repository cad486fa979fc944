"""What a new catalogue changes is told with what was before and what is now, as far as that is short."""

from __future__ import annotations

from typing import Any

import pytest

from services.jobs.differing import sentences


def cost(amount: float, currency: str = "GBP", unit: str = "MONTHLY") -> dict[str, Any]:
    return {"currency": currency, "amount": amount, "unit": unit}


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TOLD: list[tuple[str, Any, Any, str]] = [
    ("name", "small", "little", "name was 'small' and is 'little'."),
    ("description", "", "x" * 100, f"description was not given and is '{'x' * 60}...'."),
    ("bindable", None, True, "bindable was not given and is yes."),
    ("available", False, True, "it is offered again."),
    ("costs", [cost(10)], [cost(12)], "costs: £10.00 a month before, £12.00 a month now."),
    ("costs", [], [cost(1, "CHF", "HOURLY"), cost(2)], "costs: not given before, 1.00 CHF an hour, £2.00 a month now."),
    ("tags", ["sql", "old"], ["sql", "new"], "tags: 'new' added and 'old' removed."),
    ("tags", ["a", "b"], ["b", "a"], "tags: in another order, or another number of times."),
    ("tags", [], list("abcdefg"), "tags: 'a', 'b', 'c', 'd', 'e' and 2 more added."),
    ("maintenance_info", {"version": "1.0.0"}, {"version": "1.1.0"}, "maintenance info: version '1.0.0' before, '1.1.0' now."),
    ("maintenance_info", {}, {"version": "1.1.0"}, "maintenance info: version added ('1.1.0')."),
    (
        "create_schema",
        schema(disk={"maximum": 10}, mode={"enum": ["a"]}, old={}),
        schema(disk={"maximum": 20}, mode={"enum": ["a", "b"]}, new={}),
        "create schema: properties.disk.maximum '10' before, '20' now; properties.mode.enum 'b' added; "
        "properties.old removed; properties.new added.",
    ),
    ("bind_schema", {}, {str(each): {} for each in range(7)}, "bind schema: 0 added; 1 added; 2 added; 3 added; 4 added; and 2 more."),
    ("broker_metadata", {"bullets": ["a"]}, {"bullets": ["b"]}, "broker metadata: bullets 'b' added and 'a' removed."),
]  # fmt: skip


@pytest.mark.parametrize(("column", "before", "after", "sentence"), TOLD)
def test_before_and_now_are_told(column: str, before: Any, after: Any, sentence: str) -> None:
    assert sentences({column: before}, {column: after}) == [sentence]
    assert sentences({column: after}, {column: after}) == []


def test_what_has_a_column_of_its_own_is_told_once() -> None:
    before = {"costs": [cost(10)], "broker_metadata": {"costs": 10, "bullets": []}}
    after = {"costs": [cost(12)], "broker_metadata": {"costs": 12, "bullets": []}}
    assert sentences(before, after) == ["costs: £10.00 a month before, £12.00 a month now."]


def test_what_no_column_tells_is_told_of_the_metadata() -> None:
    before, after = (
        {"costs": [], "broker_metadata": {"costs": "much"}},
        {"costs": [], "broker_metadata": {"costs": "more"}},
    )
    assert sentences(before, after) == ["broker metadata: costs 'much' before, 'more' now."]
