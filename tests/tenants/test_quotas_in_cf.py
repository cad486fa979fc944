"""The unmodified command line makes, shows, changes and applies quotas, and creates organizations with a sandbox."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts import actions
from accounts.models import User
from apps.models import Domain
from tenants.models import Organization, OrganizationQuota, QuotaUse, Space, SpaceQuota

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("cf") is None, reason="cf is not on PATH"),
]


@pytest.fixture
def cf(live_server: Any, tmp_path: Path) -> Callable[[User], Callable[..., str]]:
    """Sign in as somebody; what comes back runs ``cf`` and returns what it prints, which is refused where ``ok`` says so."""
    actions.ensure_oauth_client()

    def signed_in(user: User) -> Callable[..., str]:
        home = tmp_path / user.username
        home.mkdir()
        environment = {"PATH": os.environ["PATH"], "CF_HOME": str(home), "LANG": "en_GB.UTF-8", "CF_COLOR": "false"}

        def run(*words: str, ok: bool = True) -> str:
            done = subprocess.run(["cf", *words], env=environment, capture_output=True, text=True, timeout=60)
            said = done.stdout + done.stderr
            assert (done.returncode == 0) == ok, said
            return said

        run("api", live_server.url)
        run("auth", user.username, "correct horse battery")
        return run

    return signed_in


def test_an_admin_makes_and_sets_quotas_of_organizations(cf: Any, root: Any, org: Any, space: Any) -> None:
    run = cf(root)
    run("create-org-quota", "team", "-m", "20G", "-i", "1G", "-a", "50", "-r", "100", "-s", "10", "-l", "1M")
    made = OrganizationQuota.objects.get(name="team")
    assert (made.total_memory_mb, made.per_process_memory_mb, made.total_instances) == (20480, 1024, 50)
    assert (made.total_routes, made.total_service_instances, made.log_rate) == (100, 10, 1 << 20)
    assert made.paid_services_allowed is False
    assert "already exists" in run("create-org-quota", "team")
    assert re.search(r"total memory:\s+20G", run("org-quota", "team"))
    run("update-org-quota", "team", "-n", "crew", "-m", "-1", "--allow-paid-service-plans")
    made.refresh_from_db()
    assert (made.name, made.total_memory_mb, made.total_instances, made.paid_services_allowed) == (
        "crew", None, 50, True,
    )  # fmt: skip
    assert re.search(r"crew\s+unlimited\s+1G\s+100\s+10\s+allowed\s+50", run("org-quotas"))
    run("set-org-quota", "ministry", "crew")
    org.refresh_from_db()
    assert org.quota == made and re.search(r"quota:\s+crew", run("org", "ministry"))
    assert "is applied to one or more organizations" in run("delete-org-quota", "-f", "crew", ok=False)
    run("set-org-quota", "ministry", "default")
    run("delete-org-quota", "-f", "crew")
    assert "not found" in run("delete-org-quota", "-f", "crew")
    assert not OrganizationQuota.objects.filter(name="crew").exists()


def test_a_manager_makes_and_sets_quotas_of_spaces(cf: Any, dora: Any, org: Any, space: Any) -> None:
    run = cf(dora)
    run("target", "-o", "ministry")
    run("create-space-quota", "small", "-m", "2G", "-r", "20", "-a", "-1", "-s", "-1")
    assert re.search(r"total memory:\s+2G", run("space-quota", "small"))
    run("set-space-quota", "production", "small")
    space.refresh_from_db()
    assert space.quota == SpaceQuota.objects.get(name="small")
    run("update-space-quota", "small", "-n", "tiny", "-r", "5")
    assert re.search(r"tiny\s+2G\s+unlimited\s+5\s+unlimited", run("space-quotas"))
    assert "tiny" in run("space", "production")
    run("unset-space-quota", "production", "tiny")
    space.refresh_from_db()
    assert space.quota is None
    run("delete-space-quota", "-f", "tiny")
    assert not SpaceQuota.objects.exists()
    assert "not authorized" in run("create-org-quota", "mine", ok=False)


def test_what_is_refused_is_told(cf: Any, alice: Any, root: Any, org: Any, space: Any, quota: Any, region: Any) -> None:
    domain = Domain.objects.create(name="apps.example", region=region)
    quota.total_routes = 1
    quota.save()
    run = cf(alice)
    run("target", "-o", "ministry", "-s", "production")
    run("create-route", domain.name, "-n", "one")
    said = run("create-route", domain.name, "-n", "two", ok=False)
    assert "Routes quota exceeded for organization 'ministry'" in said
    assert QuotaUse.objects.get(organization=org).routes == 1


def test_a_new_organization_has_a_quota_and_a_sandbox(cf: Any, root: Any, quota: Any, region: Any) -> None:
    run = cf(root)
    large = OrganizationQuota.objects.create(name="large")
    said = run("create-org", "treasury")
    assert "OK" in said and "TIP: Use 'cf target -o" in said
    assert Organization.objects.get(name="treasury").quota == quota
    run("target", "-o", "treasury", "-s", "sandbox")
    assert "sandbox" in run("spaces") and "already exists" in run("create-space", "sandbox")
    assert root.username in run("space-users", "treasury", "sandbox").partition("SPACE DEVELOPER")[2]
    run("create-org", "harbour", "-q", "large")
    assert Organization.objects.get(name="harbour").quota == large
    sandbox = Space.objects.get(organization__name="harbour")
    run("curl", "-X", "DELETE", f"/v3/spaces/{sandbox.guid}")  # ``delete-space`` waits for the worker
    assert not Space.objects.filter(organization__name="harbour", deleting_at=None).exists()
