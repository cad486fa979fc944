"""python -m paas.cell --state DIR: run the agent of this machine until it is told to stop."""

from __future__ import annotations

import argparse
import fcntl
import logging
import signal
import threading
from pathlib import Path

from .agent import Agent
from .config import load
from .server import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="paas.cell", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the folder with everything that the install keeps")
    state = parser.parse_args().state.resolve()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with (state / "cell/agent.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one that is still stopping must be gone first
        run(state, stopped)


def run(state: Path, stopped: threading.Event) -> None:
    agent = Agent(load(state))
    agent.start()
    server = Server(state / "cell/cell.sock", agent)
    server.begin()
    agent.rounds(stopped)
    server.shutdown()


if __name__ == "__main__":
    main()
