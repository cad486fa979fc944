"""Shows what is being done and for how long, and does at the same time what does not wait for one another."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


class Steps:
    """Prints one line per step, when it ends, with the seconds it took and those since the start."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        with self._lock:
            print(f"{self.elapsed():>7}  {text}", file=sys.stderr, flush=True)

    def elapsed(self) -> str:
        seconds = int(time.monotonic() - self.began)
        return f"{seconds // 60}:{seconds % 60:02}"

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        self.say(f"{title} ...")
        yield
        self.say(f"{title}: done in {time.monotonic() - began:.1f} s")

    def together(self, *tasks: Callable[[], object]) -> list[Any]:
        """Run all of them at the same time and return their results; raise the first error when all have ended."""
        with ThreadPoolExecutor(len(tasks)) as pool:
            futures = [pool.submit(task) for task in tasks]
        return [future.result() for future in futures]
