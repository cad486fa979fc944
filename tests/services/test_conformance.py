"""The checks of a broker against the specification: the guide's passes all, and each way to misbehave has its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.brokers.conformance.caller import Caller
from services.brokers.conformance.run import CHECKS, run
from services.brokers.conformance.trial import Trial
from services.brokers.conformance.verdicts import ADVICE, FAILED, PASSED, SKIPPED, Finding, anchor
from services.brokers.osb import OsbBroker
from tests.services.broker import (
    BREAKS,
    DROPS,
    GARBAGE,
    HANGS,
    TRICKLES,
    MisbehavingBroker,
    Trick,
    fails,
)
from tests.services.example import running

SEED = "5f0c8e5a-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OsbBroker]:
    with running(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


def findings(broker: OsbBroker, plan: str = "", *, seed: str = SEED, **parameters: Any) -> dict[str, Finding]:
    noted: dict[str, Any] = {}
    trial = Trial(Caller(broker, pause=0.05), seed, parameters=parameters)
    found = {each.name: each for each in run(trial, plan=plan, note=noted.update)}
    assert set(trial.standing) <= set(noted)
    return found


def of(foreign: MisbehavingBroker, plan: str = "plan-small", *, seconds: float = 5) -> dict[str, Finding]:
    way = OsbBroker(foreign.url, foreign.username, foreign.password, ("127.0.0.0/8",), seconds)
    return findings(way, plan)


def named(found: dict[str, Finding], outcome: str) -> set[str]:
    return {name for name, each in found.items() if each.outcome == outcome}


USUAL = {  # it checks neither plans nor their versions
    "provision.unknown_plan", "provision.no_service", "provision.maintenance", "update.unknown_plan", "errors.shape",
}  # fmt: skip


@pytest.mark.parametrize("plan", ["box-small-0b7d", "box-large-55a2"])
def test_the_guides_broker_passes_everything(example: OsbBroker, plan: str) -> None:
    found = findings(example, plan, seed=f"5f0c8e5a-0000-4000-8000-0000000000{len(plan)}")
    assert named(found, FAILED) == named(found, ADVICE) == set()
    fast = {"provision.async_required", "provision.repeat_early", "provision.ends"} if "small" in plan else set()
    assert named(found, SKIPPED) == fast | {"update.not_promised", "provision.maintenance"}
    assert found["cleanup"].outcome == PASSED


def test_nothing_is_made_where_nobody_allowed_it(foreign: MisbehavingBroker) -> None:
    found = of(foreign, plan="")
    assert {call.what for call in foreign.calls} == {"catalog"}
    assert "No throw-away instance was allowed" in found["provision.create"].said
    assert "cleanup" not in found


@pytest.mark.parametrize("polls", [0, 2])
def test_what_is_right_is_not_blamed(foreign: MisbehavingBroker, polls: int) -> None:
    foreign.polls = polls
    found = of(foreign)
    early = {
        "provision.repeat_early",
        "provision.async_required",
    }  # of what it makes slowly it says too early that it is there
    assert named(found, FAILED) - early <= USUAL
    assert found["cleanup"].outcome == PASSED and not foreign.instances and not foreign.bindings


def test_what_is_only_recommended_is_advice(foreign: MisbehavingBroker) -> None:
    assert named(of(foreign), ADVICE) >= {"version.missing", "version.old", "headers.identity"}


TRICKS: list[tuple[str, Trick, str]] = [
    ("catalog", fails(500), "catalog.answer"),
    ("catalog", GARBAGE, "catalog.answer"),
    ("catalog", DROPS, "catalog.answer"),
    ("catalog", BREAKS, "catalog.answer"),
    ("catalog", Trick(body={"services": [{"name": "db"}]}), "catalog.shape"),
    ("catalog", Trick(status=200), "auth.missing"),
    ("catalog", Trick(status=200), "auth.wrong"),
    ("provision", fails(500), "provision.create"),
    ("provision", DROPS, "provision.create"),
    ("provision", Trick(body=b"oh"), "provision.create"),
    ("provision", Trick(status=201), "provision.repeat"),
    ("provision", Trick(status=201), "provision.conflict"),
    ("provision", Trick(status=202), "provision.async_required"),
    ("fetch", fails(404), "instance.fetch"),
    ("fetch", fails(404), "binding.fetch"),
    ("fetch", Trick(status=200, body={"plan_id": "another"}), "instance.fetch"),
    ("fetch", Trick(status=200), "instance.fetch_unknown"),
    ("bind", fails(422, "RequiresApp"), "bind.create"),
    ("bind", Trick(body={}), "bind.create"),
    ("bind", Trick(body={"credentials": "a text"}), "bind.create"),
    ("bind", Trick(status=201), "bind.repeat"),
    ("bind", Trick(status=201), "bind.conflict"),
    ("unbind", fails(500), "unbind.delete"),
    ("unbind", Trick(status=200, body={}), "unbind.repeat"),
    ("update", fails(500), "update.plan"),
    ("update", Trick(status=200, body={}, acts=False), "update.unknown_plan"),
    ("deprovision", fails(500), "deprovision.delete"),
    ("deprovision", Trick(status=200, body={}), "deprovision.repeat"),
    ("deprovision", fails(500), "cleanup"),
]


@pytest.mark.parametrize(("what", "trick", "name"), TRICKS)
def test_each_misbehaviour_is_found_by_name(foreign: MisbehavingBroker, what: str, trick: Trick, name: str) -> None:
    foreign.always(what, trick)
    found = of(foreign)[name]
    assert found.outcome == FAILED, found
    assert found.said and found.change
    assert found.exchanges or name == "catalog.shape"  # which looks at what another check got


@pytest.mark.parametrize(("trick", "said"), [(Trick(body={"state": "done"}), "'done'"), (fails(500), "500")])
def test_a_poll_that_is_wrong_is_found(foreign: MisbehavingBroker, trick: Trick, said: str) -> None:
    foreign.polls = 2
    foreign.always("poll", trick)
    assert said in of(foreign)["provision.ends"].said


def test_what_fails_while_it_is_made_is_found(foreign: MisbehavingBroker) -> None:
    foreign.polls = 2
    foreign.always("poll", Trick(body={"state": "failed", "description": "no room"}))
    found = of(foreign)
    assert "ended as failed" in found["provision.ends"].said
    assert found["bind.create"].outcome == SKIPPED


@pytest.mark.parametrize("trick", [HANGS, TRICKLES])
def test_a_broker_that_hangs_holds_nobody_up(foreign: MisbehavingBroker, trick: Trick) -> None:
    foreign.always("provision", trick)
    found = of(foreign, seconds=0.3)
    assert found["provision.unknown_plan"].outcome == FAILED
    assert "left calls without an answer" in found["provision.create"].said
    assert found["provision.create"].outcome == SKIPPED


def test_refusals_without_a_reason_are_found(foreign: MisbehavingBroker) -> None:
    foreign.always("update", Trick(status=400, body=b"no", acts=False))
    assert "no JSON objects" in of(foreign)["errors.shape"].said


def test_no_secret_is_shown(foreign: MisbehavingBroker) -> None:
    foreign.catalog["services"][0]["dashboard_client"] = {
        "id": "dashboard", "secret": "swordfish", "redirect_uri": "https://u:trout@example.org/",
    }  # fmt: skip
    foreign.extra = {"endpoints": [{"host": "hidden.example.org", "ports": ["1"]}]}
    way = OsbBroker(foreign.url, foreign.username, foreign.password, ("127.0.0.0/8",))
    found = findings(way, "plan-small", motto="herring")
    told = str([each.as_json() for each in found.values()])
    assert "PUT /v2/service_instances/" in told and "db://" not in told
    for secret in ("secret-", "swordfish", "trout", "herring", foreign.password, "hidden.example.org"):
        assert secret not in told
    assert any("[hidden]" in exchange.answer for exchange in found["bind.create"].exchanges)


def test_what_a_check_sends_is_a_lot_but_not_without_end(foreign: MisbehavingBroker) -> None:
    foreign.polls = 10**6
    way = OsbBroker(foreign.url, foreign.username, foreign.password, ("127.0.0.0/8",))
    trial = Trial(Caller(way, pause=0.0), SEED)
    found = {each.name: each for each in run(trial, plan="plan-small", note=lambda made: None)}
    assert "are the most that a check takes" in found["provision.ends"].said
    assert len(foreign.calls) <= 2 * 200
    assert found["cleanup"].outcome == FAILED and trial.standing


def test_every_check_names_a_section_of_the_specification() -> None:
    assert len({each.name for each in CHECKS}) == len(CHECKS)
    assert anchor("API Version Header").endswith("/spec.md#api-version-header")


def test_a_broker_that_compares_versions_passes(foreign: MisbehavingBroker) -> None:
    wrong = fails(422, "MaintenanceInfoConflict", "The version is another one by now.")
    foreign.next("provision", Trick(), Trick(), Trick(), wrong)
    assert of(foreign)["provision.maintenance"].outcome == PASSED
