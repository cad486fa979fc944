"""When a backup is taken and of which kind, when one is gone, and when it is proved. The store is a stand-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Job, User
from paas.lib.queue import work
from services import outside
from services.actions import backup as backups
from services.actions import instance as instances
from services.brokers.engine.base import Backups, Mark, NotReady, Taken
from services.brokers.keeping import Proof
from services.jobs.proof import APART, FIRST_AFTER
from services.models import Plan, Repository, RestoreProof, ServiceInstance
from tenants.models import Space
from tests.services.test_keep import on_offer, runtime  # noqa: F401 - fixtures

DAY = 24  # hours


@dataclass
class Store:
    """Keeps what is taken, at once, and restores it when ``ready``: in place of the servers and their depots."""

    taken: list[Taken] = field(default_factory=list)
    ready: bool = True
    restarts: int = 0  # of the server, each in the middle of a backup
    interrupted: bool = False

    def holds(self, label: str, *, full: bool, hours: float = 0) -> None:
        at = timezone.now() - timedelta(hours=hours)
        self.taken.append(Taken(label, full, at, at, 5 << 20))

    def look(self, instance: Any) -> Backups:
        return Backups(
            running=False,
            error="",
            taken=tuple(self.taken),
            archived_at=None,
            archive_fails=False,
            interrupted=self.interrupted,
        )

    def take(self, instance: Any, *, full: bool) -> None:
        self.interrupted = self.restarts > 0
        if self.interrupted:
            self.restarts -= 1
        else:
            self.holds(f"new-{len(self.taken)}", full=full)

    def mark(self, instance: Any) -> Mark:
        return Mark(timezone.now())

    def prove(self, instance: Any, mark: Mark) -> Proof:
        if not self.ready:
            raise NotReady("The backup is being restored.")
        return Proof(mark.at, 41)


@pytest.fixture
def repository(on_offer: Plan, space: Space, alice: User) -> Repository:  # noqa: F811
    made, _job = instances.create(alice, space, name="data", plan=on_offer)
    ServiceInstance.objects.filter(pk=made.pk).update(operation_state="succeeded")
    return Repository.objects.get(instance=made)


@pytest.fixture
def store(repository: Repository) -> Store:
    broker: Any = outside.own_services()
    broker.keeping = Store()
    return broker.keeping  # type: ignore[no-any-return]


def worked(row: Any) -> None:
    """Let a worker do what is due, as if time flew."""
    type(row).objects.filter(pk=row.pk).update(due_at=timezone.now())
    assert work(f"services.jobs.{'prove' if isinstance(row, RestoreProof) else 'back_up'}", row.pk)


def backed_up(repository: Repository, store: Store) -> RestoreProof:
    """Have a backup taken because somebody asks for it, and see that it has ended."""
    Repository.objects.filter(pk=repository.pk).update(wanted_at=timezone.now())
    before = len(store.taken)
    worked(repository)
    worked(repository)
    assert len(store.taken) == before + 1 == repository.backups.count()
    return RestoreProof.objects.get(repository=repository)


def tried(proof: RestoreProof, **ago: float) -> datetime:
    at = timezone.now() - timedelta(**ago)
    RestoreProof.objects.filter(pk=proof.pk).update(tried_at=at, due_at=None)
    return at


@pytest.mark.parametrize(
    ("there", "begun"),
    [
        ({}, "full"),
        ({"full": 23}, ""),
        ({"full": 25}, "differential"),
        ({"full": 3 * DAY, "differential": 23}, ""),
        ({"full": 7 * DAY - 1, "differential": 25}, "differential"),
        ({"full": 7 * DAY + 1, "differential": 23}, ""),
        ({"full": 7 * DAY + 1, "differential": 25}, "full"),
    ],
)
def test_a_day_after_the_last_another_is_begun_and_each_week_a_full_one(
    repository: Repository, store: Store, there: dict[str, int], begun: str
) -> None:
    for type, hours in there.items():
        store.holds(type, full=type == "full", hours=hours)
    worked(repository)
    assert [("differential", "full")[each.full] for each in store.taken[len(there) :]] == ([begun] if begun else [])
    worked(repository)
    worked(repository)
    assert len(store.taken) == len(there) + bool(begun)
    assert {each.label for each in store.taken} == set(repository.backups.values_list("label", flat=True))


def asked_for(by: User, repository: Repository, **ago: float) -> Job:
    assert repository.instance
    job = backups.take(by, repository.instance)
    Repository.objects.filter(pk=repository.pk).update(wanted_at=timezone.now() - timedelta(**ago))
    return job


def test_a_backup_that_a_restart_cuts_short_is_begun_again(repository: Repository, store: Store, alice: User) -> None:
    store.restarts = 2
    job = asked_for(alice, repository)
    for _ in range(5):
        worked(repository)
        job.refresh_from_db()
        assert job.state == Job.State.PROCESSING
    worked(repository)
    job.refresh_from_db()
    assert job.state == Job.State.COMPLETE and len(store.taken) == 1


def test_a_backup_that_restarts_always_cut_short_fails_in_the_end(
    repository: Repository, store: Store, alice: User
) -> None:
    store.restarts = 9
    job = asked_for(alice, repository, minutes=20)
    worked(repository)
    worked(repository)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED and "cut short" in job.errors[0]["detail"]


def test_what_the_store_has_let_go_is_no_longer_told(repository: Repository, store: Store) -> None:
    store.holds("expired", full=True, hours=8 * DAY)
    store.holds("kept", full=True, hours=1)
    worked(repository)
    assert repository.oldest_time == store.taken[0].ended_at
    del store.taken[0]
    worked(repository)
    repository = Repository.objects.get(pk=repository.pk)
    assert [each.label for each in repository.backups.all()] == ["kept"]
    assert repository.oldest_time == store.taken[0].ended_at


def test_the_first_backup_is_proved_minutes_after(repository: Repository, store: Store) -> None:
    before = timezone.now()
    proof = backed_up(repository, store)
    assert proof.due_at and before + FIRST_AFTER <= proof.due_at <= timezone.now() + FIRST_AFTER


def test_every_backup_is_proved_at_once_or_an_hour_after_the_last_proof(repository: Repository, store: Store) -> None:
    proof = backed_up(repository, store)
    tried(proof, hours=2)
    assert backed_up(repository, store).due_at <= timezone.now()  # type: ignore[operator]
    at = tried(proof, minutes=10)
    for _ in range(2):
        assert backed_up(repository, store).due_at == at + APART


def test_a_backup_that_ends_while_another_is_proved_has_a_proof_of_its_own(
    repository: Repository, store: Store
) -> None:
    proof = backed_up(repository, store)
    store.ready = False
    worked(proof)
    assert backed_up(repository, store).begun_at
    store.ready = True
    worked(proof)
    proof.refresh_from_db()
    assert proof.proved_at and proof.begun_at is None and proof.due_at
    assert proof.proved_at < proof.due_at <= timezone.now() + APART
    worked(proof)
    proof.refresh_from_db()
    assert proof.due_at is None
