"""Says which firewall rules the install's containers live under; touches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from .config import Config

LINK_LOCAL = IPv4Network("169.254.0.0/16")
CLOSED = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
ESTABLISHED = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"


@dataclass(frozen=True, order=True)
class Pair:
    """One way that is open (or, once taken back, closed): from an instance to an address and port."""

    source: str
    address: str
    port: int
    protocol: str


def chains(config: Config) -> tuple[str, str, str]:
    """Return the names of our chains: into the host, from our containers, to our containers."""
    return f"PAAS-{config.install}-IN", f"PAAS-{config.install}-FROM", f"PAAS-{config.install}-TO"


def jumps(config: Config) -> tuple[tuple[str, str], ...]:
    """Return (built-in chain, rule) for each place where traffic enters our chains."""
    into, out, to = chains(config)
    return (
        ("INPUT", f"-i {config.bridge} -j {into}"),
        ("DOCKER-USER", f"-i {config.bridge} -j {out}"),
        ("DOCKER-USER", f"-o {config.bridge} ! -i {config.bridge} -j {to}"),
    )


def restore(
    config: Config,
    *,
    pairs: Iterable[Pair],
    revoked: Iterable[Pair],
    resolvers: Iterable[IPv4Address],
    host_networks: Iterable[IPv4Network],
) -> str:
    """Return the whole text for ``iptables-restore --noflush``, which replaces our chains in one step."""
    into, out, to = chains(config)
    lines = ["*filter", *(f":{chain} - [0:0]" for chain in (into, out, to))]
    lines += [f"-A {into} {rule}" for rule in _into_host(config)]
    lines += [f"-A {out} {rule}" for rule in _from_containers(config, pairs, revoked, resolvers, host_networks)]
    lines += [f"-A {to} {ESTABLISHED}", f"-A {to} -j DROP", "COMMIT", ""]
    return "\n".join(lines)


def _into_host(config: Config) -> list[str]:
    ports = [f"-p tcp --dport {port} -j ACCEPT" for port in config.router_ports]
    return [ESTABLISHED, *ports, "-j REJECT"]


def _from_containers(
    config: Config,
    pairs: Iterable[Pair],
    revoked: Iterable[Pair],
    resolvers: Iterable[IPv4Address],
    host_networks: Iterable[IPv4Network],
) -> list[str]:
    # What was taken back comes before ESTABLISHED, or an open connection would outlive its binding.
    rules = [f"{_match(pair)} -j REJECT" for pair in sorted(set(revoked))]
    rules.append(ESTABLISHED)
    rules += [f"{_match(pair)} -j ACCEPT" for pair in sorted(set(pairs))]
    rules.append(f"-o {config.bridge} -j REJECT")
    for resolver in resolvers:
        rules += [f"-d {resolver} -p {protocol} --dport 53 -j ACCEPT" for protocol in ("udp", "tcp")]
    rules += _egress(config.egress_allow, config.egress_deny)
    rules += [f"-d {network} -j REJECT" for network in dict.fromkeys([*CLOSED, *host_networks])]
    return [*rules, "-j RETURN"]


def _egress(allow: Sequence[IPv4Network], deny: Sequence[IPv4Network]) -> list[str]:
    """The narrower of the operator's ranges wins, and of two equal ones the denial.

    Link-local addresses, where clouds hand out their credentials, open only for a range that lies among them.
    """
    said = [(network, "REJECT") for network in deny] + [(network, "ACCEPT") for network in allow]
    said.sort(key=lambda each: (-each[0].prefixlen, each[1] == "ACCEPT"))
    local = [each for each in said if each[0].subnet_of(LINK_LOCAL)]
    others = [each for each in said if not each[0].subnet_of(LINK_LOCAL)]
    return [f"-d {network} -j {verdict}" for network, verdict in [*local, (LINK_LOCAL, "REJECT"), *others]]


def _match(pair: Pair) -> str:
    return f"-s {pair.source} -d {pair.address} -p {pair.protocol} --dport {pair.port}"
