"""Accounts as ``cf create-user``, ``delete-user`` and ``passwd`` handle them."""

from __future__ import annotations

import pytest

from accounts.models import ApiToken, AuditEvent, Job, User
from tests.accounts.conftest import PASSWORD

NEW = {
    "userName": "erin",
    "password": "a brand new password",
    "origin": "",
    "name": {"familyName": "erin", "givenName": "erin"},
    "emails": [{"value": "erin", "primary": True}],
}


def test_an_admin_makes_a_person_who_then_signs_in(calling, grant, root):
    admin = calling(root)
    made = admin.post("/uaa/Users", NEW)
    assert made.status_code == 201
    assert (made.json()["userName"], made.json()["origin"], made.json()["active"]) == ("erin", "uaa", True)
    erin = User.objects.get(username="erin")
    assert made.json()["id"] == erin.guid and erin.email is None
    assert admin.post("/v3/users", {"guid": erin.guid}).status_code == 201
    assert admin.post("/v3/users", {"guid": erin.guid}).status_code == 201  # the same call twice
    assert grant(grant_type="password", username="erin", password=NEW["password"]).status_code == 200
    assert AuditEvent.objects.get(type="audit.user.create", target_guid=erin.guid).actor_guid == root.guid


def test_nobody_but_an_admin_makes_people(calling, bob):
    refused = calling(bob).post("/uaa/Users", NEW)
    assert refused.status_code == 403 and refused.json()["error"] == "insufficient_scope"
    assert not User.objects.filter(username="erin").exists()


@pytest.mark.parametrize("header", [None, "bearer x"])
def test_without_a_token_the_answer_is_in_uaas_shape(client, header):
    answer = client.get("/uaa/Users", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401 and answer.json()["error"] == ("invalid_token" if header else "unauthorized")


def test_a_name_or_an_address_that_is_taken_is_a_conflict(calling, root, alice):
    admin = calling(root)
    assert admin.post("/uaa/Users", {**NEW, "userName": alice.username.upper()}).status_code == 409
    taken = admin.post("/uaa/Users", {**NEW, "emails": [{"value": "ALICE@example.com"}]})
    assert taken.status_code == 409 and taken.json()["error"] == "scim_resource_already_exists"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"password": "short"}, "at least 12 characters"),
        ({"password": "password1234"}, "tried first"),
        ({"password": ""}, "at least 12 characters"),
        ({"userName": ""}, "A username has"),
        ({"userName": "a,b"}, "A username has"),
        ({"userName": ["erin"]}, "userName must be text"),
        ({"origin": "system"}, "the platform's own"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(calling, root, wrong, sentence):
    answer = calling(root).post("/uaa/Users", NEW | wrong)
    assert answer.status_code == 400 and answer.json()["error"] == "invalid_scim_resource"
    assert sentence in answer.json()["error_description"]


def test_people_are_found_by_filter(calling, root, alice):
    admin = calling(root)
    for text in (
        f'userName eq "{alice.username}" and origin eq "uaa"',
        f'username EQ "{alice.username.upper()}"',
        f'id eq "{alice.guid}"',
        'emails.value eq "alice@example.com"',
    ):
        found = admin.get("/uaa/Users", {"filter": text}).json()
        assert [user["id"] for user in found["resources"]] == [alice.guid] and found["totalResults"] == 1
    assert admin.get("/uaa/Users", {"filter": 'userName eq "x\\"y"'}).json()["resources"] == []
    page = admin.get("/uaa/Users", {"startIndex": 2, "count": 1}).json()
    assert len(page["resources"]) == 1 and page["totalResults"] == 2


@pytest.mark.parametrize(
    "text", ['userName co "a"', 'userName eq "a" or origin eq "b"', "userName eq a", 'x eq "a"', "("]
)
def test_a_filter_that_is_not_understood_is_refused(calling, root, text):
    assert calling(root).get("/uaa/Users", {"filter": text}).status_code == 400


def test_only_admins_search_and_everybody_sees_themselves(calling, alice, bob):
    caller = calling(alice)
    assert caller.get("/uaa/Users", {"filter": f'userName eq "{bob.username}"'}).status_code == 403
    assert caller.get(f"/uaa/Users/{bob.guid}").status_code == 403
    assert caller.get("/uaa/Users/nobody").status_code == 403
    assert caller.get(f"/uaa/Users/{alice.guid}").json()["userName"] == alice.username


def test_cf_delete_user_deletes_at_both_doors(calling, root, alice):
    admin = calling(root)
    job = admin.delete(f"/v3/users/{alice.guid}")
    assert job.status_code == 202
    assert admin.get(job.headers["Location"]).json()["state"] == "COMPLETE"
    gone = admin.delete(f"/uaa/Users/{alice.guid}")
    assert gone.status_code == 200 and gone.json()["id"] == alice.guid
    assert not User.objects.filter(pk=alice.pk).exists()
    assert AuditEvent.objects.get(type="audit.user.delete").target_name == alice.username


def test_a_person_can_be_deleted_here_alone(calling, root, alice):
    admin = calling(root)
    assert admin.delete(f"/uaa/Users/{alice.guid}").json()["userName"] == alice.username
    assert admin.delete(f"/uaa/Users/{alice.guid}").status_code == 200  # twice is harmless
    unknown = admin.delete("/uaa/Users/unknown")
    assert unknown.status_code == 404 and unknown.json()["error"] == "scim_resource_not_found"


def test_one_admin_is_always_left_and_nobody_deletes_themselves(calling, root, system):
    admin = calling(root)
    assert "their own account" in admin.delete(f"/uaa/Users/{root.guid}").json()["error_description"]
    other = User.objects.person("other@example.com", PASSWORD, platform_role="admin")
    assert calling(other).delete(f"/uaa/Users/{root.guid}").status_code == 200
    assert User.objects.filter(platform_role="admin").count() == 1
    assert calling(other).delete(f"/uaa/Users/{system.guid}").status_code == 404


def test_nobody_but_an_admin_deletes_people(calling, alice, bob):
    assert calling(bob).delete(f"/uaa/Users/{alice.guid}").status_code == 403
    assert Job.objects.count() == 0


def test_cf_passwd_sets_ones_own_password_and_ends_every_sign_in(sign_in, bearing, calling, grant, alice):
    before, caller = sign_in(alice), calling(alice)
    ApiToken.objects.create(user=alice, name="x", digest="d", scope="", expires_at="2099-01-01T00:00Z")
    change = {"oldPassword": PASSWORD, "password": "another good password"}
    assert caller.put(f"/uaa/Users/{alice.guid}/password", change).status_code == 200
    assert grant(grant_type="password", username=alice.username, password=PASSWORD).status_code == 401
    assert sign_in(alice, "another good password")
    assert bearing(before["access_token"]).get("/v3/organizations").status_code == 401
    assert grant(grant_type="refresh_token", refresh_token=before["refresh_token"]).status_code == 401
    assert ApiToken.objects.count() == 1
    assert AuditEvent.objects.get(type="audit.user.password").target_guid == alice.guid


def test_the_old_password_is_needed_and_the_new_one_checked(calling, alice):
    caller, path = calling(alice), f"/uaa/Users/{alice.guid}/password"
    wrong = caller.put(path, {"oldPassword": "wrong", "password": "another good password"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "unauthorized")
    short = caller.put(path, {"oldPassword": PASSWORD, "password": "short"})
    assert short.status_code == 400 and "12 characters" in short.json()["error_description"]


def test_guessing_the_old_password_ends_too(calling, alice):
    caller, path = calling(alice), f"/uaa/Users/{alice.guid}/password"
    for _ in range(5):
        caller.put(path, {"oldPassword": "wrong", "password": "another good password"})
    stopped = caller.put(path, {"oldPassword": PASSWORD, "password": "another good password"})
    assert stopped.status_code == 401 and "locked" in stopped.json()["error_description"]


def test_an_admin_sets_anybodys_password_and_nobody_else_does(calling, sign_in, root, alice, bob):
    new = {"password": "another good password"}
    assert calling(bob).put(f"/uaa/Users/{alice.guid}/password", new).status_code == 403
    assert calling(root).put(f"/uaa/Users/{alice.guid}/password", new).status_code == 200
    assert sign_in(alice, "another good password")
    assert calling(root).put("/uaa/Users/unknown/password", new).status_code == 404
