"""Adding, changing and removing what runs beside a process; it takes effect at the next start."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from apps.models import App, Process, Sidecar
from paas.lib.errors import Unprocessable
from tenants.access import authorize

TOLD = ("name", "command", "process_types", "memory_mb", "origin")


@transaction.atomic
def create(
    actor: User, app: App, *, name: str, command: str, process_types: list[str], memory_mb: int | None = None
) -> Sidecar:
    """Add a sidecar to every process of those types; its memory is a part of theirs."""
    authorize(actor, "app.update", app.space)
    app = App.objects.lock(app.pk)
    sidecar = Sidecar(app=app, name=name, command=command, process_types=process_types, memory_mb=memory_mb)
    _save(sidecar)
    audit.record(actor, "audit.app.sidecar.create", app, **_named(sidecar), after=audit.state(sidecar, TOLD))
    return sidecar


@transaction.atomic
def update(actor: User, sidecar: Sidecar, **fields: Any) -> Sidecar:
    """Change name, command, process types or memory; a sidecar that a buildpack brought is the team's own from now on."""
    authorize(actor, "app.update", sidecar.app.space)
    App.objects.lock(sidecar.app_id)
    sidecar = Sidecar.objects.lock(sidecar.pk)
    before = audit.state(sidecar, TOLD)
    for name, value in (fields | {"origin": "user"}).items():
        setattr(sidecar, name, value)
    _save(sidecar)
    after = audit.state(sidecar, TOLD)
    audit.record(actor, "audit.app.sidecar.update", sidecar.app, **_named(sidecar), before=before, after=after)
    return sidecar


@transaction.atomic
def delete(actor: User, sidecar: Sidecar) -> None:
    authorize(actor, "app.update", sidecar.app.space)
    App.objects.lock(sidecar.app_id)
    before = audit.state(sidecar, TOLD)
    audit.record(actor, "audit.app.sidecar.delete", sidecar.app, **_named(sidecar), before=before)
    sidecar.delete()


def _named(sidecar: Sidecar) -> dict[str, Any]:
    return {"sidecar_guid": sidecar.guid, "name": sidecar.name}


def _save(sidecar: Sidecar) -> None:
    _check_memory(sidecar)
    try:
        with transaction.atomic():
            sidecar.save()
    except IntegrityError as error:
        raise Unprocessable(f"Sidecar with name '{sidecar.name}' already exists for given app") from error


def _check_memory(sidecar: Sidecar) -> None:
    """Raise if it would leave a process nothing of its memory."""
    if sidecar.memory_mb is None:
        return
    for process in Process.objects.filter(app=sidecar.app, type__in=sidecar.process_types):
        if sidecar.memory_mb >= process.memory_mb:
            raise Unprocessable(
                f'The memory allocation defined is too large to run with the dependent "{process.type}" process'
            )
