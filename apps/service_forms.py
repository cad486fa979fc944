"""What the console's pages about an app and its services ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q

from accounts.models import User
from apps import swaps
from apps.models import App
from services.forms.instances import NamedField
from services.models import ServiceInstance, Share

KEEP, UNBIND = "keep", "unbind"


class SwapForm(forms.Form):
    """Which of the services that the app uses makes way, for which one of its space or shared with it."""

    keep = forms.ChoiceField(
        widget=forms.RadioSelect,
        choices=[
            (KEEP, "Keep it bound and unused, so that you can swap back"),
            (UNBIND, "Unbind it as soon as the app runs with the new one"),
        ],
        label="What becomes of the old one",
        initial=KEEP,
        error_messages={"required": "Choose what becomes of the old one."},
    )

    def __init__(self, *args: Any, app: App, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = ServiceInstance.objects.visible_to(user).select_related("space").only("guid", "name", "space__name")
        used = [row.instance_id for row in swaps.given(app)]
        shared = Share.objects.filter(space=app.space_id).values("instance")
        here = Q(space=app.space_id) | Q(pk__in=shared)
        self.fields["source"] = self._services(app, seen.filter(pk__in=used), "Service that the app uses now")
        self.fields["target"] = self._services(app, seen.filter(here), "Service that takes its place")
        self.order_fields(["source", "target", "keep"])

    @staticmethod
    def _services(app: App, rows: Any, label: str) -> NamedField:
        told = {"required": "Choose a service.", "invalid_choice": "Choose one of the services."}
        return NamedField(
            here=app.space,
            queryset=rows.order_by("name"),
            empty_label="Choose a service",
            label=label,
            error_messages=told,
        )
