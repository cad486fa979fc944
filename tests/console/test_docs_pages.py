"""The documentation: readable by everybody, and true for this install."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from tenants import access, manual

pytestmark = pytest.mark.django_db
FOLDER = Path(settings.BASE_DIR, "templates", "docs")


@pytest.mark.parametrize("slug", ["", *(f"/{slug}" for slug in manual.TITLES)])
def test_every_page_is_read_without_signing_in(browser: Any, slug: str) -> None:
    page = browser().get(f"/docs{slug}").content.decode()
    assert page.count("<h1") == 1
    assert "{{" not in page.replace("${{ secrets.", "")  # what GitHub fills in
    assert len(page) < 150_000
    for target in re.findall(r'href="(/[^"#]*)', page):
        if not target.startswith(settings.STATIC_URL):
            _exists(target)


def _exists(target: str) -> None:
    try:
        match = resolve(target)
    except Resolver404:
        pytest.fail(f"{target} leads nowhere")
    if match.url_name == "docs_page":
        assert match.kwargs["page"] in manual.TITLES


def test_links_within_the_documentation_find_their_heading(browser: Any) -> None:
    pages = {slug: browser().get(f"/docs/{slug}").content.decode() for slug in manual.TITLES}
    for page in pages.values():
        for slug, anchor in re.findall(r'href="/docs/([\w-]+)#([\w-]+)"', page):
            assert f'id="{anchor}"' in pages[slug]


def test_every_text_is_listed_and_described() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(manual.TITLES) == set(manual.DESCRIBED)


def test_getting_started_has_the_lines_for_this_install(browser: Any) -> None:
    page = browser().get("/docs/getting-started").content.decode()
    assert f"cf login -a {settings.PAAS_URL}" in page
    assert settings.PAAS_APPS_DOMAIN in page


def test_the_table_of_roles_is_the_one_that_is_asked(browser: Any) -> None:
    page = browser().get("/docs/roles").content.decode()
    for _verb, sentence, _cells in access.table():
        assert sentence.replace("'", "&#x27;") in page
    assert page.count(">yes<") == sum(sum(cells.values()) for _, _, cells in access.table())


def test_the_api_page_lists_every_operation(browser: Any) -> None:
    page = browser().get("/docs/api").content.decode()
    assert "<code>GET /v3/organizations</code></td><td>List organizations" in page
    assert "<code>DELETE /v3/spaces/{guid}</code></td><td>Delete a space" in page


@pytest.mark.parametrize("slug", ["nothing", "layout", "Getting-Started"])
def test_what_is_no_page_is_not_found(browser: Any, slug: str) -> None:
    assert browser().get(f"/docs/{slug}").status_code == 404
