"""An old key can go: everything that it encrypted is encrypted anew, second factors included."""

from __future__ import annotations

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.db import connection

from apps.actions import app as apps
from paas.lib import crypto
from services.actions import user_provided
from services.models import ServiceInstance

NEW = "n" * 40


def renew() -> str:
    said = StringIO()
    call_command("renew_encryption", stdout=said)
    return said.getvalue()


@pytest.fixture
def kept(alice, space, instance, app):
    """Secrets of every kind, under the old key."""
    apps.set_environment(alice, app, variables={"A": "1"})
    user_provided.create(alice, space, name="legacy", credentials={"password": "swordfish"})
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(alice)


def test_afterwards_the_old_key_is_needed_for_nothing(kept, alice, app, settings):
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    settings.PAAS_SECRET_KEYS = [NEW, *settings.PAAS_SECRET_KEYS]
    said = renew()
    assert "services.ServiceInstance.credentials: 2 of 2" in said and "second factors: 2 of 2" in said
    settings.PAAS_SECRET_KEYS = [NEW]
    assert ServiceInstance.objects.get(name="legacy").credentials == {"password": "swordfish"}
    app.refresh_from_db()
    assert app.environment == {"A": "1"}
    assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == codes
    assert renew() == "Everything in the database is encrypted with the newest key.\n"


def test_what_the_newest_key_has_encrypted_is_left_alone(kept, settings):
    settings.PAAS_SECRET_KEYS = [NEW, *settings.PAAS_SECRET_KEYS]
    ServiceInstance.objects.get(name="legacy").save()
    assert "services.ServiceInstance.credentials: 1 of 1" in renew()


def test_a_key_that_is_missing_is_told_and_nothing_is_lost(kept, settings):
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM services_serviceinstance WHERE name = 'legacy'")
        before = cursor.fetchone()
        old, settings.PAAS_SECRET_KEYS = settings.PAAS_SECRET_KEYS, [NEW]
        with pytest.raises(CommandError, match="keys that are not in PAAS_SECRET_KEYS"):
            renew()
        cursor.execute("SELECT credentials FROM services_serviceinstance WHERE name = 'legacy'")
        assert cursor.fetchone() == before
    settings.PAAS_SECRET_KEYS = [NEW, *old]
    renew()
    assert ServiceInstance.objects.get(name="legacy").credentials == {"password": "swordfish"}


def test_what_is_encrypted_is_told_from_what_is_not():
    assert crypto.is_encrypted(crypto.encrypt({"a": 1}))
    assert not crypto.is_encrypted("deadbeef: not a secret") and not crypto.is_encrypted("")
