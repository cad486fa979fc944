"""Puts the rules in force and keeps them there: our own chains, replaced in one step, verified again and again."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from . import rules
from .config import Config
from .rules import Pair

BRIDGE_SWITCH = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
RESOLVER_FILES = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


class Firewall:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.lock = threading.Lock()
        self.wanted = ""  # the text that was last put in force
        self.in_force: dict[str, str] = {}  # chain -> its listing right after that

    def apply(self, pairs: Iterable[Pair], revoked: Iterable[Pair]) -> None:
        """Put exactly these ways in force, unless they are; mends what others changed meanwhile."""
        with self.lock:
            self._switch_on()
            wanted = rules.restore(
                self.config,
                pairs=pairs,
                revoked=revoked,
                resolvers=resolvers(),
                host_networks=host_networks(self.config),
            )
            if wanted != self.wanted or self._listing() != self.in_force:
                _run("iptables-restore", "--wait", "--noflush", text=wanted)
                self.wanted, self.in_force = wanted, self._listing()
            for chain, rule in rules.jumps(self.config):
                self._jump(chain, rule)

    def remove(self) -> None:
        """Take everything of ours out."""
        with self.lock:
            for chain, rule in rules.jumps(self.config):
                while _try("iptables", "--wait", "-D", chain, *rule.split()):
                    pass
            for chain in rules.chains(self.config):
                _try("iptables", "--wait", "-F", chain)
                _try("iptables", "--wait", "-X", chain)
            self.wanted = ""

    def _listing(self) -> dict[str, str]:
        return {chain: _try("iptables", "--wait", "-S", chain) for chain in rules.chains(self.config)}

    def _jump(self, chain: str, rule: str) -> None:
        """See to it that nothing but installs' own jumps stands before ours, or it might accept first."""
        listed = _try("iptables", "--wait", "-S", chain).splitlines()
        if not listed:
            _run("iptables", "--wait", "-N", chain)  # the engine adopts it when it comes
        ours = f"-A {chain} {_as_listed(rule)}"
        before = [line for line in listed[: listed.index(ours)] if line.startswith("-A")] if ours in listed else [""]
        if all(" -j PAAS-" in line for line in before):
            return
        _try("iptables", "--wait", "-D", chain, *rule.split())
        _run("iptables", "--wait", "-I", chain, "1", *rule.split())

    def _switch_on(self) -> None:
        # Without it frames inside the bridge pass by the firewall, and containers reach each other.
        if BRIDGE_SWITCH.read_text().strip() != "1":
            BRIDGE_SWITCH.write_text("1")


def resolvers() -> list[IPv4Address]:
    """Return the name servers that the engine forwards to from inside a container's own network."""
    found = {}
    for path in RESOLVER_FILES:
        for line in path.read_text().splitlines() if path.exists() else ():
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver" and "." in words[1]:
                address = IPv4Address(words[1])
                if not address.is_loopback:
                    found[address] = None
    return list(found)


def host_networks(config: Config) -> list[IPv4Network]:
    """Return the networks that the machine itself has a leg in, apart from the install's own."""
    links = json.loads(_run("ip", "-json", "-4", "address", "show"))
    # Bridges of engines come and go, and are private ranges that are closed anyway.
    lasting = [link for link in links if not link["ifname"].startswith(("br-", "docker", "paas-"))]
    addresses = [each for link in lasting for each in link["addr_info"]]
    found = {IPv4Network(f"{each['local']}/{each['prefixlen']}", strict=False) for each in addresses}
    return sorted(network for network in found if not network.is_loopback and network != config.subnet)


def _as_listed(rule: str) -> str:
    """``iptables -S`` prints the incoming interface before the outgoing one."""
    words = rule.split()
    if "!" in words:
        at = words.index("!")
        words = words[at : at + 3] + words[:at] + words[at + 3 :]
    return " ".join(words)


def _run(*command: str, text: str | None = None) -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=30).stdout


def _try(*command: str) -> str:
    """Return the output, "" where the command failed (a chain or rule that is not there)."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return (ended.stdout or "done") if ended.returncode == 0 else ""
