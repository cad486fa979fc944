"""What apps have of services: their environment, files, ways through the firewall, manifests, and what goes with them."""

from __future__ import annotations

import json

import pytest

from accounts.models import Job
from apps import addresses, outside
from apps.actions import app as apps
from apps.actions import feature
from apps.environment import running_environment, staging_environment
from apps.models import App, Droplet
from apps.workload import workload_for
from paas.lib.queue import work
from services.actions import binding as bindings
from services.actions import user_provided
from services.models import Binding, ServiceInstance
from tenants.actions import space as spaces
from tenants.models import QuotaUse, Space
from tests.services.broker import fails


def given(app, **fields):
    return running_environment(App.objects.get(pk=app.pk), {}, memory_mb=64)


@pytest.fixture
def bound(alice, instance, app, settle):
    return settle(bindings.create(alice, instance, app=app, name="db"))


@pytest.fixture
def database(alice, space):
    """A database from elsewhere."""
    secret = {"uri": "postgresql://u:swordfish@db.example.org/x", "ports": [1, 2], "Empty": ""}
    return user_provided.create(alice, space, name="legacy DB", credentials=secret, tags=["old"])


def test_vcap_services_is_cloud_foundrys(alice, app, instance, bound, database):
    bindings.create(alice, database, app=app)
    environment = given(app)
    services = json.loads(environment["VCAP_SERVICES"])
    assert services["db"] == [
        {
            "label": "db",
            "provider": None,
            "plan": "small",
            "name": "db",
            "tags": ["sql"],
            "instance_guid": instance.guid,
            "instance_name": "data",
            "binding_guid": bound.guid,
            "binding_name": "db",
            "credentials": {"uri": f"db://user:secret-{bound.guid}@example.org/db"},
            "syslog_drain_url": None,
            "volume_mounts": [],
        }
    ]
    (own,) = services["user-provided"]
    assert own["name"] == "legacy DB" and own["binding_name"] is None and "plan" not in own
    assert environment["DATABASE_URL"] == "postgres://u:swordfish@db.example.org/x"
    staging = staging_environment(app, memory_mb=64, disk_mb=64)
    assert staging["VCAP_SERVICES"] == environment["VCAP_SERVICES"]


def test_without_services_there_is_no_database(app):
    assert given(app)["VCAP_SERVICES"] == "{}" and "DATABASE_URL" not in given(app)


def test_a_binding_that_is_not_ready_is_not_given(alice, app, instance, foreign):
    bindings.create(alice, instance, app=app)
    assert given(app)["VCAP_SERVICES"] == "{}"


def test_of_two_bindings_the_newer_one_is_given(alice, app, instance, bound, settle):
    newer = settle(bindings.create(alice, instance, app=app, name="db", multiple=True))
    (entry,) = json.loads(given(app)["VCAP_SERVICES"])["db"]
    assert entry["binding_guid"] == newer.guid


def workload(alice, app):
    droplet = Droplet.objects.create(
        app=app, state="STAGED", key="k", sha256="0" * 64, stack="debian12", process_types={"web": "serve"}
    )
    apps.use_droplet(alice, app, droplet=droplet)
    started = apps.start(alice, App.objects.get(pk=app.pk))
    started.refresh_from_db()
    return workload_for(started, started.processes.get(type="web"), started.target, [], [])


def test_one_file_for_all(alice, app, bound):
    feature.switch(alice, app, name="file-based-vcap-services", enabled=True)
    made = workload(alice, app)
    assert "VCAP_SERVICES" not in made.environment
    assert made.environment["VCAP_SERVICES_FILE_PATH"] == "/etc/cf-service-bindings/vcap_services"
    assert json.loads(made.files["vcap_services"])["db"][0]["binding_guid"] == bound.guid
    assert "secret-" not in repr(made.files.__class__) and "files" not in repr(made)


def test_a_file_for_each_credential(alice, app, instance, bound, database):
    bindings.create(alice, database, app=app)
    feature.switch(alice, app, name="service-binding-k8s", enabled=True)
    made = workload(alice, app)
    assert "VCAP_SERVICES" not in made.environment
    assert made.environment["SERVICE_BINDING_ROOT"] == "/etc/cf-service-bindings"
    assert made.files["db/uri"] == f"db://user:secret-{bound.guid}@example.org/db"
    assert (made.files["db/type"], made.files["db/instance-name"]) == ("db", "data")
    assert made.files["legacy-DB/ports"] == "[1, 2]" and made.files["legacy-DB/tags"] == '["old"]'
    assert "legacy-DB/Empty" not in made.files and "legacy-DB/plan" not in made.files


def test_a_running_app_is_told_of_what_it_may_reach(settings, region, alice, app, bound):
    workload(alice, app)
    before = App.objects.get(pk=app.pk).generation
    bindings.delete(alice, bound)
    work("services.jobs.work_on_binding", bound.pk)
    assert not Binding.objects.exists()
    assert App.objects.get(pk=app.pk).generation > before


def test_the_environment_shows_credentials_to_who_may_see_them(api, alice, root, app, space, bound, recorded):
    told = api(alice).get(f"/v3/apps/{app.guid}/env").json()
    assert told["system_env_json"]["VCAP_SERVICES"]["db"][0]["binding_guid"] == bound.guid
    assert recorded("audit.app.environment.show").data["service_binding_guids"] == [bound.guid]
    from tenants import access
    from tests.conftest import make_user

    sam = make_user("sam")
    access.give(sam, "organization_user", space.organization, by=root)
    access.give(sam, "space_supporter", space, by=root)
    assert "secret-" not in str(api(sam).get(f"/v3/apps/{app.guid}/env").json())


def apply(client, space, text):
    path = f"/v3/spaces/{space.guid}/actions/apply_manifest"
    answer = client.post(path, data=text, content_type="application/x-yaml")
    assert (answer.status_code, answer.content) == (202, b""), answer.content
    return Job.objects.get(guid=answer.headers["Location"].rpartition("/")[2])


MANIFEST = """
applications:
- name: site
  services: [legacy DB, {name: data, binding_name: db, parameters: {role: writer}}]
- name: other
  services: [data]
"""


@pytest.mark.parametrize("polls", [0, 2])
def test_a_manifest_binds_and_its_job_waits_for_the_brokers(
    api, alice, space, instance, database, foreign, settle, polls
):
    foreign.polls = polls
    job = apply(api(alice), space, MANIFEST)
    assert job.state == "PROCESSING"
    settle(instance)
    job.refresh_from_db()
    assert (job.state, job.errors) == ("COMPLETE", [])
    rows = list(
        Binding.objects.order_by("app__name", "instance__name").values_list("app__name", "instance__name", "name")
    )
    assert rows == [("other", "data", ""), ("site", "data", "db"), ("site", "legacy DB", "")]
    assert foreign.asked("bind")[0].body["parameters"] == {"role": "writer"}
    again = apply(api(alice), space, MANIFEST)
    assert again.state == "COMPLETE" and Binding.objects.count() == 3
    shown = api(alice).get(f"/v3/apps/{App.objects.get(name='site').guid}/manifest").content.decode()
    assert "- legacy DB" in shown and "binding_name: db" in shown and "writer" not in shown


def test_a_manifest_whose_binding_fails_fails(api, alice, space, instance, foreign, settle):
    foreign.next("bind", fails(400, description="No"))
    job = apply(api(alice), space, "applications: [{name: site, services: [data]}]")
    settle(instance)
    job.refresh_from_db()
    assert job.state == "FAILED"
    assert job.errors[0]["detail"].startswith("For application 'site': data: bind could not be completed:")


def test_a_manifest_names_only_what_is_there(api, alice, space):
    job = apply(api(alice), space, "applications: [{name: site, services: [nothing]}]")
    assert job.state == "FAILED"
    assert job.errors[0]["detail"] == "For application 'site': Service instance 'nothing' not found"
    assert not App.objects.exists()


@pytest.fixture
def world(settings, region, tmp_path):
    """The engine and the router in memory."""
    settings.PAAS_RUNTIME_KIND = settings.PAAS_ROUTER_KIND = "fake"
    addresses.fill(region, "10.99.0.0/24")
    for each in (outside.runtime, outside.router):
        each.cache_clear()
    yield
    for each in (outside.runtime, outside.router):
        each.cache_clear()


def test_a_space_goes_with_its_instances(world, api, dora, space, instance, bound, database, foreign, settle):
    org = space.organization
    job = spaces.delete(dora, space)
    work("apps.jobs.delete_space", space.pk)
    assert Space.objects.filter(pk=space.pk).exists() and not ServiceInstance.objects.there().exists()
    assert QuotaUse.objects.get(organization=org).service_instances == 0
    foreign.next("unbind", fails(500))
    assert settle(instance) is None
    work("apps.jobs.delete_space", space.pk)
    job.refresh_from_db()
    assert not Space.objects.filter(pk=space.pk).exists() and job.state == "COMPLETE"
    assert foreign.instances == foreign.bindings == {}


def test_who_deletes_a_space_is_told_of_a_broker_that_does_not_let_go(world, dora, space, instance, foreign, settle):
    job = spaces.delete(dora, space)
    work("apps.jobs.delete_space", space.pk)
    foreign.next("deprovision", fails(500, description="I will not"))
    settle(instance, rounds=1)
    work("apps.jobs.delete_space", space.pk)
    job.refresh_from_db()
    assert job.state == "FAILED" and "I will not" in job.errors[0]["detail"]
    assert settle(instance) is None
    work("apps.jobs.delete_space", space.pk)
    assert not Space.objects.filter(pk=space.pk).exists()
