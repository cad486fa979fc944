"""Django's configuration of this app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Django tells of each sign-in of a browser, whoever let it in."""
        from django.contrib.auth.signals import user_logged_in

        from accounts import sessions

        user_logged_in.connect(sessions.begin)
