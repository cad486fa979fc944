"""Mail: a message goes into the outbox with the change that it tells of, and a job sends it from there.

What the outbox keeps of secrets: a message holds its links until it is sent, for then nobody else can pass them on.
Once it is sent, or its link is used or taken back, every web address in it is blanked. Reading a link is recorded.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone

from accounts.models import Mail
from paas.lib.queue import later

GIVE_UP = timedelta(days=1)
BLANK = "[a link, which is not kept]"
HIDDEN = "[a link, which is shown on request]"
USED = "Its link was used or taken back before the message was sent."
SENT, SENDING, FAILED, WAITING = "sent", "sending", "failed", "waiting"
STATES = {
    SENT: Q(sent_at__isnull=False),
    SENDING: Q(sent_at=None, due_at__isnull=False),
    FAILED: Q(sent_at=None, due_at=None) & ~Q(last_error=""),
    WAITING: Q(sent_at=None, due_at=None, last_error=""),  # for somebody to pass it on
}
_ADDRESS = re.compile(r"https?://\S+")


def is_sent_here() -> bool:
    """Tell whether there is a mail server; without one, messages wait in the outbox to be passed on by hand."""
    return bool(settings.PAAS_SMTP_HOST)


def send(to: str, kind: str, *, subject: str, template: str, digest: str = "", **context: Any) -> Mail:
    """Write a message to one address; it is sent when the caller's transaction commits.

    ``kind`` is a word for the outbox ("invitation"), ``template`` a text file below ``templates``
    ("mail/invitation.txt"), which also knows ``platform_name`` and ``platform_url``. ``digest`` is that of the secret
    in the link, so that ``spent`` finds the message.
    """
    known = {"platform_name": settings.PAAS_NAME, "platform_url": settings.PAAS_URL, "to": to}
    text: Any = get_template(template)
    mail = Mail(
        to=to,
        kind=kind,
        digest=digest,
        subject=" ".join(subject.split())[:255],  # a name in it may hold a line break, and a header may not
        body=text.template.render(Context(known | context, autoescape=False)).strip() + "\n",
    )
    if is_sent_here():
        start(mail)
    mail.save()
    if mail.due_at:
        later("accounts.jobs.send_mail", mail.pk)
    return mail


def state_of(mail: Mail) -> str:
    if mail.sent_at:
        return SENT
    return SENDING if mail.due_at else FAILED if mail.last_error else WAITING


def start(mail: Mail) -> None:
    """Make the message due, for a day of attempts; the caller saves it and names the job."""
    mail.due_at = timezone.now()
    mail.deadline = mail.due_at + GIVE_UP
    mail.attempts, mail.last_error = 0, ""


def blanked(body: str) -> str:
    return _ADDRESS.sub(BLANK, body)


def hidden(body: str) -> str:
    """Return the text as it is shown to those who have not asked for its links."""
    return _ADDRESS.sub(HIDDEN, body)


def links(body: str) -> list[str]:
    return _ADDRESS.findall(body)


def holds_link(mail: Mail) -> bool:
    return _ADDRESS.search(mail.body) is not None


def spent(digest: str) -> None:
    """Blank messages whose link has been used or taken back; what has not been sent yet stays unsent."""
    for mail in Mail.objects.filter(digest=digest).exclude(digest="").select_for_update():
        mail.body, mail.due_at, mail.digest = blanked(mail.body), None, ""
        mail.last_error = "" if mail.sent_at else USED
        mail.save(update_fields=["body", "due_at", "digest", "last_error", "updated_at"])


def among(email: str, domains: Collection[str]) -> bool:
    """Return whether the address lies in one of the mail domains, or below one; none of them means any."""
    domain = email.lower().rpartition("@")[2]
    return not domains or any(domain == name or domain.endswith(f".{name}") for name in domains)
