"""A mail on a new device: a browser is known by its cookie, a command line by its address."""

from __future__ import annotations

from accounts.adapter import DEVICE_COOKIE
from accounts.models import Device, Mail
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import sign_in


def mails(person):
    return Mail.objects.filter(kind="new-device", to=person.email)


def test_the_first_device_goes_without_saying_and_the_second_is_told(browser, address, alice):
    first, second = browser(), browser()
    for _ in range(2):
        sign_in(first, alice, address=address)
        first.post("/accounts/logout/")
    assert not mails(alice)
    sign_in(second, alice, address="192.0.2.77")
    body = mails(alice).get().body
    assert "192.0.2.77" in body and "/account/sessions" in body
    assert first.cookies[DEVICE_COOKIE].value != second.cookies[DEVICE_COOKIE].value
    assert first.cookies[DEVICE_COOKIE]["httponly"] and first.cookies[DEVICE_COOKIE].value not in str(
        Device.objects.values()
    )


def test_a_command_line_from_elsewhere_is_told_once(grant, address, alice):
    for elsewhere in ("192.0.2.1", "192.0.2.2", "192.0.2.2"):
        grant(elsewhere=elsewhere, grant_type="password", username=alice.username, password=PASSWORD)
    assert "192.0.2.2" in mails(alice).get().body and "command line" in mails(alice).get().body


def test_one_persons_device_is_not_anothers(browser, address, alice, bob):
    page = browser()
    sign_in(page, alice, address=address)
    page.post("/accounts/logout/")
    sign_in(browser(), bob, address=address)
    sign_in(page, bob, address=address)
    assert mails(bob).count() == 1 and not mails(alice)


def test_a_refused_sign_in_knows_no_device(browser, address, alice):
    sign_in(browser(), alice, address=address, password="wrong")
    assert not Device.objects.exists()
