"""The unmodified command line signs in, goes on, signs out, and handles accounts."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts import actions, signin, tokens
from accounts.models import User, UserSession
from tenants.actions import robot as robots
from tenants.actions import robot_key as robot_keys
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import give_app
from tests.conftest import make_user

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("cf") is None, reason="cf is not on PATH"),
]


@pytest.fixture
def cf(live_server: Any, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``cf`` against the live server with a home of its own; ``code`` is the exit status that it must have."""
    actions.ensure_oauth_client()
    environment = {"PATH": os.environ["PATH"], "CF_HOME": str(tmp_path), "LANG": "en_GB.UTF-8", "CF_COLOR": "false"}

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(["cf", *words], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    run.environment = environment  # type: ignore[attr-defined]
    run("api", live_server.url)
    return run


@pytest.fixture
def admin(cf: Callable[..., Any]) -> User:
    return make_user("root", platform_role=User.PlatformRole.ADMIN)


def config(tmp_path: Path) -> Path:
    return tmp_path / ".cf" / "config.json"


def test_login_and_logout(cf, admin, tmp_path):
    cf("login", "-u", admin.username, "-p", PASSWORD)
    token = json.loads(config(tmp_path).read_text())["AccessToken"].partition(" ")[2]
    assert tokens.holder(token)[0] == admin
    assert "No orgs found" in cf("orgs").stdout
    cf("logout")
    with pytest.raises(tokens.InvalidAuthToken):
        tokens.holder(token)
    assert "Not logged in" in cf("orgs", code=1).stderr


def test_a_wrong_password_is_told(cf, admin):
    refused = cf("auth", admin.username, "wrong", code=1)
    assert "Credentials were rejected, please try again." in refused.stdout + refused.stderr
    for _ in range(5):
        cf("auth", admin.username, "wrong", code=1)
    locked = cf("auth", admin.username, PASSWORD, code=1)
    assert "Your account has been locked" in locked.stdout + locked.stderr


def test_with_a_second_factor_the_password_leads_to_a_passcode(cf, admin, tmp_path):
    give_app(admin)
    refused = cf("auth", admin.username, PASSWORD, code=1)
    said = refused.stdout + refused.stderr
    assert "Use `cf login --sso`, with a code from" in said and "Raw Response" not in said
    cf("login", "--sso-passcode", signin.new_passcode(admin))
    assert "No orgs found" in cf("orgs").stdout
    cf("logout")
    assert not UserSession.objects.filter(user=admin).exists()


def test_a_token_that_ran_out_is_renewed_without_a_word(cf, admin, tmp_path):
    cf("auth", admin.username, PASSWORD)
    known = json.loads(config(tmp_path).read_text())
    claims = tokens.claims_of(known["AccessToken"].partition(" ")[2])
    known["AccessToken"] = "bearer " + tokens.sign(claims | {"exp": int(time.time()) - 10})
    config(tmp_path).write_text(json.dumps(known))
    assert "No orgs found" in cf("orgs").stdout
    assert json.loads(config(tmp_path).read_text())["RefreshToken"] != known["RefreshToken"]


def test_a_passcode_signs_in(cf, admin):
    cf("login", "--sso-passcode", signin.new_passcode(admin))
    assert admin.username in cf("target").stdout
    assert cf("oauth-token").stdout.startswith("bearer ")


def test_a_robot_signs_in_with_its_secret(cf, admin):
    actions.create_robot(admin, client_id="deployer", secret="a robot's long secret")
    cf("auth", "deployer", "a robot's long secret", "--client-credentials")
    assert "No orgs found" in cf("orgs").stdout
    assert "rejected" in cf("auth", "deployer", "wrong", "--client-credentials", code=1).stderr


def test_a_robot_of_an_organization_signs_in_with_its_key(cf, admin, space):
    organization = space.organization
    robot = robots.create(admin, organization, name="deploy", address_ranges=["127.0.0.1"])
    key, secret = robot_keys.create(admin, robot, name="ci")
    cf("auth", admin.username, PASSWORD)
    cf("set-space-role", robot.guid, organization.name, space.name, "SpaceDeveloper", "--client")
    assert f"{robot.guid} (client)" in cf("space-users", organization.name, space.name).stdout
    cf.environment |= {"CF_USERNAME": robot.guid, "CF_PASSWORD": secret}
    cf("auth", "--client-credentials")
    assert "No apps found" in cf("target", "-o", organization.name, "-s", space.name).stdout + cf("apps").stdout
    robots.update(admin, robot, address_ranges=["2001:db8::/32"])
    assert "may not be used from 127.0.0.1" in cf("apps", code=1).stderr
    refused = cf("auth", "--client-credentials", code=1)
    assert "may not be used from 127.0.0.1" in refused.stdout + refused.stderr
    robots.update(admin, robot, address_ranges=[])
    cf("auth", "--client-credentials")
    cf("target", "-o", organization.name, "-s", space.name)
    robot_keys.revoke(admin, key)
    cf("apps", code=1)


def test_an_admin_makes_and_deletes_people(cf, admin):
    cf("auth", admin.username, PASSWORD)
    cf("create-user", "erin", "a brand new password")
    assert "already exists" in cf("create-user", "erin", "a brand new password").stderr
    too_short = cf("create-user", "frank", "short", code=1)
    assert "at least 12 characters" in too_short.stdout + too_short.stderr
    assert User.objects.get(username="erin").check_password("a brand new password")
    cf("delete-user", "-f", "erin")
    assert not User.objects.filter(username="erin").exists()
    assert "does not exist" in cf("delete-user", "-f", "erin").stdout


def test_nobody_else_makes_people(cf, admin):
    make_user("bob")
    cf("auth", "bob@example.com", PASSWORD)
    refused = cf("create-user", "erin", "a brand new password", code=1)
    assert "not authorized" in refused.stdout + refused.stderr


def test_one_changes_ones_own_password(cf, admin):
    cf("auth", admin.username, PASSWORD)
    said = typed(["cf", "passwd"], cf.environment, [PASSWORD, "another good password", "another good password"])
    assert "OK" in said, said
    assert User.objects.get(pk=admin.pk).check_password("another good password")


def typed(command: list[str], environment: dict[str, str], lines: list[str]) -> str:
    """Run a command at a terminal, type a line at each prompt, and return what the screen showed."""
    pid, screen = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, environment)
    termios.tcsetwinsize(screen, (24, 200))
    shown, waiting, end = "", list(lines), time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([screen], [], [], 1)[0]:
            continue
        try:
            shown += os.read(screen, 4096).decode(errors="replace")
        except OSError:  # the terminal is gone with its program
            break
        if waiting and shown.lower().count("password: ") > len(lines) - len(waiting):
            os.write(screen, (waiting.pop(0) + "\r").encode())
    else:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return shown
