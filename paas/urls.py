"""Every URL of the platform, app by app."""

from django.urls import include, path

urlpatterns: list = []
