"""Pushes the sample app through the API that every client uses, and fetches it at its URL."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import stamps
from .origin import Api, Origin
from .settings import CHECKOUT, Settings
from .shell import HostError

FOLDER = CHECKOUT / "apps" / "sample"
ORGANIZATION, SPACE, APP = "examples", "samples", "sample"
PUSHED = "pushed-from"  # the annotation that says what the running app was made from
BUILD_SECONDS, START_SECONDS = 600, 180


def host(settings: Settings) -> str:
    return f"{APP}.{settings.apps_domain}"


def push(settings: Settings, token: str, say: Callable[[str], None]) -> float:
    """Return the seconds that the sample's page took, once it answers; push it first where that is needed."""
    origin = Origin(settings)
    api = Api(origin, token)
    space = _space(api)
    app = api.first(f"/v3/apps?names={APP}&space_guids={space['guid']}")
    key = stamps.digest(FOLDER)
    if not app or app["metadata"]["annotations"].get(PUSHED) != key:
        app = app or api.call("POST", "/v3/apps", {"name": APP, **_belongs("space", space)})
        _deploy(api, app, say)
        _route(api, settings, app, space)
        api.call("PATCH", f"/v3/apps/{app['guid']}", {"metadata": {"annotations": {PUSHED: key}}})
    elif app["state"] != "STARTED":
        api.call("POST", f"/v3/apps/{app['guid']}/actions/start")
    return _fetch(origin, host(settings))


def _space(api: Api) -> Any:
    organization = api.first(f"/v3/organizations?names={ORGANIZATION}")
    organization = organization or api.call("POST", "/v3/organizations", {"name": ORGANIZATION})
    space = api.first(f"/v3/spaces?names={SPACE}&organization_guids={organization['guid']}")
    return space or api.call("POST", "/v3/spaces", {"name": SPACE, **_belongs("organization", organization)})


def _belongs(what: str, resource: Any) -> dict[str, Any]:
    return {"relationships": {what: {"data": {"guid": resource["guid"]}}}}


def _deploy(api: Api, app: Any, say: Callable[[str], None]) -> None:
    package = api.call("POST", "/v3/packages", {"type": "bits", **_belongs("app", app)})
    api.upload(f"/v3/packages/{package['guid']}/upload", "bits", archive(FOLDER))
    _until(api, f"/v3/packages/{package['guid']}", ("READY",), ("FAILED", "EXPIRED"), BUILD_SECONDS)
    build = api.call("POST", "/v3/builds", {"package": {"guid": package["guid"]}})
    say("The sample app is being built ...")
    build = _until(api, f"/v3/builds/{build['guid']}", ("STAGED",), ("FAILED",), BUILD_SECONDS)
    droplet = {"data": {"guid": build["droplet"]["guid"]}}
    api.call("PATCH", f"/v3/apps/{app['guid']}/relationships/current_droplet", droplet)
    verb = "restart" if api.call("GET", f"/v3/apps/{app['guid']}")["state"] == "STARTED" else "start"
    api.call("POST", f"/v3/apps/{app['guid']}/actions/{verb}")


def _until(api: Api, path: str, good: tuple[str, ...], bad: tuple[str, ...], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = api.call("GET", path)
        if found["state"] in good:
            return found
        if found["state"] in bad:
            raise HostError(f"{path} is {found['state']}: {found.get('error') or 'no reason was given'}")
        time.sleep(0.3)
    raise HostError(f"{path} is still {found['state']} after {seconds:.0f} s.")


def _route(api: Api, settings: Settings, app: Any, space: Any) -> None:
    domain = api.first(f"/v3/domains?names={settings.apps_domain}")
    if domain is None:
        raise HostError(f"The API does not know the shared domain {settings.apps_domain}.")
    route = api.first(f"/v3/routes?hosts={APP}&domain_guids={domain['guid']}&space_guids={space['guid']}")
    if route is None:
        both = {**_belongs("domain", domain)["relationships"], **_belongs("space", space)["relationships"]}
        route = api.call("POST", "/v3/routes", {"host": APP, "relationships": both})
    destinations = {"destinations": [{"app": {"guid": app["guid"]}}]}
    api.call("POST", f"/v3/routes/{route['guid']}/destinations", destinations)


def _fetch(origin: Origin, name: str) -> float:
    end = time.monotonic() + START_SECONDS
    while True:
        began = time.monotonic()
        try:
            answer = origin.fetch("GET", name, "/", headers={"Accept": "text/html"})
            if answer.status == 200:
                return time.monotonic() - began
            last = f"status {answer.status}"
        except OSError as error:
            last = str(error)
        if time.monotonic() > end:
            raise HostError(f"The sample app does not answer at {name} after {START_SECONDS} s; last: {last}.")
        time.sleep(0.2)


def archive(folder: Path) -> bytes:
    """Return a zip of the folder's files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            file.write(path, path.relative_to(folder))
    return target.getvalue()
