"""Binding instances to apps, keys, rotation, and reading credentials."""

from __future__ import annotations

import pytest

from accounts.models import Job
from apps.actions import app as apps
from apps.models import App
from services.actions import binding as bindings
from services.actions import sharing
from services.models import Binding, Offering
from tenants.models import QuotaUse
from tests.services.broker import fails

HERE = "/v3/service_credential_bindings"


def ends(**things):
    return {"relationships": {name: {"data": {"guid": thing.guid}} for name, thing in things.items()}}


def to_app(instance, app, **fields):
    return {"type": "app", **ends(service_instance=instance, app=app), **fields}


def key(instance, name="mine", **fields):
    return {"type": "key", "name": name, **ends(service_instance=instance), **fields}


def made(client, body, settle):
    answer = client.post(HERE, body)
    assert (answer.status_code, answer.content) == (202, b""), answer.content
    job = Job.objects.get(guid=answer.headers["Location"].rpartition("/")[2])
    row = settle(Binding.objects.get(guid=job.resource_guid))
    job.refresh_from_db()
    return row, job


def refused(answer):
    assert answer.status_code == 422, answer.content
    return answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("polls", [0, 2])
def test_an_app_gets_credentials(api, alice, instance, app, foreign, settle, recorded, polls):
    foreign.polls = polls
    row, job = made(api(alice), to_app(instance, app, parameters={"role": "writer"}, name="db"), settle)
    assert (job.state, job.operation, row.operation_state) == ("COMPLETE", "service_bindings.create", "succeeded")
    (call,) = foreign.asked("bind")
    assert call.body["bind_resource"]["app_guid"] == app.guid and call.body["parameters"] == {"role": "writer"}
    told = api(alice).get(f"{HERE}/{row.guid}").json()
    assert told["name"] == "db" and told["relationships"]["app"]["data"]["guid"] == app.guid
    assert "credentials" not in told
    assert api(alice).get(f"{HERE}/{row.guid}/parameters").json() == {"role": "writer"}
    assert recorded("audit.service_binding.create").data["service_instance_guid"] == instance.guid


def test_reading_credentials_is_recorded_and_not_for_everybody(api, alice, bob, charlie, instance, settle, recorded):
    row, _job = made(api(alice), key(instance), settle)
    details = f"{HERE}/{row.guid}/details"
    assert api(bob).get(f"{HERE}/{row.guid}").status_code == 200
    assert api(bob).get(details).status_code == 403
    assert api(charlie).get(details).status_code == 404
    assert api(alice).get(details).json()["credentials"] == {"uri": f"db://user:secret-{row.guid}@example.org/db"}
    event = recorded("audit.service_key.show")
    assert (event.actor_guid, event.target_name) == (alice.guid, "mine")


def test_before_they_are_there_credentials_are_not_found(api, alice, instance, foreign, settle):
    row = bindings.create_key(alice, instance, name="mine")
    answer = api(alice).get(f"{HERE}/{row.guid}/details")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["detail"] == "Creation of credential binding is in progress"


def test_keys_have_names_and_a_quota(api, alice, space, instance, settle):
    made(api(alice), key(instance), settle)
    assert "Key binding names must be unique" in refused(api(alice).post(HERE, key(instance)))
    assert "Name" in refused(api(alice).post(HERE, {"type": "key", **ends(service_instance=instance)}))
    assert QuotaUse.objects.get(space=space).service_keys == 1
    space.organization.quota.total_service_keys = 1
    space.organization.quota.save()
    assert "limit for service binding of type key" in refused(api(alice).post(HERE, key(instance, "another")))


def test_an_app_is_bound_once_unless_credentials_are_rotated(api, alice, instance, app, foreign, settle):
    first, _job = made(api(alice), to_app(instance, app), settle)
    said = refused(api(alice).post(HERE, to_app(instance, app)))
    assert said == "The app is already bound to the service instance"
    second, _job = made(api(alice), to_app(instance, app, strategy="multiple"), settle)
    assert set(foreign.bindings) == {first.guid, second.guid}
    assert "cannot be changed" in refused(api(alice).post(HERE, to_app(instance, app, strategy="multiple", name="x")))
    assert api(alice).delete(f"{HERE}/{first.guid}").status_code == 202
    assert settle(first) is None
    assert list(Binding.objects.filter(app=app)) == [second]


def test_names_of_an_apps_bindings_differ(api, alice, space, instance, plans, app, settle):
    from services.actions import instance as instances

    other, _job = instances.create(alice, space, name="more", plan=plans["small"])
    settle(other)
    made(api(alice), to_app(instance, app, name="db"), settle)
    assert "App binding names must be unique" in refused(api(alice).post(HERE, to_app(other, app, name="db")))


@pytest.mark.parametrize("polls", [0, 2])
def test_unbinding_takes_the_credentials_away(
    api, alice, bob, charlie, instance, app, foreign, settle, recorded, polls
):
    row, _job = made(api(alice), to_app(instance, app), settle)
    foreign.polls = polls
    assert api(bob).delete(f"{HERE}/{row.guid}").status_code == 403
    assert api(charlie).delete(f"{HERE}/{row.guid}").status_code == 404
    answers = [api(alice).delete(f"{HERE}/{row.guid}") for _ in range(2)]
    assert {answer.status_code for answer in answers} == {202}
    assert settle(row) is None and foreign.bindings == {}
    assert recorded("audit.service_binding.delete").actor_guid == alice.guid


def test_an_unbinding_that_fails_is_told(api, alice, instance, app, foreign, settle):
    row, _job = made(api(alice), to_app(instance, app), settle)
    foreign.next("unbind", fails(400, description="Still in use"))
    answer = api(alice).delete(f"{HERE}/{row.guid}")
    row = settle(row)
    assert (row.operation_type, row.operation_state) == ("delete", "failed")
    job = Job.objects.get(guid=answer.headers["Location"].rpartition("/")[2])
    assert "Still in use" in job.errors[0]["detail"]


def test_who_may_only_operate_binds_and_sees_no_credentials(api, root, space, instance, app, settle):
    from tenants import access
    from tests.conftest import make_user

    sam = make_user("sam")
    access.give(sam, "organization_user", space.organization, by=root)
    access.give(sam, "space_supporter", space, by=root)
    row, _job = made(api(sam), to_app(instance, app), settle)
    assert api(sam).get(f"{HERE}/{row.guid}/details").status_code == 403
    assert api(sam).post(HERE, key(instance)).status_code == 403


def test_what_cannot_be_bound_is_said(api, alice, charlie, other_space, instance, app, plans):
    theirs = apps.create(charlie, other_space, name="theirs")
    assert "could not be found" in refused(api(alice).post(HERE, to_app(instance, theirs)))
    assert "could not be found" in refused(api(charlie).post(HERE, to_app(instance, theirs)))
    Offering.objects.update(bindable=False)
    assert refused(api(alice).post(HERE, to_app(instance, app))) == "Service plan does not allow bindings."


def test_lists_are_filtered_and_include_apps_and_instances(api, alice, instance, app, settle):
    row, _job = made(api(alice), to_app(instance, app, name="db"), settle)
    made(api(alice), key(instance), settle)
    for query in (
        f"type=app&app_guids={app.guid}", "app_names=SITE", "names=db", f"guids={row.guid}",
        f"service_instance_guids={instance.guid}&type=app", "service_plan_names=small&type=app",
        "service_offering_names=db&type=app", "service_instance_names=data&type=app",
    ):  # fmt: skip
        told = api(alice).get(f"{HERE}?{query}&include=app,service_instance").json()
        assert [each["guid"] for each in told["resources"]] == [row.guid], query
        assert [each["guid"] for each in told["included"]["apps"]] == [app.guid]
        assert [each["guid"] for each in told["included"]["service_instances"]] == [instance.guid]


def test_many_bindings_cost_as_many_queries_as_few(api, alice, instance, app, settle, django_assert_max_num_queries):
    client = api(alice)
    for number in range(3):
        bindings.create_key(alice, instance, name=f"key-{number}")
    with django_assert_max_num_queries(12):
        assert len(client.get(f"{HERE}?include=app,service_instance").json()["resources"]) == 3


def test_labels_are_changed(api, alice, bob, instance, settle):
    row, _job = made(api(alice), key(instance), settle)
    body = {"metadata": {"labels": {"team": "x"}}}
    assert api(alice).patch(f"{HERE}/{row.guid}", body).json()["metadata"]["labels"] == {"team": "x"}
    assert api(bob).patch(f"{HERE}/{row.guid}", body).status_code == 403


def test_deleting_an_app_unbinds_first(api, alice, instance, app, foreign, settle, recorded):
    row, _job = made(api(alice), to_app(instance, app), settle)
    assert api(alice).delete(f"/v3/apps/{app.guid}").status_code == 202
    assert not App.objects.exists()
    assert api(alice).get(f"{HERE}/{row.guid}").status_code == 404
    foreign.next("unbind", fails(500), fails(500))
    assert settle(row) is None and foreign.bindings == {}
    assert recorded("audit.service_binding.delete").actor_guid == alice.guid


def test_a_shared_instance_is_bound_where_it_is_shared_to(api, alice, charlie, root, other_space, instance, settle):
    theirs = apps.create(charlie, other_space, name="theirs")
    sharing.share(root, instance, spaces=[other_space])
    row, _job = made(api(charlie), to_app(instance, theirs), settle)
    assert api(charlie).get(f"{HERE}/{row.guid}/details").status_code == 200
    assert api(alice).get(f"{HERE}/{row.guid}").status_code == 404
