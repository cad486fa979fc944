"""A push of changed and of unchanged source, through plain v3 calls and through `cf`, against Docker by hand."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench import sample
from tests.bench.by_hand import LAYERED, PLAIN, ByHand
from tests.bench.cf import Cf
from tests.bench.ground import Ground, soon
from tests.bench.table import Aim, Row, median

ROUNDS = 3
DRAINED = 5  # seconds after an answer until the version before is gone too; nobody pushes again sooner
Push = Callable[[Mapping[str, str]], float]


@dataclass(frozen=True)
class Case:
    """What is pushed after what was pushed before, and what it is held against."""

    what: str
    version: int  # how much newer the source is
    requirements: int
    aim: Aim
    references: tuple[str, ...]


CASES = (
    Case("changed source", 1, 0, Aim(1.2), ("layered", "plain", "anew")),
    Case("changed source and requirements", 1, 1, Aim(1.2), ("layered",)),
    Case("unchanged", 0, 0, Aim(0.5), ("layered", "anew")),
)
BY_HAND = {
    "layered": "by hand with the requirements in a layer of their own",
    "plain": "by hand with the plainest Dockerfile, which installs again",
    "anew": "by hand with --no-cache: all of it is built",
}


def measure(ground: Ground) -> list[Row]:
    hands = {"layered": ByHand(), "plain": ByHand(PLAIN), "anew": ByHand(LAYERED, "--no-cache")}
    ours = ByApi(ground)
    cf = Cf(ground.client, ground.organization, ground.space["name"]) if Cf.is_there() else None
    try:
        pushes: dict[str, Push] = {name: hand.push for name, hand in hands.items()} | {"v3": ours.push}
        if cf:
            pushes["cf"] = lambda files: cf.push(f"{ours.name}-cf", files)
        return [row for case in CASES for row in _rows(case, _times(ground, case, pushes))]
    finally:
        for each in (*hands.values(), *([cf] if cf else [])):
            each.remove()


def _times(ground: Ground, case: Case, pushes: Mapping[str, Push]) -> dict[str, float]:
    """Push the case in turns, each time from the same state: the version before it is up and everything is cached."""
    used = {name: push for name, push in pushes.items() if name not in BY_HAND or name in case.references}
    version = requirements = 0
    for push in used.values():
        push(sample.files(version, requirements=requirements))
    taken: dict[str, list[float]] = {name: [] for name in used}
    for number in range(ROUNDS):
        ground.say(f"push, {case.what}, {number + 1} of {ROUNDS}")
        version, requirements = version + case.version, requirements + case.requirements
        for name, push in used.items():
            taken[name].append(push(sample.files(version, requirements=requirements)))
    return {name: median(times) for name, times in taken.items()}


def _rows(case: Case, taken: Mapping[str, float]) -> list[Row]:
    what = f"push, {case.what}"
    rows = [
        Row(f"{what}, v3 calls", "s", taken["v3"], taken[name], case.aim, note=f"Against Docker {BY_HAND[name]}.")
        for name in case.references
    ]
    if "cf" not in taken:
        return [*rows, Row(f"{what}, cf", note="cf is not on PATH.")]
    return [*rows, Row(f"{what}, cf", "s", taken["cf"], taken[case.references[0]])]


class ByApi:
    """One app with a route, pushed by the calls that any client makes."""

    def __init__(self, ground: Ground) -> None:
        self.client, self.name = ground.client, f"bench-{secrets.token_hex(3)}"
        self.app = self.client.create_app(ground.space, self.name)
        self.client.route(self.app, ground.space, self.name)
        self.rested = 0.0

    def push(self, files: Mapping[str, str]) -> float:
        """Return the seconds to the first answer of an instance that was not there before."""
        time.sleep(max(0, self.rested - time.monotonic()))
        before = self._answer()
        began = time.monotonic()
        self.client.use(self.app, self._droplet(self.client.upload(self.app, files)))
        self.client.call("POST", f"/v3/apps/{self.app['guid']}/actions/restart")
        soon(lambda: self._answer() not in ("", before), "the new version's answer")
        self.rested = time.monotonic() + DRAINED
        return time.monotonic() - began

    def _droplet(self, package: Any) -> Any:
        path = f"/v3/builds/{self.client.call('POST', '/v3/builds', {'package': {'guid': package['guid']}})['guid']}"
        build = soon(lambda: (found := self.client.call("GET", path))["state"] != "STAGING" and found, "the build")
        assert build["state"] == "STAGED", build["error"]
        return build["droplet"]

    def _answer(self) -> Any:
        answer = self.client.fetch(self.name)
        return answer.text if answer.status_code == 200 else ""
