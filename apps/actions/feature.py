"""What may be switched on for an app: revisions, and files in place of VCAP_SERVICES."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps.models import App
from paas.lib.errors import Unprocessable
from tenants.access import authorize

FILES = (App.ServiceFiles.K8S, App.ServiceFiles.VCAP)
NAMES = ("ssh", "revisions", *FILES)


def is_on(app: App, name: str) -> bool:
    return app.revisions_enabled if name == "revisions" else app.service_files == name


@transaction.atomic
def switch(actor: User, app: App, *, name: str, enabled: bool) -> App:
    """Switch one of ``NAMES`` on or off; what concerns services takes effect at the next start."""
    authorize(actor, "app.update", app.space)
    app = App.objects.lock(app.pk)
    before = is_on(app, name)
    if enabled and name == "ssh":
        raise Unprocessable(
            "Opening a shell in an app is not possible on this platform yet. Use a task (cf run-task) instead."
        )
    if before == enabled:
        return app
    if name == "revisions":
        app.revisions_enabled = enabled
    else:
        if enabled and app.service_files:
            raise Unprocessable(
                f"'{name}' and '{app.service_files}' cannot be enabled at the same time. Switch the other off first."
            )
        app.service_files = name if enabled else App.ServiceFiles.NONE
    app.save(update_fields=["revisions_enabled", "service_files", "updated_at"])
    audit.record(actor, "audit.app.update", app, before={name: before}, after={name: enabled})
    return app
