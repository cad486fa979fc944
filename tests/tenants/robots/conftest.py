"""A robot of the ministry with a key, and ways to call as it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from rest_framework.test import APIClient

from accounts.models import RobotKey
from paas.lib.models import new_guid
from tenants.actions import robot as robots
from tenants.actions import robot_key as keys
from tenants.models import CustomRole, Organization, Robot
from tests.accounts.conftest import address, bearing, browser, calling, grant, oauth_client, sign_in

__all__ = ["address", "bearing", "browser", "calling", "grant", "oauth_client", "sign_in"]


@pytest.fixture
def robot(dora: Any, org: Any) -> Robot:
    """dora manages the organization, made the robot and looks after it."""
    return robots.create(dora, org, name="Deploy from CI", description="Pushes the site.")


@pytest.fixture
def made(dora: Any, robot: Robot) -> tuple[RobotKey, str]:
    return keys.create(dora, robot, name="ci")


@pytest.fixture
def key(made: tuple[RobotKey, str]) -> RobotKey:
    return made[0]


@pytest.fixture
def secret(made: tuple[RobotKey, str]) -> str:
    return made[1]


@pytest.fixture
def ask(grant: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for a token with a robot's id and a secret, as ``cf auth --client-credentials`` does."""

    def asked(robot: Robot, secret: str, **where: str) -> Any:
        form = {"grant_type": "client_credentials", "client_id": robot.guid, "client_secret": secret}
        return grant({}, **form, **where)

    return asked


@pytest.fixture
def robot_calls(ask: Callable[..., Any], bearing: Callable[[str], APIClient]) -> Callable[[Robot, str], APIClient]:
    """A client that carries the token that the robot gets for a secret."""
    return lambda robot, secret: bearing(ask(robot, secret).json()["access_token"])


@pytest.fixture
def custom_role() -> Callable[..., CustomRole]:
    """A role of an organization's own that is made of these permissions."""

    def make(organization: Organization, *verbs: str) -> CustomRole:
        guid, kind = new_guid(), ContentType.objects.get_for_model(Organization)
        permission = Permission.objects.create(codename=guid, content_type=kind, name="custom")
        fields = {"name": "+".join(verbs), "where": CustomRole.Where.ORGANIZATION, "verbs": list(verbs)}
        return CustomRole.objects.create(guid=guid, organization=organization, permission=permission, **fields)

    return make
