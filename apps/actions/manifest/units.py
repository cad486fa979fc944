"""Sizes as manifests write them: 256M, 1.5GB, 16K."""

from __future__ import annotations

import re
from decimal import Decimal

AMOUNT = re.compile(r"(-?\d{1,18}(?:\.\d{1,18})?) ?([KMGT]?)(?:I?B)?", re.IGNORECASE)
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


class NoSize(ValueError):
    """Says what is wrong, to be written behind the name of what it is the size of."""


def of_bytes(value: object) -> int:
    """Return how many bytes are meant; raise ``NoSize``."""
    text = str(value).strip()
    if not re.match(r"-?\d", text):
        raise NoSize("is not a number")
    found = AMOUNT.fullmatch(text)
    if found is None or text[-1].isdigit():
        raise NoSize("must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB")
    return int(Decimal(found[1]) * 1024 ** POWERS[found[2].upper()])


def megabytes(value: object) -> int:
    """Return whole megabytes, rounded down; raise ``NoSize``."""
    return of_bytes(value) // 2**20


def rate(value: object) -> int:
    """Return bytes per second; -1 is without limit, and only it and 0 need no unit. Raises ``NoSize``."""
    return int(str(value)) if str(value).strip() in ("-1", "0") else of_bytes(value)


def written(amount: int) -> str | int:
    """The shortest way to write so many bytes; -1 stays what it is."""
    if amount <= 0:
        return amount
    power = max(power for power in range(5) if amount % 1024**power == 0)
    return f"{amount // 1024**power}{'BKMGT'[power]}"
