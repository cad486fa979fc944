"""Writes the web server's configuration; the launcher fills in the port."""

import re
from pathlib import Path

from buildpack import refuse
from options import Options

HOME, TEMPORARY = "/home/vcap/app", "/home/vcap/tmp"
TYPES = "application/atom+xml application/javascript application/json application/manifest+json application/rss+xml"
TYPES += " application/xml font/otf font/ttf image/svg+xml text/css text/javascript text/markdown text/plain text/xml"

# Connections are kept as long as the router wants to: it must be the one that closes them.
FRAME = """\
daemon off;
worker_processes 2;
pid {temporary}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  charset utf-8;
  access_log off;
  server_tokens off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 3600s;
  keepalive_requests 1000000;
  absolute_redirect off;
  gzip on;
  gzip_static on;
  gzip_vary on;
  gzip_proxied any;
  gzip_comp_level 6;
  gzip_min_length 512;
  gzip_types {types};
  client_body_temp_path {temporary}/body;
  proxy_temp_path {temporary}/proxy;
  fastcgi_temp_path {temporary}/fastcgi;
  uwsgi_temp_path {temporary}/uwsgi;
  scgi_temp_path {temporary}/scgi;
  server {{
    listen {{{{port}}}};
    server_name _;
    root {home}/public;
    index index.html index.htm Default.htm;
{server}
  }}
}}
"""


def configuration(app: Path, options: Options, *, protected: bool) -> str:
    lines = []
    if options.force_https:
        lines.append('if ($http_x_forwarded_proto != "https") { return 301 https://$host$request_uri; }')
    if options.strict_transport or options.strict_transport_subdomains:
        more = "; includeSubDomains; preload" if options.strict_transport_subdomains else ""
        lines.append(f'add_header Strict-Transport-Security "max-age=31536000{more}" always;')
    if protected:
        lines += ['auth_basic "Restricted";', f"auth_basic_user_file {HOME}/nginx/conf/.htpasswd;"]
    lines += _error_pages(app, options)
    lines += ["location / {", f"  try_files $uri $uri/ {'/index.html' if options.pushstate else '=404'};"]
    lines += ["  autoindex on;"] * options.directory + ["  ssi on;"] * options.ssi
    if options.location_include:
        if not re.fullmatch(r"[\w./*-]+", options.location_include):
            refuse("The Staticfile's location_include is not the name of a file under nginx/conf.")
        lines.append(f"  include {HOME}/nginx/conf/{options.location_include};")
    lines.append("}")
    if not options.dot_files:
        lines.append("location ~ /\\.(?!well-known) { return 404; }")
    server = "\n".join(f"    {line}" for line in lines)
    return FRAME.format(home=HOME, temporary=TEMPORARY, types=TYPES, server=server)


def _error_pages(app: Path, options: Options) -> list[str]:
    pages = dict(options.status_codes)
    if (app / "public" / "404.html").is_file() and not options.pushstate:
        pages.setdefault("404", "/404.html")
    for codes, page in pages.items():
        if not re.fullmatch(r"[45][0-9x]{2}(?: [45][0-9x]{2})*", codes) or not re.fullmatch(r"/[\w./-]+", page):
            refuse(f"The Staticfile's status_codes hold `{codes}: {page}`. Write, for example, `404: /404.html`.")
    return [f"error_page {_expand(codes)} {page};" for codes, page in pages.items()]


def _expand(codes: str) -> str:
    """Turn ``4xx`` into the statuses that nginx knows itself how to give."""
    known = {"4xx": "400 401 403 404 405 406 408 409 410 411 412 413 414 415 416 421 429", "5xx": "500 501 502 503 504 505 507"}
    return " ".join(known.get(code, code) for code in codes.split())
