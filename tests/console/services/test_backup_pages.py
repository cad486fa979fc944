"""Backups on the pages of an instance: whether they can be restored, what there is, one more, and one made new from them."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from services.models import Backup, Plan, Repository, RestoreProof, ServiceInstance
from services.views import kept
from tenants import access
from tests.console.counting import queries
from tests.console.services.pages import page

pytestmark = pytest.mark.django_db


def at(instance: Any, part: str = "/backups") -> str:
    return f"/services/{instance.guid}{part}"


def repository_of(instance: ServiceInstance, **fields: Any) -> Repository:
    plan: Any = instance.plan
    own = {"space": instance.space, "name": instance.name, "disk_mb": plan.broker_metadata["disk_mb"]}
    offering_id = plan.offering.catalog_id
    return Repository.objects.create(guid=instance.guid, instance=instance, offering_id=offering_id, **(own | fields))


def backed_up(repository: Repository, *, hours: float = 1, type: str = "full") -> Backup:
    then = timezone.now() - timedelta(hours=hours)
    of = {"label": f"{then:%Y%m%d-%H%M%S}", "type": type, "size_bytes": 5 << 20}
    return Backup.objects.create(repository=repository, begun_at=then - timedelta(seconds=4), ended_at=then, **of)


@pytest.fixture
def repository(database: ServiceInstance) -> Repository:
    """Of a database with two backups, an hour and two days old."""
    made = repository_of(database)
    backed_up(made, hours=48)
    backed_up(made, type="differential")
    return made


def prove(repository: Repository, **fields: Any) -> RestoreProof:
    return RestoreProof.objects.create(repository=repository, **fields)


def test_it_says_in_words_when_a_restore_was_last_proved(
    browser: Any, alice: Any, bob: Any, database: Any, repository: Any
) -> None:
    then = timezone.now().replace(hour=0, minute=0, second=1)
    prove(repository, proved_at=then, seconds=41)
    for person in (alice, bob):
        for url in (at(database), at(database, "")):
            assert "Last restore proved: 00:00 today (UTC), 41 s" in page(browser(person), url)
    text = page(browser(bob), at(database))
    assert "To any second, from" in text and "Changes since the last full one" in text and "5.0 MB" in text
    assert "/backups/take" not in text and "/restore" not in text


def test_times_are_told_as_people_tell_them() -> None:
    now = timezone.now().astimezone(UTC)
    assert kept.clock(now) == f"{now:%H:%M} today"
    assert kept.clock(now - timedelta(days=1)) == f"{now:%H:%M} yesterday"
    long_ago = now - timedelta(days=800)
    assert kept.clock(long_ago) == f"{now:%H:%M} on {long_ago.day} {long_ago:%B} {long_ago.year}"


def test_a_backup_that_cannot_be_restored_turns_the_page_red(
    browser: Any, alice: Any, database: Any, repository: Any
) -> None:
    prove(repository, proved_at=timezone.now(), seconds=41, failed_at=timezone.now(), error="Checksums differ.")
    for url in (at(database), at(database, "")):
        text = page(browser(alice), url)
        assert "The last backup cannot be restored" in text and "Checksums differ." in text and "app-panel--bad" in text
        assert "Back up now" in text and "managers" in text


def test_backups_that_fail_turn_it_red_too(browser: Any, alice: Any, database: Any, repository: Any) -> None:
    Repository.objects.update(error="What is written is not put away.", failed_at=timezone.now())
    text = page(browser(alice), at(database))
    assert "Backups fail" in text and "What is written is not put away." in text and "app-panel--bad" in text


def test_a_proof_that_could_not_be_tried_is_no_alarm(browser: Any, alice: Any, database: Any, repository: Any) -> None:
    prove(repository, proved_at=timezone.now(), seconds=41, error="There is no room.")
    text = page(browser(alice), at(database))
    assert "Not tried yet" in text and "There is no room." in text and "app-panel--bad" not in text


def test_one_more_is_taken_and_watched(
    browser: Any, alice: Any, bob: Any, charlie: Any, database: Any, repository: Any, recorded: Any
) -> None:
    for person, status in ((bob, 403), (charlie, 404)):
        assert browser(person).post(at(database, "/backups/take")).status_code == status
    client = browser(alice)
    for _ in range(2):  # twice is harmless
        assert client.post(at(database, "/backups/take"))["Location"] == at(database)
    assert recorded("audit.service_instance.back_up").actor_guid == alice.guid
    text = page(client, at(database))
    assert "Backing up" in text and 'http-equiv="refresh"' in text and "/backups/take" not in text
    url = text.partition('hx-get="')[2].partition('"')[0]
    assert "HX-Refresh" not in client.get(url).headers
    backed_up(repository, hours=0)
    Repository.objects.update(wanted_at=None, begun_at=None)
    assert client.get(url)["HX-Refresh"] == "true" and browser().get(url).status_code == 401


def test_there_is_no_such_page_where_the_platform_takes_no_backups(
    browser: Any, alice: Any, charlie: Any, instance: Any, database: Any, repository: Any, other_space: Any
) -> None:
    assert browser(alice).get(at(instance)).status_code == 404
    assert at(instance) not in page(browser(alice), at(instance, ""))
    database.shares.create(space=other_space)
    assert "Last restore" not in page(browser(charlie), at(database, ""))
    assert browser(charlie).get(at(database)).status_code == 403


def test_the_newest_state_is_restored_into_a_new_service(
    browser: Any, alice: Any, space: Any, database: Any, repository: Any, postgres: Any, recorded: Any
) -> None:
    client, url = browser(alice), at(database, "/restore")
    text = page(client, url)
    assert 'value="records-restored"' in text and "tiny-15: £13.87 a month" in text and "1 of 100" in text
    sent = {"what": "newest", "name": "again", "space": space.guid, "plan": postgres["tiny-15"].guid}
    answer = client.post(url, sent)
    made = ServiceInstance.objects.get(name="again")
    assert answer["Location"] == at(made, "") and made.wish["restore"] == {"repository": repository.pk}
    assert recorded("audit.service_instance.restore").data["source_guid"] == database.guid
    for row in (database, made):
        assert "restored the service" in page(client, at(row, "/events"))
    assert AuditEvent.objects.filter(type="audit.service_instance.restore").count() == 1  # both are in one space
    assert "Restored from" in page(client, at(made, "")) and "name is taken" in client.post(url, sent).content.decode()


def test_a_moment_is_chosen_in_utc_within_what_there_is(
    browser: Any, alice: Any, space: Any, database: Any, repository: Any, postgres: Any
) -> None:
    client, url = browser(alice), at(database, "/restore")
    then = timezone.now().replace(microsecond=0) - timedelta(minutes=30)
    sent = {"what": "moment", "name": "again", "space": space.guid, "plan": postgres["tiny-15"].guid}
    assert "Enter the date of the moment." in client.post(url, sent).content.decode()
    early = sent | {"date": "2001-01-01", "time": "10:00"}
    text = client.post(url, early).content.decode()
    assert "Choose a time in between" in text and 'value="2001-01-01"' in text
    moment = sent | {"date": f"{then:%Y-%m-%d}", "time": f"{then:%H:%M:%S}"}
    assert client.post(url, moment).status_code == 302
    assert ServiceInstance.objects.get(name="again").wish["restore"]["at"] == then.isoformat()


def test_exactly_the_backup_that_was_chosen_is_restored(
    browser: Any, alice: Any, space: Any, database: Any, repository: Any, postgres: Any
) -> None:
    older = repository.backups.order_by("ended_at").first()
    client, url = browser(alice), at(database, "/restore")
    assert f'value="{older.guid}" selected' in page(client, f"{url}?backup={older.guid}")
    sent = {"what": "backup", "name": "again", "space": space.guid, "plan": postgres["tiny-15"].guid}
    assert "Choose a backup." in client.post(url, sent).content.decode()
    assert client.post(url, sent | {"backup": older.guid}).status_code == 302
    assert ServiceInstance.objects.get(name="again").wish["restore"]["backup"] == older.label


def test_what_is_deleted_can_come_back_and_the_marketplace_says_how_it_is_kept(
    browser: Any, alice: Any, space: Any, database: Any, repository: Any, postgres: Any, plans: Any
) -> None:
    assert "Its backups are kept for 35 days" in page(browser(alice), at(database, "/delete"))
    offering = f"/spaces/{space.guid}/marketplace/"
    text = page(browser(alice), offering + postgres["tiny-15"].offering.guid)
    assert "every day, kept for 7 days, and to any second of them" in text and "started again by itself" in text
    assert "as its broker says" in page(browser(alice), offering + plans["small"].offering.guid)


def test_only_plans_with_enough_disk_are_offered(
    browser: Any, alice: Any, database: Any, repository: Any, postgres: Any
) -> None:
    Repository.objects.update(disk_mb=postgres["small-15"].broker_metadata["disk_mb"])
    text = page(browser(alice), at(database, "/restore"))
    assert postgres["tiny-15"].guid not in text and postgres["small-15"].guid in text
    Repository.objects.update(disk_mb=1 << 30)
    assert "Ask the platform team for one" in page(browser(alice), at(database, "/restore"))


def test_whoever_may_not_see_credentials_restores_nothing(
    browser: Any, bob: Any, charlie: Any, database: Any, repository: Any
) -> None:
    for person, status in ((bob, 403), (charlie, 404)):
        for client in (browser(person).get, browser(person).post):
            assert client(at(database, "/restore")).status_code == status


def test_a_service_is_restored_into_another_organization_and_both_are_told(
    browser: Any, root: Any, alice: Any, space: Any, other_space: Any, database: Any, repository: Any, postgres: Any
) -> None:
    assert "council / production" not in page(browser(alice), at(database, "/restore"))
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_developer", other_space, by=root)
    assert "council / production" in page(browser(alice), at(database, "/restore"))
    sent = {"what": "newest", "name": "again", "space": other_space.guid, "plan": postgres["tiny-15"].guid}
    assert browser(alice).post(at(database, "/restore"), sent).status_code == 302
    told = AuditEvent.objects.filter(type="audit.service_instance.restore").values_list("space_guid", flat=True)
    assert set(told) == {space.guid, other_space.guid}


def test_a_deleted_service_is_brought_back(
    browser: Any, alice: Any, bob: Any, charlie: Any, space: Any, database: Any, repository: Any, postgres: Any
) -> None:
    listed, url = f"/spaces/{space.guid}/services/deleted", at(database, "/restore")
    assert "Nothing to bring back" in page(browser(alice), listed)
    ServiceInstance.objects.filter(pk=database.pk).delete()
    gone = timezone.now()
    Repository.objects.update(deleted_at=gone, until=gone + timedelta(days=35))
    assert "1 deleted service" in page(browser(alice), f"/spaces/{space.guid}/services")
    for person in (alice, bob):
        assert "records" in page(browser(person), listed)
    assert url in page(browser(alice), listed) and url not in page(browser(bob), listed)
    assert browser(charlie).get(listed).status_code == browser(charlie).get(url).status_code == 404
    text = page(browser(alice), url)
    assert "Bring records back" in text and "As it was when it was deleted" in text and 'value="records"' in text
    sent = {"what": "newest", "name": "records", "space": space.guid, "plan": postgres["tiny-15"].guid}
    assert browser(alice).post(url, sent).status_code == 302
    assert ServiceInstance.objects.get(name="records").wish["restore"] == {"repository": repository.pk}


def test_many_deleted_services_come_a_page_at_a_time(browser: Any, alice: Any, space: Any) -> None:
    gone = {"instance": None, "space": space, "offering_id": "x", "disk_mb": 1}
    for number in range(51):
        then = timezone.now() - timedelta(hours=number)
        backed_up(Repository.objects.create(name=f"old-{number}.", until=then, deleted_at=then, **gone))
    listed = f"/spaces/{space.guid}/services/deleted"
    first, second = page(browser(alice), listed), page(browser(alice), f"{listed}?page=2")
    assert "old-49." in first and "old-50." not in first and "Page 1 of 2" in first
    assert "old-50." in second and "old-49." not in second


def test_the_pages_cost_the_same_however_many_there_are(
    browser: Any, alice: Any, space: Any, database: Any, repository: Any, postgres: dict[str, Plan]
) -> None:
    client = browser(alice)
    urls = (at(database), at(database, ""), at(database, "/restore"), f"/spaces/{space.guid}/services/deleted")
    gone = {"instance": None, "space": space, "offering_id": "x", "disk_mb": 1, "deleted_at": timezone.now()}
    few = [queries(client, url) for url in urls]
    for number in range(4):
        backed_up(repository, hours=3 + number)
        Repository.objects.create(name=f"old-{number}", until=timezone.now(), **gone)
    assert [queries(client, url) for url in urls[:3]] == few[:3]
    assert queries(client, urls[3]) <= few[3] + 1  # the backups of all of them
