"""A lost password: a link by mail, and an answer that tells nothing of who has an account."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import signin
from accounts.models import AuditEvent, Mail, PasswordReset, User
from paas.lib.queue import work
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import give_app, sign_in

ASK, NEW = "/accounts/password/reset", "a brand new password"


@pytest.fixture
def ask(browser, address):
    def asked(login: str, elsewhere: str = "") -> str:
        answer = browser().post(ASK, {"login": login}, REMOTE_ADDR=elsewhere or address)
        assert answer.status_code == 200
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())

    return asked


def do_the_work() -> None:
    for row in PasswordReset.objects.filter(due_at__isnull=False):
        work("accounts.jobs.reset_password", row.pk)


def link_of(mail: Mail) -> str:
    return re.search(r"https?://[^/]+(/accounts/password/reset/\S+)", mail.body)[1]


@pytest.fixture
def link(ask, alice):
    ask(alice.username)
    do_the_work()
    return link_of(Mail.objects.get(kind="password-reset"))


def test_the_link_sets_a_new_password_once_and_ends_what_goes_on(browser, sign_in, bearing, link, alice, address):
    token, window = sign_in(alice)["access_token"], browser(alice)
    page = browser()
    for _ in range(2):  # opening it is not using it
        assert alice.username in page.get(link).content.decode()
    answer = page.post(link, {"new": NEW, "again": NEW})
    assert answer.headers["Location"] == "/accounts/login/"
    assert User.objects.get(pk=alice.pk).check_password(NEW)
    assert page.get("/account").status_code == 302  # nobody is signed in by it
    assert bearing(token).get("/v3/apps").status_code == 401 and window.get("/account").status_code == 302
    assert page.get(link).status_code == page.post(link, {"new": NEW, "again": NEW}).status_code == 404
    event = AuditEvent.objects.get(type="audit.user.password")
    assert (event.actor_guid, event.data["how"]) == (alice.guid, "mail")
    assert Mail.objects.filter(kind="password-changed", to=alice.email).exists()
    assert "http" not in Mail.objects.get(kind="password-reset").body


def test_it_goes_by_the_address_too(ask, alice):
    User.objects.filter(pk=alice.pk).update(username="alice")
    ask("ALICE@example.com")
    do_the_work()
    assert Mail.objects.get(kind="password-reset").to == "alice@example.com"


def test_the_answer_and_what_is_done_for_it_are_the_same_for_everybody(ask, alice, charlie):
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    answers, costs = set(), set()
    for name in (alice.username, "nobody", "nobody@example.com", charlie.username, "a" * 255):
        with CaptureQueriesContext(connection) as captured:
            answers.add(ask(name))
        costs.add(tuple(query["sql"].split()[0] for query in captured))
    assert len(answers) == len(costs) == 1
    do_the_work()
    assert Mail.objects.get(kind="password-reset").to == alice.email
    assert PasswordReset.objects.get().user == alice  # what was nobody's is dropped


def test_nobody_is_flooded_and_nobody_is_held_up(ask, alice):
    for _ in range(5):
        ask(alice.username)
        do_the_work()
    assert Mail.objects.filter(kind="password-reset").count() == 1
    PasswordReset.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    ask(alice.username)
    do_the_work()
    assert Mail.objects.filter(kind="password-reset").count() == 2


def test_one_address_asks_only_so_often(browser, ask, address, alice):
    cache.set(f"{signin._key(address)}:ask", signin.ASKS - 1, 60)
    ask("nobody")
    refused = browser().post(ASK, {"login": alice.username}, REMOTE_ADDR=address)
    assert refused.status_code == 429 and "Wait five minutes" in refused.content.decode()
    ask(alice.username, elsewhere="192.0.2.8")


def test_a_link_that_is_old_or_invented_does_not_work(browser, link, alice):
    assert browser().get(f"{ASK}/invented").status_code == 404
    PasswordReset.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert browser().post(link, {"new": NEW, "again": NEW}).status_code == 404
    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)


def test_a_link_of_somebody_who_is_suspended_does_not_work(browser, link, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert browser().post(link, {"new": NEW, "again": NEW}).status_code == 404


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"new": "short", "again": "short"}, "at least 12"),
        ({"new": NEW, "again": "another"}, "differ"),
        ({"new": "alice in wonderland", "again": "alice in wonderland"}, "contains “alice”"),
        ({}, "Enter a new password"),
    ],
)
def test_what_cannot_be_is_told_and_the_link_goes_on(browser, link, sent, sentence):
    page = browser()
    answer = page.post(link, sent)
    assert answer.status_code == 400 and sentence in answer.content.decode()
    assert page.post(link, {"new": NEW, "again": NEW}).status_code == 302


def test_the_second_factor_is_asked_for_all_the_same(browser, link, alice, address):
    give_app(alice)
    page = browser()
    page.post(link, {"new": NEW, "again": NEW})
    assert sign_in(page, alice, address=address, password=NEW).headers["Location"] == "/accounts/login/code"


def test_the_mail_leads_to_the_platform_whatever_host_was_asked(browser, alice, settings):
    browser().post(ASK, {"login": alice.username}, headers={"Host": "127.0.0.1"})
    do_the_work()
    assert f"{settings.PAAS_URL}/accounts/password/reset/" in Mail.objects.get(kind="password-reset").body
    assert browser().post(ASK, {"login": alice.username}, headers={"Host": "evil.example"}).status_code == 400
