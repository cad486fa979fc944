"""Finds out whose a wish for a new password is, and mails the link; a wish of nobody's is dropped."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts import resets, signin
from accounts.models import PasswordReset
from paas.lib.queue import Lease, job


@job("accounts.jobs.reset_password", model=PasswordReset)
def reset_password(lease: Lease) -> None:
    reset: PasswordReset = lease.row
    PasswordReset.objects.filter(expires_at__lt=timezone.now()).delete()
    if reset.digest:  # the mail went with an attempt that did not come to its end
        return
    person = signin.person_named(reset.login)
    if person is None or not (person.is_active and person.email) or resets.sent_lately(person):
        reset.delete()
        return
    with transaction.atomic():
        lease.save(user=person, digest=resets.send_link(person))
