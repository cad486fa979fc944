"""What is asked for a second factor: codes and passkeys, each attempt counted; allauth's forms in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.base import forms as base
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as webauthn
from django import forms

from accounts import factors, signin
from accounts.adapter import DEVICE_COOKIE, WRONG_CODE
from accounts.models import User
from accounts.origin import address_of

LOCKED = "There were too many wrong codes for this account. Wait five minutes, then try again, or use a passkey."
NO_PASSKEY = "This passkey could not be used. Try again, or choose another way."


@contextmanager
def counted(person: User, what: str) -> Iterator[None]:
    request = context.request
    device = request.COOKIES.get(DEVICE_COOKIE, "")
    try:
        with signin.guessing(person, address=address_of(request), device=device, what=what):
            yield
    except signin.Locked as error:
        raise forms.ValidationError(LOCKED) from error


class _Code(forms.Form):
    """A code that is typed."""

    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.label, code.max_length = "Code", 32
        code.error_messages["required"] = "Enter the code."
        code.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}

    def clean_code(self) -> str:
        with counted(self.user, "code"):
            code = str(super().clean_code())  # type: ignore[misc]
            if not signin.first_use(self.user, normalize_user_code(code)):
                raise forms.ValidationError(WRONG_CODE)
        return code


class CodeForm(_Code, base.AuthenticateForm):
    """After the password."""


class ConfirmCodeForm(_Code, base.ReauthenticateForm):
    """Before something is changed."""


class AppForm(_Code, ActivateTOTPForm):
    """The first code of an authenticator app, which shows that it has got the secret."""


class _Passkey(forms.Form):
    """What a browser answers for a passkey; whatever else is sent is no passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"].error_messages = {"required": NO_PASSKEY, "invalid": NO_PASSKEY}

    def _clean_form(self) -> None:
        with _understood(self):
            super()._clean_form()  # type: ignore[misc]

    def _clean_fields(self) -> None:
        with _understood(self):
            super()._clean_fields()  # type: ignore[misc]


@contextmanager
def _understood(form: forms.Form) -> Iterator[None]:
    """The library takes the browser's answer apart without looking first whether it is one."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        form.add_error("credential", NO_PASSKEY)


class PasskeyForm(_Passkey, webauthn.AuthenticateWebAuthnForm):
    """After the password."""


class SignInPasskeyForm(_Passkey, webauthn.LoginWebAuthnForm):
    """Instead of the password."""


class ConfirmPasskeyForm(_Passkey, webauthn.ReauthenticateWebAuthnForm):
    """Before something is changed."""


class NewPasskeyForm(_Passkey, webauthn.AddWebAuthnForm):
    """A passkey that is added."""

    name = forms.CharField(
        max_length=100, required=False, label="Name", help_text="So that you know it again, for example “my phone”."
    )
    passwordless = forms.BooleanField(
        required=False,
        initial=True,
        label="Sign in with it alone, without the password",
        help_text="It then asks for your fingerprint, face or PIN. An old security key may not be able to.",
    )


class PasskeyNameForm(webauthn.EditWebAuthnForm):
    """A passkey's name."""

    name = forms.CharField(max_length=100, label="Name", error_messages={"required": "Enter a name."})

    def save(self) -> Any:
        before = self.instance.wrap().name
        saved = super().save()
        factors.renamed(self.instance.user, saved, before=before)
        return saved


class ConfirmPasswordForm(ReauthenticateForm):
    """Before something is changed, by who has no second factor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        password.label, password.help_text = "Password", ""
        password.error_messages["required"] = "Enter your password."
        password.widget.attrs.pop("placeholder", None)
