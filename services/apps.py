"""Django's configuration of this app."""

from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "services"
