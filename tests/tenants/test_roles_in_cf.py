"""What the unmodified command line makes of custom roles: it lists and removes each as the widest role that it covers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts import actions
from tenants import access
from tenants.actions import custom_role
from tenants.actions import role as roles

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("cf") is None, reason="cf is not on PATH"),
]


@pytest.fixture
def cf(live_server: Any, tmp_path: Path, dora: Any) -> Callable[..., str]:
    """Run ``cf`` as dora, who manages the organization; returns what it prints."""
    actions.ensure_oauth_client()
    environment = {"PATH": os.environ["PATH"], "CF_HOME": str(tmp_path), "LANG": "en_GB.UTF-8", "CF_COLOR": "false"}

    def run(*words: str) -> str:
        done = subprocess.run(["cf", *words], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("api", live_server.url)
    run("auth", dora.username, "correct horse battery")
    return run


def test_custom_roles_are_listed_and_taken_as_what_they_cover(
    cf: Any, dora: Any, alice: Any, bob: Any, org: Any, space: Any
) -> None:
    wide = custom_role.create(dora, org, name="on call", where="space", copy_of="space_auditor")
    custom_role.update(dora, wide, verbs=[*wide.verbs, "app.run"])
    narrow = custom_role.create(dora, org, name="restarter", where="space", verbs=["app.run"])
    roles.give(dora, alice, role=wide.guid, place=space)
    roles.give(dora, bob, role=narrow.guid, place=space)

    def auditors() -> str:
        return cf("space-users", "ministry", "production").partition("SPACE AUDITOR")[2].partition("SPACE SUPPORTER")[0]

    assert alice.username in auditors()
    assert cf("space-users", "ministry", "production").count(bob.username) == 1  # as the auditor that he is beside it
    cf("unset-space-role", alice.username, "ministry", "production", "SpaceAuditor")
    assert alice.username not in auditors()
    assert access.roles_held(alice, space=space) == {"organization_user", "space_developer"}
    books = custom_role.create(dora, org, name="books", where="organization", copy_of="organization_auditor")
    roles.give(dora, bob, role=books.guid, place=org)
    assert bob.username in cf("org-users", "ministry").partition("ORG AUDITOR")[2]
    cf("unset-org-role", bob.username, "ministry", "OrgAuditor")
    assert books.guid not in access.roles_held(bob, organization=org)
