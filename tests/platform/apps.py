"""Small apps to push, each a mapping of file names to contents."""

from __future__ import annotations

SERVER = """
import http.server, json, os, signal, socketserver, sys, time

GREETING = %r

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/env/"):
            return self.say(os.environ.get(self.path.split("/")[2], ""))
        if self.path.startswith("/exit/"):
            print("going down", flush=True)
            os._exit(int(self.path.split("/")[2]))
        if self.path.startswith("/say/"):
            print(self.path[5:], flush=True)
        if self.path.startswith("/slow/"):
            time.sleep(float(self.path.split("/")[2]))
        if self.path == "/headers":
            return self.say(json.dumps({key.lower(): value for key, value in self.headers.items()}))
        if self.path == "/hog":
            held = []
            while True:
                held.append(bytearray(8 << 20))
        self.say(GREETING)

    def do_POST(self):
        left = int(self.headers.get("Content-Length") or 0)
        total = left
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        self.say(str(total))

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

def leave(*_):
    print("got the signal", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, leave)
print("listening", flush=True)
Server(("", int(os.environ["PORT"])), Answer).serve_forever()
"""


def server(greeting: str = "hello") -> dict[str, str]:
    """A Python web app without dependencies: quick to build, and it says and does what its paths ask for."""
    return {"server.py": SERVER % greeting, "Procfile": "web: python3 server.py\n", "requirements.txt": ""}


def static(text: str = "<h1>hello</h1>") -> dict[str, str]:
    return {"index.html": text, "Staticfile": ""}


def procfile(command: str) -> dict[str, str]:
    """Whatever one command does."""
    return {"Procfile": f"web: {command}\n", "run.sh": "echo run\n"}
