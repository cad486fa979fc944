"""Reserving a route."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from apps.models import Domain, Route
from tenants import access
from tenants.models import FeatureFlag, OrganizationQuota


def body(space, domain, **fields):
    ends = {"space": {"data": {"guid": space.guid}}, "domain": {"data": {"guid": domain.guid}}}
    return {"relationships": ends, **fields}


def create(client, space, domain, **fields):
    return client.post("/v3/routes", body(space, domain, **fields))


def said(response):
    assert response.status_code == 422, response.content
    return [error["detail"] for error in response.json()["errors"]]


def test_a_developer_reserves_a_route(api, alice, space, domain, used, recorded, settings):
    settings.PAAS_PORT_SUFFIX = ":8080"
    response = create(
        api(alice), space, domain, host="Site", path="/api/v1", options={"loadbalancing": "least-connection"},
        metadata={"labels": {"team": "one"}},
    )  # fmt: skip
    assert response.status_code == 201
    shown = response.json()
    assert (shown["host"], shown["path"], shown["port"], shown["protocol"]) == ("site", "/api/v1", None, "http")
    assert shown["url"] == "site.apps.example:8080/api/v1"
    assert shown["options"] == {"loadbalancing": "least-connection"}
    assert shown["destinations"] == []
    assert shown["metadata"]["labels"] == {"team": "one"}
    assert shown["relationships"]["domain"]["data"]["guid"] == domain.guid
    assert used().routes == 1
    event = recorded("audit.route.create")
    assert (event.target_guid, event.target_type, event.space_guid) == (shown["guid"], "route", space.guid)


def test_an_auditor_may_not(api, bob, space, domain):
    assert create(api(bob), space, domain, host="site").status_code == 403
    assert not Route.objects.exists()


def test_a_stranger_does_not_see_the_space(api, charlie, space, domain):
    assert said(create(api(charlie), space, domain, host="site")) == [
        "Invalid space. Ensure that the space exists and you have access to it."
    ]


def test_a_domain_that_nobody_shows_one_does_not_exist(api, alice, space, other_space):
    hidden = Domain.objects.create(name="secret.example", organization=other_space.organization)
    assert said(create(api(alice), space, hidden, host="site")) == [
        "Invalid domain. Ensure that the domain exists and you have access to it."
    ]


def test_twice_in_one_space_says_that_it_exists(api, alice, space, domain, used):
    create(api(alice), space, domain, host="site")
    assert said(create(api(alice), space, domain, host="SITE")) == [
        "Route already exists with host 'site' for domain 'apps.example'."
    ]
    create(api(alice), space, domain, host="site", path="/a")
    assert said(create(api(alice), space, domain, host="site", path="/a")) == [
        "Route already exists with host 'site' and path '/a' for domain 'apps.example'."
    ]
    assert used().routes == 2


def test_another_tenants_route_is_in_use_without_saying_whose(api, alice, charlie, space, other_space, domain):
    create(api(charlie), other_space, domain, host="site")
    answer = create(api(alice), space, domain, host="site")
    assert said(answer) == ["The route site.apps.example is already in use."]
    assert b"council" not in answer.content


def test_a_host_on_a_shared_domain_belongs_to_one_space_whatever_the_path(
    api, alice, charlie, space, other_space, domain
):
    create(api(charlie), other_space, domain, host="site")
    assert said(create(api(alice), space, domain, host="site", path="/login")) == [
        "The route site.apps.example/login is already in use."
    ]


def test_spaces_of_one_organization_split_a_host_of_their_own_domain(api, alice, space, make_space, root, used):
    own = Domain.objects.create(name="ministry.example", organization=space.organization)
    second = make_space(space.organization, "second")
    access.give(alice, "space_developer", second, by=root)
    assert create(api(alice), space, own, host="site").status_code == 201
    assert create(api(alice), second, own, host="site", path="/docs").status_code == 201
    assert said(create(api(alice), second, own, host="site")) == ["The route site.ministry.example is already in use."]
    assert create(api(alice), space, own).json()["url"].startswith("ministry.example")


def test_the_quota_is_kept(api, alice, space, domain, quota, used):
    OrganizationQuota.objects.filter(pk=quota.pk).update(total_routes=1)
    assert create(api(alice), space, domain, host="one").status_code == 201
    assert "Routes quota exceeded for organization 'ministry'" in said(create(api(alice), space, domain, host="two"))[0]
    assert used().routes == 1


def test_the_flag_holds_teams_back(api, alice, root, space, domain):
    FeatureFlag.objects.create(name="route_creation", enabled=False)
    assert create(api(alice), space, domain, host="one").json()["errors"][0]["title"] == "CF-FeatureDisabled"
    assert create(api(root), space, domain, host="one").status_code == 201


def test_only_the_platform_takes_a_whole_shared_domain(api, alice, root, space, domain):
    assert "wildcard host" in said(create(api(alice), space, domain, host="*"))[0]
    assert create(api(root), space, domain, host="*").status_code == 201
    own = Domain.objects.create(name="ministry.example", organization=space.organization)
    assert create(api(alice), space, own, host="*").status_code == 201


def test_a_route_does_not_cover_a_domain(api, alice, space, domain):
    Domain.objects.create(name="own.apps.example", organization=space.organization)
    assert said(create(api(alice), space, domain, host="own")) == ["Route conflicts with domain 'own.apps.example'."]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Missing host. Routes in shared domains must have a host defined."),
        ({"host": "a.b"}, 'Host must be either "*" or contain only alphanumeric characters, "_", or "-"'),
        ({"host": "é"}, 'Host must be either "*" or contain only alphanumeric characters, "_", or "-"'),
        ({"host": "-a"}, 'Host must not begin or end with "-"'),
        ({"host": "a" * 64}, "Host is too long (maximum is 63 characters)"),
        ({"host": "a", "path": "b"}, "Path must begin with /"),
        ({"host": "a", "path": "/"}, "Path cannot be exactly /"),
        ({"host": "a", "path": "/b?c"}, "Path cannot contain ?"),
        ({"host": "a", "path": "/" + "b" * 128}, "Path is too long (maximum is 128 characters)"),
        ({"host": "a", "port": 1024}, "Ports are not supported for HTTP domains."),
        (
            {"host": "a", "options": {"loadbalancing": "hash"}},
            "Options loadbalancing must be one of 'round-robin, least-connection' if present",
        ),
        ({"host": "a", "colour": 1}, "Unknown field(s): 'colour'"),
    ],
)
def test_a_wrong_route_is_refused_with_a_sentence(api, alice, space, domain, fields, sentence):
    assert said(create(api(alice), space, domain, **fields)) == [sentence]
    assert not Route.objects.exists()


@pytest.mark.parametrize("path", ["/b/", "//b", "/a b", "/a#b", "/../b", "/a\\b", "/%zz", "/a\tb"])
def test_a_path_that_the_router_would_not_take_is_refused(api, alice, space, domain, path):
    assert said(create(api(alice), space, domain, host="a", path=path))[0].startswith("Path is invalid.")


def test_a_refusal_leaves_no_record(api, alice, space, domain):
    create(api(alice), space, domain, host="a.b")
    assert not AuditEvent.objects.filter(type="audit.route.create").exists()
