"""What an instance can reach, and who can reach it."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from paas.cell.firewall import resolvers
from paas.seams.runtimes.base import Observation, Peer
from tests.cell.machine import Machine, docker, wait_until
from tests.isolation.neighbour import LINK_LOCAL, PORT, PRIVATE, PUBLIC, Neighbour, listening, reached_from_here

pytestmark = pytest.mark.slow

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 4)"
HOLD = """
import socket, sys, time
with socket.create_connection((sys.argv[1], 8080), 4) as it:
    print("open", flush=True)
    sys.stdin.readline()
    it.settimeout(4)
    it.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print(it.recv(100))
"""


def reaches(machine: Machine, seen: Observation, address: str, port: int) -> bool:
    return machine.inside(seen.instance, "python3", "-c", CONNECT, address, str(port)).returncode == 0


def own_address() -> str:
    """Return the machine's own address in the network that its default route leads through."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((PUBLIC, 9))
        return str(probe.getsockname()[0])


def test_the_machine_reaches_the_instance(mine: Observation) -> None:
    assert reached_from_here(mine.address, 8080)


def test_another_app_is_not_reached(machine: Machine, mine: Observation, theirs: Observation) -> None:
    assert reached_from_here(theirs.address, 8080)
    assert not reaches(machine, mine, theirs.address, 8080)


def test_another_instance_of_the_same_app_is_not_reached(machine: Machine) -> None:
    workload = machine.workload("pair", count=2)
    first = machine.run(workload)
    second = machine.ready(workload.instances[1].guid)
    assert not reaches(machine, first, second.address, 8080)
    machine.runtime.prune("pair", [], grace=1)


def test_ports_of_the_machine_are_closed_but_the_routers(machine: Machine, mine: Observation, router_port: int) -> None:
    with listening() as port:
        for address in (str(machine.config["gateway"]), own_address(), "172.17.0.1"):
            assert reached_from_here(address, port)
            assert not reaches(machine, mine, address, port), address
            assert reaches(machine, mine, address, router_port), address


def test_loopback_of_the_machine_is_not_the_instances(machine: Machine, mine: Observation) -> None:
    with listening("127.0.0.1") as port:
        assert not reaches(machine, mine, "127.0.0.1", port)


def test_a_public_address_is_reached(machine: Machine, mine: Observation) -> None:
    assert reaches(machine, mine, PUBLIC, PORT)


@pytest.mark.parametrize("address", [LINK_LOCAL, *PRIVATE])
def test_link_local_and_private_addresses_are_closed(machine: Machine, mine: Observation, address: str) -> None:
    assert reached_from_here(address, PORT)
    assert not reaches(machine, mine, address, PORT)


def test_the_machines_own_network_is_closed(machine: Machine, mine: Observation, neighbour: Neighbour) -> None:
    assert reached_from_here(neighbour.wire.there, PORT)
    assert not reaches(machine, mine, neighbour.wire.there, PORT)


def test_nobody_reaches_the_instance_through_the_machine(mine: Observation, neighbour: Neighbour) -> None:
    assert reached_from_here(mine.address, 8080)
    assert not neighbour.reaches(mine.address, 8080)


def test_what_the_operator_allows_is_reached_and_what_he_denies_is_not(fresh: Machine) -> None:
    fresh.write_config(
        egress_allow=["192.168.254.0/24", LINK_LOCAL + "/32", "10.0.0.0/8"], egress_deny=["10.254.254.77/32"]
    )
    fresh.start_agent()
    seen = fresh.run(fresh.workload("egress"))
    assert reaches(fresh, seen, "192.168.254.77", PORT)
    assert reaches(fresh, seen, LINK_LOCAL, PORT)
    assert not reaches(fresh, seen, "10.254.254.77", PORT)
    assert not reaches(fresh, seen, "100.64.254.77", PORT)
    fresh.stop_agent()
    fresh.write_config(egress_allow=["0.0.0.0/0"], egress_deny=[PUBLIC + "/32"])
    fresh.start_agent()
    assert reaches(fresh, seen, "10.254.254.77", PORT)
    assert not reaches(fresh, seen, LINK_LOCAL, PORT), "allowing everything does not give away a cloud's credentials"
    assert not reaches(fresh, seen, PUBLIC, PORT)


def test_the_machines_name_servers_are_reached_though_their_addresses_are_private(
    machine: Machine, mine: Observation
) -> None:
    asked = [address for address in resolvers() if reached_from_here(str(address), 53)]
    assert [address for address in asked if not reaches(machine, mine, str(address), 53)] == []
    for address in resolvers():
        assert f"-d {address}/32 -p udp -m udp --dport 53 -j ACCEPT" in _rules(machine)


def test_a_binding_opens_exactly_its_way(machine: Machine, mine: Observation, theirs: Observation) -> None:
    workload = machine.workload("bound", reaches=(Peer(theirs.address, 8080), Peer(PRIVATE[0], PORT)))
    seen = machine.run(workload)
    assert reaches(machine, seen, theirs.address, 8080)
    assert reaches(machine, seen, PRIVATE[0], PORT)
    assert not reaches(machine, seen, mine.address, 8080)
    assert not reaches(machine, theirs, seen.address, 8080)
    assert not reaches(machine, mine, theirs.address, 8080)
    machine.runtime.prune("bound", [], grace=1)
    assert f"-s {seen.address}/32" not in _rules(machine)


def test_taking_a_binding_back_ends_open_connections_too(machine: Machine, theirs: Observation) -> None:
    workload = machine.workload("unbound", reaches=(Peer(theirs.address, 8080),))
    seen = machine.run(workload)
    command = ["docker", "exec", "-i", machine.container(seen.instance), "python3", "-c", HOLD, theirs.address]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as held:
        assert held.stdin and held.stdout
        assert held.stdout.readline() == "open\n"
        machine.runtime.apply(machine.workload("unbound", instances=workload.instances))
        held.stdin.write("go\n")
        held.stdin.flush()
        assert "hello" not in held.stdout.read()
    assert not reaches(machine, seen, theirs.address, 8080)
    machine.runtime.apply(workload)
    assert reaches(machine, seen, theirs.address, 8080)
    machine.runtime.prune("unbound", [], grace=1)


def test_an_address_brings_no_ways_of_its_former_instance_along(machine: Machine, theirs: Observation) -> None:
    former = machine.workload("former", reaches=(Peer(theirs.address, 8080),))
    machine.runtime._open_ways(former, former.instances[0])  # and then its worker died
    placement = replace(former.instances[0], guid="latter-0")
    seen = machine.run(machine.workload("latter", instances=(placement,)))
    assert not reaches(machine, seen, theirs.address, 8080)
    machine.runtime.prune("latter", [], grace=1)


def test_a_container_without_an_address_of_its_own_gets_one_from_the_top_quarter(
    machine: Machine, theirs: Observation
) -> None:
    """So a build never takes the address of an instance that is down for a moment."""
    image = machine.runtime.images["debian12"]
    network = f"paas-{machine.install}"
    labels = ["--label", f"paas.install={machine.install}", "--label", "paas.kind=build"]
    code = f"{CONNECT}; print('reached')"
    script = f'hostname -i; python3 -c "{code}" {theirs.address} 8080'
    said = docker("run", "--rm", *labels, "--network", network, image, "sh", "-c", f"{script} 2>/dev/null || true")
    address, *rest = said.split()
    top = list(IPv4Network(machine.config["subnet"]).subnets(prefixlen_diff=2))[3]
    assert IPv4Address(address) in top and rest == []


def test_rules_that_others_removed_or_went_before_are_put_back(fresh: Machine) -> None:
    fresh.start_agent()
    bridge, chain = fresh.config["bridge"], f"PAAS-{fresh.install}"
    for command in (
        f"iptables -D INPUT -i {bridge} -j {chain}-IN",
        f"iptables -D DOCKER-USER -i {bridge} -j {chain}-FROM",
        f"iptables -F {chain}-FROM",
        f"iptables -I INPUT 1 -i {bridge} -j ACCEPT",
    ):
        subprocess.run(command.split(), check=True)
    fresh.stop_agent()
    fresh.start_agent()
    try:
        first = subprocess.run(
            ["iptables", "-S", "INPUT"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert first.index(f"-A INPUT -i {bridge} -j {chain}-IN") < first.index(f"-A INPUT -i {bridge} -j ACCEPT")
        assert "-d 169.254.0.0/16 -j REJECT" in _rules(fresh)
    finally:
        subprocess.run(f"iptables -D INPUT -i {bridge} -j ACCEPT".split(), check=True)


def test_frames_inside_the_bridge_pass_the_firewall(fresh: Machine) -> None:
    switch = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    fresh.start_agent()
    with open(switch) as file:
        assert file.read().strip() == "1"
    assert wait_until(lambda: fresh.problems() == [], "no problems") is True


def _rules(machine: Machine) -> str:
    command = ["iptables", "-S", f"PAAS-{machine.install}-FROM"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
