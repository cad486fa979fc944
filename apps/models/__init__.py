"""What you run: apps and their processes, what they were built from, where they run and how they are reached."""

from apps.models.app import App, Process, Sidecar
from apps.models.build import Build, Buildpack, BuildStep, Droplet, Package, SourceFile, Stack
from apps.models.deployment import Address, Deployment, Instance, Revision
from apps.models.removal import Removal
from apps.models.route import Destination, Domain, Route
from apps.models.task import EnvironmentGroup, Task

__all__ = [
    "Address",
    "App",
    "Build",
    "BuildStep",
    "Buildpack",
    "Deployment",
    "Destination",
    "Domain",
    "Droplet",
    "EnvironmentGroup",
    "Instance",
    "Package",
    "Process",
    "Removal",
    "Revision",
    "Route",
    "Sidecar",
    "SourceFile",
    "Stack",
    "Task",
]
