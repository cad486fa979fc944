"""Bodies and addresses that no client of ours sends: each is refused with a sentence, and none is a server error."""

from __future__ import annotations

import pytest

from apps.models import App, Droplet

YAML = "application/x-yaml"


def refused(answer, status=400):
    assert answer.status_code == status, (answer.status_code, answer.content)
    return answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    "body",
    [
        r'{"metadata": {"annotations": {"a": "\ud800"}}}',
        r'{"metadata": {"annotations": {"a": ["\u0000"]}}}',
        r'{"\u0000": 1}',
        '{"name": NaN}',
        '{"name": [-Infinity]}',
    ],
)
def test_json_that_nothing_can_keep_is_refused(api, alice, app, body):
    answer = api(alice).patch(f"/v3/apps/{app.guid}", body, content_type="application/json")
    assert refused(answer).startswith("Request invalid due to parse error:")


def test_text_with_every_other_character_is_taken(api, alice, app):
    body = r'{"metadata": {"annotations": {"a": "\u0001 \\u0000 é \ud83d\ude00"}}}'
    answer = api(alice).patch(f"/v3/apps/{app.guid}", body, content_type="application/json")
    assert answer.json()["metadata"]["annotations"] == {"a": "\x01 \\u0000 é 😀"}


def test_a_label_ends_where_it_ends(api, alice, app):
    for labels in ({"a\n": "b"}, {"example.org\n/a": "b"}, {"a": "b\n"}):
        refused(api(alice).patch(f"/v3/apps/{app.guid}", {"metadata": {"labels": labels}}), 422)


@pytest.mark.parametrize("kind", ["a/b", "..", "", "web\n", "x" * 256])
def test_a_process_type_is_a_part_of_an_address_and_no_more(api, alice, app, space, kind):
    body = {"relationships": {"app": {"data": {"guid": app.guid}}}, "process_types": {kind: "true"}}
    refused(api(alice).post("/v3/droplets", body), 422)
    manifest = f"applications: [{{name: site, processes: [{{type: {kind!r}, memory: 16M}}]}}]"
    url = f"/v3/spaces/{space.guid}/actions/apply_manifest"
    refused(api(alice).post(url, manifest, content_type=YAML), 422)
    assert not Droplet.objects.filter(app=app).exists() and app.processes.count() == 1


def test_a_droplet_has_not_any_number_of_process_types(api, alice, app):
    types = {f"worker-{number}": "true" for number in range(101)}
    body = {"relationships": {"app": {"data": {"guid": app.guid}}}, "process_types": types}
    assert "maximum is 100" in refused(api(alice).post("/v3/droplets", body), 422)


@pytest.mark.parametrize(
    "resource",
    [{"checksum": {"value": "1" * 40}, "size_in_bytes": "1.0"}, {"checksum": {"value": 10**39}, "size_in_bytes": 1}],
)
def test_resources_are_matched_as_they_were_read(api, alice, app, resource):
    answer = api(alice).post("/v3/resource_matches", {"resources": [resource]})
    assert (answer.status_code, answer.json()) == (201, {"resources": []})


@pytest.mark.parametrize(
    "entry", ["type: {a: b}", "type: [a]", "sidecars: [{name: s, command: x, process_types: [web], memory: 12}]"]
)
def test_a_manifest_is_compared_whatever_it_puts_where(api, alice, app, space, entry):
    manifest = f"applications: [{{name: site, {entry}}}]"
    answer = api(alice).post(f"/v3/spaces/{space.guid}/manifest_diff", manifest, content_type=YAML)
    assert answer.status_code == 201, answer.content


def test_the_last_second_of_the_calendar_is_no_timestamp(api, alice, app):
    assert "invalid timestamp format" in refused(api(alice).get("/v3/apps?created_ats=9999-12-31T23:59:59Z"))


def test_a_label_selector_has_an_end(api, alice, app):
    assert "Invalid label_selector" in refused(api(alice).get("/v3/apps?label_selector=" + "," * 60_000))


def test_thousands_of_names_are_looked_for_in_one_go(api, alice, app, django_assert_max_num_queries):
    names = ",".join(f"name{number}" for number in range(5000))
    with django_assert_max_num_queries(10):
        answer = api(alice).get(f"/v3/apps?names={names},SITE&label_selector=env in ({names[:9000]})")
    assert answer.json()["pagination"]["total_results"] == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/orgs/{org}/events?before=0001-01-01T00:00:00%2B23:59_1", 200),
        ("/orgs/{org}/events?before=9999-12-31T23:59:59-23:59_1", 200),
        ("/apps/{app}/logs?at=9999999999999999999", 200),
        ("/apps/{app}/revisions/99999999999999999999999/deploy", 404),
        ("/apps/%00/logs", 404),
    ],
)
def test_pages_take_any_address(browser, root, app, space, runtime, path, status):
    path = path.replace("{app}", app.guid).replace("{org}", space.organization.guid)
    assert browser(root).get(path).status_code == status


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/orgs/{org}/members", {"held": "\0 organization_user"}, 302),
        ("/apps/{app}/instances/web/99999999999999999999/restart", {}, 302),
        ("/spaces/{space}/new/git", {"name": "x", "url": "https://[::1", "memory_mb": "64", "instances": "1"}, 200),
        ("/apps/{app}/routes/map", {"route": "\0"}, 404),
    ],
)
def test_forms_take_anything(browser, root, app, space, runtime, path, form, status):
    path = path.replace("{app}", app.guid).replace("{org}", space.organization.guid).replace("{space}", space.guid)
    assert browser(root).post(path, form).status_code == status
    assert App.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("post", "/uaa/Users", {"userName": "x", "origin": "o" * 100}, 400),
        ("post", "/uaa/Users", {"userName": "x", "name": {"givenName": "o" * 300}}, 400),
        ("post", "/uaa/Users", {"userName": "x", "emails": [1]}, 201),
        ("delete", "/uaa/Users/%00", {}, 404),
        ("delete", "/uaa/oauth/token/revoke/%00", {}, 404),
    ],
)
def test_accounts_are_made_of_what_fits(api, root, method, path, body, status):
    answer = getattr(api(root), method)(path, {"password": "correct horse battery", **body})
    assert answer.status_code == status and answer.json().get("error") != "server_error"
