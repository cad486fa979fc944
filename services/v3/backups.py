"""The v3 doors of backups: those of an instance, and the repositories, which outlive instances."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import Names, Query, ResourceViewSet, Text, accepted, base, link, stamp, to_one
from services.actions import backup as actions
from services.models import Backup, Repository, RestoreProof, ServiceInstance


class BackupViewSet(ResourceViewSet):
    noun = "Service instance"
    backups = Query(labels=False)

    def queryset(self) -> QuerySet[ServiceInstance]:
        return ServiceInstance.objects.select_related("space__organization").visible_to(self.user)

    def every(self, request: Request, guid: str) -> Response:
        """Of a deleted instance too, as long as they are kept."""
        repositories = Repository.objects.visible_to(self.user)
        if "\0" in guid or not repositories.filter(guid=guid).exists():
            self.found(guid)
        rows = Backup.objects.filter(repository__in=repositories.filter(guid=guid)).select_related("repository")
        return self.page(request, rows, query=self.backups, present=self.told)

    def take(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.take(self.user, self.found(guid)))

    def told(self, row: Backup) -> dict[str, Any]:
        instance = row.repository.guid
        return base(
            row,
            type=row.type,
            begun_at=stamp(row.begun_at),
            ended_at=stamp(row.ended_at),
            size_bytes=row.size_bytes,
            relationships={"service_instance": to_one(instance)},
            links={"service_instance": link(self.request, f"/v3/service_instances/{instance}")},
        )


class BackupRepositoryViewSet(ResourceViewSet):
    noun = "Backup repository"
    query = Query(
        filters={"names": Names("name"), "space_guids": Text("space__guid")}, orders={"name": "name"}, labels=False
    )

    def queryset(self) -> QuerySet[Repository]:
        joined = Repository.objects.select_related("space", "proof", "instance").prefetch_related("backups")
        return joined.visible_to(self.user).defer("key")

    def present(self, resource: Repository) -> dict[str, Any]:
        here, guid = f"/v3/service_instances/{resource.guid}", resource.guid
        return base(
            resource,
            name=resource.name,
            restorable_from=_stamp(resource.oldest_time),
            newest_backup_at=_stamp(resource.newest and resource.newest.ended_at),
            archived_at=_stamp(resource.archived_at),
            size_bytes=sum(each.size_bytes for each in resource.backups.all()),
            error=resource.error or None,
            deleted_at=_stamp(resource.deleted_at),
            kept_until=_stamp(resource.until),
            restore_proof=_proof(getattr(resource, "proof", None)),
            relationships={"space": to_one(resource.space.guid if resource.space else None)},
            links={
                "self": link(self.request, f"/v3/service_backup_repositories/{guid}"),
                "backups": link(self.request, f"{here}/backups"),
            },
        )


def _proof(row: RestoreProof | None) -> dict[str, Any] | None:
    """When the newest state was last restored as a test and how many seconds that took; why it failed, if it does."""
    if row is None:
        return None
    return {
        "proved_at": _stamp(row.proved_at),
        "seconds": row.seconds,
        "failed_at": _stamp(row.failed_at),
        "error": row.error or None,
    }


def _stamp(moment: Any) -> str | None:
    return stamp(moment) if moment else None
