"""What an app has been given by services: as VCAP_SERVICES tells it, and as files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from services.models import Binding, Operation

UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
VCAP_FILE = "vcap_services"
SWAP = "service_swap"  # the option of a deployment that puts a binding in another's place


def bound_to(app: Any) -> list[Binding]:
    """Return the app's bindings that it can use: of two to one instance (a rotation) the newer one."""
    rows = (
        Binding.objects.there()
        .filter(app=app, type=Binding.Type.APP)
        .exclude(operation_type=Operation.Type.CREATE, operation_state__in=NOT_YET)
        .select_related("instance__plan__offering__broker")
        .order_by("created_at", "pk")
    )
    newest = {row.instance_id: row for row in rows}
    return sorted(newest.values(), key=lambda row: (row.created_at, row.pk))


def place_of(binding: Binding) -> str:
    """Return where a binding stands among those of its app: what it has taken the place of has the same place."""
    return binding.place or f"{binding.created_at.isoformat()} {binding.guid}"


def in_use(bindings: Iterable[Binding], *, swap: tuple[str, str] = ("", "")) -> list[Binding]:
    """Return what the app is given, in its order: of bindings with the same place the one that took it last.

    ``swap`` names, by their guids, a binding that makes way, and the one that is put in its place.
    """
    rows = list(bindings)
    left, put = swap
    places = {row.guid: place_of(row) for row in rows}
    places[put] = places.get(left, places.get(put, ""))
    found: dict[str, Binding] = {}
    for row in sorted(rows, key=lambda row: (row.guid == put, bool(row.placed_at), row.placed_at or row.created_at)):
        found[places[row.guid]] = row
    return [found[place] for place in sorted(found)]


NOT_YET = (Operation.State.INITIAL, Operation.State.IN_PROGRESS, Operation.State.FAILED)


def vcap_services(bindings: Iterable[Binding]) -> dict[str, list[dict[str, Any]]]:
    """Return the entries by offering; those of user-provided instances stand under that name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for binding in bindings:
        entry = _entry(binding)
        found.setdefault(entry["label"], []).append(entry)
    return found


def _entry(binding: Binding) -> dict[str, Any]:
    instance, plan = binding.instance, binding.instance.plan
    common = {
        "name": binding.name or instance.name,
        "instance_guid": instance.guid,
        "instance_name": instance.name,
        "binding_guid": binding.guid,
        "binding_name": binding.name or None,
        "credentials": binding.credentials,
        "syslog_drain_url": binding.syslog_drain_url or None,
        "volume_mounts": binding.volume_mounts,
    }
    if plan is None:
        return {"label": "user-provided", "tags": instance.tags, **common}
    tags = list(dict.fromkeys([*plan.offering.tags, *instance.tags]))
    return {"label": plan.offering.name, "provider": None, "plan": plan.name, "tags": tags, **common}


def one_file(bindings: Iterable[Binding]) -> dict[str, str]:
    """Return VCAP_SERVICES as a file, which may be larger than a variable."""
    return {VCAP_FILE: json.dumps(vcap_services(bindings))}


def many_files(bindings: Iterable[Binding]) -> dict[str, str]:
    """Return a folder for each binding, as servicebinding.io has it: a file for each credential, and what it is of."""
    found: dict[str, str] = {}
    folders: set[str] = set()
    for binding in bindings:
        entry = _entry(binding)
        folder = _safe(entry["name"])
        folder = binding.guid if folder in folders else folder
        folders.add(folder)
        about = {key.replace("_", "-"): value for key, value in entry.items() if key not in ("credentials", "provider")}
        told = {**entry["credentials"], **about, "type": entry["label"], "provider": entry["label"]}
        found |= {
            f"{folder}/{_safe(key)}": _text(value) for key, value in told.items() if value not in (None, "", [], {})
        }
    return found


def _safe(name: str) -> str:
    return UNSAFE.sub("-", name).lstrip(".")[:253] or "_"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


DATABASES = {"mysql": "mysql2", "mysql2": "mysql2", "postgres": "postgres", "postgresql": "postgres"}


def database_url(bindings: Iterable[Binding]) -> str:
    """Return the first bound database's address, with the scheme that Rails made customary; "" where there is none."""
    for binding in bindings:
        scheme, separator, rest = str(binding.credentials.get("uri") or "").partition("://")
        if separator and scheme in DATABASES:
            return f"{DATABASES[scheme]}://{rest}"
    return ""
