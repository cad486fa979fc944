"""Sets the router up from a JSON request on standard input; the one part of this room that runs in the virtual environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from paas.seams.routers.base import RouterRefused
from paas.seams.routers.bootstrap import binary, command, wait_until_serving, write_bootstrap
from paas.seams.routers.front import Console, Listen


def prepare(request: dict) -> dict[str, object]:
    """Write what Envoy starts from; return its program and command."""
    state = Path(request["state"])
    listen = dict(request["listen"])
    for name in ("certificate", "key"):
        listen[name] = listen[name] and Path(listen[name])
    write_bootstrap(state, Listen(**listen), Console(**request["console"]))
    return {"binary": str(binary()), "command": command(state)}


def main() -> int:
    request = json.load(sys.stdin)
    try:
        if sys.argv[1] == "wait":
            wait_until_serving(Path(request["state"]))
        else:
            json.dump(prepare(request), sys.stdout)
    except (RouterRefused, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
