"""Runs beside a server in its container: puts snapshots of it into its depot, each day by itself and when it is asked.

The platform asks over TLS with a token: GET tells what there is, POST begins one, POST /last waits for a last one. It
imports nothing of ours, since the container is given this file alone. ``dump`` is the image's own: it writes the whole
of the server's data to its standard output.
"""

from __future__ import annotations

import hmac
import json
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DUMP = "/usr/local/lib/paas/dump"
DEPOT = "depot:"
ENDING, PARTIAL, ROWS = ".zst", ".partial", ".rows"
MEASURED = Path("/tmp/measured")  # noqa: S108 - what a restore must find, where the dump has measured it
MOMENT = "%Y%m%dT%H%M%SZ"  # a snapshot's name is when it was begun, and when it was ended: "...-..."
KEPT = timedelta(days=7)
BY_ITSELF = timedelta(hours=25)  # after the newest; the platform asks each day, unless it is down
FIRST = timedelta(hours=1)  # after the start, where there is none
LOOK = 60  # seconds between looks whether one is due
RETRY = timedelta(minutes=15)  # after one that failed
LAST = timedelta(minutes=10)  # for which a last one is the last
SHORT = "There was not enough memory for it beside the server. It is tried again; a larger plan has more."
KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
SAID_AT = re.compile(r"^\[?\d[-/\d]* [\d:]+\]?")
OLDEST = datetime.min.replace(tzinfo=UTC)


class Failed(Exception):
    """A program that was needed did not do it; the text is its last words."""


class Keeper:
    """The only one who writes to the depot; what it writes counts once it has its name."""

    def __init__(self) -> None:
        self.started = now()
        self.lock = threading.Lock()
        self.running = False
        self.error, self.failed_at = "", OLDEST
        self.last_at: datetime | None = None
        self.taken: list[dict[str, Any]] = []

    def state(self) -> dict[str, Any]:
        if not self.running:
            self.taken = listed()
        return {"running": self.running, "error": self.error, "taken": self.taken}

    def begin(self, *, last: bool = False) -> None:
        """Begin one, unless one is under way."""
        with self.lock:
            if not self.running:
                self.running = True
                threading.Thread(target=self._take, args=[last]).start()

    def ended(self) -> bool:
        """Tell whether the last one is taken; begin it if it is not. Raise ``Failed`` once for each that fails."""
        with self.lock:
            since, self.last_at = self.last_at, None
        if since is None or since < now() - LAST:
            self.begin(last=True)
            return False
        if self.error:
            raise Failed(self.error)
        self.last_at = since
        return True

    def watch(self) -> None:
        """Take one by itself whenever it is due."""
        while True:
            try:
                if max(self._due(), self.failed_at + RETRY) < now():
                    self.begin()
            except Failed as error:
                sys.stderr.write(f"{error}\n")
            time.sleep(LOOK)

    def _due(self) -> datetime:
        self.taken = self.taken or listed()
        newest = self.taken[-1]["begun_at"] if self.taken else ""
        return datetime.fromisoformat(newest) + BY_ITSELF if newest else self.started + FIRST

    def _take(self, last: bool) -> None:
        try:
            take()
            self.taken, self.error = listed(), ""
        except (Failed, OSError) as error:
            self.error, self.failed_at = str(error), now()
        finally:
            self.last_at = now() if last else self.last_at
            self.running = False


def now() -> datetime:
    return datetime.now(UTC)


def take() -> None:
    """Remove what is too old, and write a snapshot; raise ``Failed``."""
    tidy()
    MEASURED.unlink(missing_ok=True)
    begun = now()
    partial = f"{DEPOT}{begun:{MOMENT}}{PARTIAL}"
    write(partial)
    label = f"{begun:{MOMENT}}-{now():{MOMENT}}"
    if MEASURED.exists():
        run("rclone", "copyto", str(MEASURED), f"{DEPOT}{label}{ROWS}")
    run("rclone", "moveto", partial, f"{DEPOT}{label}{ENDING}")  # from now on it is one


def tidy() -> None:
    """Remove all but the newest and those of the last days: also what one that was cut short has left."""
    found = files()
    there = snapshots(found)
    kept = {each["label"] for each in there if datetime.fromisoformat(each["ended_at"]) > now() - KEPT}
    kept |= {each["label"] for each in there[-1:]}
    for name in (each["Name"] for each in found):
        if name.partition(".")[0] not in kept:
            run("rclone", "deletefile", f"{DEPOT}{name}")


def write(path: str) -> None:
    """Dump, press and put away without a copy on the disk; raise ``Failed`` with the words of the last that failed."""
    steps = ([DUMP], ["zstd", "--quiet", "--single-thread"], ["rclone", "rcat", path])
    with ExitStack() as stack:
        said = [stack.enter_context(open(f"/tmp/said-{number}", "w+")) for number in range(len(steps))]  # noqa: S108 - the container's own
        programs: list[subprocess.Popen[bytes]] = []
        source: Any = None
        for step, file in zip(steps, said, strict=True):
            into = subprocess.PIPE if file is not said[-1] else None
            programs.append(subprocess.Popen(step, stdin=source or subprocess.DEVNULL, stdout=into, stderr=file))
            if source:
                source.close()  # so that who writes notices where the reader is gone
            source = programs[-1].stdout
        ends = [program.wait() for program in programs]
        for end, file in reversed([*zip(ends, said, strict=True)]):  # where one fails, those before it fail for that
            if end:
                file.seek(0)
                raise Failed(SHORT if end in KILLED else words(file.read()))


def listed() -> list[dict[str, Any]]:
    """Return what there is in the depot, the oldest first; raise ``Failed``."""
    return snapshots(files())


def snapshots(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told = ((each["Name"].removesuffix(ENDING), each["Size"]) for each in found if each["Name"].endswith(ENDING))
    return [
        {"label": label, "begun_at": moment(begun), "ended_at": moment(ended), "size_bytes": size}
        for label, size in sorted(told)
        for begun, _, ended in [label.partition("-")]
    ]


def files() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("rclone", "lsjson", "--files-only", "--no-modtime", DEPOT))
    return found


def moment(text: str) -> str:
    return datetime.strptime(text, MOMENT).replace(tzinfo=UTC).isoformat()


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(words(done.stderr))
    return done.stdout


def words(text: str) -> str:
    """Return the last that it said, without the time; what is indented belongs to the line before."""
    lines = [line for line in text.splitlines() if line.strip() and not line[0].isspace()]
    return SAID_AT.sub("", lines[-1]).strip() if lines else "It ended without a word."


class Door(BaseHTTPRequestHandler):
    keeper: Keeper
    token: str
    timeout = 10

    def do_GET(self) -> None:
        self._answer(lambda: (200, self.keeper.state()))

    def do_POST(self) -> None:
        if self.path == "/last":
            self._answer(lambda: (200 if self.keeper.ended() else 202, {}))
        else:
            self._answer(self._begin)

    def _begin(self) -> tuple[int, dict[str, Any]]:
        self.keeper.begin()
        return 202, {}

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is asked for is the platform's business."""

    def _answer(self, work: Any) -> None:
        given = self.headers.get("Authorization", "")
        try:
            known = hmac.compare_digest(given, f"Bearer {self.token}")
            status, told = work() if known else (401, {"error": "The token is not the right one."})
        except Failed as error:
            status, told = 503, {"error": str(error)}
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(port: int, token: str, certificate: str, key: str) -> None:
    Path("/proc/self/oom_score_adj").write_text(
        "500"
    )  # where memory is short, the server goes on and the snapshot fails
    Door.keeper, Door.token = Keeper(), Path(token).read_text()
    threading.Thread(target=Door.keeper.watch, daemon=True).start()
    server = ThreadingHTTPServer(("", port), Door)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    # The handshake is each thread's own, so that nobody can keep the others waiting.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:5])
