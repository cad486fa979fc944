"""Stacks and the platform's environment variable groups in the v3 API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, User
from apps.actions import app as apps
from apps.models import App, EnvironmentGroup, Stack
from tenants.models import Space

Api = Callable[[User], APIClient]


def told(reply: Any) -> str:
    return reply.json()["errors"][0]["detail"]


@pytest.fixture
def stack(db: None) -> Stack:
    return Stack.objects.create(name="debian12", description="Debian 12", is_default=True)


def test_everybody_reads_stacks(api: Api, charlie: User, stack: Stack, django_assert_num_queries: Any) -> None:
    Stack.objects.create(name="debian13")
    client = api(charlie)
    with django_assert_num_queries(2):
        listed = client.get("/v3/stacks").json()["resources"]
    assert [each["name"] for each in listed] == ["debian12", "debian13"]
    assert [each["name"] for each in client.get("/v3/stacks?names=debian13").json()["resources"]] == ["debian13"]
    assert [each["name"] for each in client.get("/v3/stacks?default=true").json()["resources"]] == ["debian12"]
    assert client.get(f"/v3/stacks/{stack.guid}").json()["default"] is True
    assert told(client.get("/v3/stacks/none")) == "Stack not found"


def test_stacks_come_with_the_platform(api: Api, alice: User, root: User, stack: Stack) -> None:
    assert api(alice).post("/v3/stacks", {"name": "x"}).status_code == 403
    assert api(alice).delete(f"/v3/stacks/{stack.guid}").status_code == 403
    for reply in (api(root).post("/v3/stacks", {"name": "x"}), api(root).delete(f"/v3/stacks/{stack.guid}")):
        assert reply.status_code == 422
        assert told(reply).startswith("Stacks are part of the platform's version")


def test_admins_label_stacks(
    api: Api, alice: User, root: User, stack: Stack, recorded: Callable[[str], AuditEvent]
) -> None:
    change = {"metadata": {"labels": {"a": "b"}}}
    assert api(alice).patch(f"/v3/stacks/{stack.guid}", change).status_code == 403
    for _ in range(2):  # twice is harmless
        assert api(root).patch(f"/v3/stacks/{stack.guid}", change).json()["metadata"]["labels"] == {"a": "b"}
    assert recorded("audit.stack.update").target_name == "debian12"


def test_the_apps_of_a_stack_are_those_that_the_caller_sees(
    api: Api, alice: User, charlie: User, space: Space, stack: Stack, app: App
) -> None:
    apps.create(alice, space, name="image", lifecycle="docker")
    path = f"/v3/stacks/{stack.guid}/apps"
    assert [each["name"] for each in api(alice).get(path).json()["resources"]] == ["site"]
    assert api(charlie).get(path).json()["resources"] == []


@pytest.mark.parametrize("name", ["running", "staging"])
def test_a_group_is_read_by_all_and_changed_by_admins(
    api: Api, alice: User, root: User, recorded: Callable[[str], AuditEvent], name: str
) -> None:
    path = f"/v3/environment_variable_groups/{name}"
    assert api(alice).get(path).json()["var"] == {}
    assert api(alice).patch(path, {"var": {"A": "1"}}).status_code == 403
    for _ in range(2):  # twice is harmless
        reply = api(root).patch(path, {"var": {"A": "1", "B": "2"}})
        assert (reply.status_code, reply.json()["var"]) == (200, {"A": "1", "B": "2"})
    assert api(root).patch(path, {"var": {"A": None}}).json()["var"] == {"B": "2"}
    assert api(alice).get(path).json()["var"] == {"B": "2"}
    assert recorded("audit.environment_variable_group.update").data["changes"] == {
        "variables.A": ["[PRIVATE DATA HIDDEN]", None]
    }
    assert EnvironmentGroup.objects.get().name == name


def test_a_group_takes_only_text_under_names_that_are_free(api: Api, root: User) -> None:
    path = "/v3/environment_variable_groups/running"
    assert "must be text or null" in told(api(root).patch(path, {"var": {"A": 1}}))
    assert api(root).patch(path, {"var": {"PORT": "1"}}).status_code == 422
    assert api(root).patch(path, {"var": {"VCAP_X": "1"}}).status_code == 422
    assert told(api(root).get("/v3/environment_variable_groups/other")) == "Environment variable group not found"
