"""Everybody's roles in one table, one person's roles, why somebody can do something, and viewing as them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from apps.models import App
from tenants import access
from tenants.actions import custom_role
from tenants.models import Organization, OrganizationRole, Space, SpaceRole
from tests.console.counting import queries


def browser(user: User) -> Client:
    client = Client(headers={"Accept": "text/html"})
    client.force_login(user)
    return client


def page(name: str, *args: str) -> str:
    return reverse(name, args=args)


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def value(user: User, place: Organization | Space, role: str) -> str:
    return f"{user.guid} {place.guid} {role}"


def test_changes_are_told_first_and_saved_together(org, space, make_space, alice, bob, dora):
    second, client = make_space(org, "staging"), browser(dora)
    shown = text(client.get(page("organization_matrix", org.guid)))
    assert value(alice, space, "space_developer") in shown and value(bob, second, "space_developer") in shown
    posted = {
        "was": [value(alice, space, "space_developer"), value(bob, space, "space_auditor")],
        "held": [value(alice, space, "space_developer"), value(bob, second, "space_developer")],
    }
    told = text(client.post(page("organization_matrix_review", org.guid), posted))
    assert "Save these changes?" in told and "staging" in told
    assert not SpaceRole.objects.filter(user=bob, content_object=second).exists()

    confirmed = {"give": [value(bob, second, "space_developer")], "take": [value(bob, space, "space_auditor")]}
    answer = client.post(page("organization_matrix_save", org.guid), confirmed | {"reason": "moves to staging"})
    assert answer.status_code == 302
    assert not SpaceRole.objects.filter(user=bob, content_object=space).exists()
    assert SpaceRole.objects.get(user=bob).reason == "moves to staging"
    assert AuditEvent.objects.filter(type="audit.user.space_developer_add", actor_guid=dora.guid).exists()


def test_what_cannot_be_saved_is_told_and_nothing_is(org, space, alice, dora):
    manager = value(dora, org, "organization_manager")
    posted = {"give": [value(alice, space, "space_manager")], "take": [manager]}
    told = text(browser(dora).post(page("organization_matrix_save", org.guid), posted))
    assert "last organization manager" in told and manager in told
    assert not SpaceRole.objects.filter(user=alice, permission__codename="space_manager").exists()


def test_nothing_changed_is_said(org, alice, dora):
    answer = browser(dora).post(page("organization_matrix_review", org.guid), {"was": [], "held": []}, follow=True)
    assert "Nothing was changed" in text(answer)


def test_who_only_reads_sees_roles_and_no_boxes(org, space, alice, bob):
    shown = text(browser(bob).get(page("organization_matrix", org.guid)))
    assert "Developer" in shown and 'type="checkbox"' not in shown
    posted = {"give": [value(bob, space, "space_developer")]}
    assert browser(bob).post(page("organization_matrix_save", org.guid), posted).status_code == 403


def test_a_space_manager_changes_that_space_only(org, space, make_space, alice, bob, root):
    second = make_space(org, "staging")
    for place in (space, second):
        access.give(bob, "space_supporter", place, by=root)
    access.give(bob, "space_manager", space, by=root)
    shown = text(browser(bob).get(page("organization_matrix", org.guid)))
    assert value(alice, space, "space_auditor") in shown and value(alice, second, "space_auditor") not in shown
    posted = {"give": [value(alice, second, "space_auditor")]}
    assert browser(bob).post(page("organization_matrix_save", org.guid), posted).status_code == 403


def test_a_stranger_sees_nothing(org, alice, charlie):
    for name, *more in (("organization_matrix",), ("organization_person", alice.guid)):
        assert browser(charlie).get(page(name, org.guid, *more)).status_code == 404


def test_spaces_that_are_not_to_be_seen_cannot_be_named(org, make_space, alice, bob, dora):
    hidden = make_space(org, "secret")
    answer = browser(bob).post(
        page("organization_matrix_review", org.guid), {"held": [value(alice, hidden, "space_auditor")]}
    )
    assert answer.status_code == 404


def test_both_directions_are_filtered_and_paged_at_constant_cost(org, space, make_space, dora, root):
    client, url = browser(dora), page("organization_matrix", org.guid)
    client.get(url)
    few = queries(client, url)
    people = [User(username=f"person{number}", email=f"p{number}@example.com") for number in range(120)]
    for user in User.objects.bulk_create(people):
        access.give(user, "organization_user", org, by=root)
    for number in range(12):
        make_space(org, f"space {number}")
    assert queries(client, url) <= few + 2
    shown = text(client.get(url, {"q": "person11", "space": "space 1"}))
    assert "person119" in shown and "person20" not in shown and "space 11" in shown and "space 5" not in shown


def test_custom_roles_are_boxes_too(org, space, alice, dora):
    own = custom_role.create(dora, org, name="Releasers", where="space", verbs=["app.push"])
    shown = text(browser(dora).get(page("organization_person", org.guid, alice.guid)))
    assert value(alice, space, own.guid) in shown and "Releasers" in shown


def test_why_somebody_can_names_the_grant(org, space, alice, dora):
    url = page("organization_person", org.guid, alice.guid)
    shown = text(browser(dora).get(url, {"permission": "app.push", "where": space.guid}))
    assert "<strong>Yes</strong>" in shown and "Space developer in production" in shown
    shown = text(browser(dora).get(url, {"permission": "member.manage", "where": space.guid}))
    assert "<strong>No</strong>" in shown and "Space manager" in shown
    assert "Choose a space" in text(browser(dora).get(url, {"permission": "app.push"}))


def test_why_in_the_api(api, org, space, alice, bob, charlie):
    path = f"/v3/organizations/{org.guid}/permissions"
    asked = {"user": alice.guid, "permission": "app.push", "space": space.guid}
    told = api(bob).get(path, asked).json()
    assert told["allowed"] and told["grants"][0]["role"] == "space_developer"
    assert api(charlie).get(path, asked).status_code == 404
    assert api(bob).get(path, asked | {"permission": "app.fly"}).status_code in (400, 422)


def test_many_roles_change_at_once_in_the_api(api, org, space, alice, bob, dora):
    path = f"/v3/organizations/{org.guid}/actions/change_roles"
    body = {
        "give": [{"user": bob.guid, "role": "organization_auditor"}],
        "take": [{"user": alice.guid, "role": "space_developer", "space": space.guid}],
    }
    assert api(bob).post(path, body).status_code == 403
    assert api(dora).post(path, body).status_code == 204
    assert not SpaceRole.objects.filter(user=alice).exists()
    assert OrganizationRole.objects.filter(user=bob, permission__codename="organization_auditor").exists()
    assert api(dora).post(path, body).status_code == 204  # twice is harmless


@pytest.fixture
def viewing(org: Organization, alice: User, dora: User) -> Client:
    client = browser(dora)
    assert client.post(page("view_as_begin", org.guid, alice.guid)).status_code == 302
    return client


def test_a_manager_sees_what_a_member_sees_and_it_is_on_the_record(org, space, alice, bob, dora, viewing):
    shown = text(viewing.get(page("organization", org.guid)))
    assert "does: only to read" in shown and alice.username in shown
    assert AuditEvent.objects.get(type="audit.organization.view-as").target_guid == alice.guid
    answer = viewing.post(page("view_as_stop"), follow=True)
    assert "as yourself again" in text(answer)


def test_what_the_member_does_not_see_is_not_seen(org, make_space, alice, dora, viewing):
    hidden = make_space(org, "secret")
    assert "secret" not in text(viewing.get(page("organization", org.guid)))
    assert viewing.get(page("space", hidden.guid)).status_code == 404


def test_what_the_manager_does_not_see_is_not_seen_either(org, alice, dora, other_space, root, viewing):
    access.give(alice, "organization_user", other_space.organization, by=root)
    access.give(alice, "space_developer", other_space, by=root)
    assert viewing.get(page("space", other_space.guid)).status_code == 404
    assert "council" not in text(viewing.get("/"))


def test_nothing_is_changed_and_no_secret_is_seen(org, space, alice, dora, viewing):
    app = App.objects.create(space=space, name="shop", environment={"KEY": "a-planted-secret"})
    assert viewing.post(page("organization_rename", org.guid), {"name": "x"}).status_code == 403
    assert "a-planted-secret" not in viewing.get(f"/apps/{app.guid}/environment").content.decode()
    assert viewing.get("/account").status_code == 403
    assert viewing.get(page("account_tokens")).status_code == 403


def test_only_who_manages_members_views_as(org, alice, bob, dora):
    assert browser(bob).post(page("view_as_begin", org.guid, alice.guid)).status_code == 403


def test_it_ends_when_the_manager_is_none_any_more(org, alice, dora, viewing):
    OrganizationRole.objects.filter(user=dora, permission__codename="organization_manager").delete()
    assert "does: only to read" not in text(viewing.get(page("organization", org.guid)))
