"""The pages about quotas in a real browser: axe, a phone's width, without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.models import App
from tenants.actions import quota_request, space_quota
from tenants.models import QuotaRequest, QuotaUse

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def busy(org: Any, space: Any, dora: Any, root: Any, make_space: Any) -> QuotaRequest:
    """An organization that has used most of its quota, with apps, a space's quota and requests."""
    make_space(org, "annex")
    QuotaUse.objects.filter(organization=org).update(memory_mb=90 * 1024, instances=30, routes=12)
    QuotaUse.objects.filter(space=space).update(memory_mb=7 * 1024, instances=3, routes=2)
    space_quota.create(dora, org, name="small", spaces=[space], total_memory_mb=8192, total_routes=20)
    for name, memory in (("site", 4096), ("api-with-quite-a-long-name-of-its-own", 3072)):
        app = App.objects.create(space=space, name=name, state=App.State.STARTED)
        app.processes.create(type="web", memory_mb=memory, instances=1)
    quota_request.refuse(root, quota_request.ask(dora, org, limits={"total_routes": 5000}), answer="Too many")
    quota_request.ask(dora, space, limits={"total_memory_mb": 16384}, reason="The census begins on Monday")
    return quota_request.ask(dora, org, limits={"total_memory_mb": 200 * 1024, "total_routes": 1500}, reason="Growth")


@pytest.mark.parametrize("width", [1200, 375])
def test_the_pages_of_quotas_are_clean(
    visit: Any, faults: Any, busy: QuotaRequest, org: Any, space: Any, dora: Any, root: Any, width: int
) -> None:
    pages = [
        (f"/orgs/{org.guid}/use", dora),
        (f"/spaces/{space.guid}/use", dora),
        (f"/orgs/{org.guid}/quota-requests", dora),
        (f"/orgs/{org.guid}/quota-requests/ask", dora),
        (f"/spaces/{space.guid}/quota-requests/ask", dora),
        ("/platform/quota-requests", root),
        ("/docs/quotas", None),
    ]
    for url, user in pages:
        page = visit(url, user, width=width)
        assert faults(page) == [], url


@pytest.mark.parametrize("script", [True, False])
def test_a_request_is_accepted_with_one_click(
    visit: Any, busy: QuotaRequest, org: Any, root: Any, script: bool
) -> None:
    page = visit("/platform/quota-requests", root, script=script)
    page.get_by_role("button", name="Accept what ministry asks for").click()
    expect(page.get_by_text("ministry has the quota ministry now.")).to_be_visible()
    org.refresh_from_db()
    assert org.quota.total_routes == 1500
