"""The broker's contract, on every kind: what it makes it makes once, finds again, and takes away for good."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from services.brokers.base import (
    Accepted,
    AppUser,
    Binding,
    Broker,
    CatalogOffering,
    Done,
    Instance,
    Outcome,
    Place,
    Previous,
    Progress,
    Refused,
)
from services.brokers.container import ContainerBroker
from services.brokers.osb import OsbBroker
from tests.services.amazon.servers import mysql_behind, postgres_behind
from tests.services.amazon.stand_in import Amazon, standing_in
from tests.services.bed import bed_in
from tests.services.broker import misbehaving

PLACE = Place("org-guid", "ministry", "space-guid", "production")
APP = AppUser("app-guid", "site", PLACE)
PATIENCE = 120  # seconds, for what has to start containers


@dataclass(frozen=True)
class Bed:
    """A broker and what to order there: an offering, and two of its plans where the one can become the other."""

    broker: Broker
    offering: str = ""  # by name; "" takes the first

    @property
    def ordered(self) -> CatalogOffering:
        offered = self.broker.catalog()
        return next(each for each in offered if self.offering in ("", each.name))

    def instance(self) -> Instance:
        offering = self.ordered
        return Instance(str(uuid4()), "our-data", offering.id, offering.plans[0].id, PLACE)

    def binding(self, instance: Instance, app: AppUser | None = APP) -> Binding:
        return Binding(str(uuid4()), instance, app=app, retrievable=self.ordered.bindings_retrievable)

    def finished(self, what: Instance | Binding, outcome: Outcome) -> Done | Progress:
        """Poll until it is there (or gone)."""
        end = time.monotonic() + PATIENCE
        if isinstance(outcome, Done):
            return outcome
        assert isinstance(outcome, Accepted), outcome
        while True:
            progress = self.broker.poll(what, outcome.operation)
            if progress.state != "in progress":
                assert progress.state in ("succeeded", "gone"), progress
                return progress
            assert time.monotonic() < end, progress
            time.sleep(min(outcome.retry_after or 0.2, 2))


@pytest.fixture
def osb() -> Iterator[Bed]:
    with misbehaving() as foreign:
        yield Bed(OsbBroker(foreign.url, foreign.username, foreign.password, networks=("127.0.0.0/8",)))


@pytest.fixture
def osb_polled() -> Iterator[Bed]:
    """A foreign broker that takes its time."""
    with misbehaving() as foreign:
        foreign.polls = 2
        yield Bed(OsbBroker(foreign.url, foreign.username, foreign.password, networks=("127.0.0.0/8",)))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerBroker]:
    """The platform's own services, on a machine of their own."""
    made = bed_in(tmp_path_factory.mktemp("machine"))
    yield made.broker
    made.machine.close()


@pytest.fixture
def postgres(own: ContainerBroker) -> Bed:
    return Bed(own, "postgres")


@pytest.fixture
def redis(own: ContainerBroker) -> Bed:
    return Bed(own, "redis")


@pytest.fixture
def mysql(own: ContainerBroker) -> Bed:
    return Bed(own, "mysql")


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    with standing_in() as there:
        yield there


@pytest.fixture
def aws_s3(amazon: Amazon) -> Bed:
    return Bed(amazon.broker, "aws-s3-bucket")


@pytest.fixture
def aws_sqs(amazon: Amazon) -> Bed:
    return Bed(amazon.broker, "aws-sqs-queue")


@pytest.fixture
def aws_redis(amazon: Amazon) -> Bed:
    return Bed(amazon.broker, "aws-elasticache-redis")


@pytest.fixture(scope="module")
def aws_postgres(amazon: Amazon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with postgres_behind(amazon, tmp_path_factory.mktemp("postgres")):
        yield Bed(amazon.broker, "aws-rds-postgres")


@pytest.fixture(scope="module")
def aws_mysql(amazon: Amazon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with mysql_behind(amazon, tmp_path_factory.mktemp("mysql")):
        yield Bed(amazon.broker, "aws-rds-mysql")


SLOW = ("postgres", "redis", "mysql", "aws_postgres", "aws_mysql")
OWN = [pytest.param(name, marks=pytest.mark.slow) for name in SLOW]


@pytest.fixture(params=["osb", "osb_polled", "aws_s3", "aws_sqs", "aws_redis", *OWN])
def bed(request: pytest.FixtureRequest) -> Bed:
    found: Bed = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def made(bed: Bed) -> Iterator[Instance]:
    instance = bed.instance()
    bed.finished(instance, bed.broker.provision(instance, by="user-guid"))
    yield instance
    bed.finished(instance, bed.broker.remove(instance))


@pytest.fixture
def bind(bed: Bed, made: Instance) -> Callable[..., tuple[Binding, Any]]:
    def run(**fields: Any) -> tuple[Binding, Any]:
        binding = bed.binding(made, **fields)
        held = bed.finished(binding, bed.broker.bind(binding, by="user-guid")).bound
        assert held is not None
        return binding, held

    return run


def test_everything_offered_can_be_told_apart(bed: Bed) -> None:
    offered = bed.broker.catalog()
    plans = [plan for offering in offered for plan in offering.plans]
    assert plans and all(offering.plans and offering.description for offering in offered)
    assert len({offering.id for offering in offered}) == len({offering.name for offering in offered}) == len(offered)
    assert len({plan.id for plan in plans}) == len(plans)
    assert bed.broker.catalog() == offered


def test_an_instance_is_made_once(bed: Bed, made: Instance) -> None:
    assert isinstance(bed.finished(made, bed.broker.provision(made)), Done | Progress)
    found = bed.broker.fetch(made)
    assert found is not None and found.plan_id in ("", made.plan_id)


def test_an_instance_that_is_another_is_not_taken_for_this_one(bed: Bed, made: Instance) -> None:
    if len(bed.ordered.plans) < 2:
        pytest.skip("It has one plan.")
    other = replace(made, plan_id=bed.ordered.plans[1].id)
    assert isinstance(bed.broker.provision(other), Refused)


def test_an_app_and_a_person_get_credentials_of_their_own(bind: Callable[..., tuple[Binding, Any]]) -> None:
    (_, of_app), (_, of_person) = bind(), bind(app=None)
    assert of_app.credentials and of_person.credentials
    assert of_app.credentials != of_person.credentials


def test_binding_again_gives_the_same(bed: Bed, bind: Callable[..., tuple[Binding, Any]]) -> None:
    binding, held = bind()
    again = bed.broker.bind(binding)
    assert isinstance(again, Done) and again.bound == held


def test_what_is_unbound_is_gone(bed: Bed, bind: Callable[..., tuple[Binding, Any]]) -> None:
    binding, _ = bind()
    for _ in range(2):  # twice is harmless
        bed.finished(binding, bed.broker.remove(binding, by="user-guid"))
    assert bed.broker.fetch(binding) is None


def test_what_is_deprovisioned_is_gone(bed: Bed) -> None:
    instance = bed.instance()
    bed.finished(instance, bed.broker.provision(instance))
    for _ in range(2):
        bed.finished(instance, bed.broker.remove(instance, by="user-guid"))
    assert bed.broker.fetch(instance) is None


def test_what_never_was_can_be_removed(bed: Bed) -> None:
    instance = bed.instance()
    assert isinstance(bed.broker.remove(bed.binding(instance)), Done)
    assert isinstance(bed.broker.remove(instance), Done)
    assert bed.broker.fetch(instance) is None


def test_a_plan_is_changed_and_bindings_stay(bed: Bed, made: Instance, bind: Callable[..., Any]) -> None:
    if not bed.ordered.plan_updateable:
        pytest.skip("Its plans cannot be changed.")
    binding, held = bind()
    larger = replace(made, plan_id=bed.ordered.plans[1].id)
    for _ in range(2):
        bed.finished(larger, bed.broker.update(larger, Previous(made.plan_id), by="user-guid"))
    found = bed.broker.fetch(larger)
    assert found is not None and found.plan_id in ("", larger.plan_id)
    again = bed.broker.bind(binding)
    assert isinstance(again, Done | Refused)
    assert not isinstance(again, Done) or again.bound == held


def test_a_binding_of_nothing_is_refused(bed: Bed) -> None:
    assert isinstance(bed.broker.bind(bed.binding(bed.instance())), Refused)
