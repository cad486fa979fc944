"""The v3 URLs of services."""

from __future__ import annotations

from django.urls import include, path

from services.v3.collections import urls

urlpatterns = [path("v3/", include(urls()))]
