"""Which version of its engine a database can be brought to without leaving its release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .cloud import Cloud


def newest_minor(cloud: Cloud, found: Mapping[str, Any]) -> str:
    """Return the newest minor version, "" where the database has it."""
    now = {"Engine": found["Engine"], "EngineVersion": found["EngineVersion"]}
    targets = [
        target["EngineVersion"]
        for each in cloud.pages("rds", "describe_db_engine_versions", "DBEngineVersions", **now)
        for target in each.get("ValidUpgradeTarget", [])
        if not target["IsMajorVersionUpgrade"]
    ]
    return max(targets, key=_numbers, default="")


def _numbers(version: str) -> list[int]:
    """Return for instance [15, 10]; words in between do not count."""
    return [int(number) for number in re.findall(r"\d+", version)]
