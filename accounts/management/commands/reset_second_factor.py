"""Takes a lost second factor from a person, for whoever runs the platform's machine."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import factors, signin
from accounts.models import User


class Command(BaseCommand):
    help = "Remove every second factor and sign-in of a person; with the password they get in, and add a new one."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="username or e-mail address")

    def handle(self, *args: Any, **options: Any) -> None:
        person = signin.person_named(options["name"])
        if person is None:
            raise CommandError(f"There is nobody called {options['name']}.")
        if not factors.has(person):
            raise CommandError(f"{person.username} has no second factor.")
        with transaction.atomic():
            factors.take_all(User.objects.system(), User.objects.lock(person.pk))
        self.stdout.write(f"{person.username} has no second factor any more, and is signed out everywhere.")
