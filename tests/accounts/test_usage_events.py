"""What everybody consumes, for billing systems: seen by platform admins, in the order it happened."""

from __future__ import annotations

import pytest

from accounts import audit
from accounts.models import UsageEvent, User


@pytest.fixture
def events(space):
    class Thing:
        guid, name = "process-guid", "web"

    first = audit.usage(
        "app", "STARTED", Thing, space=space, parent_guid="app-guid", parent_name="shop", previous_state="STOPPED",
        process_type="web", instances=2, previous_instances=1, memory_mb=256, previous_memory_mb=128,
    )  # fmt: skip
    second = audit.usage("task", "TASK_STARTED", Thing, space=space, parent_guid="app-guid", parent_name="shop")
    return first, second


def test_an_admin_reads_them_in_order(api, root, space, events):
    first, second = api(root).get("/v3/app_usage_events").json()["resources"]
    assert first["state"] == {"current": "STARTED", "previous": "STOPPED"}
    assert first["app"] == {"guid": "app-guid", "name": "shop"}
    assert first["process"] == {"guid": "process-guid", "type": "web"}
    assert first["space"] == {"guid": space.guid, "name": space.name}
    assert first["organization"] == {"guid": space.organization.guid}
    assert first["memory_in_mb_per_instance"] == {"current": 256, "previous": 128}
    assert first["instance_count"] == {"current": 2, "previous": 1}
    assert first["created_at"] == first["updated_at"] and first["task"] == {"guid": None, "name": None}
    assert second["task"] == {"guid": "process-guid", "name": "web"} and second["process"]["guid"] is None


def test_the_read_only_admin_reads_them_too(api, bob, events):
    bob.platform_role = User.PlatformRole.ADMIN_READ_ONLY
    assert len(api(bob).get("/v3/app_usage_events").json()["resources"]) == 2


def test_nobody_else_sees_any(api, dora, charlie, events):
    for caller in (dora, charlie):
        assert api(caller).get("/v3/app_usage_events").json()["resources"] == []
        assert api(caller).get(f"/v3/app_usage_events/{events[0].guid}").status_code == 404


def test_a_reader_goes_on_behind_the_event_it_read_last(api, root, events):
    first, second = events
    admin = api(root)
    found = admin.get("/v3/app_usage_events", {"after_guid": first.guid}).json()["resources"]
    assert [event["guid"] for event in found] == [second.guid]
    assert admin.get("/v3/app_usage_events", {"after_guid": "x"}).status_code == 400
    assert admin.get(f"/v3/app_usage_events/{second.guid}").json()["guid"] == second.guid


def test_filters_and_orders_work(api, root, events):
    admin = api(root)
    newest = admin.get("/v3/app_usage_events", {"order_by": "-updated_at", "guids": events[1].guid}).json()
    assert newest["pagination"]["total_results"] == 1
    assert admin.get("/v3/app_usage_events?updated_ats[gt]=2020-01-01T00:00:00Z").json()["resources"]
    assert admin.get("/v3/app_usage_events", {"names": "x"}).status_code == 400


def test_services_have_events_of_their_own(api, root, events):
    assert api(root).get("/v3/service_usage_events").json()["resources"] == []
    UsageEvent.objects.create(kind="service", state="CREATED", resource_guid="s", resource_name="db", plan_name="small")
    (event,) = api(root).get("/v3/service_usage_events").json()["resources"]
    assert event["service_instance"]["name"] == "db" and event["service_plan"]["name"] == "small"
