"""What the pages about robots, their keys and API tokens ask for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from accounts import ranges
from accounts.actions.tokens import TOKEN_DAYS
from accounts.models import User
from paas.lib.errors import Unprocessable
from tenants import access, permissions
from tenants.actions import token as tokens
from tenants.actions.robot_key import OVERLAP_DAYS
from tenants.models import Organization, Robot, Space

LIVES = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (180, "half a year"), (365, "a year"))
OVERLAPS = ((1, "1 more day"), (7, "7 more days"), (30, "30 more days"), (0, "It stops now"))
EVERYTHING, CHOSEN = "everything", "chosen"


class Life(forms.Form):
    """A name, and a day on which it ends."""

    name = forms.CharField(max_length=100, label="Name", error_messages={"required": "Enter a name."})
    days = forms.TypedChoiceField(coerce=int, label="Ends after")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most: int = settings.PAAS_TOKEN_DAYS
        self.fields["days"].choices = [(days, label) for days, label in LIVES if days <= most] or [
            (most, f"{most} days")
        ]
        self.fields["days"].initial = min(TOKEN_DAYS, most)

    @property
    def ends(self) -> datetime:
        return timezone.now() + timedelta(days=self.cleaned_data["days"])


class KeyForm(Life):
    """A key of a robot."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = "Where it will be used, for example “GitHub” or “nightly backup”."


class RotateForm(forms.Form):
    """How much longer the old key works."""

    days = forms.TypedChoiceField(
        coerce=int,
        choices=OVERLAPS,
        initial=OVERLAP_DAYS,
        widget=forms.RadioSelect,
        label="How long does the old key work?",
        error_messages={"required": "Choose how long the old key works."},
    )


class RobotForm(forms.Form):
    """What a robot is called, who looks after it, and from where it may call."""

    name = forms.CharField(
        max_length=100,
        label="Name",
        help_text="What it does, for example “Deploy from CI”. Its client ID is made of this.",
        error_messages={"required": "Enter a name for the robot."},
    )
    description = forms.CharField(max_length=255, required=False, label="Description (optional)")
    caretaker = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        to_field_name="guid",
        empty_label="Nobody: the managers hear of it",
        label="Who looks after it",
        help_text="They get a mail before a key ends.",
    )
    address_ranges = forms.CharField(
        required=False,
        strip=True,
        label="Addresses it may call from (optional)",
        help_text="One address or network on each line, like 203.0.113.0/24. Empty means from anywhere.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = access.people_of(organization).filter(kind=User.Kind.PERSON)
        self.fields["caretaker"].queryset = people.order_by("username")
        self.fields["caretaker"].label_from_instance = lambda person: person.display_name

    def clean_address_ranges(self) -> list[str]:
        try:
            return ranges.read(self.cleaned_data["address_ranges"].replace(",", "\n").splitlines())
        except Unprocessable as error:
            raise forms.ValidationError(error.detail) from error

    @classmethod
    def of(cls, robot: Robot, data: Any = None) -> RobotForm:
        """Return the form with what the robot is now."""
        now = {
            "name": robot.user.given_name,
            "description": robot.description,
            "caretaker": robot.caretaker and robot.caretaker.guid,
            "address_ranges": "\n".join(robot.user.address_ranges),
        }
        return cls(data, organization=robot.organization, initial=now)


class NewRobotForm(RobotForm):
    """A robot with the first thing that it may do."""

    spaces = forms.ModelMultipleChoiceField(
        Space.objects.none(),
        required=False,
        to_field_name="guid",
        widget=forms.CheckboxSelectMultiple,
        label="Spaces in which it may push and run apps",
        help_text="It becomes space developer there. You can give it other roles afterwards.",
    )

    def __init__(self, *args: Any, organization: Organization, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, organization=organization, **kwargs)
        mine = access.spaces_with(actor, "member.manage").filter(organization=organization)
        self.fields["spaces"].queryset = mine.order_by("name")
        self.fields["spaces"].label_from_instance = lambda space: space.name
        if actor.pk in self.fields["caretaker"].queryset.values_list("pk", flat=True):
            self.fields["caretaker"].initial = actor.guid


class TokenForm(Life):
    """A token for a script: what it may do is a preset, chosen one by one, or everything."""

    may = forms.ChoiceField(
        choices=[
            *((name, label) for name, (label, _) in tokens.PRESETS.items()),
            (CHOSEN, "Only what I choose below"),
            (EVERYTHING, "Everything that I may do"),
        ],
        initial="read",
        widget=forms.RadioSelect,
        label="What may it do?",
        error_messages={"required": "Choose what the token may do."},
    )
    permissions = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple, label="Permissions")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = "What will use it, for example “nightly backup”."
        self.grantable = tokens.grantable(person)
        self.fields["permissions"].choices = list(self.grantable.items())

    def groups(self) -> list[tuple[str, list[Any]]]:
        """Return the boxes by what they are about: (title, boxes)."""
        boxes = {box.data["value"]: box for box in self["permissions"]}
        return [(kind, [boxes[verb] for verb in verbs]) for kind, verbs in permissions.by_kind(boxes)]

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("may") == CHOSEN and not self.cleaned_data.get("permissions"):
            self.add_error("permissions", "Choose at least one permission, or another answer above.")
        return self.cleaned_data

    @property
    def asked(self) -> list[str] | None:
        """The permissions that were asked for; None is everything. A preset gives what there is of it."""
        may = self.cleaned_data["may"]
        if may == EVERYTHING:
            return None
        if may == CHOSEN:
            return list(self.cleaned_data["permissions"])
        return [verb for verb in self.grantable if verb in tokens.PRESETS[may][1]]
