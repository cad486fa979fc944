"""Prints an access token of the first platform admin, with which the sample app is pushed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts import actions, tokens

SECONDS = 1800  # as long as the sample's build and start may take, and some more


class Command(BaseCommand):
    help = "Print an access token of the first platform admin that is good for half an hour."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(tokens.issue(actions.first_admin(), seconds=SECONDS))
