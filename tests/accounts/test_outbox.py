"""The outbox: platform admins see what was sent and what was not, read a link when they need it, and send again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts import mail
from accounts.models import AuditEvent, Mail
from tests.console.counting import queries

SECRET = "/join/abcdefghijklmnop"


@pytest.fixture
def waiting(db: None) -> Mail:
    return write("new@example.org")


def write(to: str) -> Mail:
    return mail.send(
        to, "invitation", subject="Join ministry", template="mail/invitation.txt",
        inviter="dora", organization="ministry", link=f"https://paas.example.org{SECRET}", until="1 May",
    )  # fmt: skip


def test_admins_see_messages_and_no_link(api: Callable[..., Any], root: Any, waiting: Mail) -> None:
    (line,) = api(root).get("/v3/mails?states=waiting&tos=new@example.org").json()["resources"]
    assert (line["state"], line["subject"], line["error"]) == ("waiting", "Join ministry", None)
    assert SECRET not in str(line) and mail.HIDDEN in line["body"]
    assert api(root).get("/v3/mails?states=sent,failed").json()["resources"] == []
    assert api(root).get("/v3/mails?states=lost").status_code == 400


def test_reading_a_link_is_recorded(api: Callable[..., Any], root: Any, waiting: Mail) -> None:
    answer = api(root).post(f"/v3/mails/{waiting.guid}/actions/show")
    assert SECRET in answer.json()["body"]
    event = AuditEvent.objects.get(type="audit.mail.show")
    assert (event.actor_name, event.target_guid, event.data["to"]) == (root.username, waiting.guid, "new@example.org")


def test_others_see_no_mail(api: Callable[..., Any], dora: Any, bob: Any, waiting: Mail) -> None:
    for person in (dora, bob):
        assert api(person).get("/v3/mails").json()["resources"] == []
        assert api(person).get(f"/v3/mails/{waiting.guid}").status_code == 404
        assert api(person).post(f"/v3/mails/{waiting.guid}/actions/show").status_code == 404


def test_sending_again_takes_another_day_of_attempts(api: Callable[..., Any], root: Any, settings: Any) -> None:
    settings.PAAS_SMTP_HOST = "127.0.0.1"
    failed = write("new@example.org")
    Mail.objects.filter(pk=failed.pk).update(due_at=None, last_error="550 no such user", attempts=7)
    answer = api(root).post(f"/v3/mails/{failed.guid}/actions/send")
    assert (answer.json()["state"], answer.json()["error"], answer.json()["attempts"]) == ("sending", None, 0)
    assert api(root).post(f"/v3/mails/{failed.guid}/actions/send").status_code == 200
    assert AuditEvent.objects.filter(type="audit.mail.send").count() == 1


def test_without_a_server_or_without_its_link_it_is_not_sent_again(
    api: Callable[..., Any], root: Any, waiting: Mail, settings: Any
) -> None:
    answer = api(root).post(f"/v3/mails/{waiting.guid}/actions/send")
    assert answer.status_code == 422 and "PAAS_SMTP_HOST" in answer.json()["errors"][0]["detail"]
    settings.PAAS_SMTP_HOST = "127.0.0.1"
    Mail.objects.update(body=mail.blanked(waiting.body))
    answer = api(root).post(f"/v3/mails/{waiting.guid}/actions/send")
    assert answer.status_code == 422 and "not kept any more" in answer.json()["errors"][0]["detail"]


def test_the_pages_show_the_list_one_message_and_its_link(
    browser: Callable[..., Any], root: Any, waiting: Mail
) -> None:
    page = browser(root)
    assert "new@example.org" in page.get("/outbox").content.decode()
    assert SECRET not in page.get(f"/outbox/{waiting.guid}").content.decode()
    shown = page.post(f"/outbox/{waiting.guid}/show")
    assert SECRET in shown.content.decode() and "no-store" in shown.headers["Cache-Control"]
    assert "No message fits" in page.get("/outbox?state=sent").content.decode()


def test_the_pages_are_for_platform_admins(browser: Callable[..., Any], dora: Any, waiting: Mail) -> None:
    assert browser(dora).get("/outbox").status_code == 403
    assert browser(dora).post(f"/outbox/{waiting.guid}/show").status_code == 403


def test_the_list_takes_the_same_queries_however_long_it_is(
    browser: Callable[..., Any], root: Any, waiting: Mail
) -> None:
    page = browser(root)
    few = queries(page, "/outbox")
    for number in range(20):
        write(f"new{number}@example.org")
    assert queries(page, "/outbox") == few
