"""The app that the log figures are taken from: on request it prints numbered lines, each with the moment it was printed."""

from __future__ import annotations

SERVER = '''
import http.server, os, socketserver, sys, threading, time

INDEX = os.environ["CF_INSTANCE_INDEX"]
PADDING = "x" * 60
STEP = 0.05
heard = set()

def say(rate, seconds):
    """Print at a steady rate, a few lines at a time as programs do."""
    began, sent, total = time.monotonic(), 0, int(rate * seconds)
    while sent < total:
        due = min(total, int((time.monotonic() - began + STEP) * rate))
        lines = [f"line {INDEX} {number} {time.time_ns()} {PADDING}\\n" for number in range(sent, due)]
        sys.stdout.write("".join(lines))
        sys.stdout.flush()
        sent = due
        time.sleep(STEP)
    print(f"done {INDEX} {total}", flush=True)

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/say/"):
            _, _, name, rate, seconds = self.path.split("/")
            if name not in heard:
                heard.add(name)
                threading.Thread(target=say, args=(float(rate), float(seconds))).start()
        body = INDEX.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

Server(("", int(os.environ["PORT"])), Answer).serve_forever()
'''

FILES = {"server.py": SERVER, "Procfile": "web: python3 server.py\n", "requirements.txt": ""}
