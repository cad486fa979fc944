"""The forms for instances: a new one of a plan, one of the team's own, what it is called, whom it is shared with."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from accounts.models import User
from services.forms.parameters import LARGEST, ParametersForm
from services.models import Binding, Plan, ServiceInstance
from tenants.access import spaces_with
from tenants.models import Space


def apps() -> Any:
    """The manager of apps, which live on the floor above."""
    related: Any = Binding._meta.get_field("app").related_model
    return related.objects


class NamedField(forms.ModelChoiceField):
    """A choice of things that have a name, by guid; the space is told where it is not the usual one."""

    def __init__(self, *, here: Space | None = None, **kwargs: Any) -> None:
        super().__init__(to_field_name="guid", **kwargs)
        self.here = here

    def label_from_instance(self, obj: Any) -> str:
        space = getattr(obj, "space", None)
        return f"{obj.name} (in {space.name})" if space and space != self.here else str(obj.name)


class TagsField(forms.CharField):
    """Words that apps may look for, with commas between them."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = "Words by which apps find the service in VCAP_SERVICES, with commas between them."
        super().__init__(required=False, label="Tags (optional)", max_length=4000, help_text=help_text, **kwargs)

    def clean(self, value: Any) -> list[str]:
        return [tag.strip() for tag in super().clean(value).split(",") if tag.strip()]


class NameForm(forms.Form):
    """What an instance is called, and its tags."""

    name = forms.CharField(max_length=255, label="Name", error_messages={"required": "Enter a name for the service."})
    tags = TagsField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}

    @staticmethod
    def of(instance: ServiceInstance) -> dict[str, Any]:
        return {"name": instance.name, "tags": ", ".join(instance.tags)}


class NewForm(NameForm, ParametersForm):
    """A new instance of a plan, bound to an app at once if one is chosen."""

    def __init__(self, *args: Any, plan: Plan, space: Space, user: User, **kwargs: Any) -> None:
        super().__init__(*args, schema=plan.create_schema, **kwargs)
        if plan.takes_bindings:
            there = apps().visible_to(user).filter(space=space).select_related("space").defer("environment")
            self.fields["app"] = NamedField(
                here=space,
                queryset=there.order_by("name"),
                required=False,
                empty_label="No app yet",
                label="App to bind (optional)",
                help_text="It gets the credentials as soon as the service is there, and reads them when it is started again.",
            )


class ProvidedForm(NameForm):
    """Credentials that a team has from elsewhere; when they are changed, an empty field leaves them as they are."""

    credentials = forms.CharField(
        max_length=LARGEST,
        label="Credentials",
        help_text='A JSON object, for example {"uri": "postgres://user:password@db.example.org/data"}',
        widget=forms.Textarea(
            attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "none"}
        ),
        error_messages={"required": 'Enter the credentials as a JSON object, like {"uri": "..."}.'},
    )
    field_order = ("name", "credentials", "tags")

    def __init__(self, *args: Any, changes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if changes:
            self.fields["credentials"].required = False
            self.fields["credentials"].label = "New credentials (optional)"
            self.fields["credentials"].help_text = "A JSON object that takes the place of all that was given before."

    def clean_credentials(self) -> dict[str, Any] | None:
        text = self.cleaned_data["credentials"].strip()
        if not text:
            return None
        try:
            read = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from error
        if not isinstance(read, dict):
            raise forms.ValidationError('Enter a JSON object, like {"uri": "..."}.')
        return read


class ShareForm(forms.Form):
    """A space whose apps may use the instance too: one in which the person develops."""

    def __init__(self, *args: Any, instance: ServiceInstance, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        there = spaces_with(user, "service.create").filter(region=instance.region_id)
        there = there.exclude(pk=instance.space_id).exclude(shares__instance=instance).select_related("organization")
        self.fields["space"] = PlaceField(
            queryset=there.order_by("organization__name", "name"),
            to_field_name="guid",
            empty_label="Choose a space",
            label="Space",
            help_text="One in which you may create services.",
            error_messages={"required": "Choose a space.", "invalid_choice": "Choose one of the spaces."},
        )


class PlaceField(forms.ModelChoiceField):
    """A choice of spaces, each with its organization."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.organization.name} / {obj.name}"
