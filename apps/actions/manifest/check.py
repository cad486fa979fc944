"""Checks what a manifest says of each app, and says everything that is wrong with it at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

from accounts.models import User
from apps.actions import feature
from apps.actions.app import check_environment
from apps.actions.manifest import check_process, check_route, check_service
from apps.actions.manifest.wanted import WantedApp, WantedSidecar
from apps.models import App, Stack
from paas.lib.errors import FeatureDisabled, Unprocessable
from paas.lib.v3.bodies import MetadataField, sentences
from tenants.flags import require_flag

LONGEST_NAME = 255
AUTODETECT = (None, "default", "null")
Sent = Mapping[str, Any]


class Problems(list[str]):
    """The sentences about one app; ``note`` takes an error's."""

    def note(self, check: Callable[[], Any]) -> Any:
        """Return what the check returns, or keep what it complains about."""
        try:
            return check()
        except Unprocessable as error:
            self.extend(error.errors)
        except FeatureDisabled as error:
            self.append(error.detail)


def every(applications: list[Any], *, by: User) -> list[WantedApp]:
    """Return what is wanted of each app; raise ``Unprocessable`` with all that is wrong."""
    found, said = [], []
    for index, one in enumerate(applications):
        problems = Problems()
        wanted = _app(by, underscored(one), problems)
        whose = f"application '{wanted.name}'" if wanted.name else f"application at index {index}"
        said += [f"For {whose}: {problem}" for problem in problems]
        found.append(wanted)
    if said:
        raise Unprocessable(*said)
    return found


def underscored(sent: Any) -> dict[str, Any]:
    """The keys of an app or a process, which may be written disk-quota or disk_quota."""
    pairs = sent.items() if isinstance(sent, dict) else ()
    return {key.replace("-", "_"): value for key, value in pairs if isinstance(key, str)}


def _app(actor: User, sent: Sent, problems: Problems) -> WantedApp:
    return WantedApp(
        name=_name(sent, problems),
        lifecycle=_lifecycle(actor, sent, problems),
        buildpacks=_buildpacks(sent, problems),
        stack=_stack(sent, problems),
        environment=_environment(sent, problems),
        metadata=_metadata(sent, problems),
        features=_features(sent, problems),
        processes=check_process.processes(sent, problems),
        sidecars=_sidecars(sent, problems),
        services=check_service.services(sent, problems),
        routes=check_route.routes(sent, problems),
        **check_route.switches(sent, problems),
    )


def _name(sent: Sent, problems: Problems) -> str:
    name = sent.get("name")
    if not isinstance(name, str) or not name.strip():
        problems.append("Name must not be empty" if name in (None, "") else "Name must be a string")
        return ""
    if len(name) > LONGEST_NAME:
        problems.append(f"Name is too long (maximum is {LONGEST_NAME} characters)")
    return name


def _lifecycle(actor: User, sent: Sent, problems: Problems) -> str | None:
    asked = sent.get("lifecycle")
    if asked not in (None, *App.Lifecycle.values):
        problems.append("Lifecycle type is not included in list: buildpack, docker")
    named = sent.get("buildpack") is not None or sent.get("buildpacks") is not None
    if sent.get("docker") is None and asked != App.Lifecycle.DOCKER:
        return App.Lifecycle.BUILDPACK if named or asked else None
    problems.note(lambda: require_flag("diego_docker", actor))
    if named:
        problems.append("Cannot specify both buildpack(s) and docker keys")
    return App.Lifecycle.DOCKER


def _buildpacks(sent: Sent, problems: Problems) -> list[str] | None:
    if "buildpack" in sent and "buildpacks" in sent:
        problems.append("Buildpack and Buildpacks fields cannot be used together.")
    if "buildpack" in sent:
        one = sent["buildpack"]
        if one is not None and not isinstance(one, str):
            problems.append("Buildpack must be a string")
        return [] if one in AUTODETECT else [str(one)]
    several = sent.get("buildpacks")
    if several is None:
        return None
    if not isinstance(several, list):
        problems.append("Buildpacks must be an array")
        return None
    if not all(isinstance(one, str) for one in several):
        problems.append("Buildpacks can only contain strings")
    return several


def _stack(sent: Sent, problems: Problems) -> str | None:
    stack = sent.get("stack")
    if stack is not None and not Stack.objects.filter(name=str(stack)).exists():
        problems.append("Stack must be an existing stack")
    return stack


def _environment(sent: Sent, problems: Problems) -> dict[str, str]:
    asked = sent.get("env")
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        problems.append("Env must be an object of keys and values")
        return {}
    variables = {text(key): text(value) for key, value in asked.items()}
    problems.note(lambda: check_environment(variables))
    return variables


def text(value: Any) -> str:
    """A variable's value as the app will see it: numbers and switches as they are written, the rest as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, default=str, skipkeys=True)


def _metadata(sent: Sent, problems: Problems) -> dict[str, Any] | None:
    asked = sent.get("metadata")
    if asked is None:
        return None
    parts = asked.values() if isinstance(asked, dict) else ()
    if not all(isinstance(key, str) for part in parts if isinstance(part, dict) for key in part):
        problems.append("Metadata keys must be strings")
        return None
    try:
        return MetadataField().to_internal_value(asked)
    except ValidationError as error:
        problems += sentences(error.detail, "metadata")
    return None


def _features(sent: Sent, problems: Problems) -> dict[str, bool]:
    asked = sent.get("features")
    if asked is None:
        return {}
    if not isinstance(asked, dict) or not all(
        name in feature.NAMES and isinstance(on, bool) for name, on in asked.items()
    ):
        problems.append("Features must be a map of valid feature names to booleans (true = enabled, false = disabled)")
        return {}
    if asked.get("ssh"):
        problems.append("Feature 'ssh' cannot be enabled on this platform yet. Remove it, or set it to false.")
    if all(asked.get(name) for name in feature.FILES):
        problems.append(
            "Features 'service-binding-k8s' and 'file-based-vcap-services' cannot be enabled at the same time."
        )
    return asked


def _sidecars(sent: Sent, problems: Problems) -> tuple[WantedSidecar, ...]:
    asked = sent.get("sidecars")
    if asked is None:
        return ()
    if not isinstance(asked, list):
        problems.append("Sidecars must be an array of sidecar configurations")
        return ()
    return tuple(_sidecar(underscored(one), problems) for one in asked)


def _sidecar(sent: Sent, problems: Problems) -> WantedSidecar:
    name, command, types = sent.get("name"), sent.get("command"), sent.get("process_types")
    named = isinstance(name, str) and bool(name)
    whose = f'Sidecar "{name}": ' if named else "Sidecar "
    if not named or len(str(name)) > LONGEST_NAME:
        problems.append("Sidecar name can't be blank" if not named else f"{whose}Name is too long")
    if not isinstance(command, str) or not 0 < len(command) <= check_process.LONGEST_COMMAND:
        problems.append(f"{whose}Command must be between 1 and {check_process.LONGEST_COMMAND} characters")
    if not isinstance(types, list) or not types or not all(isinstance(one, str) and one for one in types):
        problems.append(f"{whose}Process types must have at least 1 process_type")
    memory = sent.get("memory")
    size = check_process.memory(f"{memory}M" if isinstance(memory, int) else memory, f"{whose}Memory", problems)
    return WantedSidecar(str(name), str(command), types if isinstance(types, list) else [], size)
