"""Checks a broker against the specification, keeps what is found while it goes on, and clears away what it made."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Job
from paas.lib.models import new_guid
from paas.lib.queue import Lease, job
from services import outside
from services.brokers.conformance.caller import Caller
from services.brokers.conformance.removal import Made, removed
from services.brokers.conformance.run import run
from services.brokers.conformance.trial import Trial
from services.brokers.conformance.verdicts import ADVICE, FAILED
from services.brokers.osb import OsbBroker
from services.models import ConformanceCheck

CLEARS_FOR = timedelta(days=1)  # in which a broker is told to let go of what it holds
TRIES = 3  # times that a check is begun anew where its worker died or stumbled
AGAIN = (60, 300, 900, 3600)  # seconds until the next time


@job("services.jobs.check_conformance", model=ConformanceCheck, queue="services")
def check_conformance(lease: Lease) -> None:
    joined = ("broker", "plan__offering")
    row = ConformanceCheck.objects.select_related(*joined).defer("broker__wish").get(pk=lease.pk)
    broker = outside.broker(row.broker)
    assert isinstance(broker, OsbBroker)
    with lease.beating():
        _clear(lease, broker)
        if row.going_on and row.attempts > TRIES:
            _give_up(lease, row)
        elif row.going_on:
            _check(lease, row, broker)
    if lease.row.left and timezone.now() < lease.row.ended_at + CLEARS_FOR:
        lease.failed("The broker has not let go of all that was made.", again=AGAIN[min(row.attempts, len(AGAIN)) - 1])


def _check(lease: Lease, row: ConformanceCheck, broker: OsbBroker) -> None:
    """What another worker had begun is begun anew, with other ids."""
    lease.save(seed=new_guid(), findings=[])
    trial = Trial(Caller(broker), lease.row.seed, parameters=row.parameters)
    before = dict(lease.row.left)

    def note(made: dict[str, Made]) -> None:
        lease.save(left=before | {guid: asdict(each) for guid, each in made.items()})

    found: list[dict[str, Any]] = []
    for finding in run(trial, plan=row.plan.catalog_id if row.plan else "", note=note):
        found.append(finding.as_json())
        lease.save(findings=found)
    standing = {guid: asdict(each) for guid, each in trial.standing.items()}
    lease.save(left=before | standing, ended_at=timezone.now())
    told = [each for each in found if each["outcome"] in (FAILED, ADVICE)]
    warnings = [{"detail": f"{each['name']} ({each['outcome']}): {each['said']}"} for each in told]
    Job.objects.filter(pk=row.job_id).update(state=Job.State.COMPLETE, warnings=warnings, updated_at=timezone.now())


def _give_up(lease: Lease, row: ConformanceCheck) -> None:
    lease.save(ended_at=timezone.now())
    Job.objects.filter(pk=row.job_id).update(state=Job.State.FAILED, updated_at=timezone.now())


def _clear(lease: Lease, broker: OsbBroker) -> None:
    """Remove what an earlier check, or one whose worker died, has left."""
    if lease.row.left:
        caller = Caller(broker)
        still = {guid: made for guid, made in lease.row.left.items() if not removed(caller, guid, Made(**made))}
        lease.save(left=still)
