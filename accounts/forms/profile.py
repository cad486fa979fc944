"""What the pages about one's names and one's e-mail address ask for."""

from __future__ import annotations

from django import forms


class NamesForm(forms.Form):
    """The names by which others see one."""

    given_name = forms.CharField(
        max_length=255, required=False, label="First name", widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    family_name = forms.CharField(
        max_length=255, required=False, label="Last name", widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )


class EmailForm(forms.Form):
    """A new e-mail address."""

    email = forms.EmailField(
        max_length=254,
        label="New e-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={
            "required": "Enter the new e-mail address.",
            "invalid": "Enter an e-mail address, like name@example.org.",
        },
    )
