"""The Python client of others signs in and reads: it needs a refresh token, capital Bearer and a root without nulls it trips over."""

from __future__ import annotations

import pytest
from cloudfoundry_client.client import CloudFoundryClient

from accounts import actions
from tests.accounts.conftest import PASSWORD
from tests.conftest import make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_it_signs_in_and_reads(live_server):
    actions.ensure_oauth_client()
    admin = make_user("root", platform_role="admin")
    client = CloudFoundryClient(live_server.url)
    client.init_with_user_credentials(admin.username, PASSWORD)
    assert [user["username"] for user in client.v3.users] == [admin.username]
    assert [event["type"] for event in client.v3.audit_events.list()] == ["audit.user.sign-in"]
    assert list(client.v3.organizations.list()) == []


def test_a_robot_signs_in_and_reads(live_server):
    actions.ensure_oauth_client()
    actions.create_robot(make_user("root", platform_role="admin"), client_id="deployer", secret="a robot's long secret")
    client = CloudFoundryClient(live_server.url, client_id="deployer", client_secret="a robot's long secret")
    client.init_with_client_credentials()
    assert list(client.v3.organizations.list()) == []
