"""The forms for brokers: registering and changing one, who may use a plan, and what a check may make."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from services.forms.parameters import Lines, ParametersForm
from services.models import Plan, ServiceBroker
from tenants.models import Organization

MOST = 500  # organizations that a form names
PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class BrokerForm(forms.Form):
    """Where a broker is and how it lets us in; when it is changed, empty fields leave both as they are."""

    name = forms.CharField(max_length=255, label="Name", error_messages={"required": "Enter a name for the broker."})
    url = forms.CharField(
        max_length=2048,
        label="Address",
        help_text="Where its API begins, for example https://broker.example.org. The platform adds /v2/catalog and so on.",
        error_messages={"required": "Enter the address of the broker."},
    )
    username = forms.CharField(
        max_length=1000, strip=False, label="Username", error_messages={"required": "Enter the username."}
    )
    password = forms.CharField(
        max_length=10_000,
        strip=False,
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the password."},
    )
    networks = Lines(
        required=False,
        label="Private networks (optional)",
        help_text="Where the broker may be, like 10.1.0.0/16. Leave it empty if its address is public. One a line.",
        widget=forms.Textarea(attrs={"rows": 2, **PLAIN}),
    )

    def __init__(self, *args: Any, changes: bool = False, may_open: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "url", "username"):
            self.fields[name].widget.attrs |= PLAIN
        if not may_open:
            del self.fields["networks"]
        if changes:
            for name in ("username", "password"):
                self.fields[name].required = False
                self.fields[name].label = f"New {name} (optional)"

    @staticmethod
    def of(broker: ServiceBroker) -> dict[str, Any]:
        return {"name": broker.name, "url": broker.url, "networks": "\n".join(broker.networks)}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("username")) != bool(given.get("password")) and not self.errors:
            raise forms.ValidationError("Enter the username and the password together.")
        return given

    def changed(self, broker: ServiceBroker) -> dict[str, Any]:
        """What is to be different, as the action takes it."""
        given = self.cleaned_data
        now = {"name": broker.name, "url": broker.url, "networks": broker.networks}
        found = {key: given[key] for key, value in now.items() if key in given and given[key] != value}
        if given["username"]:
            found["credentials"] = {"username": given["username"], "password": given["password"]}
        return found


class VisibilityForm(forms.Form):
    """Who may make instances of a plan."""

    type = forms.ChoiceField(
        label="Who may use it",
        choices=[
            (Plan.Visibility.PUBLIC, "Everybody"),
            (Plan.Visibility.ORGANIZATION, "The organizations below"),
            (Plan.Visibility.ADMIN, "Nobody yet: only platform admins see it"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose who may use it."},
    )
    organizations = Lines(
        required=False,
        label="Organizations",
        help_text="Their names, one a line.",
        widget=forms.Textarea(attrs={"rows": 5, **PLAIN}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen = Organization.objects.visible_to(user)

    def clean_organizations(self) -> list[Organization]:
        names = list(dict.fromkeys(self.cleaned_data["organizations"]))
        if self.cleaned_data.get("type") != Plan.Visibility.ORGANIZATION:
            return []
        if not names:
            raise forms.ValidationError("Name at least one organization.")
        if len(names) > MOST:
            raise forms.ValidationError(f"The form takes {MOST} organizations. Use the API for more.")
        found = {row.name: row for row in self.seen.filter(name__in=names)}
        if missing := [name for name in names if name not in found]:
            raise forms.ValidationError(f"There is no organization called {', '.join(missing[:5])}.")
        return list(found.values())


class CheckForm(ParametersForm):
    """What a check may make: nothing, or throw-away instances of a plan."""

    plan = forms.ModelChoiceField(
        Plan.objects.none(),
        required=False,
        to_field_name="guid",
        empty_label="Nothing: only look at the catalogue and who is let in",
        label="What may be made",
        help_text="The rest can only be tried with instances. Choose a plan whose instances are made fast and cost little.",
        error_messages={"invalid_choice": "Choose one of the plans."},
    )
    sure = forms.BooleanField(
        required=False, label="Make up to five throw-away instances and a binding, and remove them"
    )

    def __init__(self, *args: Any, broker: ServiceBroker, **kwargs: Any) -> None:
        super().__init__(*args, schema={}, **kwargs)
        rows = Plan.objects.filter(offering__broker=broker, available=True, offering__available=True)
        self.fields["plan"].queryset = rows.select_related("offering").order_by("offering__name", "name")
        self.fields["plan"].label_from_instance = lambda row: f"Instances of {row.offering.name}, plan {row.name}"
        self.fields["json"].label = "Parameters of the instances (optional)"
        self.fields["json"].help_text = 'An object like {"name": "value"}, where the plan needs some.'

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("plan") and not given.get("sure"):
            self.add_error("sure", "Confirm that instances may be made, or choose to make nothing.")
        return given
