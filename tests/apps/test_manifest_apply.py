"""Applying a manifest: the one way in which ``cf push`` configures apps."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, Job
from apps import outside
from apps.models import App, Domain, Process, Route, Sidecar, Stack
from tenants.models import FeatureFlag


def post(client, space, text, kind="application/x-yaml"):
    return client.post(f"/v3/spaces/{space.guid}/actions/apply_manifest", data=text, content_type=kind)


def job_of(response):
    assert (response.status_code, response.content) == (202, b""), response.content
    return Job.objects.get(guid=response.headers["Location"].rpartition("/")[2])


def applied(client, space, text):
    job = job_of(post(client, space, text))
    assert (job.state, job.errors) == ("COMPLETE", [])
    assert job.operation == "space.apply_manifest"


def failed(client, space, text):
    job = job_of(post(client, space, text))
    assert job.state == "FAILED"
    (error,) = job.errors
    assert (error["code"], error["title"]) == (10008, "CF-UnprocessableEntity")
    return error["detail"]


def addresses(app):
    return sorted(f"{each.route.fqdn}{each.route.path}" for each in app.destinations.select_related("route__domain"))


FULL = """
version: 1
shared: &shared
  env: {GREETING: hello}
  memory: 256M
applications:
- <<: *shared
  name: site
  path: ./build
  stack: debian12
  buildpacks: [python_buildpack]
  disk_quota: 1.5gb
  instances: 2
  log-rate-limit-per-second: 16K
  command: python app.py
  health-check-type: http
  health-check-http-endpoint: /health
  health-check-invocation-timeout: 5
  health-check-interval: 20
  readiness-health-check-type: http
  readiness-health-check-http-endpoint: /ready
  timeout: 90
  routes:
  - route: site.apps.example/api
    options: {loadbalancing: least-connection}
  - route: https://other.apps.example
    protocol: http1
  metadata:
    labels: {team: one}
    annotations: {contact: a@example.com}
  features: {revisions: false, ssh: false}
  sidecars:
  - name: agent
    command: ./agent
    process_types: [web, worker]
    memory: 64M
  processes:
  - type: worker
    instances: 1
    memory: 128M
    command: python worker.py
- <<: *shared
  name: second
  no-route: true
"""


@pytest.fixture
def stack(db):
    return Stack.objects.create(name="debian12", is_default=True)


@pytest.fixture
def buildpack(db):
    from apps.models import Buildpack

    return Buildpack.objects.create(name="python_buildpack", stack="debian12", state="READY")


def test_everything_that_a_manifest_says_comes_true(api, alice, space, domain, stack, buildpack, recorded):
    applied(api(alice), space, FULL)
    app = App.objects.get(name="site")
    assert (app.buildpacks, app.stack, app.revisions_enabled) == (["python_buildpack"], "debian12", False)
    assert app.environment == {"GREETING": "hello"}
    assert (app.labels, app.annotations) == ({"team": "one"}, {"contact": "a@example.com"})
    web = app.processes.get(type="web")
    assert (web.guid, web.instances, web.memory_mb, web.disk_mb, web.log_rate) == (app.guid, 2, 256, 1536, 16384)
    assert (web.command, web.health_type, web.health_endpoint) == ("python app.py", "http", "/health")
    assert (web.health_timeout, web.health_invocation_timeout, web.health_interval) == (90, 5, 20)
    assert (web.readiness_type, web.readiness_endpoint) == ("http", "/ready")
    worker = app.processes.get(type="worker")
    assert (worker.instances, worker.memory_mb, worker.command) == (1, 128, "python worker.py")
    assert worker.health_type == "process"
    sidecar = Sidecar.objects.get(app=app)
    assert (sidecar.name, sidecar.process_types, sidecar.memory_mb) == ("agent", ["web", "worker"], 64)
    assert addresses(app) == ["other.apps.example", "site.apps.example/api"]
    assert Route.objects.get(host="site").options == {"loadbalancing": "least-connection"}
    second = App.objects.get(name="second")
    assert (second.processes.get().memory_mb, addresses(second)) == (256, [])
    assert recorded("audit.app.apply_manifest").target_guid == second.guid


def test_twice_is_harmless(api, alice, space, domain, stack, buildpack):
    applied(api(alice), space, FULL)
    app = App.objects.get(name="site")
    events = AuditEvent.objects.exclude(type="audit.app.apply_manifest")
    before = events.count()
    applied(api(alice), space, FULL.replace("labels: {team: one}", "labels: {}").replace("contact: a@example.com", ""))
    applied(api(alice), space, FULL.replace("  metadata:", "  ignored:"))
    again = App.objects.get(name="site")
    assert (again.pk, again.generation, again.labels) == (app.pk, app.generation, {"team": "one"})
    assert (
        events.exclude(type="audit.app.update").count() == before - events.filter(type="audit.app.update").count() + 1
    )


def test_an_auditor_may_not(api, bob, space):
    assert post(api(bob), space, "applications: [{name: site}]").status_code == 403
    assert not App.objects.exists()


def test_a_stranger_finds_no_space(api, charlie, space):
    answer = post(api(charlie), space, "applications: [{name: site}]")
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (404, "Space not found")


def test_a_plain_push_gets_the_default_route_once(api, alice, space, domain):
    text = "applications: [{name: Site, path: /x, default-route: true}]"
    for _ in range(2):
        applied(api(alice), space, text)
    app = App.objects.get()
    assert addresses(app) == ["site.apps.example"]
    applied(api(alice), space, "applications: [{name: Site, default-route: true, routes: [{route: b.apps.example}]}]")
    assert addresses(app) == ["b.apps.example", "site.apps.example"]


def test_a_random_route_has_the_apps_name_in_front(api, alice, space, domain):
    text = "applications: [{name: site, random-route: true}]"
    for _ in range(2):
        applied(api(alice), space, text)
    (address,) = addresses(App.objects.get())
    name, adjective, noun, number = address.partition(".")[0].split("-")
    assert name == "site" and adjective.isalpha() and noun.isalpha() and number.isdigit()


def test_a_random_route_of_a_long_name_fits(api, alice, space, domain):
    applied(api(alice), space, f"applications: [{{name: {'a' * 80}, random-route: true}}]")
    assert len(Route.objects.get().host) <= 63


def test_no_route_wins_over_listed_ones_and_unmaps(api, alice, space, domain):
    applied(api(alice), space, "applications: [{name: site, default-route: true}]")
    applied(api(alice), space, "applications: [{name: site, no-route: true, routes: [{route: b.apps.example}]}]")
    assert addresses(App.objects.get()) == []
    assert [route.host for route in Route.objects.all()] == ["site"]


def test_listed_routes_win_over_random_ones(api, alice, space, domain):
    applied(api(alice), space, "applications: [{name: s, random-route: true, routes: [{route: b.apps.example}]}]")
    assert addresses(App.objects.get()) == ["b.apps.example"]


def test_an_address_may_name_the_port_that_addresses_here_have(api, alice, space, domain, settings):
    settings.PAAS_PORT_SUFFIX = ":8080"
    applied(api(alice), space, "applications: [{name: s, routes: [{route: 's.apps.example:8080/a/'}]}]")
    assert addresses(App.objects.get()) == ["s.apps.example/a"]
    answer = post(api(alice), space, "applications: [{name: s, routes: [{route: 's.apps.example:9999'}]}]")
    assert "names a port" in answer.json()["errors"][0]["detail"]


def test_a_domain_of_ones_own_is_an_address_without_a_host(api, alice, space, domain):
    Domain.objects.create(name="ministry.example", organization=space.organization)
    text = "applications: [{name: s, routes: [{route: ministry.example}, {route: '*.ministry.example'}]}]"
    applied(api(alice), space, text)
    assert addresses(App.objects.get()) == ["*.ministry.example", "ministry.example"]


def test_a_mapped_route_is_published(api, alice, running, space, domain, converge):
    applied(api(alice), space, "applications: [{name: site, routes: [{route: new.apps.example}]}]")
    converge(running)
    assert outside.router().find("new.apps.example").targets[0].endpoints


def test_variables_are_merged_and_become_text(api, alice, space):
    applied(api(alice), space, "applications: [{name: site, env: {A: one, B: two}}]")
    text = "applications: [{name: site, env: {B: 2, C: true, D: 1.5, E: {x: [1]}, F: 2026-01-02, G: null}}]"
    applied(api(alice), space, text)
    assert App.objects.get().environment == {
        "A": "one", "B": "2", "C": "true", "D": "1.5", "E": '{"x": [1]}', "F": "2026-01-02", "G": "",
    }  # fmt: skip


def test_what_is_not_named_stays(api, alice, app, space):
    Process.objects.filter(app=app).update(memory_mb=512, command="run")
    applied(api(alice), space, "applications: [{name: SITE, instances: 3}]")
    web = Process.objects.get(app=app)
    assert (web.memory_mb, web.instances, web.command) == (512, 3, "run")
    applied(api(alice), space, "applications: [{name: site, command: null, buildpack: default}]")
    assert Process.objects.get(app=app).command is None


def test_web_in_the_list_wins_over_what_is_said_at_the_top(api, alice, space):
    text = "applications: [{name: site, memory: 1G, processes: [{type: web, memory: 64M, disk-quota: 512M}]}]"
    applied(api(alice), space, text)
    assert (Process.objects.get().memory_mb, Process.objects.get().disk_mb) == (64, 512)


def test_scaling_a_running_app_takes_its_quota(api, alice, running, space, used, converge):
    applied(api(alice), space, "applications: [{name: site, instances: 3, memory: 512M}]")
    assert (used().instances, used().memory_mb) == (3, 1536)
    assert converge(running).running.count() == 3


def test_an_image_needs_its_flag(api, alice, space):
    text = "applications: [{name: site, docker: {image: nginx}}]"
    assert post(api(alice), space, text).json()["errors"][0]["detail"] == (
        "For application 'site': Feature Disabled: diego_docker"
    )
    FeatureFlag.objects.create(name="diego_docker", enabled=True)
    applied(api(alice), space, text)
    assert App.objects.get().lifecycle == "docker"
    assert failed(api(alice), space, "applications: [{name: site, buildpack: x}]").endswith("docker lifecycle app.")


def test_an_app_does_not_become_an_image(api, root, app, space):
    detail = failed(api(root), space, "applications: [{name: site, docker: {image: nginx}}]")
    assert detail == "For application 'site': Lifecycle type cannot be changed"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("buildpacks: [nope]", 'Specified unknown buildpack name: "nope"'),
        ("routes: [{route: a.nowhere.example}]", "For route 'a.nowhere.example': No domains exist for route"),
        ("routes: [{route: a.b.apps.example}]", "For route 'a.b.apps.example': No domains exist for route"),
        ("routes: [{route: apps.example}]", "For route 'apps.example': Missing host."),
        ("routes: [{route: theirs.apps.example}]", "The route theirs.apps.example is already in use."),
        ("routes: [{route: '*.apps.example'}]", "You do not have sufficient permissions"),
        ("sidecars: [{name: a, command: b, process_types: [web], memory: 1G}]", "The memory allocation defined is too"),
    ],
)
def test_what_stands_in_the_way_fails_the_job_and_changes_nothing(
    api, alice, space, other_space, domain, keys, sentence
):
    Route.objects.create(space=other_space, domain=domain, host="theirs")
    text = f"applications: [{{name: first, default-route: true}}, {{name: site, memory: 64M, {keys}}}]"
    detail = failed(api(alice), space, text)
    assert detail.startswith("For application 'site': ") and sentence in detail
    assert not App.objects.exists()
    assert not Route.objects.exclude(host="theirs").exists()
    assert not AuditEvent.objects.filter(type__startswith="audit.app").exists()


def test_a_name_that_is_no_host_gets_no_default_route(api, alice, space, domain):
    detail = failed(api(alice), space, "applications: [{name: my app, default-route: true}]")
    assert "Failed to create default route from app name: Host must be either" in detail
    applied(api(alice), space, "applications: [{name: my app, default-route: true, routes: [{route: a.apps.example}]}]")


def test_without_a_domain_there_is_no_default_route(api, alice, space):
    assert failed(api(alice), space, "applications: [{name: site, default-route: true}]").endswith(
        "No default domains available"
    )


def test_a_quota_fails_the_job(api, alice, running, space, quota):
    type(quota).objects.filter(pk=quota.pk).update(total_memory_mb=1024)
    assert "memory quota_exceeded" in failed(api(alice), space, "applications: [{name: site, instances: 2}]")
    assert Process.objects.get(app=running, type="web").instances == 1


def test_what_the_top_says_holds_for_web_where_its_own_entry_says_nothing(api, alice, space, domain, stack):
    text = "applications:\n- name: site\n  memory: 128M\n  disk_quota: 512M\n  processes:\n  - type: web\n    memory: 64M\n"
    applied(api(alice), space, text)
    web = App.objects.get(name="site").processes.get(type="web")
    assert (web.memory_mb, web.disk_mb) == (64, 512)
