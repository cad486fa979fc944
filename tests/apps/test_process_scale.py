"""Scaling: how many instances, how large."""

from __future__ import annotations

import pytest

from accounts.models import UsageEvent
from apps.models import Process
from tenants import access
from tenants.models import FeatureFlag


def scale(client, app, body, type="web"):
    return client.post(f"/v3/apps/{app.guid}/processes/{type}/actions/scale", body)


def test_a_running_app_grows_and_its_quota_with_it(api, alice, running, converge, used, recorded):
    response = scale(api(alice), running, {"instances": "3", "memory_in_mb": "256"})
    assert response.status_code == 202
    assert (response.json()["instances"], response.json()["memory_in_mb"]) == (3, 256)
    assert (used().instances, used().memory_mb) == (3, 768)
    converge(running)
    assert sorted(running.running.values_list("index", "memory_mb")) == [(0, 1024), (1, 256), (2, 256)]
    event = recorded("audit.app.process.scale")
    assert event.data["changes"] == {"instances": [1, 3], "memory_mb": [1024, 256]}
    said = UsageEvent.objects.filter(kind="app").latest("id")
    assert (said.instances, said.previous_instances, said.memory_mb, said.previous_memory_mb) == (3, 1, 256, 1024)


def test_both_urls_scale(api, alice, app):
    response = api(alice).post(f"/v3/processes/{app.guid}/actions/scale", {"disk_in_mb": 2048, "instances": None})
    assert (response.status_code, response.json()["disk_in_mb"], response.json()["instances"]) == (202, 2048, 1)


def test_twice_is_harmless(api, alice, running, used):
    before = UsageEvent.objects.count()
    for _ in range(2):
        scale(api(alice), running, {"instances": 2})
    assert used().instances == 2
    assert UsageEvent.objects.count() == before + 1


def test_to_none_and_nothing_is_counted(api, alice, running, used):
    assert scale(api(alice), running, {"instances": 0}).json()["instances"] == 0
    assert (used().instances, used().memory_mb) == (0, 0)


def test_a_stopped_app_takes_nothing_yet(api, alice, app, used):
    scale(api(alice), app, {"instances": 5})
    assert used().instances == 0


def test_while_a_version_is_coming_up_both_grow(api, alice, running, converge):
    api(alice).post(f"/v3/apps/{running.guid}/actions/restart")
    assert scale(api(alice), running, {"instances": 2}).status_code == 202
    app = converge(running)
    assert app.running.filter(deployment=app.serving).count() == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"instances": -1}, "Instances must be greater than or equal to 0"),
        ({"instances": "many"}, "Instances is not a number"),
        ({"instances": True}, "Instances is not a number"),
        ({"instances": 1.5}, "Instances is not a number"),
        ({"instances": 10_001}, "Instances must be less than or equal to 10000"),
        ({"memory_in_mb": 0}, "Memory in mb must be greater than 0"),
        ({"memory_in_mb": 2**31}, "Memory in mb must be less than or equal to 2147483647"),
        ({"disk_in_mb": 0}, "Disk in mb must be greater than 0"),
        (
            {"log_rate_limit_in_bytes_per_second": -2},
            "Log rate limit in bytes per second must be greater than or equal to -1",
        ),
        ({"colour": 1}, "Unknown field(s): 'colour'"),
    ],
)
def test_a_wrong_size_is_refused(api, alice, app, body, said):
    response = scale(api(alice), app, body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["detail"] == said


def test_beyond_machine_and_quota_nothing_changes(api, alice, running, quota, used):
    assert scale(api(alice), running, {"memory_in_mb": 2**31 - 1, "instances": 10_000}).status_code == 422
    assert scale(api(alice), running, {"memory_in_mb": 20 * 1024}).status_code == 503  # within the quota
    quota.total_instances = 2
    quota.per_process_memory_mb = 2048
    quota.save()
    many = scale(api(alice), running, {"instances": 3})
    assert (many.status_code, "app_instance_limit_exceeded" in many.json()["errors"][0]["detail"]) == (422, True)
    large = scale(api(alice), running, {"memory_in_mb": 4096})
    assert (large.status_code, "at most 2048 MB" in large.json()["errors"][0]["detail"]) == (422, True)
    assert Process.objects.get(guid=running.guid).instances == 1
    assert used().memory_mb == 1024


def test_what_fits_exactly_is_not_counted_twice(api, alice, running, settings):
    settings.PAAS_MEMORY_MB = 3 * 1024
    assert scale(api(alice), running, {"instances": 3}).status_code == 202
    assert scale(api(alice), running, {"instances": 4}).status_code == 503


def test_auditor_is_refused_supporter_scales_stranger_finds_nothing(api, bob, charlie, root, space, app):
    assert scale(api(bob), app, {"instances": 2}).status_code == 403
    access.give(bob, "space_supporter", space, by=root)
    assert scale(api(bob), app, {"instances": 2}).status_code == 202
    assert scale(api(charlie), app, {"instances": 2}).status_code == 404


def test_the_platform_may_switch_scaling_off(api, alice, app):
    FeatureFlag.objects.create(name="app_scaling", enabled=False)
    response = scale(api(alice), app, {"instances": 2})
    assert (response.status_code, response.json()["errors"][0]["title"]) == (403, "CF-FeatureDisabled")


def test_a_process_that_nobody_says_how_to_start_is_not_scaled_up(api, alice, running, used):
    Process.objects.filter(app=running).update(command=None)
    running.droplet.process_types = {}
    running.droplet.save()
    assert scale(api(alice), running, {"instances": 0}).status_code == 202
    type(running.target.revision).objects.filter(pk=running.target.revision_id).update(commands={})
    refused = scale(api(alice), running, {"instances": 1})
    assert refused.status_code == 422
    assert "no start command" in refused.json()["errors"][0]["detail"]
    assert used().instances == 0
