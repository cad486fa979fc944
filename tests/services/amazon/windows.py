"""What moto's RDS lacks: versions that a database can be brought to, and changes that wait for its window."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.rds.responses import RDSResponse

OFFERED = ("15.9", "15.10", "16.1")  # of PostgreSQL, from the oldest
WAIT = ("DBInstanceClass", "AllocatedStorage", "MultiAZ", "EngineVersion")
at_once = RDSResponse.modify_db_instance


def complete() -> None:
    """Teach moto's server the rest."""
    for each in (describe_db_engine_versions, modify_db_instance):
        setattr(RDSResponse, each.__name__, each)


def describe_db_engine_versions(self: Any) -> ActionResult:
    engine, now = self.params.get("Engine"), self.params.get("EngineVersion")
    targets = [
        {"Engine": engine, "EngineVersion": each, "IsMajorVersionUpgrade": each.split(".")[0] != now.split(".")[0]}
        for each in OFFERED[OFFERED.index(now) + 1 if now in OFFERED else 0 :]
    ]
    return ActionResult({"DBEngineVersions": [{"Engine": engine, "EngineVersion": now, "ValidUpgradeTarget": targets}]})


def modify_db_instance(self: Any) -> ActionResult:
    if self.params.get("ApplyImmediately"):
        return at_once(self)
    later = {name: self.params.pop(name) for name in WAIT if name in self.params}
    answer = at_once(self)
    answer.result["DBInstance"].pending_modified_values = later
    return answer
