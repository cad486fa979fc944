"""A push of changed and of unchanged source, through plain v3 calls and through `cf`, against Docker by hand."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench import sample
from tests.bench.by_hand import ByHand
from tests.bench.cf import Cf
from tests.bench.ground import Ground, soon
from tests.bench.table import Aim, Row, median

ROUNDS = 3
CASES = {  # what is pushed after what was pushed before: (version, requirements) -> (version, requirements)
    "changed source": (lambda version, needs: (version + 1, needs), Aim(1.2)),
    "changed source and requirements": (lambda version, needs: (version + 1, needs + 1), Aim(1.2)),
    "unchanged": (lambda version, needs: (version, needs), Aim(0.5)),
}
Push = Callable[[Mapping[str, str]], float]


def measure(ground: Ground) -> list[Row]:
    by_hand, ours = ByHand(), ByApi(ground)
    cf = Cf(ground.client, ground.organization, ground.space["name"]) if Cf.is_there() else None
    try:
        pushes: dict[str, Push] = {"by hand": by_hand.push, "v3": ours.push}
        if cf:
            pushes["cf"] = lambda files: cf.push(f"{ours.name}-cf", files)
        return [row for what in CASES for row in _rows(what, _times(ground, pushes, what))]
    finally:
        by_hand.remove()
        if cf:
            cf.remove()


def _times(ground: Ground, pushes: Mapping[str, Push], what: str) -> dict[str, list[float]]:
    """Push the case in turns, each time from the same state: the version before it is up and everything is cached."""
    change = CASES[what][0]
    version, needs = change(0, 0)
    for push in pushes.values():
        push(sample.files(version, requirements=needs))
    taken: dict[str, list[float]] = {name: [] for name in pushes}
    for number in range(ROUNDS):
        ground.say(f"push of {what}, {number + 1} of {ROUNDS}")
        version, needs = change(version, needs)
        for name, push in pushes.items():
            taken[name].append(push(sample.files(version, requirements=needs)))
    return taken


def _rows(what: str, taken: Mapping[str, list[float]]) -> list[Row]:
    reference, aim = median(taken["by hand"]), CASES[what][1]
    rows = [Row(f"push, {what}, v3 calls", "s", median(taken["v3"]), reference, aim)]
    if "cf" in taken:
        return [*rows, Row(f"push, {what}, cf", "s", median(taken["cf"]), reference)]
    return [*rows, Row(f"push, {what}, cf", note="cf is not on PATH.")]


class ByApi:
    """One app with a route, pushed by the calls that any client makes."""

    def __init__(self, ground: Ground) -> None:
        self.client, self.name = ground.client, f"bench-{secrets.token_hex(3)}"
        self.app = self.client.create_app(ground.space, self.name)
        self.client.route(self.app, ground.space, self.name)

    def push(self, files: Mapping[str, str]) -> float:
        """Return the seconds to the first answer of an instance that was not there before."""
        before = self._answer()
        began = time.monotonic()
        self.client.use(self.app, self._droplet(self.client.upload(self.app, files)))
        self.client.call("POST", f"/v3/apps/{self.app['guid']}/actions/restart")
        soon(lambda: self._answer() not in ("", before), "the new version's answer")
        return time.monotonic() - began

    def _droplet(self, package: Any) -> Any:
        path = f"/v3/builds/{self.client.call('POST', '/v3/builds', {'package': {'guid': package['guid']}})['guid']}"
        build = soon(lambda: (found := self.client.call("GET", path))["state"] != "STAGING" and found, "the build")
        assert build["state"] == "STAGED", build["error"]
        return build["droplet"]

    def _answer(self) -> Any:
        answer = self.client.fetch(self.name)
        return answer.text if answer.status_code == 200 else ""
