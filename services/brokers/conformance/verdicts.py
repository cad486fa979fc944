"""What can come out of a check: it holds, it does not, it should be better, or it could not be tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

SPECIFICATION = "https://github.com/openservicebrokerapi/servicebroker/blob/v2.17/spec.md"
PASSED, FAILED, ADVICE, SKIPPED = "passed", "failed", "advice", "skipped"


@dataclass(frozen=True)
class Exchange:
    """One call as it is shown: secrets are masked, and what is long is cut."""

    sent: str  # "PUT /v2/service_instances/..."
    headers: dict[str, str]
    body: str
    status: int | None  # None where no answer came
    answer: str  # what came, or why nothing did


@dataclass(frozen=True)
class Finding:
    """How a check ended. ``change`` is what the broker's author should do, "" where there is nothing."""

    name: str
    title: str
    section: str  # of the specification
    outcome: str
    said: str = ""
    change: str = ""
    exchanges: list[Exchange] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Verdict(Exception):
    """Ends a check in another way than well."""

    outcome = FAILED

    def __init__(self, said: str, change: str = "") -> None:
        self.said, self.change = said, change
        super().__init__(said)


class Failed(Verdict):
    """What the specification demands does not hold."""


class Advised(Verdict):
    """What the specification recommends does not hold; everything works without."""

    outcome = ADVICE


class Skipped(Verdict):
    """It cannot be tried with this broker, or no longer."""

    outcome = SKIPPED


@dataclass(frozen=True)
class Check:
    """``needs``: what an earlier check must have made: "catalog", "instance", "binding", or nothing."""

    name: str
    title: str
    section: str
    run: Callable[[Any], None]
    needs: str = ""


def check(name: str, title: str, section: str, *, needs: str = "") -> Callable[[Callable[[Any], None]], Check]:
    """Make a check of a function that returns where all is well, and raises a ``Verdict`` where it is not."""
    return lambda run: Check(name, title, section, run, needs)


def anchor(section: str) -> str:
    """Return where the specification says it."""
    return f"{SPECIFICATION}#{section.lower().replace(' ', '-')}"
