"""What the console's pages about organizations, spaces and their members ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from accounts.forms import PasswordForm
from accounts.models import User
from paas.lib.errors import NotAuthorized, NotFound, PaasError
from paas.lib.text import is_storable
from tenants.access import person_named, roles_of
from tenants.actions.invitation import MOST
from tenants.models import Organization, OrganizationQuota, Space
from tenants.offers import Choices, Offer
from tenants.permissions import OU


@contextmanager
def errors_told_in(form: forms.Form) -> Iterator[None]:
    """Show what an action refuses above the form, with what was typed still in it; 403 and 404 stay pages."""
    try:
        yield
    except (NotAuthorized, NotFound):
        raise
    except PaasError as error:
        form.add_error(None, error.detail)


class NameForm(forms.Form):
    """A name for an organization or a space."""

    name = forms.CharField(max_length=255, error_messages={"required": "Enter a name."})


class OrganizationQuotaForm(forms.Form):
    """Which quota an organization has."""

    quota = forms.ModelChoiceField(
        OrganizationQuota.objects.order_by("name"),
        empty_label=None,
        label="Which quota",
        error_messages={"required": "Choose a quota."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quota"].label_from_instance = lambda quota: quota.name


class ConfirmForm(forms.Form):
    """Deleting asks for the name of what goes, so that nobody deletes the wrong thing."""

    name = forms.CharField(required=False, max_length=255)

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["name"].label = f"Type “{expected}” to confirm"
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    def clean_name(self) -> str:
        if self.cleaned_data["name"] != self.expected:
            raise forms.ValidationError(f"Type the name exactly as it is: {self.expected}")
        return self.cleaned_data["name"]


class LastDay(forms.DateField):
    """The day with which something ends; reads as its last second in UTC, or None where there is no end."""

    def __init__(self, label: str = "Last day (optional)", help_text: str = "", **more: Any) -> None:
        super().__init__(
            required=False,
            label=label,
            help_text=help_text,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            error_messages={"invalid": "Enter the last day as a date, like 2030-01-31."},
            **more,
        )

    def clean(self, value: Any) -> datetime | None:  # type: ignore[override]
        day = super().clean(value)
        if day is None:
            return None
        if day < timezone.now().date():
            raise forms.ValidationError("The last day must not be over yet.")
        return datetime.combine(day, time(23, 59, 59), UTC)


class Reason(forms.CharField):
    """Why somebody has or wants a role."""

    def __init__(self, label: str = "Reason (optional)", help_text: str = "", **more: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 2})
        super().__init__(required=False, max_length=2000, label=label, help_text=help_text, widget=widget, **more)


class MemberForm(forms.Form):
    """A person by username or e-mail address, the roles they get, until when and why."""

    person = forms.CharField(
        max_length=255,
        label="Username or e-mail address",
        error_messages={"required": "Enter the username or e-mail address of the person."},
    )
    roles = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one role."}
    )
    until = LastDay(help_text="What you give here ends with this day (UTC). Leave it empty for no end.")
    reason = Reason(help_text="Shown to the person, and kept in the record.")

    def __init__(self, *args: Any, place: Organization | Space, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = list(roles_of(place).items())

    def clean_person(self) -> User:
        user = person_named(self.cleaned_data["person"])
        if user is None:
            raise forms.ValidationError(
                f"Nobody here is called “{self.cleaned_data['person']}”. Check the spelling, or ask a platform admin to "
                "create the account first."
            )
        return user


class OrganizationMemberForm(MemberForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].initial = ["organization_user"]

    def clean_roles(self) -> list[str]:
        """Whoever holds another role is a member too, or they could be given no role in a space."""
        return list({"organization_user", *self.cleaned_data["roles"]})


class SpaceMemberForm(MemberForm):
    """The same in a space, where nobody belongs without a role."""


def changes(posted: Any, names: dict[str, str]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Read the table of check boxes: (roles to give, roles to take), each {guid of the person: role names}.

    The page sends what it showed (``was``) beside what is ticked (``held``), so that a change which somebody else
    made meanwhile is not undone. Each value is "guid role".
    """
    was, held = (_pairs(posted.getlist(field), names) for field in ("was", "held"))
    return _by_person(held - was), _by_person(was - held)


def _pairs(values: list[str], names: dict[str, str]) -> set[tuple[str, str]]:
    split = (value.partition(" ") for value in values)
    return {(guid, role) for guid, _, role in split if role in names and is_storable(guid)}


def _by_person(pairs: set[tuple[str, str]]) -> dict[str, set[str]]:
    people: dict[str, set[str]] = {}
    for guid, role in pairs:
        people.setdefault(guid, set()).add(role)
    return people


def addresses(text: str) -> list[str]:
    """Split a pasted list: lines, commas or semicolons between addresses, names around them as mail programs write."""
    found: list[str] = []
    for part in re.split(r"[\n,;]+", text):
        inside = re.search(r"<([^<>]*)>", part)
        found += [inside[1].strip()] if inside else part.split()
    return found


class InviteForm(forms.Form):
    """Addresses, and the roles that wait for them; ``ticked`` holds (space, role) of the boxes in the table."""

    emails = forms.CharField(
        max_length=40_000,
        label="E-mail addresses",
        help_text="One on each line, or a pasted list with commas. Up to 100 at once.",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocapitalize": "none"}),
        error_messages={"required": "Enter at least one e-mail address."},
    )
    roles = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Roles in the organization",
        help_text="Everybody who joins is a member. Tick what they should be beyond that.",
    )
    until = LastDay(help_text="The roles end with this day (UTC). Leave it empty for roles without an end.")

    def __init__(self, data: Any = None, *, choices: Choices) -> None:
        super().__init__(data)
        self.choices = choices
        self.fields["roles"].choices = [pair for pair in choices.in_organization.items() if pair[0] != OU]
        values = data.getlist("in_space") if data else []
        self.ticked = {(space, role) for space, _, role in (value.partition(" ") for value in values)}

    def clean_emails(self) -> list[str]:
        found = addresses(self.cleaned_data["emails"])
        if not 0 < len(found) <= MOST:
            raise forms.ValidationError(f"Enter from 1 to {MOST} e-mail addresses at once.")
        return found

    def offered(self) -> list[Offer]:
        """Return what was ticked; a role or a space that is gone meanwhile is left out."""
        end = self.cleaned_data["until"]
        wished = [(OU, None), *((role, None) for role in self.cleaned_data["roles"])]
        wished += [(role, space) for space, role in sorted(self.ticked)]
        return [offer for role, space in wished if (offer := self.choices.offer(role, space, end))]


class MailDomainsForm(forms.Form):
    """The mail domains whose addresses may be invited."""

    domains = forms.CharField(
        required=False,
        max_length=26_000,
        label="Mail domains",
        help_text="One on each line, like example.org. What is below a domain counts too. Leave it empty to allow any.",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def clean_domains(self) -> list[str]:
        return str(self.cleaned_data["domains"]).replace(",", " ").replace(";", " ").split()


class JoinForm(PasswordForm):
    """Who somebody new is, and how they sign in from now on."""

    given_name = forms.CharField(
        max_length=255,
        required=False,
        label="First name (optional)",
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    family_name = forms.CharField(
        max_length=255,
        required=False,
        label="Last name (optional)",
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    field_order = ("given_name", "family_name", "new", "again")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, first=True)
        self.fields["new"].label, self.fields["again"].label = "Password", "Password again"
        if self.by_passkey:
            del self.fields["new"], self.fields["again"]

    @property
    def by_passkey(self) -> bool:
        return bool(self.data.get("by_passkey"))


class CloseForm(ConfirmForm):
    """Closing one's account asks for one's username, and for the password where there is one."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Enter your password."},
    )

    def __init__(self, data: Any = None, *, person: User) -> None:
        super().__init__(data, expected=person.username)
        if not person.has_usable_password():
            del self.fields["password"]
