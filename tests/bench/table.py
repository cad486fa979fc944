"""What one line of the report is, and how lines become a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Aim:
    """A limit of the ratio to the reference, or of our own figure where there is nothing to compare it with."""

    limit: float
    of: Literal["ratio", "ours"] = "ratio"
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Row:
    """One figure. ``ours`` is None where it could not be measured; ``note`` then says why."""

    what: str
    unit: str = ""
    ours: float | None = None
    reference: float | None = None
    aim: Aim | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.reference if self.ours is not None and self.reference else None

    @property
    def verdict(self) -> str:
        if self.ours is None:
            return "skipped"
        value = self.ratio if self.aim and self.aim.of == "ratio" else self.ours
        if self.aim is None or value is None:
            return ""
        return "met" if self.aim.met(value) else "NOT MET"

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.what, self._figure(self.ours), self._figure(self.reference), ratio, self._aim(), self.verdict)

    def _figure(self, value: float | None) -> str:
        return "" if value is None else f"{short(value)} {self.unit}".rstrip()

    def _aim(self) -> str:
        if self.aim is None:
            return ""
        sign = "≥" if self.aim.at_least else "≤"
        return f"{sign} {self.aim.limit:.2f}" if self.aim.of == "ratio" else f"{sign} {self._figure(self.aim.limit)}"


HEAD = ("what", "ours", "reference", "ratio", "aim", "verdict")


def short(value: float) -> str:
    """Three figures that matter, and thousands with commas."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: Iterable[Row]) -> str:
    """Return the rows under one head, with what is to be said about a row in a line below it."""
    rows = list(rows)
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    head, *body = ("  ".join(_padded(line, widths)).rstrip() for line in lines)
    found = [head, "─" * (sum(widths) + 2 * (len(HEAD) - 1))]
    for row, line in zip(rows, body, strict=True):
        found += [line, *([f"  · {row.note}"] if row.note else [])]
    return "\n".join(found)


def _padded(cells: tuple[str, ...], widths: list[int]) -> list[str]:
    """Names and verdicts to the left, figures to the right."""
    left = (0, len(HEAD) - 1)
    return [cell.ljust(widths[at]) if at in left else cell.rjust(widths[at]) for at, cell in enumerate(cells)]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


__all__ = ["Aim", "Row", "median", "percentile", "short", "table"]
