"""The first admin's way in: a link that works once, and the commands that print it and the sample's token."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import signin
from accounts.models import AuditEvent, SignInLink, User
from tests.accounts.conftest import PASSWORD


def run(*words: str) -> str:
    said = StringIO()
    call_command(*words, stdout=said)
    return said.getvalue().strip()


def test_without_an_admin_the_link_makes_one_and_lets_them_in_once(browser, grant):
    link = run("signin_link")
    assert link.startswith(settings.PAAS_URL + "/accounts/link/")
    path = urlsplit(link).path
    page = browser()
    for _ in range(2):  # opening it is not using it
        assert "Sign in as admin" in page.get(path).content.decode()
    assert page.post(path).headers["Location"] == "/account/password"
    sent = {"new": "a first good password", "again": "a first good password"}
    assert page.post("/account/password", sent).status_code == 302
    assert grant(grant_type="password", username="admin", password="a first good password").status_code == 200
    assert User.objects.get(username="admin").is_admin
    assert AuditEvent.objects.filter(type="audit.user.sign-in", data__how="link").count() == 1
    assert browser().get(path).status_code == browser().post(path).status_code == 404
    assert run("signin_link") == ""


def test_the_first_admin_cannot_sign_in_any_other_way(grant):
    run("signin_link")
    for password in ("", "admin", "!"):
        assert grant(grant_type="password", username="admin", password=password or "x").status_code == 401


def test_a_newer_link_ends_the_older_one(browser):
    old, new = (urlsplit(run("signin_link")).path for _ in range(2))
    assert browser().get(old).status_code == 404
    assert browser().get(new).status_code == 200
    assert User.objects.filter(platform_role="admin").count() == 1


def test_a_link_ends_after_a_day(browser):
    path = urlsplit(run("signin_link")).path
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert browser().post(path).status_code == 404
    assert "The link does not work" in browser().get(path).content.decode()


def test_only_its_hash_is_kept():
    secret = run("signin_link").rpartition("/")[2]
    assert secret not in str(SignInLink.objects.values().get())


def test_with_an_admin_who_has_a_password_there_is_no_link(root):
    assert run("signin_link") == ""
    assert not SignInLink.objects.exists()


def test_an_operator_gets_a_link_for_who_lost_the_password(browser, grant, root):
    path = urlsplit(run("signin_link", root.email)).path
    page = browser()
    assert page.post(path).status_code == 302
    assert grant(grant_type="password", username=root.username, password=PASSWORD).status_code == 401
    with pytest.raises(CommandError):
        run("signin_link", "nobody")


def test_a_link_of_somebody_who_is_suspended_does_not_work(browser, alice):
    path = f"/accounts/link/{signin.new_link(alice)}"
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert browser().get(path).status_code == browser().post(path).status_code == 404


def test_the_button_needs_the_pages_own_form(alice):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/accounts/link/{signin.new_link(alice)}").status_code == 403
    assert SignInLink.objects.count() == 1


def test_the_samples_token_is_the_first_admins(bearing, root):
    token = run("sample_token")
    answer = bearing(token).get("/v3/organizations")
    assert answer.status_code == 200
    assert User.objects.filter(platform_role="admin").count() == 1


def test_the_samples_token_needs_no_admin_to_be_there_before(bearing, quota, region):
    made = bearing(run("sample_token")).post("/v3/organizations", {"name": "examples"})
    assert made.status_code == 201, made.content
