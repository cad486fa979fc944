"""How long `make run` takes: the first time in a new state folder, and the next time."""

from __future__ import annotations

import time

from tests.bench.ground import Ground
from tests.bench.table import Aim, Row


def measure(ground: Ground) -> list[Row]:
    house = ground.house
    ground.say("stopping the control plane and starting it again")
    house.interrupt()
    began = time.monotonic()
    house.start()
    second = time.monotonic() - began
    return [
        Row(
            "make run, first start of an install",
            "s",
            ground.first_start,
            note="Debian packages, virtual environment and images were there already, so the aim of 5 minutes on a "
            "fresh machine is neither met nor missed by this.",
        ),
        Row("make run, second start", "s", second, aim=Aim(15, of="ours")),
    ]
