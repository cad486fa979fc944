"""``make test`` and ``make check``: all that the tests need, beside whatever else runs on this machine."""

from __future__ import annotations

import os
from dataclasses import replace

from . import debian, environment, images, setup, stores
from .settings import read
from .steps import Steps


def prepare() -> int:
    """Bring the tests' own PostgreSQL and Redis up, and write ``env`` into their state folder."""
    settings, steps = read(os.environ), Steps()
    setup.machine(steps, {**debian.NEEDS, **debian.TESTS_NEED})
    # Of its own, whatever the operator's environment points at: tests empty what they are given.
    settings = replace(settings, database_url="", database_owner_url="", redis_url="")
    install, stack_image = setup.tools(settings, setup.install_of(settings), steps, tests=True)
    images.ensure_services(steps.say)
    variables = environment.of(settings, install, stack_image)
    # Tests make and migrate a database of their own, so they act as the owner throughout.
    variables["DATABASE_URL"] = stores.addresses(settings, install).database_owner_url
    environment.save(settings, variables)
    steps.say("Ready for tests")
    return 0
