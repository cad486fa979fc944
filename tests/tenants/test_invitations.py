"""Inviting people through the API: many addresses at once, each with its own result."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Mail, User
from paas.lib.v3 import stamp
from tenants import access
from tenants.models import Invitation, OrganizationRole, SpaceRole


@pytest.fixture
def invite(api: Any, dora: User, org: Any) -> Any:
    def ask(*emails: str, roles: Any = (), by: User = dora, status: int = 201) -> Any:
        body = {"emails": emails, "roles": roles, "relationships": {"organization": {"data": {"guid": org.guid}}}}
        answer = api(by).post("/v3/invitations", body)
        assert answer.status_code == status, answer.content
        return answer.json()

    return ask


def in_space(role: str, space: Any, **more: Any) -> dict[str, Any]:
    return {"type": role, "relationships": {"space": {"data": {"guid": space.guid}}}, **more}


def details(answer: Any) -> list[str]:
    return [error["detail"] for error in answer["errors"]]


def test_each_address_gets_its_own_result(invite: Any, org: Any, space: Any, charlie: User, alice: User) -> None:
    org.mail_domains = ["example.org", "example.com"]
    org.save()
    answer = invite(
        "New@Example.org", "charlie@example.com", "alice@example.com", "x@elsewhere.net", "dora smith", "new@example.org"
    )  # fmt: skip
    assert [(line["email"], line["result"]) for line in answer["results"]] == [
        ("new@example.org", "invited"),
        ("charlie@example.com", "added"),
        ("alice@example.com", "member"),
        ("x@elsewhere.net", "refused"),
        ("dora smith", "invalid"),
    ]
    first = answer["results"][0]
    assert first["link"].split("/")[-2] == "join" and first["invitation"]["state"] == "pending"
    assert "elsewhere.net may not be invited" in answer["results"][3]["detail"]
    assert charlie in access.people_of(org)
    assert set(Mail.objects.values_list("to", "kind")) == {
        ("new@example.org", "invitation"), ("charlie@example.com", "added")
    }  # fmt: skip


def test_who_is_there_already_gets_the_roles_that_they_lack(invite: Any, org: Any, space: Any, alice: User) -> None:
    roles = [{"type": "organization_auditor"}, in_space("space_developer", space), in_space("space_manager", space)]
    assert invite("alice@example.com", roles=roles)["results"][0]["result"] == "added"
    assert access.roles_held(alice, space=space) >= {"organization_auditor", "space_developer", "space_manager"}
    assert invite("alice@example.com", roles=roles)["results"][0]["result"] == "member"


def test_roles_are_kept_with_their_ends(invite: Any, space: Any, org: Any) -> None:
    end = timezone.now() + timedelta(days=3)
    answer = invite("new@example.org", roles=[in_space("space_developer", space, expires_at=stamp(end))])
    roles = answer["results"][0]["invitation"]["roles"]
    assert [role["type"] for role in roles] == ["organization_user", "space_developer"]
    assert roles[1]["relationships"]["space"]["data"]["guid"] == space.guid
    assert {role["expires_at"][:10] for role in roles} == {f"{end:%Y-%m-%d}"}


def test_an_address_that_is_invited_already_gets_a_new_link_and_the_new_roles(invite: Any, api: Any, org: Any) -> None:
    first = invite("new@example.org")["results"][0]
    again = invite("new@example.org", roles=[{"type": "organization_auditor"}])["results"][0]
    assert first["link"] != again["link"] and first["invitation"]["guid"] == again["invitation"]["guid"]
    assert len(again["invitation"]["roles"]) == 2
    blanked = Mail.objects.order_by("pk").first()
    assert blanked and first["link"] not in blanked.body


def test_it_is_audited(invite: Any, dora: User) -> None:
    invite("new@example.org")
    event = AuditEvent.objects.get(type="audit.invitation.create")
    assert (event.actor_name, event.target_name) == (dora.username, "new@example.org")
    assert event.organization_name == "ministry" and event.data["roles"][0]["role"] == "organization_user"


def test_the_auditor_may_not_and_the_stranger_sees_no_organization(
    invite: Any, bob: User, charlie: User, api: Any, org: Any
) -> None:
    invite("new@example.org", by=bob, status=403)
    assert "Invalid organization" in details(invite("new@example.org", by=charlie, status=422))[0]
    made = invite("new@example.org")["results"][0]["invitation"]["guid"]
    assert api(bob).get(f"/v3/invitations/{made}").status_code == 200
    assert api(bob).delete(f"/v3/invitations/{made}").status_code == 403
    assert api(bob).post(f"/v3/invitations/{made}/actions/send").status_code == 403
    for ask in (api(charlie).get, api(charlie).delete):
        assert ask(f"/v3/invitations/{made}").status_code == 404


def test_where_nobody_can_be_invited_the_answer_says_why(invite: Any, settings: Any) -> None:
    settings.PAAS_MAIL_DOMAINS = ["gov.example"]
    answer = invite("x@elsewhere.net", "nonsense", status=422)
    assert len(answer["errors"]) == 2
    assert invite("x@team.gov.example")["results"][0]["result"] == "invited"
    invite(*[f"p{number}@gov.example" for number in range(101)], status=422)
    invite(status=422)


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ({"type": "space_developer"}, "There is no role 'space_developer' for organizations."),
        ({"type": "emperor"}, "not a valid choice"),
        ({}, "either a type or a custom_role"),
        ({"type": "organization_user", "expires_at": "2020-01-01T00:00:00Z"}, "must be in the future"),
        ({"relationships": {"custom_role": {"data": {"guid": "none"}}}}, "There is no role 'none'"),
        (
            {"type": "space_developer", "relationships": {"space": {"data": {"guid": "none"}}}},
            "Invalid space. Ensure that the space exists and you have access to it.",
        ),
    ],
)
def test_a_role_that_cannot_be_offered_is_refused(invite: Any, role: Any, sentence: str) -> None:
    assert sentence in " ".join(details(invite("new@example.org", roles=[role], status=422)))
    assert not Invitation.objects.exists()


def test_a_role_may_not_outlast_the_membership(invite: Any, space: Any) -> None:
    roles = [
        {"type": "organization_user", "expires_at": stamp(timezone.now() + timedelta(days=1))},
        in_space("space_developer", space),
    ]
    assert "longer than the membership" in details(invite("new@example.org", roles=roles, status=422))[0]


def test_sending_again_makes_a_new_link_and_withdrawing_ends_it(invite: Any, api: Any, dora: User) -> None:
    first = invite("new@example.org")["results"][0]
    here = f"/v3/invitations/{first['invitation']['guid']}"
    Invitation.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    assert api(dora).get("/v3/invitations?states=expired").json()["resources"][0]["email"] == "new@example.org"
    again = api(dora).post(f"{here}/actions/send").json()
    assert again["link"] != first["link"] and again["invitation"]["state"] == "pending"
    assert AuditEvent.objects.filter(type="audit.invitation.send").count() == 1
    for _ in range(2):
        assert api(dora).delete(here).json()["state"] == "withdrawn"
    assert AuditEvent.objects.filter(type="audit.invitation.withdraw").count() == 1
    assert api(dora).post(f"{here}/actions/send").status_code == 422
    assert not Mail.objects.filter(body__contains="/join/").exists()
    assert api(dora).get("/v3/invitations?states=pending,expired").json()["resources"] == []


def test_with_a_mail_server_the_sender_sees_no_link(invite: Any, settings: Any) -> None:
    settings.PAAS_SMTP_HOST = "127.0.0.1"
    assert invite("new@example.org")["results"][0]["link"] is None


def test_the_mail_domains_of_an_organization(api: Any, dora: User, bob: User, charlie: User, org: Any) -> None:
    here = f"/v3/organizations/{org.guid}/mail_domains"
    sent = {"mail_domains": ["@Example.org", "team.example.com", "example.org"]}
    assert api(dora).patch(here, sent).json()["mail_domains"] == ["example.org", "team.example.com"]
    assert api(bob).get(here).json()["mail_domains"] == ["example.org", "team.example.com"]
    assert api(bob).patch(here, sent).status_code == 403
    assert api(charlie).get(here).status_code == 404
    assert "not a mail domain" in details(api(dora).patch(here, {"mail_domains": ["nonsense"]}).json())[0]
    assert "team.example.com" in str(AuditEvent.objects.get(type="audit.organization.update").data)


def test_nobody_is_given_more_than_the_inviter_holds(
    invite: Any, org: Any, space: Any, alice: User, root: User, api: Any, dora: User
) -> None:
    """Who manages members by a custom role offers only roles whose permissions they hold themselves."""
    from tenants.actions import custom_role

    made = custom_role.create(dora, org, name="Doorkeeper", where="organization", verbs=["member.manage"])
    access.give(alice, made.guid, org, by=root)
    assert invite("new@example.org", by=alice)["results"][0]["result"] == "invited"
    invite("new@example.org", roles=[{"type": "organization_manager"}], by=alice, status=403)
    custom = {"relationships": {"custom_role": {"data": {"guid": made.guid}}}}
    assert invite("other@example.org", roles=[custom], by=alice)["results"][0]["result"] == "invited"
    assert not OrganizationRole.objects.filter(user__email="new@example.org").exists() and not SpaceRole.objects.filter(
        content_object=space, permission__codename="space_manager"
    )
