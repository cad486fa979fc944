"""Resource matching: files that are known need not be uploaded again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from apps.models import SourceFile
from tenants import access
from tenants.models import FeatureFlag, Organization, Space
from tests.apps.archives import LARGE, resource

Api = Callable[[User], APIClient]


def learn(organization: Organization, content: bytes = LARGE, **changes: Any) -> SourceFile:
    facts = {
        "sha1": hashlib.sha1(content).hexdigest(), "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content), "key": "sources/x", "used_at": timezone.now(),
    }  # fmt: skip
    return SourceFile.objects.create(organization=organization, **facts | changes)


def ask(client: APIClient, *resources: dict[str, Any]) -> Any:
    return client.post("/v3/resource_matches", {"resources": list(resources)})


def test_what_is_known_is_sent_back_as_it_came(api: Api, alice: User, space: Space) -> None:
    learn(space.organization)
    known, unknown = resource("data.bin", LARGE, mode="755"), resource("new", b"new")
    reply = ask(api(alice), known, unknown)
    assert (reply.status_code, reply.json()) == (201, {"resources": [known]})


def test_a_mode_is_always_in_the_answer(api: Api, alice: User, space: Space) -> None:
    learn(space.organization)
    sent = resource("data.bin", LARGE)
    del sent["mode"]
    assert ask(api(alice), sent).json()["resources"][0]["mode"] == "644"


def test_another_size_or_a_doubtful_digest_is_not_known(api: Api, alice: User, space: Space) -> None:
    row = learn(space.organization)
    assert ask(api(alice), resource("data.bin", LARGE, size_in_bytes=1)).json() == {"resources": []}
    SourceFile.objects.filter(pk=row.pk).update(key="")
    assert ask(api(alice), resource("data.bin", LARGE)).json() == {"resources": []}


@pytest.mark.parametrize("name", ["bob", "charlie"])
def test_who_may_not_push_there_learns_nothing(
    api: Api, request: pytest.FixtureRequest, space: Space, name: str
) -> None:
    learn(space.organization)
    reply = ask(api(request.getfixturevalue(name)), resource("data.bin", LARGE))
    assert (reply.status_code, reply.json()) == (201, {"resources": []})


def test_who_pushes_to_two_organizations_is_told_what_both_know(
    api: Api, alice: User, root: User, space: Space, other_space: Space
) -> None:
    """The request does not say where the push goes, and nothing is taken from the other organization."""
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_developer", other_space, by=root)
    learn(space.organization)
    assert ask(api(alice), resource("data.bin", LARGE)).json() == {"resources": []}
    learn(other_space.organization)
    assert len(ask(api(alice), resource("data.bin", LARGE)).json()["resources"]) == 1


def test_the_flag_turns_matching_off(api: Api, alice: User, space: Space) -> None:
    learn(space.organization)
    FeatureFlag.objects.create(name="resource_matching", enabled=False)
    assert ask(api(alice), resource("data.bin", LARGE)).json() == {"resources": []}


def test_many_are_asked_about_in_a_few_queries(
    api: Api, alice: User, space: Space, django_assert_max_num_queries: Any
) -> None:
    learn(space.organization)
    with django_assert_max_num_queries(4):
        reply = ask(api(alice), *(resource(str(number), LARGE) for number in range(5000)))
    assert len(reply.json()["resources"]) == 5000


def test_too_many_or_other_things_are_refused(api: Api, alice: User) -> None:
    assert ask(api(alice), *(resource(str(number), b"") for number in range(5001))).status_code == 422
    assert ask(api(alice), {"path": "a"}).status_code == 422
    assert ask(api(alice), {"checksum": {"value": "md5"}, "size_in_bytes": 1}).status_code == 422
    assert api(alice).post("/v3/resource_matches", {"resources": "all"}).status_code == 422
