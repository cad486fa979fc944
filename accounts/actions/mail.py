"""The outbox in the hands of a platform admin: reading a message with its links, sending it again."""

from __future__ import annotations

from django.db import transaction

from accounts import audit, mail
from accounts.access import authorize
from accounts.models import Mail, User
from paas.lib.errors import Unprocessable
from paas.lib.queue import later


@transaction.atomic
def show(actor: User, message: Mail) -> str:
    """Return the whole text; that somebody read a link, which lets its holder in, is recorded."""
    authorize(actor, "mail.manage")
    if mail.holds_link(message):
        audit.record(actor, "audit.mail.show", message, to=message.to, kind=message.kind)
    return message.body


@transaction.atomic
def send_again(actor: User, message: Mail) -> Mail:
    """Hand the message to the mail server once more, for another day of attempts."""
    authorize(actor, "mail.manage")
    message = Mail.objects.lock(message.pk)
    if not mail.is_sent_here():
        raise Unprocessable(
            "There is no mail server to send it with. Set PAAS_SMTP_HOST, and start the platform again."
        )
    if mail.BLANK in message.body:
        raise Unprocessable(
            "The link in this message is not kept any more, so it cannot be sent again. "
            "Have a new one made where it came from: an invitation, for example, is sent again from its list."
        )
    if message.due_at is None:
        mail.start(message)
        message.sent_at = None
        message.save(update_fields=["due_at", "deadline", "attempts", "last_error", "sent_at", "updated_at"])
        later("accounts.jobs.send_mail", message.pk)
        audit.record(actor, "audit.mail.send", message, to=message.to, kind=message.kind)
    return message
