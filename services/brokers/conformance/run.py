"""Runs the checks one after the other, and removes what they made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.brokers.conformance import bindings, instances, reading
from services.brokers.conformance.caller import Caller, Exhausted
from services.brokers.conformance.removal import Made, removed
from services.brokers.conformance.trial import NAMES, Trial
from services.brokers.conformance.verdicts import FAILED, PASSED, SKIPPED, Check, Finding, Verdict

LACKS = {
    "catalog": "There is no catalogue that could be read.",
    "plan": "No throw-away instance was allowed, or its plan is not in the catalogue.",
    "instance": "There is no throw-away instance to try it with.",
    "binding": "There is no throw-away binding to try it with.",
}
CHECKS: tuple[Check, ...] = (*reading.BEFORE, *instances.BEFORE, *bindings.ALL, *instances.AFTER, *reading.AFTER)
CLEANED = Check("cleanup", "What the check made is gone", "Orphan Mitigation", lambda trial: None)


def run(trial: Trial, *, plan: str = "", note: Callable[[dict[str, Made]], None]) -> Iterator[Finding]:
    """Yield how each check ends. With a plan (the catalogue's id) throw-away instances are made of it.

    ``note`` is called with the instances that the broker may come to hold, before it is asked for the first.
    """
    over = ""
    for check in CHECKS:
        if plan and trial.plan is None and trial.offered and not over:
            _choose(trial, plan)
            if trial.plan:
                note({trial.guid(name): trial.made(name) for name in NAMES})
        finding, over = _one(trial, check, over)
        yield finding
    if plan and trial.plan:
        yield cleaned(trial)


def _choose(trial: Trial, plan: str) -> None:
    for offering in trial.offered or ():
        for each in offering.plans:
            if each.id == plan:
                trial.offering, trial.plan = offering, each


def _one(trial: Trial, check: Check, over: str) -> tuple[Finding, str]:
    outcome, said, change = PASSED, "", ""
    if over or (check.needs and not _has(trial, check.needs)):
        outcome, said = SKIPPED, over or LACKS[check.needs]
    else:
        try:
            check.run(trial)
        except Verdict as verdict:
            outcome, said, change = verdict.outcome, verdict.said, verdict.change
        except Exhausted as error:
            outcome, said, over = SKIPPED, str(error), str(error)
    return Finding(check.name, check.title, check.section, outcome, said, change, trial.caller.taken()), over


def _has(trial: Trial, what: str) -> bool:
    return {
        "catalog": trial.offered is not None,
        "plan": trial.plan is not None,
        "instance": trial.instance,
        "binding": trial.binding,
    }[what]


def cleaned(trial: Trial) -> Finding:
    """Remove all that may still stand, and tell whether the broker let go of it."""
    trial.caller = Caller(trial.caller.broker, pause=trial.caller.pause)  # with time of its own
    for guid, made in [*trial.standing.items()]:
        if removed(trial.caller, guid, made):
            trial.standing.pop(guid)
    said, change = "", ""
    if trial.standing:
        said = f"The broker has not let go of {', '.join(trial.standing)}. It is told to again for a day."
        change = "Remove what is left by hand, and answer DELETE with 200, or 410 where there is nothing."
    outcome = FAILED if said else PASSED
    return Finding(CLEANED.name, CLEANED.title, CLEANED.section, outcome, said, change, trial.caller.taken())
