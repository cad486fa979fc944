"""Sharing instances across spaces and organizations."""

from __future__ import annotations

import pytest

from apps.actions import app as apps
from services.actions import binding as bindings
from services.actions import instance as instances
from services.models import Binding, Offering, Plan
from tenants import access
from tenants.models import FeatureFlag


def path(instance):
    return f"/v3/service_instances/{instance.guid}/relationships/shared_spaces"


def to(*spaces):
    return {"data": [{"guid": space.guid} for space in spaces]}


@pytest.fixture
def both(alice, root, other_space):
    """Alice, who develops in both spaces."""
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_developer", other_space, by=root)
    return alice


def test_an_instance_is_shared_seen_and_unshared(api, both, charlie, other_space, instance, recorded):
    for _ in range(2):  # twice is harmless
        answer = api(both).post(path(instance), to(other_space))
        assert answer.status_code == 200 and answer.json()["data"] == [{"guid": other_space.guid}]
    assert recorded("audit.service_instance.share").data["target_space_guid"] == other_space.guid
    fields = "fields[space]=guid,name,relationships.organization&fields[space.organization]=guid,name"
    told = api(both).get(f"{path(instance)}?{fields}").json()
    assert told["included"]["spaces"][0]["name"] == "production"
    assert told["included"]["organizations"][0]["name"] == "council"
    here = f"/v3/service_instances/{instance.guid}"
    assert api(charlie).get(here).status_code == 200
    assert api(charlie).get(f"{here}/permissions").json() == {"read": True, "manage": False}
    listed = api(charlie).get(f"/v3/service_instances?space_guids={other_space.guid}").json()["resources"]
    assert [each["guid"] for each in listed] == [instance.guid]
    for answer in (api(charlie).delete(here), api(charlie).patch(here, {"name": "x"})):
        assert answer.status_code == 403
    assert api(both).delete(f"{path(instance)}/{other_space.guid}").status_code == 204
    assert api(charlie).get(here).status_code == 404
    assert api(both).delete(f"{path(instance)}/{other_space.guid}").status_code == 422


def test_unsharing_unbinds_there(api, both, charlie, other_space, instance, app, foreign, settle):
    api(both).post(path(instance), to(other_space))
    theirs = apps.create(charlie, other_space, name="theirs")
    row = settle(bindings.create(charlie, instance, app=theirs))
    own = settle(bindings.create(both, instance, app=app))
    told = api(both).get(f"{path(instance)}/usage_summary").json()
    assert told["usage_summary"] == [{"space": {"guid": other_space.guid}, "bound_app_count": 1}]
    assert api(charlie).get(f"{path(instance)}/usage_summary").status_code == 404
    assert api(both).delete(f"{path(instance)}/{other_space.guid}").status_code == 204
    assert settle(row) is None and list(foreign.bindings) == [own.guid]


def test_deleting_a_shared_instance_ends_the_sharing(api, both, charlie, other_space, instance, settle):
    api(both).post(path(instance), to(other_space))
    theirs = apps.create(charlie, other_space, name="theirs")
    settle(bindings.create(charlie, instance, app=theirs))
    instances.delete(both, instance)
    assert settle(instance) is None and not Binding.objects.exists()


def test_what_stands_in_the_way_is_said(api, alice, both, space, other_space, instance, plans, settle):
    def said(*spaces):
        answer = api(both).post(path(instance), to(*spaces))
        assert answer.status_code == 422
        return answer.json()["errors"][0]["detail"]

    assert "into the space where they were created" in said(space)
    other, _job = instances.create(both, other_space, name="DATA", plan=plans["small"])
    assert "already exists in production" in said(other_space)
    instances.delete(both, other)
    settle(other)
    Plan.objects.update(visibility_type="admin")
    assert "is not enabled in council/production" in said(other_space)
    Offering.objects.update(shareable=False)
    assert said(other_space) == "The db service does not support service instance sharing."


def test_a_shared_instance_keeps_its_name(api, both, other_space, instance):
    api(both).post(path(instance), to(other_space))
    assert api(both).patch(f"/v3/service_instances/{instance.guid}", {"name": "x"}).status_code == 422


def test_only_into_spaces_that_one_develops_in(api, alice, bob, charlie, root, other_space, instance):
    assert api(bob).post(path(instance), to(other_space)).status_code == 422  # bob does not know the space
    assert api(alice).post(path(instance), to(other_space)).status_code == 422
    assert api(charlie).post(path(instance), to(other_space)).status_code == 404
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_auditor", other_space, by=root)
    answer = api(alice).post(path(instance), to(other_space))
    assert answer.status_code == 422 and "Write permission is required" in answer.json()["errors"][0]["detail"]


def test_auditor_is_refused(api, bob, root, other_space, instance):
    access.give(bob, "organization_user", other_space.organization, by=root)
    access.give(bob, "space_auditor", other_space, by=root)
    assert api(bob).post(path(instance), to(other_space)).status_code == 403


def test_the_platform_may_switch_sharing_off(api, both, other_space, instance):
    FeatureFlag.objects.create(name="service_instance_sharing", enabled=False)
    answer = api(both).post(path(instance), to(other_space))
    assert (answer.status_code, answer.json()["errors"][0]["title"]) == (403, "CF-FeatureDisabled")
