"""Taking a backup now, beside those of every day."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from paas.lib.queue import later
from services.models import Repository, ServiceInstance
from tenants.access import authorize


@transaction.atomic
def take(actor: User, instance: ServiceInstance) -> Job:
    """Have a backup taken; where one is asked for already, its job is returned."""
    authorize(actor, "service.create", instance.space)
    repository: Repository | None = Repository.objects.select_for_update().filter(instance=instance).first()
    if repository is None:
        raise Unprocessable(f"The platform takes no backups of {instance.name}: its service has none.")
    if repository.wanted_at and repository.job:
        return repository.job
    job = Job.objects.create(owner=actor, operation="service_instance.back_up", resource_guid=instance.guid)
    repository.job, repository.wanted_at, repository.due_at = job, timezone.now(), timezone.now()
    repository.save(update_fields=["job", "wanted_at", "due_at", "updated_at"])
    audit.record(actor, "audit.service_instance.back_up", instance)
    later("services.jobs.back_up", repository.pk)
    return job
