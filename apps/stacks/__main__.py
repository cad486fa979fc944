"""python3 -m apps.stacks [name | remove]: build the default stack's image, print its name, or remove them all."""

from __future__ import annotations

import sys

from . import CommandFailed, ensure, image_name, remove


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["name"], ["remove"]):
        say(__doc__ or "")
        return 2
    try:
        if arguments == ["remove"]:
            remove(say)
        else:
            print(image_name() if arguments else ensure(say))
    except CommandFailed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
