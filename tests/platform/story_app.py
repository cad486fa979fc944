"""The app of the services' story: it keeps notes in the database that it is bound to, by the library in the stack."""

from __future__ import annotations

_NOTES = """
import ctypes, http.server, os, socketserver

pq = ctypes.CDLL("libpq.so.5")
for name in ("PQconnectdb", "PQexecParams"):
    getattr(pq, name).restype = ctypes.c_void_p
for name in ("PQerrorMessage", "PQgetvalue"):
    getattr(pq, name).restype = ctypes.c_char_p

TABLE = "CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text NOT NULL)"

class Wrong(Exception):
    pass

def run(statement, *values):
    link = ctypes.c_void_p(pq.PQconnectdb(os.environ.get("DATABASE_URL", "").encode()))
    try:
        if pq.PQstatus(link):
            raise Wrong(pq.PQerrorMessage(link).decode())
        given = (ctypes.c_char_p * max(1, len(values)))(*[value.encode() for value in values])
        result = ctypes.c_void_p(
            pq.PQexecParams(link, statement.encode(), len(values), None, given, None, None, 0)
        )
        try:
            if pq.PQresultStatus(result) not in (1, 2):
                raise Wrong(pq.PQerrorMessage(link).decode())
            return [pq.PQgetvalue(result, row, 0).decode() for row in range(pq.PQntuples(result))]
        finally:
            pq.PQclear(result)
    finally:
        pq.PQfinish(link)

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/notes":
            return self.tell(lambda: run("SELECT text FROM notes ORDER BY id"))
        if self.path == "/now":
            return self.tell(lambda: run("SELECT now() AT TIME ZONE 'UTC'"))
        if self.path == "/host":
            return self.say(200, os.environ.get("DATABASE_URL", "").rpartition("@")[2].partition(":")[0])
        self.say(200, "notes")

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path == "/drop":
            return self.tell(lambda: run("DROP TABLE notes"))
        self.tell(lambda: run(TABLE) or run("INSERT INTO notes (text) VALUES ($1) RETURNING id", text))

    def tell(self, ask):
        try:
            self.say(200, "\\n".join(ask()))
        except Wrong as wrong:
            self.say(503, str(wrong))

    def say(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

Server(("", int(os.environ["PORT"])), Answer).serve_forever()
"""


def notes() -> dict[str, str]:
    """An app that writes with POST /notes, reads with GET /notes and loses all with POST /drop.

    A line for each note; what the database says against it comes with status 503. GET /host names the database's host,
    GET /now its time (UTC).
    """
    return {"server.py": _NOTES, "Procfile": "web: python3 server.py\n", "requirements.txt": ""}
