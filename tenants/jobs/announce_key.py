"""Tells whoever looks after a robot that one of its keys ends soon: seven days before, and the day before."""

from __future__ import annotations

import math
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import keys, mail
from accounts.models import RobotKey
from paas.lib.queue import Lease, job
from tenants.actions.robot import keepers
from tenants.models import Robot


@job("tenants.jobs.announce_key", model=RobotKey)
def announce_key(lease: Lease) -> None:
    key: RobotKey = lease.row
    left = key.expires_at - timezone.now()
    robot = Robot.objects.select_related("user", "organization", "caretaker").get(user=key.robot_id)
    with transaction.atomic():  # the messages, and that they are written
        lease.save(due_at=keys.next_notice(key.expires_at))
        if left > timedelta(0):
            days = math.ceil(left / timedelta(days=1))
            for address in keepers(robot):
                mail.send(
                    address,
                    "key-ends",
                    subject=f"The key “{key.name}” of {robot.user.display_name} ends {words(days)}",
                    template="mail/key-ends.txt",
                    key=key,
                    robot=robot,
                    when=words(days),
                )


def words(days: int) -> str:
    return "within a day" if days <= 1 else f"in {days} days"
