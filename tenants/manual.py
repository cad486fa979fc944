"""The user's documentation: pages in Markdown under ``templates/docs``, made to fit this install."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

# Group -> (slug, title); each slug is a file, but for those that are pages of their own
GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Start", (("getting-started", "Getting started"), ("push", "Pushing an app"), ("manifest", "The manifest"))),
    (
        "Languages",
        (
            ("python", "Python"),
            ("nodejs", "Node.js"),
            ("static", "Static files"),
            ("binary", "Binaries and Procfiles"),
        ),
    ),
    (
        "Running apps",
        (
            ("run", "Running and scaling"),
            ("environment", "Environment variables"),
            ("routes", "Routes and domains"),
            ("logs", "Logs"),
            ("tasks", "Tasks"),
        ),
    ),
    (
        "Services",
        (
            ("services", "Services"),
            ("postgres", "PostgreSQL"),
            ("mysql", "MariaDB"),
            ("redis", "Redis"),
            ("backups", "Where backups lie"),
            ("amazon", "Services at Amazon"),
            ("brokers", "Bring your own service"),
        ),
    ),
    (
        "Working together",
        (
            ("signing-in", "Signing in"),
            ("organizations", "Organizations and spaces"),
            ("quotas", "Quotas"),
            ("roles", "Roles and permissions"),
            ("leavers", "When somebody leaves"),
            ("robots", "Robots in CI"),
            ("audit", "Audit"),
            ("api", "The API"),
        ),
    ),
)
DESCRIBED = {
    "getting-started": "Sign in, push a first app, see it answer",
    "push": "What happens to your source, and what to do when it fails",
    "manifest": "Write down how your apps are pushed",
    "python": "requirements.txt, Pipfile, uv and pyproject.toml; Django, Flask, FastAPI",
    "nodejs": "npm and Yarn, versions, build scripts",
    "static": "A site of files, with a Staticfile where you want more",
    "binary": "A program that is ready to run, and how to name processes",
    "run": "Start, stop, scale; health checks; what happens when an instance fails",
    "environment": "What the platform tells your app, and what you tell it",
    "routes": "Addresses, several apps on one, WebSockets, headers",
    "logs": "Read and follow what apps, builds and the router say",
    "tasks": "Migrations and other one-off commands",
    "services": "Databases, caches and what your team brings: create, bind, connect, share, delete",
    "brokers": "Write a service broker, with a complete example; register it, have it checked",
    "postgres": "Connect, who may read, extensions, limits, backups",
    "mysql": "Connect, who may read, backups; software that was written for MySQL",
    "redis": "Connect, what goes when memory is full, backups",
    "backups": "On the disk or in a bucket, and with whose keys: for the platform team",
    "amazon": "Buckets, queues and databases that Amazon runs; connecting an account",
    "signing-in": "Passkeys, authenticator apps, lost passwords and devices, the command line",
    "organizations": "Where apps live, quotas, and how people get in",
    "quotas": "What is limited, what is used, and asking for more",
    "roles": "Who may do what, roles of your own, roles until a day, asking for one",
    "leavers": "Take everything away in one step, hand over, undo",
    "robots": "Accounts for pipelines: keys, GitHub Actions, GitLab",
    "audit": "Who did what and when, and how to take the record with you",
    "api": "Everything that the console does, for programs",
}
TITLES = {slug: title for _, pages in GROUPS for slug, title in pages}
ADDRESSES = {
    "app_url": f"{settings.PAAS_SCHEME}://NAME.{settings.PAAS_APPS_DOMAIN}{settings.PAAS_PORT_SUFFIX}",
    "trust": " --skip-ssl-validation" if settings.PAAS_TLS == "self-signed" else "",
    "upload_limit_mb": settings.PAAS_UPLOAD_LIMIT // (1 << 20),
    "audit_days": settings.PAAS_AUDIT_DAYS,
}
COPIED = {"sh": "these lines", "file": "this file"}  # what a fence is called -> what its button copies
ANCHOR = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Section:
    """A heading of a page, for the list of what is on it."""

    anchor: str
    title: str


def written(slug: str, context: dict[str, Any]) -> tuple[SafeString, list[Section]]:
    """Return the page as HTML and its second-level headings. ``context`` is what ``paas.lib.web.platform`` tells."""
    text = render_to_string(f"docs/{slug}.md", context | ADDRESSES)
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(text)
    sections = _anchored(tokens)
    for rule, draw in (("fence", _fence), ("table_open", _table_open), ("table_close", _table_close)):
        parser.add_render_rule(rule, draw)
    return mark_safe(parser.renderer.render(tokens, parser.options, {})), sections  # noqa: S308  our own text


def _anchored(tokens: Sequence[Token]) -> list[Section]:
    """Give every heading below the first level an id; return those of the second level."""
    sections = []
    for token, inner in pairwise(tokens):
        if token.type == "heading_open" and token.tag != "h1":
            title = strip_tags(inner.content.replace("`", ""))
            anchor = ANCHOR.sub("-", title.lower()).strip("-")
            token.attrSet("id", anchor)
            if token.tag == "h2":
                sections.append(Section(anchor, title))
    return sections


def _fence(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Lines of a terminal and whole files can be copied; what is wider than the page scrolls, also from the keyboard."""
    token = tokens[index]
    lines = escape(token.content.rstrip("\n"))
    if copied := COPIED.get(token.info.strip()):
        return f'<pre class="app-code" tabindex="0" data-copy="{copied}"><code>{lines}</code></pre>\n'
    return f'<pre tabindex="0"><code>{lines}</code></pre>\n'


def _table_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A table scrolls by itself where it is too wide, and is called as the heading above it."""
    above = [tokens[at + 1].content for at in range(index) if tokens[at].type == "heading_open"]
    label = escape(f"{above[-1] if above else 'Overview'}, table")
    return f'<div class="app-scroll" tabindex="0" role="region" aria-label="{label}"><table>\n'


def _table_close(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>\n"
