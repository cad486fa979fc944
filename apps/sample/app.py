"""A page that says where it runs: the sample app, and a first app to change and push again."""

import html
import json
import logging
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from string import Template

STARTED = time.time()
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>$name is running</title>
  <style>
    * { box-sizing: border-box }
    body { margin: 0; font: 1.125rem/1.5 arial, sans-serif; color: #0b0c0c; background: #f4f6f9 }
    header { padding-block: 4rem 7rem; color: #fff; background: linear-gradient(120deg, #10304f, #1d6f8f) }
    header > *, main { width: min(56rem, 100% - 3rem); margin-inline: auto }
    h1 { margin-block: 0 .5rem; font-size: clamp(2rem, 6vw, 3.25rem); line-height: 1.1 }
    header p { margin-block: 0; font-size: 1.25rem }
    main { padding-bottom: 3rem; margin-top: -4rem }
    dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem; margin: 0 0 2rem }
    dl > div, section { padding: 1.25rem 1.5rem; background: #fff; border-radius: .5rem; box-shadow: 0 1px 4px #0b0c0c33 }
    dt { color: #484f56; font-size: 1rem }
    dd { margin: 0; font-size: 1.5rem; font-weight: bold; overflow-wrap: anywhere }
    h2 { margin-block: 0 .5rem }
    pre { padding: 1rem; overflow-x: auto; color: #fff; background: #10304f; border-radius: .25rem }
  </style>
</head>
<body>
  <header>
    <h1>$name is running</h1>
    <p>Built from source, isolated from everything beside it, and answering at its own address.</p>
  </header>
  <main>
    <dl>$facts</dl>
    <section>
      <h2>Make it yours</h2>
      <p>In the folder <code>apps/sample</code>, change this page and push it again. The version that is live goes on
      serving until the new one is healthy.</p>
      <pre tabindex="0"><code>cf push $name</code></pre>
    </section>
  </main>
</body>
</html>
""")


def facts() -> dict[str, str]:
    application = json.loads(os.environ.get("VCAP_APPLICATION", "{}"))
    minutes, seconds = divmod(int(time.time() - STARTED), 60)
    return {
        "Space": application.get("space_name", "none"),
        "Instance": os.environ.get("CF_INSTANCE_INDEX", "0"),
        "Memory": os.environ.get("MEMORY_LIMIT", "unlimited"),
        "Up for": f"{minutes} min {seconds} s",
    }


def page() -> bytes:
    name = json.loads(os.environ.get("VCAP_APPLICATION", "{}")).get("application_name", "sample")
    rows = (f"<div><dt>{html.escape(term)}</dt><dd>{html.escape(fact)}</dd></div>" for term, fact in facts().items())
    return PAGE.substitute(name=html.escape(name), facts="".join(rows)).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = self.path.partition("?")[0] == "/"
        body = page() if found else b"There is nothing here.\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8" if found else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET


def stop(number: int, frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    port = int(os.environ.get("PORT", "8080"))
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    logging.info("Listening on port %s", port)
    ThreadingHTTPServer(("", port), Handler).serve_forever()
