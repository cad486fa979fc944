"""What the console's pages about one's own account ask for."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from django import forms

from paas.lib.errors import PaasError, Unprocessable


def tell(form: forms.Form, error: PaasError, field: str | None = None) -> None:
    """Show in the form what an action refuses, with what was typed still in it."""
    for sentence in error.errors if isinstance(error, Unprocessable) else (error.detail,):
        form.add_error(field, sentence)


class SignInForm(LoginForm):
    """allauth's form in our words; a placeholder is no label."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label, password.label, password.help_text = "Username or e-mail address", "Password", ""
        login.error_messages["required"] = "Enter your username or e-mail address."
        password.error_messages["required"] = "Enter your password."
        login.widget.attrs |= {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        for field in (login, password):
            field.widget.attrs.pop("placeholder", None)


class PasswordForm(forms.Form):
    """A new password, twice; with the old one where there is one."""

    old = forms.CharField(
        label="Old password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Enter the password that you have now."},
    )
    new = forms.CharField(
        label="New password",
        help_text="At least 12 characters. Three or four words that do not belong together are easy to remember.",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Enter a new password."},
    )
    again = forms.CharField(
        label="New password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Enter the new password a second time."},
    )

    def __init__(self, *args: Any, first: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if first:
            del self.fields["old"]

    def clean_again(self) -> str:
        if self.cleaned_data["again"] != self.cleaned_data.get("new", self.cleaned_data["again"]):
            raise forms.ValidationError("The two new passwords differ. Type them again.")
        return str(self.cleaned_data["again"])
