"""Robots: made at ``/uaa/oauth/clients``, where every client of UAA makes them."""

from __future__ import annotations

from accounts import actions
from accounts.models import AuditEvent, User

NEW = {
    "client_id": "deployer",
    "client_secret": "a robot's long secret",
    "authorized_grant_types": ["client_credentials"],
}


def test_an_admin_makes_a_robot_and_deletes_it(calling, root):
    admin = calling(root)
    made = admin.post("/uaa/oauth/clients", NEW)
    assert made.status_code == 201 and made.json()["client_id"] == "deployer" and "client_secret" not in made.json()
    robot = User.objects.get(guid="deployer")
    assert robot.kind == User.Kind.ROBOT and not robot.has_usable_password()
    assert AuditEvent.objects.get(type="audit.user.create", target_guid="deployer").actor_guid == root.guid
    assert admin.get("/uaa/oauth/clients/deployer").status_code == 200
    assert admin.delete("/uaa/oauth/clients/deployer").status_code == 200
    assert admin.get("/uaa/oauth/clients/deployer").status_code == 404
    assert not User.objects.filter(guid="deployer").exists()


def test_the_same_client_twice_is_a_conflict(calling, root):
    admin = calling(root)
    admin.post("/uaa/oauth/clients", NEW)
    assert admin.post("/uaa/oauth/clients", NEW).status_code == 409
    assert admin.post("/uaa/oauth/clients", NEW | {"client_id": "cf"}).status_code == 409


def test_a_weak_secret_another_grant_and_a_strange_id_are_refused(calling, root):
    admin = calling(root)
    for wrong in ({"client_secret": "short"}, {"authorized_grant_types": ["password"]}, {"client_id": "a b"}):
        answer = admin.post("/uaa/oauth/clients", NEW | wrong)
        assert answer.status_code == 400 and answer.json()["error_description"]


def test_nobody_else_makes_sees_or_deletes_them(calling, root, bob):
    actions.create_robot(root, client_id="deployer", secret=NEW["client_secret"])
    caller = calling(bob)
    assert caller.post("/uaa/oauth/clients", NEW).status_code == 403
    assert caller.get("/uaa/oauth/clients/deployer").status_code == 403
    assert caller.get("/uaa/oauth/clients/unknown").status_code == 403
    assert caller.delete("/uaa/oauth/clients/deployer").status_code == 403
