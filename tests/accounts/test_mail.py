"""Mail goes from the outbox through a real mail server, or waits there to be passed on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts import mail
from accounts.models import Mail
from accounts.tokens import digest
from paas.lib.queue import work
from tests.accounts.smtp import PASSWORD, USER, Server, serving, write_certificate

JOB = "accounts.jobs.send_mail"
SECRET = "abcdefghijklmnopqrstuvwxyz"
LINK = f"https://paas.example.org/join/{SECRET}"
pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    with serving() as running:
        settings.PAAS_SMTP_HOST, settings.PAAS_SMTP_PORT, settings.PAAS_SMTP_TLS = "127.0.0.1", running.port, "off"
        yield running


def invite(to: str = "new@example.org", organization: str = "ministry") -> Mail:
    return mail.send(
        to, "invitation", subject=f"Join {organization}", template="mail/invitation.txt",
        digest=digest(SECRET), inviter="dora", organization=organization, link=LINK, until="1 May",
    )  # fmt: skip


def attempt(message: Mail) -> Mail:
    Mail.objects.filter(pk=message.pk, due_at__isnull=False).update(due_at=timezone.now())
    work(JOB, message.pk)
    return Mail.objects.get(pk=message.pk)


def test_a_message_is_sent_and_its_link_is_not_kept(server: Server) -> None:
    sent = attempt(invite())
    (got,) = server.messages
    assert (got["To"], got["Subject"], got["Auto-Submitted"]) == ("new@example.org", "Join ministry", "auto-generated")
    assert LINK in got.get_content() and "dora invites you" in got.get_content()
    assert mail.state_of(sent) == mail.SENT and sent.sent_at and sent.due_at is None
    assert LINK not in sent.body and mail.BLANK in sent.body


def test_it_is_sent_once(server: Server) -> None:
    message = invite()
    attempt(message), attempt(message)
    assert len(server.messages) == 1


def test_over_starttls_with_a_password(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = write_certificate(tmp_path / "mail.pem")
    with serving(certificate) as running:
        settings.PAAS_SMTP_HOST, settings.PAAS_SMTP_PORT, settings.PAAS_SMTP_TLS = "127.0.0.1", running.port, "starttls"
        settings.PAAS_SMTP_USER, settings.PAAS_SMTP_PASSWORD = USER, PASSWORD
        distrusted = attempt(invite())
        assert "CERTIFICATE_VERIFY_FAILED" in distrusted.last_error and not running.messages
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert attempt(distrusted).sent_at and len(running.messages) == 1
        settings.PAAS_SMTP_PASSWORD = "wrong"
        assert "535" in attempt(invite()).last_error


def test_without_a_mail_server_it_waits_in_the_outbox() -> None:
    message = invite()
    assert mail.state_of(message) == mail.WAITING and message.due_at is None
    assert LINK in message.body


def test_what_the_server_puts_off_is_tried_again_after_growing_pauses(server: Server) -> None:
    server.refusals = ["451 come back later"] * 3
    message = invite()
    pauses = []
    for _ in range(3):
        message = attempt(message)
        assert mail.state_of(message) == mail.SENDING and "451 come back later" in message.last_error
        assert message.due_at
        pauses.append((message.due_at - timezone.now()).total_seconds())
    assert pauses[0] < pauses[1] < pauses[2]
    assert attempt(message).last_error == "" and len(server.messages) == 1


def test_an_address_that_the_server_knows_not_is_given_up_at_once(server: Server) -> None:
    server.refusals = ["550 no such user"]
    message = attempt(invite())
    assert mail.state_of(message) == mail.FAILED
    assert message.last_error == "The mail server refuses new@example.org: 550 no such user"


def test_after_a_day_it_is_given_up_and_the_error_stays(settings: Any) -> None:
    with serving() as gone:
        settings.PAAS_SMTP_HOST, settings.PAAS_SMTP_PORT, settings.PAAS_SMTP_TLS = "127.0.0.1", gone.port, "off"
    first, second = invite(), invite("other@example.org")
    first = attempt(first)
    assert mail.state_of(first) == mail.SENDING and "Connection refused" in first.last_error
    assert Mail.objects.get(pk=second.pk).due_at > timezone.now()  # the server being away, it need not try
    Mail.objects.filter(pk=first.pk).update(deadline=timezone.now() + timedelta(seconds=5))
    first = attempt(first)
    assert mail.state_of(first) == mail.FAILED and "Connection refused" in first.last_error


def test_a_name_with_a_line_break_makes_no_header(server: Server) -> None:
    attempt(invite(organization="ministry\r\nBcc: all@example.org"))
    (got,) = server.messages
    assert got["Subject"] == "Join ministry Bcc: all@example.org" and got["Bcc"] is None


def test_names_are_not_escaped(server: Server) -> None:
    attempt(invite(organization="R&D <labs>"))
    assert "R&D <labs>" in server.messages[0].get_content()


def test_a_link_that_is_spent_is_blanked_and_not_sent(server: Server) -> None:
    message = invite()
    mail.spent(digest(SECRET))
    message = attempt(message)
    assert mail.state_of(message) == mail.FAILED and message.last_error == mail.USED
    assert LINK not in message.body and not server.messages
