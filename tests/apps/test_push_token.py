"""The permissions of "Push from CI" are enough for a push, and for nothing that takes things away."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.models import App
from tenants.actions import token as tokens
from tests.accounts.conftest import bearing
from tests.apps.archives import upload, zipped

__all__ = ["bearing"]


@pytest.fixture
def ci(bearing: Any, alice: Any) -> APIClient:
    """alice develops in the space; her token carries what a push takes."""
    client: APIClient = bearing(tokens.create(alice, name="ci", permissions=tokens.PUSH)[1])
    return client


def test_what_a_push_asks_for_is_allowed(
    ci: APIClient, space: Any, running: App, domain: Any, store: Any, droplet: Any
) -> None:
    def done(method: str, path: str, body: Any = None, *, kind: str = "json") -> Any:
        answer = getattr(ci, method)(
            path, body, **({"format": kind} if kind != "yaml" else {"content_type": "application/x-yaml"})
        )
        assert answer.status_code < 300, (path, answer.content)
        return answer.json() if answer.content else {}

    place, own = {"data": {"guid": space.guid}}, {"app": {"data": {"guid": running.guid}}}
    done("get", "/v3/organizations")
    done("get", f"/v3/spaces/{space.guid}")
    done("post", f"/v3/spaces/{space.guid}/manifest_diff", "applications: [{name: site}]", kind="yaml")
    done(
        "post",
        f"/v3/spaces/{space.guid}/actions/apply_manifest",
        "applications: [{name: site, memory: 64M}]",
        kind="yaml",
    )
    done("post", "/v3/apps", {"name": "another", "relationships": {"space": place}})
    package = done("post", "/v3/packages", {"type": "bits", "relationships": own})["guid"]
    done("post", f"/v3/packages/{package}/upload", {"bits": upload(zipped().getvalue())}, kind="multipart")
    done("post", "/v3/builds", {"package": {"guid": package}})
    done("patch", f"/v3/apps/{running.guid}/environment_variables", {"var": {"KEY": "value"}})
    done("get", f"/v3/apps/{running.guid}/environment_variables")
    done("post", f"/v3/processes/{running.guid}/actions/scale", {"instances": 2})
    done("patch", f"/v3/processes/{running.guid}", {"command": "serve"})
    done("post", "/v3/deployments", {"droplet": {"guid": droplet.guid}, "relationships": own})
    route = {"host": "site", "relationships": {"space": place, "domain": {"data": {"guid": domain.guid}}}}
    made = done("post", "/v3/routes", route)["guid"]
    done("post", f"/v3/routes/{made}/destinations", {"destinations": [{"app": {"guid": running.guid}}]})
    done("post", f"/v3/apps/{running.guid}/tasks", {"command": "migrate"})
    done("get", f"/v3/apps/{running.guid}/processes")
    done("get", f"/api/v1/read/{running.guid}")


@pytest.mark.parametrize("path", ["/v3/apps/{app}", "/v3/spaces/{space}"])
def test_and_nothing_more(ci: APIClient, running: App, space: Any, path: str) -> None:
    assert ci.delete(path.format(app=running.guid, space=space.guid)).status_code == 403
    assert ci.get(f"/v3/droplets/{running.droplet.guid}/download").status_code == 403
