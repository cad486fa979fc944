"""What the console's pages about organizations, spaces and their members ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms

from accounts.models import User
from paas.lib.errors import NotAuthorized, NotFound, PaasError
from paas.lib.text import is_storable
from tenants.access import person_named
from tenants.models import ORGANIZATION_ROLES, SPACE_ROLES, OrganizationQuota


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


class MemberForm(forms.Form):
    """A person by username or e-mail address, and the first roles they get."""

    person = forms.CharField(
        max_length=255,
        label="Username or e-mail address",
        error_messages={"required": "Enter the username or e-mail address of the person."},
    )
    roles = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one role."}
    )

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
        self.fields["roles"].choices = list(ORGANIZATION_ROLES.items())
        self.fields["roles"].initial = ["organization_user"]

    def clean_roles(self) -> list[str]:
        """Whoever holds another role is a member too, or they could be given no role in a space."""
        return list({"organization_user", *self.cleaned_data["roles"]})


class SpaceMemberForm(MemberForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = list(SPACE_ROLES.items())


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
