"""The v3 door of jobs: background work, as whoever asked for it polls it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.access import may
from accounts.models import Job
from paas.lib.errors import PaasError
from paas.lib.v3 import ResourceViewSet, base, link
from paas.lib.v3.door import error_body


class JobViewSet(ResourceViewSet):
    noun = "Job"

    def queryset(self) -> QuerySet[Job]:
        return Job.objects.all() if may(self.user, "job.view") else Job.objects.filter(owner=self.user)

    def present(self, resource: Job) -> dict[str, Any]:
        """Clients wait for as long as a job is PROCESSING, and read the first error of one that FAILED."""
        errors = resource.errors
        if resource.state == Job.State.FAILED and not errors:
            errors = error_body(PaasError())["errors"]
        return base(
            resource,
            operation=resource.operation,
            state=resource.state,
            errors=errors,
            warnings=resource.warnings,
            links={"self": link(self.request, f"/v3/jobs/{resource.guid}")},
        )
