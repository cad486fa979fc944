"""Makes the install's one network: a flat bridge with our own addressing and no traffic between containers."""

from __future__ import annotations

from typing import Any

from .config import Config
from .engine import Engine, EngineRefused


class NetworkWrong(Exception):
    """A network of our name is there, but it is not the one we need."""


def ensure(engine: Engine, config: Config) -> None:
    """Make the network unless it is there; raise ``NetworkWrong`` where it has another address range."""
    try:
        found = engine.call("GET", f"/networks/{config.network}")
    except EngineRefused as error:
        if error.status != 404:
            raise
        engine.call("POST", "/networks/create", body=_definition(config))
        return
    subnet = (found["IPAM"]["Config"] or [{}])[0].get("Subnet")
    if subnet != str(config.subnet):
        raise NetworkWrong(
            f"The network {config.network} has the range {subnet}, not {config.subnet}. Remove it while nothing runs on it."
        )


def _definition(config: Config) -> dict[str, Any]:
    addresses = {"Subnet": str(config.subnet), "Gateway": str(config.gateway), "IPRange": str(config.dynamic)}
    return {
        "Name": config.network,
        "Driver": "bridge",
        "CheckDuplicate": True,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Config": [addresses]},
        "Options": {
            "com.docker.network.bridge.name": config.bridge,
            "com.docker.network.bridge.enable_icc": "false",
        },
        "Labels": {"paas.install": config.install},
    }
