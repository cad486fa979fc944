"""What an install is called and where it listens: chosen once, and kept."""

from __future__ import annotations

import ipaddress
import json
import socket
import stat
from pathlib import Path

import pytest

from paas.host import network, setup
from paas.host.install import Install, load, load_or_create, with_free_port
from paas.host.settings import read
from paas.host.shell import HostError


@pytest.fixture
def install(tmp_path: Path) -> Install:
    return load_or_create(tmp_path)


def test_the_second_start_finds_what_the_first_chose(tmp_path: Path, install: Install):
    assert load_or_create(tmp_path) == install == load(tmp_path)


def test_there_is_no_install_before_the_first_start(tmp_path: Path):
    assert load(tmp_path) is None


def test_two_installs_share_nothing(tmp_path: Path, install: Install):
    other = load_or_create(tmp_path / "other", taken=[install.subnet])
    assert other.id != install.id
    assert not ipaddress.ip_network(other.subnet).overlaps(ipaddress.ip_network(install.subnet))
    secrets = (install.owner_password, install.application_password, install.redis_password)
    assert not {other.owner_password, other.application_password, other.redis_password} & set(secrets)


def test_a_new_checkout_notes_an_install_that_is_elsewhere(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(setup, "REGISTER", tmp_path / "checkout" / "var" / "installs")
    for _ in range(2):
        setup.register(read({"PAAS_STATE": str(tmp_path)}))
    assert setup.registered() == [tmp_path]


def test_names_fit_into_what_the_kernel_allows_for_a_bridge(install: Install):
    assert len(f"paas-{install.id}") <= 15
    assert install.named("router") == f"paas-{install.id}-router"


def test_only_root_reads_the_passwords(tmp_path: Path, install: Install):
    assert stat.S_IMODE((tmp_path / "install.json").stat().st_mode) == 0o600


def test_the_chosen_subnet_is_free_and_stays(tmp_path: Path, install: Install):
    chosen = ipaddress.ip_network(install.subnet)
    assert not any(chosen.overlaps(ipaddress.ip_network(route, strict=False)) for route in network.routes())
    with pytest.raises(HostError, match=r"PAAS_SUBNET is 10\.9\.0\.0/20"):
        load_or_create(tmp_path, subnet="10.9.0.0/20")


def test_an_operator_who_names_a_subnet_gets_it(tmp_path: Path):
    assert load_or_create(tmp_path, subnet="10.9.0.0/20").subnet == "10.9.0.0/20"


def test_a_machine_whose_private_networks_are_all_taken_is_told(tmp_path: Path):
    with pytest.raises(HostError, match="PAAS_SUBNET"):
        load_or_create(tmp_path, taken=["10.0.0.0/8"])


def test_a_port_that_someone_took_is_replaced_and_remembered(tmp_path: Path, install: Install):
    with socket.create_server(("127.0.0.1", install.web_port)):
        moved = with_free_port(tmp_path, install, "web_port")
    assert moved.web_port != install.web_port and moved.redis_port == install.redis_port
    assert load(tmp_path) == moved


def test_a_port_that_is_still_free_is_kept(tmp_path: Path, install: Install):
    assert with_free_port(tmp_path, install, "web_port") == install


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"id": "0a1b2c"})])
def test_a_file_that_cannot_be_understood_stops_us_with_its_name(tmp_path: Path, text: str):
    (tmp_path / "install.json").write_text(text)
    with pytest.raises(HostError, match=r"install\.json cannot be understood"):
        load(tmp_path)


def test_routes_are_read_from_the_kernels_table(tmp_path: Path):
    table = tmp_path / "route"
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    table.write_text(
        head
        + "eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n"
        + "docker0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0\n"
    )
    assert network.routes(table) == ["172.17.0.0/255.255.0.0"]
