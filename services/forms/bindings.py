"""The forms for bindings and keys."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q

from accounts.models import User
from services.forms.instances import NamedField, apps
from services.forms.parameters import ParametersForm
from services.models import ServiceInstance, Share
from tenants.access import spaces_with


class BindForm(ParametersForm):
    """The app that gets the credentials: of the instance's own space, or of one that it is shared with."""

    name = forms.CharField(
        required=False,
        max_length=255,
        label="Name of the binding (optional)",
        help_text="What the app finds it under in VCAP_SERVICES, instead of the name of the service.",
    )
    multiple = forms.BooleanField(
        required=False,
        label="Make new credentials beside those that the app has",
        help_text="To rotate them: bind, restart the app, then unbind the old ones.",
    )

    def __init__(self, *args: Any, instance: ServiceInstance, user: User, **kwargs: Any) -> None:
        plan = instance.plan
        super().__init__(*args, schema=plan.bind_schema if plan else {}, **kwargs)
        self.instance = instance
        here = Q(space=instance.space_id) | Q(space__in=instance.shares.values("space"))
        there = apps().visible_to(user).filter(here, space__in=spaces_with(user, "service.bind").values("pk"))
        self.fields["app"] = NamedField(
            here=instance.space,
            queryset=there.select_related("space__organization").defer("environment").order_by("name"),
            empty_label="Choose an app",
            label="App",
            error_messages={"required": "Choose an app.", "invalid_choice": "Choose one of the apps."},
        )
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


class KeyForm(ParametersForm):
    """Credentials for a person or a program outside of the platform."""

    name = forms.CharField(
        max_length=255,
        label="Name",
        help_text="Who or what it is for, so that others know whether it is still needed.",
        error_messages={"required": "Enter a name for the key."},
    )


class ChooseForm(forms.Form):
    """The service that an app shall be bound to: of its space, or shared with it."""

    def __init__(self, *args: Any, app: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shared = Share.objects.filter(space=app.space_id).values("instance")
        rows = ServiceInstance.objects.visible_to(user).filter(Q(space=app.space_id) | Q(pk__in=shared))
        self.fields["service"] = NamedField(
            here=app.space,
            queryset=rows.only("guid", "name", "space__name").select_related("space").order_by("name"),
            empty_label=None,
            label="Service",
            error_messages={"required": "Choose a service."},
        )
