"""What figures stand on: one install of the whole platform, started when the first of them needs it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from paas.host.steps import Steps
from tests.host.house import House
from tests.platform.client import Client


class Ground:
    """Tells on standard error what is being measured, so that the table alone is on standard output."""

    def __init__(self) -> None:
        self._steps = Steps()
        self._house: House | None = None
        self.first_start = 0.0

    def say(self, text: str) -> None:
        self._steps.say(text)

    @cached_property
    def house(self) -> House:
        self.say("starting a platform of its own")
        self._house = House.new("bench")
        began = time.monotonic()
        self._house.start()
        self.first_start = time.monotonic() - began
        return self._house

    @cached_property
    def client(self) -> Client:
        """The first admin."""
        return Client(self.house.port)

    @cached_property
    def organization(self) -> str:
        return f"bench-{secrets.token_hex(3)}"

    @cached_property
    def space(self) -> Any:
        return self.client.space(self.organization, "bench")

    def close(self) -> None:
        if self._house:
            self.say("removing it")
            self._house.remove()


def soon(said: Callable[[], Any], what: str, *, seconds: float = 180, pause: float = 0.02) -> Any:
    """Return the first true answer, asking often enough that the asking does not show in the figure."""
    end = time.monotonic() + seconds
    while not (answer := said()):
        assert time.monotonic() < end, f"Waited {seconds:.0f} s for {what}."
        time.sleep(pause)
    return answer
