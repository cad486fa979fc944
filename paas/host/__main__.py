"""The command line behind the Makefile: python3 -m paas.host run | stop | clean | doctor | prepare."""

from __future__ import annotations

import sys
from collections.abc import Callable

from .clean import clean
from .doctor import doctor
from .prepare import prepare
from .shell import HostError
from .start import start
from .stop import stop

COMMANDS: dict[str, Callable[[], int]] = {
    "run": start,
    "stop": stop,
    "clean": clean,
    "doctor": doctor,
    "prepare": prepare,
}


def main(words: list[str]) -> int:
    if len(words) != 1 or words[0] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return COMMANDS[words[0]]()
    except HostError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
