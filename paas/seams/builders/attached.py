"""Starts a container and gives what it writes, as it writes it, to the one thread that waits for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, Literal

from docker.models.containers import Container
from docker.utils.socket import frames_iter

from paas.seams.builders.base import Line
from paas.seams.builders.output import Output
from paas.seams.builders.watch import PAUSE, Watch

AHEAD = 500  # pieces that may wait; then the container's writes wait too
Piece = Line | dict[str, Any]


def start(container: Container, watch: Watch) -> Iterator[Piece]:
    """Start the container and yield its lines and messages until it ends; what the watch raises goes through."""
    # Attached before the start, so that the first line is not missed.
    socket = container.attach_socket(params={"stdout": 1, "stderr": 1, "stream": 1})
    frames: queue.Queue[tuple[int, bytes] | None] = queue.Queue(AHEAD)
    abandoned = threading.Event()
    threading.Thread(target=_read, args=(socket, frames, abandoned), daemon=True).start()
    try:
        container.start()
        yield from _pieces(frames, watch)
    finally:
        abandoned.set()
        socket.close()


def _read(socket: Any, frames: queue.Queue[tuple[int, bytes] | None], abandoned: threading.Event) -> None:
    def offer(frame: tuple[int, bytes] | None) -> None:
        while not abandoned.is_set():
            try:
                frames.put(frame, timeout=1)
                return
            except queue.Full:
                continue  # whoever reads is slow, or gone: `abandoned` says which

    try:
        for frame in frames_iter(socket, tty=False):
            offer(frame)
    except (OSError, ValueError):
        pass  # closed, by us or with the engine; the container's state tells which
    offer(None)


def _pieces(frames: queue.Queue[tuple[int, bytes] | None], watch: Watch) -> Iterator[Piece]:
    streams: dict[int, Literal["OUT", "ERR"]] = {1: "OUT", 2: "ERR"}
    outputs = {number: Output(stream) for number, stream in streams.items()}
    while True:
        watch.check()
        try:
            frame = frames.get(timeout=PAUSE / 2)
        except queue.Empty:
            continue
        if frame is None:
            break
        if frame[0] in outputs:
            yield from outputs[frame[0]].feed(frame[1])
    for output in outputs.values():
        yield from output.end()
