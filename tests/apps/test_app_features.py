"""What may be switched on for an app."""

from __future__ import annotations

import pytest


def feature(app, name):
    return f"/v3/apps/{app.guid}/features/{name}"


def test_every_feature_is_told(api, bob, app):
    told = {each["name"]: each["enabled"] for each in api(bob).get(f"/v3/apps/{app.guid}/features").json()["resources"]}
    assert told == {
        "ssh": False,
        "revisions": True,
        "service-binding-k8s": False,
        "file-based-vcap-services": False,
    }


def test_revisions_are_switched_off_and_on(api, alice, app, recorded):
    client = api(alice)
    for enabled in (False, False, True):
        assert client.patch(feature(app, "revisions"), {"enabled": enabled}).json()["enabled"] is enabled
        assert client.get(feature(app, "revisions")).json()["enabled"] is enabled
    assert recorded("audit.app.update").data["changes"] == {"revisions": [False, True]}


FILES = ("service-binding-k8s", "file-based-vcap-services")


@pytest.mark.parametrize(("name", "other"), [FILES, FILES[::-1]])
def test_files_of_services_are_one_way_or_the_other(api, alice, app, name, other, recorded):
    client = api(alice)
    for _ in range(2):  # twice is harmless
        assert client.patch(feature(app, name), {"enabled": True}).json()["enabled"] is True
    answer = client.patch(feature(app, other), {"enabled": True})
    assert answer.status_code == 422 and "at the same time" in answer.json()["errors"][0]["detail"]
    assert client.patch(feature(app, other), {"enabled": False}).json()["enabled"] is False
    assert recorded("audit.app.update").data["changes"] == {name: [False, True]}
    assert client.patch(feature(app, name), {"enabled": False}).json()["enabled"] is False
    assert client.patch(feature(app, other), {"enabled": True}).json()["enabled"] is True


@pytest.mark.parametrize("name", ["ssh"])
def test_what_is_not_there_yet_may_only_be_off(api, alice, app, name):
    assert api(alice).patch(feature(app, name), {"enabled": False}).json()["enabled"] is False
    response = api(alice).patch(feature(app, name), {"enabled": True})
    assert response.status_code == 422
    assert response.json()["errors"][0]["detail"].endswith(".")


def test_an_unknown_feature_is_not_found(api, alice, app):
    for response in (api(alice).get(feature(app, "teleport")), api(alice).patch(feature(app, "teleport"), {})):
        assert response.status_code == 404
        assert response.json()["errors"][0]["detail"] == "Feature not found"


def test_auditor_is_refused_and_stranger_finds_nothing(api, bob, charlie, app):
    for name in ("ssh", "revisions"):
        assert api(bob).patch(feature(app, name), {"enabled": False}).status_code == 403
        assert api(charlie).get(feature(app, name)).status_code == 404
