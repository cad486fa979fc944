"""Search over what a person can see."""

from __future__ import annotations

from typing import Any

import pytest

from apps.actions import app as apps
from apps.actions import route
from apps.models import App, Domain
from tests.console.counting import queries

pytestmark = pytest.mark.django_db


def found(client: Any, words: str) -> str:
    answer = client.get("/search", {"q": words})
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_kind_is_found(browser: Any, alice: Any, app: App, space: Any, org: Any) -> None:
    made = route.create(alice, space, domain=Domain.objects.create(name="apps.example"), host="front", path="/docs")
    client = browser(alice)
    assert f'href="/apps/{app.guid}"' in found(client, "SIT")
    assert f'href="/spaces/{space.guid}"' in found(client, "product")
    assert f'href="/orgs/{org.guid}"' in found(client, "minist")
    for words in ("front", "front.apps.example/docs", "https://front.apps", "apps.example"):
        assert f'href="/routes/{made.guid}"' in found(client, words)
    assert f'href="/apps/{app.guid}"' in found(client, app.guid)


def test_what_is_elsewhere_is_not_found(browser: Any, charlie: Any, alice: Any, app: App, space: Any) -> None:
    route.create(alice, space, domain=Domain.objects.create(name="apps.example"), host="front")
    text = found(browser(charlie), "front") + found(browser(charlie), "site") + found(browser(charlie), "ministry")
    assert app.guid not in text
    assert space.organization.guid not in text
    assert "Nothing that you can see" in text


def test_root_finds_everything(browser: Any, root: Any, app: App) -> None:
    assert app.guid in found(browser(root), "site")


def test_nothing_typed_and_odd_words_are_harmless(browser: Any, alice: Any) -> None:
    assert "Press /" in found(browser(alice), "  ")
    for words in ("%", "_", "\\", "'; --", "<script>", "a\0b"):
        assert "<script>alert" not in found(browser(alice), words)


def test_who_is_not_signed_in_is_sent_to_sign_in(browser: Any) -> None:
    assert browser().get("/search?q=x").status_code == 302


def test_it_costs_the_same_whatever_is_found(browser: Any, alice: Any, app: App, space: Any) -> None:
    client = browser(alice)
    few = queries(client, "/search?q=s")
    domain = Domain.objects.create(name="apps.example")
    for number in range(30):
        apps.create(alice, space, name=f"s-{number}")
        route.create(alice, space, domain=domain, host=f"s-{number}")
    assert queries(client, "/search?q=s") == few
