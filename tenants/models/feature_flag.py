"""The switches of the platform."""

from __future__ import annotations

from django.db import models


class FeatureFlag(models.Model):
    """A switch that a platform admin turns; the names and defaults are in ``tenants.access``."""

    name = models.CharField(max_length=64, unique=True)
    enabled = models.BooleanField()
    custom_error_message = models.CharField(max_length=255, blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    @property
    def guid(self) -> str:
        """A flag's name is its id."""
        return self.name
