"""The browser and API door's entry for an ASGI server."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paas.settings")
django.setup(set_prefix=False)

from paas.lib.intake import Handler  # noqa: E402  it needs the settings

application = Handler()
