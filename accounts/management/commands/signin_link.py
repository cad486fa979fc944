"""Prints a one-time link that signs the first platform admin in, while no admin has a password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts import actions, signin
from accounts.models import User


class Command(BaseCommand):
    help = "Print a sign-in link for the first platform admin if no platform admin has a password; with a name, always."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", nargs="?", help="username or e-mail address of a person who lost the password")

    def handle(self, *args: Any, **options: Any) -> None:
        person = self._person(options["name"])
        if person is not None:
            self.stdout.write(settings.PAAS_URL + reverse("account_link", args=[signin.new_link(person)]))

    @staticmethod
    def _person(name: str | None) -> User | None:
        if name:
            person = signin.person_named(name)
            if person is None:
                raise CommandError(f"There is nobody called {name}.")
            return person
        admins = User.objects.filter(platform_role=User.PlatformRole.ADMIN, kind=User.Kind.PERSON, is_active=True)
        return None if any(admin.has_usable_password() for admin in admins) else actions.first_admin()
