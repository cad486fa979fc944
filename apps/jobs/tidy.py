"""The regular round: what has run out is cleared away, and what the quotas count is compared with what there is."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Sum
from django.db.models.functions import Cast, Greatest
from django.utils import timezone
from oauth2_provider.models import clear_expired

from accounts.models import ApiToken, EmailChange, Job, Mail, SignInLink
from apps import outside
from apps.actions.capacity import UNFINISHED
from apps.jobs.clean import collect
from apps.models import App, Build, Domain, Process, Route, Task
from services.models import Binding, ServiceInstance
from tenants import quotas
from tenants.models import Organization, Space

log = logging.getLogger(__name__)

ONE_AT_A_TIME = 8_315_042  # the advisory lock's number
JOBS_KEPT = timedelta(days=30)
MAIL_KEPT = timedelta(days=90)


def tidy() -> None:
    """Do one round, unless another worker is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            return
        try:
            _round()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])


def _round() -> None:
    freed = collect()
    if freed:
        log.info("%d bytes of packages, droplets and caches that nobody needs were deleted.", freed)
    outside.builder().clean(list(Build.objects.filter(state=Build.State.STAGING).values_list("guid", flat=True)))
    clear_expired()
    for model in (ApiToken, SignInLink, EmailChange):
        model.objects.filter(expires_at__lt=timezone.now() - JOBS_KEPT).delete()
    Mail.objects.filter(due_at=None, updated_at__lt=timezone.now() - MAIL_KEPT).delete()
    ended = Job.objects.filter(state__in=(Job.State.COMPLETE, Job.State.FAILED))
    ended.filter(updated_at__lt=timezone.now() - JOBS_KEPT).delete()
    recount()


def recount() -> int:
    """Compare what each quota counts as used with the rows, under its locks; correct and report what drifted."""
    drifted = 0
    for pk in Organization.objects.filter(deleting_at=None).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            drifted += _recount(Organization.objects.get(pk=pk))
    return drifted


def _recount(organization: Organization) -> int:
    use = quotas.locked(organization)
    spaces = list(Space.objects.filter(organization=organization).order_by("pk"))
    uses = {space.pk: quotas.locked(space) for space in spaces}
    counted = ("memory_mb", "instances", "log_rate", "routes", "service_instances", "service_keys")
    total = dict.fromkeys(counted, 0)
    found = 0
    for space in spaces:
        real = used_in(space)
        found += quotas.correct(uses[space.pk], f"space {space.name}", **real)
        total = {what: amount + real[what] for what, amount in total.items()}
    domains = Domain.objects.filter(organization=organization).count()
    return found + quotas.correct(use, f"organization {organization.name}", **total, domains=domains)


def used_in(space: Space) -> dict[str, int]:
    """Count what a space takes of its quotas, from the rows."""
    started = Process.objects.filter(app__space=space, app__state=App.State.STARTED)
    tasks = Task.objects.filter(app__space=space, state__in=UNFINISHED)
    return {
        "memory_mb": _sum(started, _big("memory_mb") * F("instances")) + _sum(tasks, _big("memory_mb")),
        "instances": _sum(started, _big("instances")),
        "log_rate": _sum(started, Greatest("log_rate", 0) * F("instances")) + _sum(tasks, Greatest("log_rate", 0)),
        "routes": Route.objects.filter(space=space).count(),
        "service_instances": ServiceInstance.objects.there().filter(space=space).count(),
        "service_keys": Binding.objects.there().filter(type=Binding.Type.KEY, instance__space=space).count(),
    }


def _big(column: str) -> Any:
    return Cast(column, BigIntegerField())


def _sum(rows: Any, what: Any) -> int:
    return int(rows.aggregate(sum=Sum(what))["sum"] or 0)
