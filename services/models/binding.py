"""Bindings: the credentials of an instance, for an app or (a key) for a person."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q

from accounts.models import User
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import Resource, Work, WorkQuerySet
from services.models.instance import ServiceInstance
from services.models.operation import Operation
from tenants.access import spaces_with
from tenants.models import sees_all


class BindingQuerySet(WorkQuerySet):
    def there(self) -> Self:
        """Those that have not been removed: what is left of the others is only for the job."""
        return self.filter(removed_at=None)

    def visible_to(self, user: User) -> Self:
        """An app's where its app is seen, a key where the instance's own space is."""
        if sees_all(user, "service.view"):
            return self.there()
        spaces = spaces_with(user, "service.view").values("pk")
        return self.there().filter(Q(type=Binding.Type.KEY, instance__space__in=spaces) | Q(app__space__in=spaces))


class Binding(Resource, Operation):
    """The credentials of one user of an instance. An app may have two to one instance while they are rotated.

    The type is kept beside the app: what is left of an app's binding when the app is gone has none.
    """

    class Type(models.TextChoices):
        APP = "app"
        KEY = "key"

    type = models.CharField(max_length=8, choices=Type)
    instance = models.ForeignKey(ServiceInstance, on_delete=models.PROTECT, related_name="bindings")
    app = models.ForeignKey(
        "apps.App", on_delete=models.PROTECT, null=True, blank=True, related_name="service_bindings"
    )
    name = models.CharField(max_length=255, blank=True, default="")  # "" is no name: only an app's may have none
    parameters: Any = EncryptedJSONField(default=dict)
    credentials: Any = EncryptedJSONField(default=dict)
    syslog_drain_url: Any = EncryptedJSONField(default=str)  # may carry a password
    volume_mounts: Any = EncryptedJSONField(default=list)
    # Where it stands among those of its app, and since when, if it has taken another's place: see services/credentials.py.
    place = models.CharField(max_length=128, blank=True, default="")
    placed_at = models.DateTimeField(null=True, blank=True)

    objects = BindingQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["instance", "name"], name="binding_key_name", condition=Q(type="key", removed_at__isnull=True)
            ),
            models.CheckConstraint(condition=Q(type="app") | Q(type="key", app=None), name="binding_type"),
            models.CheckConstraint(
                condition=Q(app__isnull=False) | Q(type="key") | Q(removed_at__isnull=False), name="binding_app"
            ),
        ]
        indexes = [*Resource.Meta.indexes, Work.due_index("binding_due")]

    @property
    def space(self) -> Any:
        """Where it is used: the app's space, or for a key the instance's."""
        return self.app.space if self.app else self.instance.space
