"""Backups in the API: who sees, takes and restores them; what is kept of a deleted instance, and until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Job, Mail
from paas.lib.queue import Lease, work
from services.actions import instance as instances
from services.jobs import proof as proofs
from services.models import Backup, Plan, Repository, RestoreProof, ServiceInstance
from tenants import access
from tests.services.test_keep import on_offer, runtime  # noqa: F401 - fixtures

LATEST, LATEST_BEFORE = "restore_from_latest_snapshot_of", "restore_from_latest_snapshot_before"
TIME, BEFORE = "restore_from_point_in_time_of", "restore_from_point_in_time_before"


@pytest.fixture
def database(on_offer, space, alice):  # noqa: F811
    """An instance that a backup of an hour ago is kept of."""
    made, _job = instances.create(alice, space, name="data", plan=on_offer)
    ServiceInstance.objects.filter(pk=made.pk).update(operation_state="succeeded")
    backed_up(made.repository)
    return made


def backed_up(repository: Repository, *, label: str = "20260101-000000F", hours: float = 1) -> Backup:
    then = timezone.now() - timedelta(hours=hours)
    of = {"label": label, "type": Backup.Type.FULL, "size_bytes": 5 << 20}
    return Backup.objects.create(repository=repository, begun_at=then, ended_at=then, **of)


def creation(space: Any, plan: Plan, **parameters: Any) -> dict[str, Any]:
    related = {"space": {"data": {"guid": space.guid}}, "service_plan": {"data": {"guid": plan.guid}}}
    return {"type": "managed", "name": "again", "relationships": related, "parameters": parameters}


def sentence(answer: Any) -> str:
    assert answer.status_code == 422, answer.content
    return str(answer.json()["errors"][0]["detail"])


def test_a_developer_asks_for_a_backup_and_twice_is_harmless(api, alice, database, recorded):
    path = f"/v3/service_instances/{database.guid}/backups"
    first, second = api(alice).post(path, {}), api(alice).post(path, {})
    assert first.status_code == 202 and first.headers["Location"] == second.headers["Location"]
    assert Job.objects.filter(operation="service_instance.back_up").count() == 1
    assert recorded("audit.service_instance.back_up").target_guid == database.guid


def test_an_auditor_reads_of_backups_and_takes_none(api, bob, database):
    path = f"/v3/service_instances/{database.guid}/backups"
    (told,) = api(bob).get(path).json()["resources"]
    assert (told["type"], told["size_bytes"]) == ("full", 5 << 20)
    assert api(bob).post(path, {}).status_code == 403
    (kept,) = api(bob).get("/v3/service_backup_repositories").json()["resources"]
    assert (kept["guid"], kept["name"], kept["restore_proof"]) == (database.guid, "data", None)
    assert database.repository.key not in str(kept) + str(told)


def test_a_stranger_sees_no_backups(api, charlie, database):
    path = f"/v3/service_instances/{database.guid}/backups"
    assert api(charlie).get(path).status_code == api(charlie).post(path, {}).status_code == 404
    assert api(charlie).get("/v3/service_backup_repositories").json()["resources"] == []
    assert api(charlie).get(f"/v3/service_backup_repositories/{database.guid}").status_code == 404


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("parameter", [LATEST, TIME])
def test_a_stranger_never_restores_somebody_elses_data(
    api, charlie, other_space, database, on_offer, parameter, deleted  # noqa: F811
):  # fmt: skip
    if deleted:
        ServiceInstance.objects.filter(pk=database.pk).delete()
    answer = api(charlie).post("/v3/service_instances", creation(other_space, on_offer, **{parameter: database.guid}))
    assert "no service instance" in sentence(answer)
    assert not ServiceInstance.objects.filter(name="again").exists()
    assert not AuditEvent.objects.filter(type="audit.service_instance.restore").exists()


def test_whoever_may_not_see_its_credentials_restores_nothing(
    api, bob, root, other_space, database, on_offer  # noqa: F811
):  # fmt: skip
    access.give(bob, "organization_user", other_space.organization, by=root)
    access.give(bob, "space_developer", other_space, by=root)
    answer = api(bob).post("/v3/service_instances", creation(other_space, on_offer, **{TIME: database.guid}))
    assert answer.status_code == 403
    assert not ServiceInstance.objects.filter(name="again").exists()


def test_whom_an_instance_is_shared_with_restores_nothing(
    api, charlie, other_space, database, on_offer  # noqa: F811
):  # fmt: skip
    database.shares.create(space=other_space)
    assert api(charlie).get(f"/v3/service_instances/{database.guid}").status_code == 200
    assert api(charlie).get(f"/v3/service_instances/{database.guid}/backups").json()["resources"] == []
    answer = api(charlie).post("/v3/service_instances", creation(other_space, on_offer, **{TIME: database.guid}))
    assert "no service instance" in sentence(answer)


def test_a_restore_is_recorded_in_both_organizations(
    api, alice, root, space, other_space, database, on_offer  # noqa: F811
):  # fmt: skip
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_developer", other_space, by=root)
    answer = api(alice).post("/v3/service_instances", creation(other_space, on_offer, **{LATEST: database.guid}))
    assert answer.status_code == 202
    events = AuditEvent.objects.filter(type="audit.service_instance.restore")
    assert {event.organization_guid for event in events} == {space.organization.guid, other_space.organization.guid}
    assert {event.data["source_guid"] for event in events} == {database.guid}
    made = ServiceInstance.objects.get(name="again")
    assert made.wish["restore"] == {"repository": database.repository.pk, "backup": "20260101-000000F"}
    assert made.repository.key != database.repository.key


@pytest.mark.parametrize(("hours", "named"), [(0, "20260101-000000F"), (36, "yesterday"), (60, "before")])
def test_the_newest_backup_from_before_the_time_is_the_one_that_is_restored(
    api, alice, space, database, on_offer, hours, named  # noqa: F811
):  # fmt: skip
    backed_up(database.repository, label="before", hours=72)
    backed_up(database.repository, label="yesterday", hours=48)
    at = (timezone.now() - timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S")
    asked = creation(space, on_offer, **{LATEST: database.guid, LATEST_BEFORE: at})
    assert api(alice).post("/v3/service_instances", asked).status_code == 202
    made = ServiceInstance.objects.get(name="again")
    assert made.wish["restore"] == {"repository": database.repository.pk, "backup": named}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({TIME: "{guid}", BEFORE: "2001-01-01 00:00:00"}, "Choose a time in between"),
        ({TIME: "{guid}", BEFORE: "2901-01-01 00:00:00"}, "Choose a time in between"),
        ({TIME: "{guid}", BEFORE: "yesterday"}, "must be a date and time"),
        ({TIME: "{guid}", BEFORE: "2026-02-31 00:00:00"}, "must be a date and time"),
        (
            {LATEST: "{guid}", LATEST_BEFORE: "2001-01-01 00:00:00"},
            "There is no backup of data",
        ),
        ({LATEST: "{guid}", TIME: "{guid}"}, "not both"),
        ({BEFORE: "2026-01-01 00:00:00"}, "says whose backups are meant"),
        ({TIME: "nothing"}, "no service instance nothing"),
    ],
)
def test_what_cannot_be_restored_is_told_at_once(
    api, alice, space, database, on_offer, parameters, said  # noqa: F811
):  # fmt: skip
    given = {name: value.replace("{guid}", database.guid) for name, value in parameters.items()}
    assert said in sentence(api(alice).post("/v3/service_instances", creation(space, on_offer, **given)))


def test_a_deleted_instance_is_kept_for_thirty_five_days(
    api, alice, space, database, on_offer  # noqa: F811
):  # fmt: skip
    repository = database.repository
    ServiceInstance.objects.filter(pk=database.pk).delete()
    worked(repository)
    (kept,) = api(alice).get("/v3/service_backup_repositories").json()["resources"]
    assert kept["deleted_at"] and kept["kept_until"]
    assert len(api(alice).get(f"/v3/service_instances/{repository.guid}/backups").json()["resources"]) == 1
    answer = api(alice).post("/v3/service_instances", creation(space, on_offer, **{LATEST: repository.guid}))
    assert answer.status_code == 202
    repository.refresh_from_db()
    assert timedelta(days=34) < repository.until - timezone.now() < timedelta(days=36)
    Repository.objects.filter(pk=repository.pk).update(until=timezone.now())
    worked(repository)
    assert not Repository.objects.filter(pk=repository.pk).exists()


def test_of_what_was_never_backed_up_nothing_is_kept(database):
    repository = database.repository
    repository.backups.all().delete()
    ServiceInstance.objects.filter(pk=database.pk).delete()
    worked(repository)
    assert not Repository.objects.filter(pk=repository.pk).exists()


def test_a_proof_that_fails_is_told_to_the_managers_once(api, alice, dora, database):
    row = RestoreProof.objects.create(repository=database.repository, due_at=timezone.now())
    lease = Lease(row, row.lease_number)
    for _ in range(2):
        proofs._failed(lease, RestoreProof.objects.get(), "Checksums differ.")
    assert [mail.to for mail in Mail.objects.filter(kind="restore-failed")] == [dora.email]
    told = api(alice).get(f"/v3/service_backup_repositories/{database.guid}").json()["restore_proof"]
    assert told["failed_at"] and told["error"] == "Checksums differ." and told["proved_at"] is None


def test_lists_take_a_constant_number_of_queries(
    api, alice, space, database, on_offer, django_assert_max_num_queries  # noqa: F811
):  # fmt: skip
    for number in range(3):
        made, _job = instances.create(alice, space, name=f"more-{number}", plan=on_offer)
        backed_up(made.repository)
    with django_assert_max_num_queries(12):
        assert len(api(alice).get("/v3/service_backup_repositories").json()["resources"]) == 4


def worked(repository: Repository) -> None:
    """Let a worker do what is due for it, as if time flew."""
    Repository.objects.filter(pk=repository.pk).update(due_at=timezone.now())
    assert work("services.jobs.back_up", repository.pk)
