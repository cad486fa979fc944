"""``python -m tests.bench [name ...]``: measures all figures, or the named ones, and prints one table."""

from __future__ import annotations

import signal
import sys
import traceback
from importlib import import_module

from tests.bench.ground import Ground
from tests.bench.table import Row, table

FIGURES = (
    "lists",
    "matrix",
    "marketplace",
    "router",
    "start",
    "memory",
    "push",
    "logs",
    "services",
    "pgbench",
    "route",
)  # each a module here


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in FIGURES]:
        sys.stderr.write(f"There is no figure {unknown[0]}. There are: {', '.join(FIGURES)}.\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is removed on the way out
    ground, rows, failed = Ground(), [], False
    try:
        for name in names or FIGURES:
            try:
                rows += import_module(f"tests.bench.{name}").measure(ground)
            except Exception as error:  # the other figures are still worth having
                traceback.print_exc()
                rows.append(Row(name, note=f"It could not be measured: {error}".partition("\n")[0]))
                failed = True
    finally:
        ground.close()
    sys.stdout.write(table(rows) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
