"""What a plan costs, in words."""

from __future__ import annotations

from typing import Any

SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}
UNITS = {"MONTHLY": "a month", "MONTH": "a month", "HOURLY": "an hour", "DAILY": "a day", "YEARLY": "a year"}


def in_words(cost: dict[str, Any]) -> str:
    """Return one of a plan's costs as "£37.30 a month"."""
    currency, unit = str(cost.get("currency", "")), str(cost.get("unit", ""))
    amount = f"{cost['amount']:,.2f}"
    told = f"{SIGNS[currency]}{amount}" if currency in SIGNS else f"{amount} {currency}"
    return f"{told} {UNITS.get(unit.upper(), f'({unit})' if unit else '')}".strip()
