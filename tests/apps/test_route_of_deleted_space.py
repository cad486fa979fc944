"""What becomes of routes and domains when their space or organization is deleted."""

from __future__ import annotations

from apps.actions import destination as destinations
from apps.actions import domain as domains
from apps.actions import route as routes
from apps.models import App, Domain, Route
from paas.lib.queue import work
from tenants import access
from tenants.models import Organization, QuotaUse


def test_the_organization_gets_the_quota_of_a_deleted_spaces_routes_back(
    api, alice, dora, space, domain, app, runtime, system
):
    destinations.add(alice, routes.create(alice, space, domain=domain, host="a"), ends=[destinations.End(app)])
    assert QuotaUse.objects.get(organization=space.organization).routes == 1
    assert api(dora).delete(f"/v3/spaces/{space.guid}").status_code == 202
    work("apps.jobs.delete_space", space.pk)
    assert not Route.objects.exists() and not App.objects.exists()
    assert QuotaUse.objects.get(organization=space.organization).routes == 0


def test_domains_go_with_their_organization_and_take_routes_of_others_along(
    api, root, charlie, space, other_space, region, runtime, system
):
    council = other_space.organization
    own = domains.create(root, space.organization, name="ministry.example", shared_with=[council])
    access.give(charlie, "organization_user", space.organization, by=root)
    routes.create(charlie, other_space, domain=own, host="a")
    assert api(root).delete(f"/v3/organizations/{space.organization.guid}").status_code == 202
    work("apps.jobs.delete_space", space.pk)
    assert not Domain.objects.exists() and not Route.objects.exists()
    assert not Organization.objects.filter(pk=space.organization_id).exists()
    assert QuotaUse.objects.get(space=other_space).routes == 0
