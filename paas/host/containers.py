"""Keeps the install's own containers as they should be: made, made anew when something about them changed, removed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from . import stamps
from .engine import docker, inspect, listed
from .install import Install


def ensure(
    install: Install,
    what: str,
    image: str,
    command: Sequence[str],
    *,
    options: Sequence[str] = (),
    capabilities: Collection[str] = (),
    watched: str = "",
) -> bool:
    """Make the container run, on the host's network and under the engine's restart policy.

    One that runs already, made from the same image and arguments, is left alone; ``watched`` stands for what it reads
    at its start. Tells whether it was (re)started.
    """
    name = install.named(what)
    arguments = ["--network", "host", "--restart", "always", "--cap-drop", "ALL"]
    for capability in sorted(capabilities):
        arguments += ["--cap-add", capability]
    arguments += ["--log-opt", "max-size=10m", "--log-opt", "max-file=3", *options]
    key = stamps.digest(image, *arguments, *command, watched)
    found = inspect("container", name)
    if found and found["State"]["Running"] and found["Config"]["Labels"].get("paas.made_from") == key:
        return False
    if found:
        stop_and_remove(name)
    labels = ["--label", install.label, "--label", f"paas.kind={what}", "--label", f"paas.made_from={key}"]
    docker("run", "--detach", "--name", name, *labels, *arguments, image, *command)
    return True


def exists(name: str) -> bool:
    return inspect("container", name) is not None


def is_running(name: str) -> bool:
    found = inspect("container", name)
    return bool(found and found["State"]["Running"])


def stop_and_remove(*names: str, grace: int = 20) -> None:
    """End the containers with their own stop signal, and remove them; their volumes stay."""
    if names:
        docker("stop", "--time", str(grace), *names)
        docker("rm", "--force", *names)


def volume(install: Install, name: str, target: str) -> list[str]:
    """Make the labelled volume unless it is there; return the options that mount it."""
    if not listed("volume", install.label, form="{{.Name}}").count(name):
        docker("volume", "create", "--label", install.label, name)
    return ["--mount", f"type=volume,source={name},target={target}"]
