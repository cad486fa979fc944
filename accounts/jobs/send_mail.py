"""Takes a message from the outbox to the mail server."""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone

from accounts import mail
from accounts.models import Mail
from paas.lib.queue import Lease, job

log = logging.getLogger(__name__)

SECONDS = 10  # for each answer of the server
PAUSES = (10, 30, 120, 600, 1800, 3600)  # seconds to the next attempt; the last one from then on


@job("accounts.jobs.send_mail", model=Mail)
def send_mail(lease: Lease) -> None:
    message: Mail = lease.row
    if message.sent_at or not mail.is_sent_here():
        return
    try:
        with lease.beating():
            deliver(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        why = f"The mail server refuses {message.to}: {code} {_text(answer)}"
        _failed(lease, why, final=code >= 500)
    except (OSError, smtplib.SMTPException) as error:
        _failed(lease, f"The mail server did not take it: {_said(error)}")
        _spare_the_others(lease)
    else:
        lease.save(sent_at=timezone.now(), body=mail.blanked(message.body))


def deliver(message: Mail) -> None:
    """Give the message to the mail server; raise ``OSError`` or ``SMTPException`` when that does not take it."""
    server = EmailBackend(
        host=settings.PAAS_SMTP_HOST,
        port=settings.PAAS_SMTP_PORT,
        username=settings.PAAS_SMTP_USER,
        password=settings.PAAS_SMTP_PASSWORD,
        use_tls=settings.PAAS_SMTP_TLS == "starttls",
        use_ssl=settings.PAAS_SMTP_TLS == "tls",
        timeout=SECONDS,
    )
    headers = {"Message-ID": f"<{message.guid}@{settings.PAAS_DOMAIN}>", "Auto-Submitted": "auto-generated"}
    EmailMessage(
        message.subject, message.body, settings.PAAS_SMTP_FROM, [message.to], headers=headers, connection=server
    ).send()


def _failed(lease: Lease, why: str, *, final: bool = False) -> None:
    attempts = lease.row.attempts
    pause = PAUSES[min(attempts, len(PAUSES)) - 1]
    over = final or timezone.now() + timedelta(seconds=pause) >= lease.row.deadline
    log.warning("Mail %s: %s %s", lease.row.guid, why, "It is given up." if over else f"Next try in {pause} s.")
    lease.failed(why, again=None if over else pause)


def _spare_the_others(lease: Lease) -> None:
    """With the server away, what else is due need not find that out one by one, each holding a worker."""
    soon = timezone.now() + timedelta(seconds=PAUSES[0])
    Mail.objects.due().exclude(pk=lease.pk).update(due_at=soon)


def _said(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return " ".join(str(error).split()) or type(error).__name__


def _text(answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())
