"""The form that makes a new instance from another's backups: of which moment, and what it is to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms

from accounts.models import User
from services.actions.restoring import BACKUP_BEFORE, LATEST_BACKUP_OF, TIME_BEFORE, TIME_OF
from services.forms.instances import PlaceField
from services.models import Backup, Repository
from tenants.access import spaces_with

NEWEST, MOMENT, BACKUP = "newest", "moment", "backup"


class BackupField(forms.ModelChoiceField):
    """A choice of backups, by when they were taken."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.ended_at.astimezone(UTC):%-d %b %Y, %H:%M:%S} UTC"


class RestoreForm(forms.Form):
    """``plans`` are those that are large enough, with their labels; ``to_the_second``: any moment can be chosen."""

    what = forms.ChoiceField(
        widget=forms.RadioSelect, label="Which state", error_messages={"required": "Choose a state."}
    )
    date = forms.DateField(
        required=False,
        label="Date, if you choose a moment",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Enter a date like 2026-03-31."},
    )
    time = forms.TimeField(
        required=False,
        label="Time in UTC, if you choose a moment",
        widget=forms.TimeInput(attrs={"type": "time", "step": "1"}, format="%H:%M:%S"),
        error_messages={"invalid": "Enter a time like 14:05:00."},
    )
    name = forms.CharField(
        max_length=255,
        label="Name of the new service",
        help_text="The restored data comes into a new service. The one that it comes from is not touched.",
        error_messages={"required": "Enter a name for the new service."},
    )

    def __init__(
        self,
        *args: Any,
        repository: Repository,
        user: User,
        plans: Sequence[tuple[str, str]],
        to_the_second: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.repository = repository
        newest = "As it was when it was deleted" if repository.deleted_at else "As it is now"
        states = [
            (NEWEST, newest if to_the_second else "The newest backup"),
            *([(MOMENT, "At a moment")] if to_the_second else []),
            (BACKUP, "A backup, as it was taken"),
        ]
        self.fields["what"].choices = states
        if not to_the_second:
            del self.fields["date"], self.fields["time"]
        self.fields["backup"] = BackupField(
            queryset=Backup.objects.filter(repository=repository).order_by("-ended_at"),
            to_field_name="guid",
            required=False,
            empty_label="Choose a backup",
            label="Backup, if you choose one",
            error_messages={"invalid_choice": "Choose one of the backups."},
        )
        here = repository.space
        there = spaces_with(user, "service.create").select_related("organization")
        self.fields["space"] = PlaceField(
            queryset=there.filter(region=here.region_id if here else None).order_by("organization__name", "name"),
            to_field_name="guid",
            empty_label="Choose a space",
            label="Space",
            help_text="One in which you may create services.",
            error_messages={"required": "Choose a space.", "invalid_choice": "Choose one of the spaces."},
        )
        self.fields["plan"] = forms.ChoiceField(
            choices=list(plans),
            label="Plan",
            help_text="Those with enough disk for the data.",
            error_messages={"required": "Choose a plan.", "invalid_choice": "Choose one of the plans."},
        )
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        self.order_fields(["what", "date", "time", "backup", "name", "space", "plan"])

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        if asked.get("what") == MOMENT:
            for name, word in (("date", "date"), ("time", "time")):
                if not asked.get(name) and asked.get(name) != datetime.min.time() and name not in self.errors:
                    self.add_error(name, f"Enter the {word} of the moment.")
        if asked.get("what") == BACKUP and not asked.get("backup") and "backup" not in self.errors:
            self.add_error("backup", "Choose a backup.")
        return asked

    @property
    def parameters(self) -> dict[str, str]:
        """What the creation is asked for."""
        asked, guid = self.cleaned_data, self.repository.guid
        if asked["what"] == BACKUP:
            return {LATEST_BACKUP_OF: guid, BACKUP_BEFORE: asked["backup"].ended_at.isoformat()}
        if asked["what"] == MOMENT:
            at = datetime.combine(asked["date"], asked["time"], UTC)
            return {TIME_OF: guid, TIME_BEFORE: at.isoformat()}
        return {TIME_OF if "date" in self.fields else LATEST_BACKUP_OF: guid}
