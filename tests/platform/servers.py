"""Servers that do what the tests of faults, routes and logs ask of them, and a buildpack that takes its time."""

from __future__ import annotations

import time

from tests.platform import apps

_HOLD = """
import os, sys, time
step, until = open(os.path.join(sys.argv[1], "hold")).read().split()
while step == os.path.basename(sys.argv[0]) and time.time() < float(until):
    time.sleep(0.1)
"""
_SCRIPT = "#!/usr/local/lib/paas/tools/bin/python\n" + _HOLD
# Takes the apps that have a file `hold` ("<step> <until>"), and stays in that step until the moment has come.
HOLDING_BUILDPACK = {f"bin/{step}": _SCRIPT for step in ("detect", "supply", "finalize")}

# Greets as GREETING says; listens once START_AT has come; with LINGER it does not leave when it is asked to.
_SLOW = """
import os, signal, sys, time
wait = float(os.environ.get("START_AT") or 0) - time.time()
if wait > 0:
    time.sleep(wait)
"""
_LINGER = """
if os.environ.get("LINGER"):
    signal.signal(signal.SIGTERM, lambda *_: print("got the signal", flush=True))
"""


def slow_server() -> dict[str, str]:
    files = apps.server("GREETING")
    told = files["server.py"].replace("GREETING = 'GREETING'", 'GREETING = os.environ.get("GREETING", "")')
    return {**files, "server.py": _SLOW + told.replace('print("listening"', f'{_LINGER}\nprint("listening"')}


def holding(step: str, seconds: float, **more: str | bytes) -> dict[str, str | bytes]:
    """An app whose build stays in a step for a while, the first time."""
    return {"hold": f"{step} {time.time() + seconds}", **apps.server(), **more}


# A server for everything that a router may carry, without a dependency ----------------------------------------------

_CARRIED = """
import base64, hashlib, http.server, json, os, socket, socketserver, threading, urllib.parse, urllib.request

told = threading.Event()

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.echo()
        if path == "/events":
            return self.events()
        if path == "/go":
            told.set()
        if path == "/headers":
            return self.say(json.dumps({key.lower(): value for key, value in self.headers.items()}))
        if path == "/env":
            return self.say(os.environ.get(asked["name"], ""))
        if path == "/connection":
            return self.say("%s:%s" % self.client_address)
        if path == "/fetch":
            request = urllib.request.Request(asked["url"], headers={"Host": asked["host"]})
            with urllib.request.urlopen(request, timeout=10) as answer:
                return self.say(answer.read().decode())
        if path == "/connect":
            try:
                socket.create_connection((asked["host"], int(asked["port"])), timeout=3).close()
                return self.say("open")
            except OSError as error:
                return self.say("closed: %s" % error)
        self.say(os.environ.get("GREETING", ""))

    def do_POST(self):
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left > 0:
            chunk = self.rfile.read1(min(left, 1 << 16))
            digest.update(chunk)
            left -= len(chunk)
        self.say(digest.hexdigest())

    def events(self):
        told.clear()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\\n\\n")
        told.wait(30)
        self.wfile.write(b"data: second\\n\\n")
        self.close_connection = True

    def echo(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        while True:
            first, length = self.rfile.read(2)
            mask = self.rfile.read(4)
            text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.rfile.read(length & 127)))
            self.wfile.write(bytes([first, len(text)]) + text)
            if first & 15 == 8:
                self.close_connection = True
                return

    def say(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256

Server(("", int(os.environ["PORT"])), Answer).serve_forever()
"""


def carrying_server() -> dict[str, str]:
    return {"server.py": _CARRIED, "Procfile": "web: python3 server.py\n", "requirements.txt": ""}


# A server that says what it is asked to say ----------------------------------------------------------------------------

_TALKING = """
import http.server, os, socketserver, sys, time, urllib.parse

def say(text, end="\\n"):
    sys.stdout.write(text + end)
    sys.stdout.flush()

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        if path == "/say":
            say(asked["text"])
        if path == "/warn":
            print(asked["text"], file=sys.stderr, flush=True)
        if path == "/count":  # so many lines, spread over a second
            count, size, begun = int(asked["count"]), int(asked.get("size", 20)), time.monotonic()
            for number in range(count):
                say(("%d " % number).ljust(size, "x"))
                if number % 100 == 0:
                    time.sleep(max(0, begun + number / count - time.monotonic()))
        if path == "/long":
            say("a" * int(asked["size"]) + "z")
        if path == "/bytes":
            sys.stdout.buffer.write(bytes(range(256)).replace(b"\\n", b"") + b"\\n")
            sys.stdout.flush()
        if path == "/partial":
            say("half a line", end="")
        if path == "/exit":
            os._exit(9)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

Server(("", int(os.environ["PORT"])), Answer).serve_forever()
"""


def talking_server() -> dict[str, str]:
    return {"server.py": _TALKING, "Procfile": "web: python3 server.py\n", "requirements.txt": ""}
