"""Django's configuration of this app."""

from django.apps import AppConfig


class AppsConfig(AppConfig):
    name = "apps"
