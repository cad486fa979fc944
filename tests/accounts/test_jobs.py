"""Background work is polled by whoever asked for it."""

from __future__ import annotations

import pytest

from accounts.models import Job, User


@pytest.fixture
def job(alice):
    return Job.objects.create(owner=alice, operation="app.delete", resource_guid="x")


def test_its_owner_and_admins_see_a_job(api, job, alice, root):
    for caller in (alice, root):
        body = api(caller).get(f"/v3/jobs/{job.guid}").json()
        assert (body["guid"], body["operation"], body["state"]) == (job.guid, "app.delete", "PROCESSING")
        assert body["errors"] == body["warnings"] == []
        assert body["links"]["self"]["href"].endswith(f"/v3/jobs/{job.guid}")


def test_a_stranger_and_a_colleague_see_nothing(api, job, bob, charlie):
    for caller in (bob, charlie):
        answer = api(caller).get(f"/v3/jobs/{job.guid}")
        assert answer.status_code == 404 and answer.json()["errors"][0]["detail"] == "Job not found"


def test_the_read_only_admin_sees_jobs(api, job, bob):
    bob.platform_role = User.PlatformRole.ADMIN_READ_ONLY
    assert api(bob).get(f"/v3/jobs/{job.guid}").status_code == 200


def test_a_failed_job_always_says_an_error(api, job, alice):
    Job.objects.update(state=Job.State.FAILED)
    (error,) = api(alice).get(f"/v3/jobs/{job.guid}").json()["errors"]
    assert error["code"] == 10001 and error["detail"]
