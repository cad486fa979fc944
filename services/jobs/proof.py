"""A backup counts only when it can be restored: after each, the newest state is, to a place of its own, and looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import mail
from accounts.models import User
from paas.lib.errors import InsufficientResources, PaasError, ServiceUnavailable, Unprocessable
from paas.lib.queue import Lease, job
from services import crossing, outside
from services.brokers.engine.base import Mark, NotAllowed, NotReady
from services.brokers.keeping import Proof
from services.models import Repository, RestoreProof
from tenants.models import OrganizationRole, granting

FIRST_AFTER = timedelta(minutes=5)  # what was just made has better things to do
APART = timedelta(hours=1)  # at least, of one proof and the next
POLL = 2  # seconds between looks at a restore that is under way
LATER = 300  # seconds until it is tried again where it could not be tried


def ask_for(repository: Repository) -> None:
    """Have the repository proved; a proof under way finds by itself that there is a newer backup. In a transaction."""
    RestoreProof.objects.get_or_create(repository=repository)
    proof = RestoreProof.objects.select_for_update().get(repository=repository)
    if proof.begun_at is None:
        now = timezone.now()
        due = max(now, proof.tried_at + APART) if proof.tried_at else now + FIRST_AFTER
        RestoreProof.objects.filter(pk=proof.pk).update(due_at=due)


@job("services.jobs.prove", model=RestoreProof, queue="services")
def prove(lease: Lease) -> None:
    of = "repository__instance"
    joined = (f"{of}__plan__offering__broker", f"{of}__space__organization", f"{of}__repository")
    row = RestoreProof.objects.select_related(*joined).get(pk=lease.pk)
    instance, keeping = row.repository.instance, outside.own_services().keeping
    if instance is None:
        keeping.give_up(row.repository.guid)
        return
    if instance.busy:
        lease.again(LATER)
        return
    crossed = crossing.instance_for(instance)
    try:
        with lease.beating():
            if row.begun_at is None:
                begun, mark = timezone.now(), keeping.mark(crossed)
                lease.save(mark=mark.at, measured=mark.measured, begun_at=begun)
                row.mark, row.measured, row.begun_at = mark.at, mark.measured, lease.row.begun_at
            proof = keeping.prove(crossed, Mark(row.mark, row.measured))
    except (InsufficientResources, Unprocessable, ServiceUnavailable) as error:
        _could_not_try(lease, error)
    except NotReady as error:
        if row.begun_at is None:
            _could_not_try(lease, error)
        else:
            lease.again(POLL)
    except NotAllowed as error:
        _failed(lease, row, error.detail)
    else:
        _restored(lease, row, proof)


def _restored(lease: Lease, row: RestoreProof, proof: Proof) -> None:
    mark: Any = row.mark
    if proof.heartbeat < mark:
        _failed(lease, row, f"What was restored ends at {proof.heartbeat:%H:%M:%S}, and not at {mark:%H:%M:%S} (UTC).")
        return
    now = timezone.now()
    told = {"proved_at": now, "tried_at": now, "seconds": proof.seconds, "error": "", "failed_at": None}
    with transaction.atomic():
        lease.save(begun_at=None, mark=None, measured={}, **told)
        if row.repository.backups.filter(ended_at__gt=row.begun_at).exists():
            lease.again(APART.total_seconds())


def _could_not_try(lease: Lease, error: PaasError) -> None:
    lease.save(error=f"The last backup could not be tried: {error.detail}")
    lease.again(LATER)


def _failed(lease: Lease, row: RestoreProof, why: str) -> None:
    with transaction.atomic():
        now = timezone.now()
        lease.save(error=why, failed_at=row.failed_at or now, tried_at=now, begun_at=None, mark=None, measured={})
        if not row.failed_at:
            _tell(row.repository, why)
    lease.again(APART.total_seconds())


def _tell(repository: Repository, why: str) -> None:
    """Write to the organization's managers, once until a proof succeeds again."""
    instance: Any = repository.instance
    held = OrganizationRole.objects.filter(granting("quota.ask"), content_object=instance.organization)
    people = User.objects.filter(is_active=True, kind=User.Kind.PERSON, pk__in=held.values("user"))
    for address in people.exclude(email=None).values_list("email", flat=True):
        mail.send(
            address,
            "restore-failed",
            subject=f"A backup of {instance.name} cannot be restored",
            template="mail/restore-failed.txt",
            instance=instance,
            why=why,
        )
