"""Domains: shared by all, or an organization's own."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, Job
from apps.actions import destination as destinations
from apps.actions import route as routes
from apps.models import Domain, Route
from tenants import access
from tenants.models import FeatureFlag, OrganizationQuota, QuotaUse


def create(client, name, organization=None, *shared_with, **fields):
    ends = {"organization": {"data": {"guid": organization.guid}}} if organization else {}
    if shared_with:
        ends["shared_organizations"] = {"data": [{"guid": each.guid} for each in shared_with]}
    return client.post("/v3/domains", {"name": name, **({"relationships": ends} if ends else {}), **fields})


def said(response):
    assert response.status_code == 422, response.content
    return [error["detail"] for error in response.json()["errors"]]


def names(response):
    assert response.status_code == 200, response.content
    return [each["name"] for each in response.json()["resources"]]


@pytest.fixture
def own(org, region):
    return Domain.objects.create(name="ministry.example", organization=org, region=region)


@pytest.fixture
def domains_used(org):
    return lambda: QuotaUse.objects.get(organization=org).domains


def test_a_manager_creates_a_private_domain(api, dora, org, region, domains_used, recorded):
    answer = create(api(dora), "Ministry.example", org, metadata={"annotations": {"why": "because"}})
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["name"], shown["internal"], shown["router_group"]) == ("ministry.example", False, None)
    assert shown["supported_protocols"] == ["http"]
    assert shown["relationships"]["organization"]["data"] == {"guid": org.guid}
    assert shown["metadata"]["annotations"] == {"why": "because"}
    assert domains_used() == 1
    event = recorded("audit.domain.create")
    assert (event.target_guid, event.organization_guid) == (shown["guid"], org.guid)


def test_the_platform_creates_a_shared_domain(api, root, region):
    shown = create(api(root), "shared.example").json()
    assert shown["relationships"] == {"organization": {"data": None}, "shared_organizations": {"data": []}}


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_who_only_works_in_a_space_may_not(api, request, who, org, region):
    user = request.getfixturevalue(who)
    assert create(api(user), "ministry.example", org).status_code == 403
    assert create(api(user), "shared.example").status_code == 403


def test_a_manager_makes_no_shared_domain(api, dora):
    assert create(api(dora), "shared.example").status_code == 403


def test_a_stranger_does_not_see_the_organization(api, charlie, org):
    assert said(create(api(charlie), "ministry.example", org)) == [
        f"Organization with guid '{org.guid}' does not exist, or you do not have access to it."
    ]


def test_twice_says_that_it_is_in_use(api, dora, org, region, domains_used):
    create(api(dora), "ministry.example", org)
    assert said(create(api(dora), "MINISTRY.example", org)) == ['The domain name "ministry.example" is already in use']
    assert domains_used() == 1


def test_the_quota_and_the_flag_are_kept(api, dora, root, org, quota, region):
    OrganizationQuota.objects.filter(pk=quota.pk).update(total_domains=1)
    create(api(dora), "one.example", org)
    assert "The number of private domains exceeds the quota" in said(create(api(dora), "two.example", org))[0]
    FeatureFlag.objects.create(name="private_domain_creation", enabled=False)
    assert create(api(dora), "three.example", org).json()["errors"][0]["title"] == "CF-FeatureDisabled"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Name can't be blank"),
        ("a", "Name is too short (minimum is 3 characters)"),
        ("a." * 127 + "b", "Name is too long (maximum is 253 characters)"),
        ("example", 'Name must contain at least one "."'),
        ("a b.example", "Name must consist of alphanumeric characters and hyphens"),
        ("ä.example", "Name must consist of alphanumeric characters and hyphens"),
        ("*.example", "Name must consist of alphanumeric characters and hyphens"),
        ("-a.example", "Name does not comply with RFC 1035 standards"),
        ("a..example", "Name does not comply with RFC 1035 standards"),
        (".example", "Name does not comply with RFC 1035 standards"),
        ("10.0.0.1", "Name does not comply with RFC 1035 standards"),
        ("a" * 64 + ".example", "Name subdomains must each be at most 63 characters"),
    ],
)
def test_a_wrong_name_is_refused_with_a_sentence(api, dora, org, name, sentence):
    assert said(create(api(dora), name, org)) == [sentence]


@pytest.mark.parametrize(
    ("console", "name", "refused"),
    [
        ("paas.example.org", "paas.example.org", True),
        ("paas.example.org", "api.paas.example.org", True),
        ("paas.example.org", "apps.paas.example.org", True),
        ("paas.example.org", "example.org", True),
        ("paas.example.org", "apps.example.org", False),
        ("localhost", "apps.localhost", False),
        ("localhost", "login.localhost", True),
        ("localhost", "x.uaa.localhost", True),
    ],
)
def test_no_app_gets_near_the_consoles_cookies(api, root, region, settings, console, name, refused):
    settings.PAAS_DOMAIN = console
    answer = create(api(root), name)
    assert answer.status_code == (422 if refused else 201)
    assert not refused or "is reserved" in said(answer)[0]


def test_nobody_gets_between_another_organization_and_its_domain(api, dora, root, own, other_space, region):
    access.give(dora, "organization_manager", other_space.organization, by=root)
    for name in ("www.ministry.example", "deep.www.ministry.example"):
        assert said(create(api(dora), name, other_space.organization)) == [
            f'The domain name "{name}" cannot be created because "ministry.example" is already reserved by another domain'
        ]
        assert create(api(dora), name, own.organization).status_code == 201
    Domain.objects.create(name="deep.council.example", organization=other_space.organization)
    assert "already reserved" in said(create(api(dora), "council.example", own.organization))[0]
    assert "already reserved" in said(create(api(root), "council.example"))[0]


def test_a_domain_around_a_shared_one_is_nobodys(api, dora, root, org, region):
    Domain.objects.create(name="apps.example.org")
    assert "already reserved" in said(create(api(dora), "example.org", org))[0]
    assert create(api(root), "example.org").status_code == 201
    assert create(api(dora), "ministry.apps.example.org", org).status_code == 201


def test_a_domain_does_not_cover_a_route(api, dora, root, org, domain, charlie, other_space):
    routes.create(charlie, other_space, domain=domain, host="theirs")
    assert said(create(api(dora), "theirs.apps.example", org)) == [
        'The domain name "theirs.apps.example" is already reserved by another domain or route.'
    ]


@pytest.mark.parametrize("field", [{"internal": True}, {"router_group": {"guid": "x"}}, {"colour": 1}])
def test_what_does_not_exist_here_is_refused(api, root, region, field):
    assert said(create(api(root), "shared.example", **field))


def test_each_sees_shared_domains_and_those_of_their_organizations(api, alice, charlie, root, domain, own):
    assert names(api(alice).get("/v3/domains")) == ["apps.example", "ministry.example"]
    assert names(api(charlie).get("/v3/domains")) == ["apps.example"]
    assert names(api(alice).get("/v3/domains?names=Ministry.example,none")) == ["ministry.example"]
    assert names(api(alice).get(f"/v3/domains?organization_guids={own.organization.guid}")) == ["ministry.example"]
    assert api(charlie).get(f"/v3/domains/{own.guid}").json()["errors"][0]["detail"] == "Domain not found"


def test_the_domains_of_an_organization(api, alice, charlie, root, domain, own, org, other_space):
    other = Domain.objects.create(name="other.example", organization=other_space.organization)
    url = f"/v3/organizations/{org.guid}/domains"
    assert names(api(alice).get(url)) == ["apps.example", "ministry.example"]
    assert api(charlie).get(url).status_code == 404
    other.shared_with.add(org)
    assert names(api(root).get(url)) == ["apps.example", "ministry.example", "other.example"]
    assert names(api(root).get(f"{url}?names=other.example")) == ["other.example"]


def test_the_default_domain_is_the_oldest_shared_one(api, alice, own, org, region):
    url = f"/v3/organizations/{org.guid}/domains/default"
    assert api(alice).get(url).json()["name"] == "ministry.example"
    Domain.objects.create(name="apps.example")
    Domain.objects.create(name="more.example")
    assert api(alice).get(url).json()["name"] == "apps.example"


def test_without_any_domain_there_is_no_default(api, alice, org):
    answer = api(alice).get(f"/v3/organizations/{org.guid}/domains/default")
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (404, "Domain not found")


def test_metadata_changes(api, dora, alice, own, recorded):
    url = f"/v3/domains/{own.guid}"
    body = {"metadata": {"labels": {"a": "b"}}}
    assert api(alice).patch(url, body).status_code == 403
    assert api(dora).patch(url, body).json()["metadata"]["labels"] == {"a": "b"}
    assert said(api(dora).patch(url, {"name": "new.example"})) == ["Unknown field(s): 'name'"]
    assert recorded("audit.domain.update").target_guid == own.guid


def test_anybody_may_ask_whether_a_route_is_taken(api, alice, charlie, other_space, domain):
    routes.create(charlie, other_space, domain=domain, host="theirs", path="/a")
    url = f"/v3/domains/{domain.guid}/route_reservations"
    for query, found in (
        ("host=Theirs&path=/a", True),
        ("host=theirs", False),
        ("host=theirs&path=/a&port=0", True),
        ("host=theirs&path=/a&port=1024", False),
        ("", False),
        ("host=%00", False),
    ):
        assert api(alice).get(f"{url}?{query}").json() == {"matching_route": found}, query


def test_a_deleted_domain_takes_its_routes_along(
    api, dora, alice, bob, charlie, org, space, region, domains_used, app, used
):
    guid = create(api(dora), "ministry.example", org).json()["guid"]
    made = Domain.objects.get(guid=guid)
    destinations.add(alice, routes.create(alice, space, domain=made, host="a"), ends=[destinations.End(app)])
    before = app.generation
    url = f"/v3/domains/{guid}"
    assert api(bob).delete(url).status_code == api(alice).delete(url).status_code == 403
    assert api(charlie).delete(url).status_code == 404
    answer = api(dora).delete(url)
    assert (answer.status_code, answer.content) == (202, b"")
    assert Job.objects.get(resource_guid=guid).state == "COMPLETE"
    assert not Domain.objects.exists() and not Route.objects.exists()
    assert (domains_used(), used().routes) == (0, 0)
    app.refresh_from_db()
    assert app.generation > before
    assert AuditEvent.objects.filter(type="audit.domain.delete-request", target_guid=guid).count() == 1
    assert api(dora).delete(url).status_code == 404


def test_a_domain_is_shared_with_another_organization_and_taken_back(
    api, dora, root, alice, charlie, own, other_space, recorded
):
    council = other_space.organization
    url = f"/v3/domains/{own.guid}/relationships/shared_organizations"
    body = {"data": [{"guid": council.guid}]}
    assert api(alice).post(url, body).status_code == 422
    assert api(alice).post(url, {"data": []}).status_code == 403
    assert said(api(dora).post(url, body)) == [
        f"Organization with guid '{council.guid}' does not exist, or you do not have access to it."
    ]
    access.give(dora, "organization_user", council, by=root)
    assert said(api(dora).post(url, body))[0].startswith("You do not have sufficient permissions for organization")
    access.give(dora, "organization_manager", council, by=root)
    for _ in range(2):
        assert api(dora).post(url, body).json()["data"] == [{"guid": council.guid}]
    assert recorded("audit.domain.share").data == {
        "changes": {"shared_with": [None, council.name]}, "with_organization": council.guid,
    }  # fmt: skip
    assert names(api(charlie).get("/v3/domains")) == ["ministry.example"]
    assert api(charlie).get(f"/v3/domains/{own.guid}").status_code == 200
    assert api(charlie).get(url).json()["data"] == [{"guid": council.guid}]
    assert said(api(dora).delete(f"/v3/domains/{own.guid}"))[0].startswith("This domain is shared")
    made = routes.create(charlie, other_space, domain=own, host="a")
    assert said(api(dora).delete(f"{url}/{council.guid}"))[0].startswith("This domain has associated routes")
    made.delete()
    assert api(charlie).delete(f"{url}/{council.guid}").status_code == 403
    assert api(dora).delete(f"{url}/{council.guid}").status_code == 204
    assert said(api(dora).delete(f"{url}/{council.guid}"))[0].startswith("Unable to unshare domain")


def test_a_domain_may_be_shared_from_the_start(api, root, dora, org, other_space, domain, region):
    council = other_space.organization
    access.give(dora, "organization_manager", council, by=root)
    shown = create(api(dora), "ministry.example", org, council).json()
    assert shown["relationships"]["shared_organizations"]["data"] == [{"guid": council.guid}]
    assert said(create(api(dora), "more.example", org, org)) == ["Domain cannot be shared with owning organization."]
    url = f"/v3/domains/{domain.guid}/relationships/shared_organizations"
    assert said(api(root).post(url, {"data": [{"guid": council.guid}]}))[0].startswith("Domains cannot be shared")
    ends = {"shared_organizations": {"data": [{"guid": council.guid}]}}
    assert said(api(root).post("/v3/domains", {"name": "a.example", "relationships": ends}))


def test_the_number_of_queries_does_not_grow(api, alice, org, other_space, domain):
    def count():
        with CaptureQueriesContext(connection) as queries:
            answer = api(alice).get("/v3/domains?per_page=5000")
        return len(queries), len(answer.json()["resources"])

    def add(number):
        for each in range(number):
            made = Domain.objects.create(name=f"d{Domain.objects.count()}-{each}.example", organization=org)
            made.shared_with.add(other_space.organization)

    add(1)
    few, _ = count()
    add(50)
    many, shown = count()
    assert (many, shown) == (few, 52)
