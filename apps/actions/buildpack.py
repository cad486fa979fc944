"""Buildpacks of the platform: their names, order, switches and bits; the platform's admins only."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import Job, User
from apps.models import Buildpack, Stack
from paas.lib.errors import PaasError, Unprocessable
from paas.lib.v3.bodies import merged
from tenants.access import authorize

READY = "READY"
TOLD = ("name", "stack", "position", "enabled", "locked", "filename")
BITS = ("filename", "sha256", "stack")


class NameStackTaken(PaasError):
    status, code, title = 422, 290000, "BuildpackNameStackTaken"


class StacksDontMatch(PaasError):
    status, code, title = 422, 390011, "BuildpackStacksDontMatch"


class StackDoesNotExist(PaasError):
    status, code, title = 422, 390012, "BuildpackStackDoesNotExist"


@transaction.atomic
def create(
    actor: User,
    *,
    name: str,
    stack: str | None = None,
    position: int = 1,
    enabled: bool = True,
    locked: bool = False,
    metadata: dict[str, Any] | None = None,
) -> Buildpack:
    """Write a buildpack that waits for its bits; those at and after its position move down."""
    authorize(actor, "platform.manage")
    if stack is not None and not Stack.objects.filter(name=stack).exists():
        raise Unprocessable(f"Stack '{stack}' does not exist")
    last = Buildpack.objects.count() + 1
    buildpack = Buildpack(
        name=name, stack=stack, position=last, enabled=enabled, locked=locked, **merged(None, metadata or {})
    )
    _save(buildpack)
    _place(buildpack, position)
    audit.record(actor, "audit.buildpack.create", buildpack, after=audit.state(buildpack, TOLD))
    return buildpack


@transaction.atomic
def update(actor: User, buildpack: Buildpack, *, metadata: dict[str, Any] | None = None, **fields: Any) -> Buildpack:
    """Change name, position, metadata, whether it is detected (``enabled``) and whether its bits may change (``locked``)."""
    authorize(actor, "platform.manage")
    buildpack = Buildpack.objects.lock(buildpack.pk)
    if fields.get("stack", buildpack.stack) != buildpack.stack:
        if buildpack.stack is not None:
            raise Unprocessable("Buildpack stack can not be changed. Create another buildpack for that stack.")
        if not Stack.objects.filter(name=fields["stack"]).exists():
            raise Unprocessable(f"Stack '{fields['stack']}' does not exist")
    told = [*fields]
    before = audit.state(buildpack, told)
    position = fields.pop("position", None)
    for name, value in (fields | (merged(buildpack, metadata) if metadata else {})).items():
        setattr(buildpack, name, value)
    _save(buildpack)
    if position is not None:
        _place(buildpack, position)
    audit.record(actor, "audit.buildpack.update", buildpack, before=before, after=audit.state(buildpack, told))
    return buildpack


@transaction.atomic
def delete(actor: User, buildpack: Buildpack) -> Job:
    """Remove the buildpack; those after it move up."""
    authorize(actor, "platform.manage")
    buildpack = Buildpack.objects.lock(buildpack.pk)
    audit.record(actor, "audit.buildpack.delete", buildpack, before=audit.state(buildpack, TOLD))
    guid = buildpack.guid
    buildpack.delete()
    _number(list(_others()))
    return Job.objects.create(owner=actor, operation="buildpack.delete", state=Job.State.COMPLETE, resource_guid=guid)


@transaction.atomic
def start_upload(actor: User, buildpack: Buildpack) -> Buildpack:
    authorize(actor, "platform.manage")
    if Buildpack.objects.get(pk=buildpack.pk).locked:
        raise Unprocessable("Buildpack is locked")
    return buildpack


@transaction.atomic
def finish_upload(actor: User, buildpack: Buildpack, *, key: str, sha256: str, filename: str, stack: str | None) -> Job:
    """The bits are in the blob store under ``key``: builds use them from now on. ``stack`` is what they say they are for."""
    authorize(actor, "platform.manage")
    buildpack = Buildpack.objects.lock(buildpack.pk)
    if stack is not None and buildpack.stack is not None and stack != buildpack.stack:
        raise StacksDontMatch(f"Uploaded buildpack stack ({stack}) does not match {buildpack.stack}")
    if stack is not None and not Stack.objects.filter(name=stack).exists():
        raise StackDoesNotExist(f'Uploaded buildpack stack "{stack}" does not exist')
    before = audit.state(buildpack, BITS)
    buildpack.stack = stack or buildpack.stack
    buildpack.key, buildpack.sha256, buildpack.filename, buildpack.state = key, sha256, filename, READY
    try:
        _save(buildpack)
    except Unprocessable as error:
        raise NameStackTaken(error.detail) from error
    audit.record(actor, "audit.buildpack.upload", buildpack, before=before, after=audit.state(buildpack, BITS))
    return Job.objects.create(
        owner=actor, operation="buildpack.upload", state=Job.State.COMPLETE, resource_guid=buildpack.guid
    )


@transaction.atomic
def refuse_upload(actor: User, buildpack: Buildpack, *, error: PaasError) -> Job:
    """The bits were no good: the buildpack stays as it was, and the job says why."""
    authorize(actor, "platform.manage")
    audit.record(actor, "audit.buildpack.upload-refused", buildpack, error=error.detail)
    return Job.objects.create(
        owner=actor,
        operation="buildpack.upload",
        state=Job.State.FAILED,
        resource_guid=buildpack.guid,
        errors=[{"code": error.code, "title": f"CF-{error.title}", "detail": error.detail}],
    )


def _others(besides: Buildpack | None = None) -> Any:
    """Every other buildpack in its order, locked: positions change for all or for none."""
    return Buildpack.objects.exclude(pk=besides.pk if besides else None).select_for_update().order_by("position", "id")


def _place(buildpack: Buildpack, position: int) -> None:
    rows = list(_others(buildpack))
    rows.insert(min(position, len(rows) + 1) - 1, buildpack)
    _number(rows)


def _number(rows: list[Buildpack]) -> None:
    for position, row in enumerate(rows, start=1):
        if row.position != position:
            row.position = position
            Buildpack.objects.filter(pk=row.pk).update(position=position)


def _save(buildpack: Buildpack) -> None:
    try:
        with transaction.atomic():
            buildpack.save()
    except IntegrityError as error:
        if buildpack.stack is None:
            raise Unprocessable(
                f"Buildpack with name '{buildpack.name}' and an unassigned stack already exists"
            ) from error
        raise Unprocessable(
            f"The buildpack name '{buildpack.name}' with the stack '{buildpack.stack}' is already in use"
        ) from error
