"""What the pages about custom roles, ends of roles and requests for roles ask for."""

from __future__ import annotations

from typing import Any

from django import forms

from tenants.actions.role_request import place_named
from tenants.forms import LastDay, Reason
from tenants.models import CustomRole, Organization, Space
from tenants.offers import Choices
from tenants.permissions import (
    BASE,
    LABELS,
    ORGANIZATION,
    ORGANIZATION_ROLES,
    OU,
    SPACE,
    SPACE_ROLES,
    choosable,
    grouped,
)


class StartForm(forms.Form):
    """What a new role starts from: nothing, or a role that is there."""

    start = forms.ChoiceField(
        widget=forms.RadioSelect,
        label="What should the new role start from?",
        error_messages={"required": "Choose what the role starts from."},
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = organization.custom_roles.order_by("name")
        self.fields["start"].choices = [
            (SPACE, "Nothing yet, for spaces"),
            (ORGANIZATION, "Nothing yet, for the organization"),
            *((name, f"A copy of {LABELS[name]}") for name in (*SPACE_ROLES, *ORGANIZATION_ROLES)),
            *((role.guid, f"A copy of {role.name}") for role in own),
        ]


class CustomRoleForm(forms.Form):
    """A role's name, what it is for, and the permissions that it is made of."""

    name = forms.CharField(max_length=64, label="Name", error_messages={"required": "Enter a name."})
    description = forms.CharField(max_length=255, required=False, label="Who or what it is for (optional)")
    permissions = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="Permissions",
        error_messages={"required": "Choose at least one permission."},
    )

    def __init__(self, *args: Any, where: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.where = where
        self.fields["permissions"].choices = list(choosable(where).items())

    @classmethod
    def of(cls, role: CustomRole, data: Any = None) -> CustomRoleForm:
        """Return the form filled with what the role is."""
        held = {"name": role.name, "description": role.description, "permissions": role.verbs}
        return cls(data, where=role.where, initial=held)

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """Return the boxes by what they are about: (heading, boxes)."""
        boxes = {box.data["value"]: box for box in self["permissions"]}
        return [(kind, [boxes[verb] for verb in verbs]) for kind, verbs in grouped(self.where)]

    @property
    def given(self) -> list[str]:
        """Return in words what every such role permits."""
        return [choosable(self.where)[verb] for verb in sorted(BASE[self.where])]


class EndForm(forms.Form):
    """Until when somebody holds a role, and why."""

    until = LastDay(help_text="The role ends with this day (UTC). Leave it empty for no end.")
    reason = Reason(help_text="Shown to the person, and kept in the record.")


class AnswerForm(forms.Form):
    """What somebody is told who asked."""

    answer = Reason(label="Answer (optional)")


class AskForm(forms.Form):
    """A role in the organization or in one of its spaces; who asks need not see the space, and then names it."""

    role = forms.ChoiceField(
        widget=forms.RadioSelect, label="Role", error_messages={"required": "Choose the role that you need."}
    )
    space = forms.CharField(
        max_length=255,
        required=False,
        label="Space",
        help_text="For a role in a space: its name, as your colleagues call it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "list": "spaces"}),
    )
    reason = Reason(label="What do you need it for?", help_text="Whoever decides reads this.")
    until = LastDay(help_text="Ask for no longer than you need it. Leave it empty for no end.")

    def __init__(self, data: Any = None, *, choices: Choices, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.choices = choices
        beyond = {name: label for name, label in choices.in_organization.items() if name != OU}
        self.kinds = (("In a space", choices.in_spaces), ("In the organization", beyond))
        self.fields["role"].choices = [pair for _, names in self.kinds for pair in names.items()]

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """Return (heading, radios); who can ask is a member already."""
        radios = {radio.data["value"]: radio for radio in self["role"]}
        return [(title, [radios[name] for name in names]) for title, names in self.kinds]

    def clean(self) -> dict[str, Any]:
        cleaned, role = self.cleaned_data, self.cleaned_data.get("role")
        if role in self.choices.in_spaces and not cleaned.get("space") and "space" not in self.errors:
            self.add_error("space", "Enter the name of the space.")
        return cleaned

    def place(self) -> Organization | Space:
        """Return where the role is asked for; raise ``Unprocessable`` where there is no such space."""
        if self.cleaned_data["role"] in self.choices.in_organization:
            return self.choices.organization
        return place_named(self.choices.organization, name=self.cleaned_data["space"])


class GiveForm(forms.Form):
    """Until when, and why, the roles of a whole table are given."""

    until = LastDay(help_text="What is given here ends with this day (UTC). Leave it empty for no end.")
    reason = Reason(help_text="Shown to the people, and kept in the record.")
