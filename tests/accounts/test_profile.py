"""One's own account: names, an e-mail address that both addresses confirm, one's data, and the end of it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import mail
from accounts.models import ApiToken, AuditEvent, EmailChange, Mail, User
from tenants import access
from tests.accounts.conftest import PASSWORD
from tests.conftest import make_user

NEW = "alice@elsewhere.example"


def secrets_of(to: str) -> list[str]:
    bodies = Mail.objects.filter(to=to, kind__startswith="email-change").values_list("body", flat=True)
    return [secret for body in bodies for secret in re.findall(r"/accounts/email/(\S+)", body)]


def wait_over() -> None:
    EmailChange.objects.update(created_at=timezone.now() - timedelta(minutes=2))


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


# Names -------------------------------------------------------------------------------------------------------------


def test_names_are_changed_on_a_page_and_through_the_api(browser: Any, api: Any, alice: User) -> None:
    assert browser(alice).post("/account/names", {"given_name": " Alice ", "family_name": "Doe"}).status_code == 302
    alice.refresh_from_db()
    assert api(alice).get("/v3/account").json()["given_name"] == "Alice"
    assert User.objects.get(pk=alice.pk).display_name == "Alice Doe"
    assert api(alice).patch("/v3/account", {"family_name": "Roe"}).json()["given_name"] == "Alice"
    assert api(alice).patch("/v3/account", {"platform_role": "admin"}).status_code == 422
    changes = AuditEvent.objects.filter(type="audit.user.update").latest("id").data["changes"]
    assert changes["family_name"] == ["Doe", "Roe"]


# The e-mail address ------------------------------------------------------------------------------------------------


def test_an_address_changes_when_both_have_confirmed(browser: Any, alice: User, space: Any) -> None:
    page, anybody = browser(alice), browser()
    assert page.post("/account/email", {"email": NEW}).status_code == 302
    (old,), (new,) = secrets_of("alice@example.com"), secrets_of(NEW)
    assert "not confirmed yet" in text(page.get("/account/email"))
    for secret in (old, new):  # looking confirms nothing
        assert "Confirm" in text(anybody.get(f"/accounts/email/{secret}"))
    assert "The other address has to confirm" in text(anybody.post(f"/accounts/email/{new}"))
    assert User.objects.get(pk=alice.pk).email == "alice@example.com"
    assert "is changed" in text(anybody.post(f"/accounts/email/{old}"))
    changed = User.objects.get(pk=alice.pk)
    assert (changed.email, changed.username) == (NEW, NEW)
    assert Mail.objects.get(kind="email-changed").to == "alice@example.com"
    assert (
        anybody.post(f"/accounts/email/{old}").status_code == anybody.get(f"/accounts/email/{new}").status_code == 404
    )
    assert not secrets_of("alice@example.com") and not secrets_of(NEW)
    assert AuditEvent.objects.get(type="audit.user.email-change").data["changes"]["email"] == ["alice@example.com", NEW]


def test_a_username_of_ones_own_stays(api: Any) -> None:
    person = make_user("nell", given_name="Nell")
    User.objects.filter(pk=person.pk).update(username="nell")
    person.refresh_from_db()
    assert api(person).post("/v3/account/email_change", {"email": NEW}).status_code == 201
    for secret in (*secrets_of("nell@example.com"), *secrets_of(NEW)):
        assert api(person).post("/v3/account/email_change/actions/confirm", {"secret": secret}).status_code == 200
    assert User.objects.get(pk=person.pk).username == "nell"


def test_whether_somebody_has_the_address_is_told_only_to_who_reads_its_mail(api: Any, alice: User, bob: User) -> None:
    assert api(alice).post("/v3/account/email_change", {"email": bob.email}).status_code == 201
    for secret in (*secrets_of(alice.email), *secrets_of(bob.email)):
        answer = api(alice).post("/v3/account/email_change/actions/confirm", {"secret": secret})
    assert answer.status_code == 422 and "already" in answer.json()["errors"][0]["detail"]
    assert User.objects.get(pk=alice.pk).email == "alice@example.com"


def test_a_change_can_be_called_off_and_replaced(api: Any, alice: User) -> None:
    assert api(alice).get("/v3/account/email_change").status_code == 404
    assert api(alice).post("/v3/account/email_change", {"email": NEW}).status_code == 201
    assert api(alice).post("/v3/account/email_change", {"email": "other@example.net"}).status_code == 429
    first = secrets_of(NEW)[0]
    wait_over()
    assert api(alice).post("/v3/account/email_change", {"email": "other@example.net"}).status_code == 201
    confirm = "/v3/account/email_change/actions/confirm"
    assert api(alice).post(confirm, {"secret": first}).status_code == 404
    second = secrets_of("other@example.net")[0]
    for _ in range(2):
        assert api(alice).delete("/v3/account/email_change").status_code == 204
    assert api(alice).post(confirm, {"secret": second}).status_code == 404
    assert not EmailChange.objects.exists()


@pytest.mark.parametrize("email", ["nonsense", "alice@example.com", "x@elsewhere.net"])
def test_an_address_that_cannot_be_is_refused(api: Any, alice: User, email: str, settings: Any) -> None:
    settings.PAAS_MAIL_DOMAINS = ["example.com"]
    assert api(alice).post("/v3/account/email_change", {"email": email}).status_code == 422
    assert not Mail.objects.exists()


def test_links_end_after_a_day(browser: Any, alice: User) -> None:
    browser(alice).post("/account/email", {"email": NEW})
    EmailChange.objects.update(expires_at=timezone.now())
    assert browser().post(f"/accounts/email/{secrets_of(NEW)[0]}").status_code == 404


# One's data --------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators:Warning")
def test_ones_data_is_one_json_file_without_secrets(browser: Any, api: Any, alice: User, space: Any) -> None:
    mail.send(
        alice.email or "", "invitation", subject="Join", template="mail/invitation.txt",
        inviter="dora", organization="ministry", link="https://paas.example.org/join/s3cret", until="1 May",
    )  # fmt: skip

    answer = browser(alice).post("/account/data")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    data = json.loads(b"".join(answer))
    assert data["account"]["username"] == alice.username
    assert {role["role"] for role in data["roles"]} == {"Organization user", "Space developer"}
    assert "s3cret" not in json.dumps(data) and alice.password not in json.dumps(data)
    assert any(event["type"] == "audit.user.export" for event in data["events"])
    assert api(alice).get("/v3/account/data").headers["Content-Type"] == "application/json"


# The end -----------------------------------------------------------------------------------------------------------


def test_an_account_is_closed_with_all_that_lets_it_in(browser: Any, api: Any, alice: User, space: Any) -> None:
    page = browser(alice)
    assert page.post("/account/close", {"name": alice.username, "password": "wrong"}).status_code == 400
    assert page.post("/account/close", {"name": "bob", "password": PASSWORD}).status_code == 400
    answer = page.post("/account/close", {"name": alice.username, "password": PASSWORD})
    assert answer.headers["Location"] == "/"
    assert not User.objects.filter(username=alice.username).exists() and not ApiToken.objects.exists()
    assert page.get("/account").status_code == 302
    kept = AuditEvent.objects.filter(target_guid=alice.guid).values_list("type", flat=True)
    assert {"audit.user.close", "audit.user.space_developer_remove"} <= set(kept)
    assert Mail.objects.get(kind="account-closed").to == "alice@example.com"


def test_the_last_manager_stays(browser: Any, api: Any, dora: User, root: User, org: Any) -> None:
    page = browser(dora)
    assert "ministry" in text(page.get("/account/close"))
    refused = api(dora).post("/v3/account/actions/close", {"password": PASSWORD})
    assert (
        refused.status_code == 422
        and "last organization manager of 'ministry'" in refused.json()["errors"][0]["detail"]
    )
    other = make_user("other")
    for role in ("organization_user", "organization_manager"):
        access.give(other, role, org, by=root)
    assert api(dora).post("/v3/account/actions/close", {"password": "wrong"}).status_code == 422
    assert api(dora).post("/v3/account/actions/close", {"password": PASSWORD}).status_code == 204


def test_the_last_platform_admin_stays(api: Any, root: User) -> None:
    refused = api(root).post("/v3/account/actions/close", {"password": PASSWORD})
    assert refused.status_code == 422 and "last platform admin" in refused.json()["errors"][0]["detail"]
    make_user("second", platform_role=User.PlatformRole.ADMIN)
    assert api(root).post("/v3/account/actions/close", {"password": PASSWORD}).status_code == 204
