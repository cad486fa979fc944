"""One install's whole life on this machine: run, Ctrl-C, run again, doctor, stop, clean."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from paas.host.engine import listed
from paas.host.install import load
from paas.host.shell import run
from paas.host.stop import mounts_under
from tests.host.house import House

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture
def house() -> Iterator[House]:
    made = House.new("life")
    yield made
    made.remove()


def test_an_install_lives_and_leaves_nothing_behind(house: House):
    said = house.start()
    assert f"http://localhost:{house.port}" in said and "cf login -u root@example.org" in said
    assert house.fetch("sample.apps.localhost")[0] == 200
    assert house.fetch("localhost", "/v3/info")[0] == 200
    install = load(house.state)
    assert install

    second = house.do("run")
    assert second.returncode == 1 and "running already" in second.stderr

    healthy = house.do("doctor")
    assert healthy.returncode == 0, healthy.stdout

    assert house.interrupt() == 0
    assert house.fetch("sample.apps.localhost")[0] == 200
    assert house.fetch("localhost", "/v3/info")[0] == 503

    assert re.search(r"Ready after 0:\d\d", house.start())  # within the minute; the figure itself is the bench's
    assert house.fetch("localhost", "/v3/info")[0] == 200

    stopped = house.do("stop")
    assert stopped.returncode == 0, stopped.stderr
    assert house.running and house.running.wait(10) == 0
    assert listed("container", install.label, form="{{.Names}}") == []
    assert mounts_under(house.state) == []

    house.start()
    assert house.fetch("sample.apps.localhost")[0] == 200

    cleaned = house.do("clean", YES="1")
    assert cleaned.returncode == 0, cleaned.stderr
    for kind, form in (("container", "{{.ID}}"), ("volume", "{{.Name}}"), ("network", "{{.ID}}"), ("image", "{{.ID}}")):
        assert listed(kind, install.label, form=form) == []
    assert f"paas-{install.id}" not in run(["iptables-save"]).lower()
    assert not house.state.exists()


def test_a_wrong_setting_stops_the_start_and_is_named(house: House):
    refused = house.do("run", PAAS_PORT="eighty")
    assert refused.returncode == 1 and "PAAS_PORT is 'eighty'" in refused.stderr


def test_a_port_that_is_taken_stops_the_start_and_is_named(house: House):
    with socket.create_server(("0.0.0.0", house.port)):
        refused = house.do("run")
    assert refused.returncode == 1 and f"PAAS_PORT is {house.port}, but another program" in refused.stderr


def test_a_state_folder_with_something_else_in_it_is_refused(house: House):
    (house.state / "precious").write_text("x")
    refused = house.do("run")
    assert refused.returncode == 1 and "holds something else already" in refused.stderr
    assert (house.state / "precious").exists()
    (house.state / "precious").unlink()
