"""People in the v3 API: whom one sees, and what admins do with accounts."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, User


def names(answer) -> set[str]:
    return {user["username"].partition("@")[0] for user in answer.json()["resources"]}


def test_one_sees_oneself_and_who_shares_an_organization(api, alice, bob, dora, charlie, root, system):
    assert names(api(alice).get("/v3/users")) == {"alice", "bob", "dora"}
    assert names(api(charlie).get("/v3/users")) == {"charlie"}
    assert names(api(root).get("/v3/users")) == {"alice", "bob", "dora", "charlie", "root"}


def test_a_stranger_is_not_there(api, alice, charlie):
    answer = api(alice).get(f"/v3/users/{charlie.guid}")
    assert answer.status_code == 404 and answer.json()["errors"][0]["detail"] == "User not found"
    assert api(alice).get(f"/v3/users/{alice.guid}").json()["presentation_name"] == alice.username


def test_people_are_found_by_name(api, root, alice, bob):
    admin = api(root)
    assert names(admin.get("/v3/users", {"usernames": "ALICE@example.com", "origins": "uaa"})) == {"alice"}
    assert names(admin.get("/v3/users", {"partial_usernames": "ali,bo"})) == {"alice", "bob"}
    assert admin.get("/v3/users", {"names": "x"}).status_code == 400


def test_listing_costs_the_same_whatever_the_number(api, alice, root, django_assert_max_num_queries):
    User.objects.bulk_create(User(username=f"p{number}") for number in range(60))
    for caller in (alice, root):
        with django_assert_max_num_queries(4):
            api(caller).get("/v3/users", {"per_page": 100})


def test_an_admin_makes_somebody_who_signs_in_elsewhere(api, root):
    made = api(root).post("/v3/users", {"username": "erin", "origin": "ldap", "metadata": {"labels": {"team": "a"}}})
    assert made.status_code == 201 and made.json()["metadata"]["labels"] == {"team": "a"}
    assert not User.objects.get(username="erin").has_usable_password()
    assert AuditEvent.objects.get(type="audit.user.create").actor_guid == root.guid
    again = api(root).post("/v3/users", {"username": "Erin", "origin": "ldap"})
    assert again.status_code == 422 and "already exists" in again.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "x"}, {"username": "x", "origin": "uaa"}, {"guid": "g", "username": "x"}, {"guid": "unknown"}],
)
def test_half_a_person_is_refused(api, root, body):
    assert api(root).post("/v3/users", body).status_code == 422


def test_nobody_else_makes_describes_or_deletes_people(api, alice, bob, dora):
    for caller in (bob, dora):
        assert api(caller).post("/v3/users", {"username": "x", "origin": "ldap"}).status_code == 403
        assert api(caller).post("/v3/users", {"guid": "unknown"}).status_code == 403
        assert api(caller).patch(f"/v3/users/{alice.guid}", {"metadata": {"labels": {"a": "b"}}}).status_code == 403
        assert api(caller).delete(f"/v3/users/{alice.guid}").status_code == 403


def test_strangers_get_404_for_every_verb(api, alice, charlie):
    for call in (api(charlie).patch, api(charlie).delete):
        assert call(f"/v3/users/{alice.guid}", {}).status_code == 404


def test_an_admin_describes_an_account(api, root, alice):
    path, admin = f"/v3/users/{alice.guid}", api(root)
    admin.patch(path, {"metadata": {"labels": {"a": "b", "c": "d"}}})
    body = admin.patch(path, {"metadata": {"labels": {"a": None}}}).json()
    assert body["metadata"]["labels"] == {"c": "d"}
    assert AuditEvent.objects.filter(type="audit.user.update", target_guid=alice.guid).count() == 2


def test_deleting_takes_the_roles_along(api, root, alice, space):
    job = api(root).delete(f"/v3/users/{alice.guid}")
    assert job.status_code == 202 and not job.content
    assert api(root).get(job.headers["Location"]).json()["operation"] == "user.delete"
    roles = api(root).get("/v3/roles", {"space_guids": space.guid}).json()["resources"]
    assert roles == []
    assert api(root).delete(f"/v3/users/{alice.guid}").status_code == 404  # twice
