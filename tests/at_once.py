"""The same moment for several callers, with real threads and transactions of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from paas.lib.errors import PaasError


def at_once(calls: Iterable[Callable[[], Any]]) -> Counter[str]:
    """Run all of them at the same moment; return how many ended how."""
    listed = list(calls)
    start = Barrier(len(listed))

    def run(call: Callable[[], Any]) -> str:
        try:
            start.wait()
            call()
            return "done"
        except PaasError as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(listed)) as threads:
        return Counter(threads.map(run, listed))
