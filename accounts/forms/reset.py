"""What is asked of somebody who has lost the password."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.forms import PasswordForm


class LostPasswordForm(forms.Form):
    login = forms.CharField(
        max_length=255,
        label="Username or e-mail address",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": "Enter your username or e-mail address."},
    )


class NewPasswordForm(PasswordForm):
    """A new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, first=True, **kwargs)
