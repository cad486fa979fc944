"""The operator's settings: what is taken, and what stops the start with a sentence that names the setting."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from paas.host.settings import CHECKOUT, read
from paas.host.shell import HostError
from paas.lib.environment import secret_keys

NAMED = ("PAAS_BLOBS", "PAAS_S3_ENDPOINT_URL", "PAAS_BACKUP_USERS")


def refusal(**given: str) -> str:
    with pytest.raises(HostError) as caught:
        read(given)
    return str(caught.value)


def test_nothing_given_is_plain_http_on_localhost():
    settings = read({})
    assert (settings.address, settings.apps_domain, settings.state) == (
        "http://localhost:8080",
        "apps.localhost",
        CHECKOUT / "var",
    )
    assert settings.address_of("sample.apps.localhost") == "http://sample.apps.localhost:8080"


def test_an_empty_value_is_as_good_as_none():
    assert read({"PAAS_PORT": " ", "PAAS_TLS": "", "DATABASE_URL": ""}) == read({})


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1", "80.0", "٣"])
def test_a_port_that_is_none_is_refused(port: str):
    assert refusal(PAAS_PORT=port).startswith(f"PAAS_PORT is {port!r}")


@pytest.mark.parametrize("domain", ["http://paas.test", "paas.test:80", "-paas.test", "a b", "192.0.2.1", "a..b", ""])
def test_a_domain_is_a_host_name(domain: str):
    if domain:
        assert "PAAS_DOMAIN" in refusal(PAAS_DOMAIN=domain, PAAS_APPS_DOMAIN="apps.test")
    else:
        assert read({"PAAS_DOMAIN": domain}).domain == "localhost"


def test_another_domain_needs_an_apps_domain():
    assert "PAAS_APPS_DOMAIN is missing" in refusal(PAAS_DOMAIN="paas.example.org")


@pytest.mark.parametrize(
    ("apps", "how"),
    [
        ("paas.example.org", "is equal to"),
        ("PAAS.example.org.", "is equal to"),
        ("apps.paas.example.org", "lies under"),
        ("example.org", "lies above"),
    ],
)
def test_an_apps_domain_that_shares_cookies_with_the_console_is_refused(apps: str, how: str):
    sentence = refusal(PAAS_DOMAIN="paas.example.org", PAAS_APPS_DOMAIN=apps)
    assert "PAAS_APPS_DOMAIN" in sentence and how in sentence


@pytest.mark.parametrize("apps", ["apps.example.org", "xpaas.example.org", "example.net", "notexample.org"])
def test_an_apps_domain_beside_the_console_is_taken(apps: str):
    assert read({"PAAS_DOMAIN": "paas.example.org", "PAAS_APPS_DOMAIN": apps}).apps_domain == apps


def test_localhost_itself_is_no_apps_domain():
    assert "is equal to" in refusal(PAAS_APPS_DOMAIN="localhost")


def test_tls_moves_the_ports_to_the_usual_ones():
    settings = read({"PAAS_TLS": "self-signed"})
    assert (settings.port, settings.tls_port, settings.address) == (80, 443, "https://localhost")


def test_tls_and_plain_http_need_different_ports():
    assert "PAAS_TLS_PORT" in refusal(PAAS_TLS="self-signed", PAAS_PORT="8443", PAAS_TLS_PORT="8443")


def test_tls_files_are_kept_as_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("x")
    monkeypatch.chdir(tmp_path)
    assert read({"PAAS_TLS": "cert.pem,key.pem"}).tls == f"{tmp_path}/cert.pem,{tmp_path}/key.pem"


def test_tls_files_that_are_missing_are_named(tmp_path: Path):
    (tmp_path / "cert.pem").write_text("x")
    sentence = refusal(PAAS_TLS=f"{tmp_path}/cert.pem,{tmp_path}/key.pem")
    assert "PAAS_TLS" in sentence and "key.pem" in sentence


@pytest.mark.parametrize("tls", ["on", "yes", "cert.pem", "a,b,c"])
def test_tls_that_is_neither_off_nor_files_is_refused(tls: str):
    assert "PAAS_TLS" in refusal(PAAS_TLS=tls)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"PAAS_ADMIN_EMAIL": "root@example.org"}, "PAAS_ADMIN_PASSWORD"),
        ({"PAAS_ADMIN_PASSWORD": "long enough for us"}, "PAAS_ADMIN_EMAIL"),
        ({"PAAS_ADMIN_EMAIL": "root", "PAAS_ADMIN_PASSWORD": "long enough for us"}, "PAAS_ADMIN_EMAIL"),
        ({"PAAS_ADMIN_EMAIL": "root@example.org", "PAAS_ADMIN_PASSWORD": "short"}, "PAAS_ADMIN_PASSWORD"),
    ],
)
def test_the_first_admin_comes_whole_or_not_at_all(given: dict[str, str], named: str):
    assert named in refusal(**given)


def test_a_refusal_never_shows_a_password():
    assert "s3cret" not in refusal(DATABASE_URL="mysql://paas:s3cret@db/paas")
    assert "s3cret" not in refusal(REDIS_URL="http://:s3cret@redis")
    assert "s3cret" not in refusal(PAAS_ADMIN_EMAIL="root@example.org", PAAS_ADMIN_PASSWORD="s3cret")


def test_one_database_address_serves_both_roles_where_only_one_is_given():
    settings = read({"DATABASE_URL": "postgresql://paas@db/paas"})
    assert settings.database_owner_url == settings.database_url


def test_an_owner_without_an_application_is_refused():
    assert "DATABASE_OWNER_URL" in refusal(DATABASE_OWNER_URL="postgresql://owner@db/paas")


@pytest.mark.parametrize("subnet", ["10.0.0.0", "10.0.0.1/20", "8.8.0.0/20", "10.0.0.0/30", "fd00::/64", "text"])
def test_a_subnet_that_cannot_be_ours_is_refused(subnet: str):
    assert "PAAS_SUBNET" in refusal(PAAS_SUBNET=subnet)


def test_networks_are_split_by_commas_or_spaces():
    settings = read({"PAAS_EGRESS_ALLOW": "10.1.0.0/16, 10.2.0.0/16 10.3.0.4"})
    assert settings.egress_allow == ("10.1.0.0/16", "10.2.0.0/16", "10.3.0.4/32")


def test_a_network_that_is_none_is_named():
    sentence = refusal(PAAS_EGRESS_DENY="10.1.0.0/16,example.org")
    assert "PAAS_EGRESS_DENY" in sentence and "example.org" in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAAS_LOG_LEVEL", "LOUD"),
        ("PAAS_BLOBS", "tape"),
        ("PAAS_BLOBS", "s3"),
        ("PAAS_UPLOAD_LIMIT_MB", "0"),
        ("PAAS_TOKEN_DAYS", "366"),
        ("PAAS_BLOBS_BUDGET_MB", "99"),
        ("PAAS_AUDIT_DAYS", "399"),
    ],
)
def test_what_only_the_control_plane_reads_is_checked_before_it_starts(name: str, value: str) -> None:
    assert refusal(**{name: value}).startswith(f"{name} is ")


def test_mail_needs_its_server_and_a_user_a_password() -> None:
    assert "PAAS_SMTP_HOST" in refusal(PAAS_SMTP_TLS="off")
    assert "PAAS_SMTP_PASSWORD" in refusal(PAAS_SMTP_HOST="mail.example.org", PAAS_SMTP_USER="platform")


def test_databases_need_a_way_to_write_their_backups_to_a_bucket() -> None:
    bucket, elsewhere = {"PAAS_BLOBS": "s3", "PAAS_S3_BUCKET": "kept"}, {"PAAS_S3_ENDPOINT_URL": "https://s3.test"}
    assert read(bucket) and read({**bucket, **elsewhere, "PAAS_BACKUP_USERS": "iam"})
    assert "PAAS_S3_ACCESS_KEY" in refusal(**bucket, **elsewhere)
    assert "PAAS_S3_ACCESS_KEY" in refusal(**bucket, PAAS_BACKUP_USERS="shared")
    assert "https://" in refusal(**bucket, PAAS_S3_ACCESS_KEY="key", PAAS_S3_ENDPOINT_URL="http://s3.example.org")


@pytest.mark.parametrize(
    ("given", "users"),
    [
        ({}, "shared"),
        ({"PAAS_BLOBS": "s3"}, "iam"),
        ({"PAAS_BLOBS": "s3", "PAAS_S3_ENDPOINT_URL": "https://s3.test"}, "shared"),
        ({"PAAS_BLOBS": "s3", "PAAS_S3_ENDPOINT_URL": "https://s3.test", "PAAS_BACKUP_USERS": "iam"}, "iam"),
        ({"PAAS_BLOBS": "s3", "PAAS_BACKUP_USERS": "shared"}, "shared"),
    ],
)
def test_at_amazon_itself_each_database_has_a_user_of_its_own(given: dict[str, str], users: str) -> None:
    """Settings are read once in a process, so each answer is that of a new one."""
    kept = {name: value for name, value in os.environ.items() if name not in NAMED}
    ask = "from paas.settings import PAAS_BACKUP_USERS; print(PAAS_BACKUP_USERS)"
    told = subprocess.run([sys.executable, "-c", ask], env=kept | given, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == users


def test_both_ways_to_begin_an_address_are_named() -> None:
    assert "redis:// or rediss://" in refusal(REDIS_URL="http://example.org")


def test_processes_that_start_first_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    start = Barrier(8)

    def begin(folder: Path) -> tuple[str, ...]:
        start.wait()
        return tuple(secret_keys(folder))

    for number in range(20):
        folder = tmp_path / str(number)
        with ThreadPoolExecutor(8) as processes:
            assert len(set(processes.map(begin, [folder] * 8))) == 1
        assert [file.name for file in folder.iterdir()] == ["secret"]
        assert (folder / "secret").stat().st_mode & 0o777 == 0o600
