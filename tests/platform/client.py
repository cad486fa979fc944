"""A plain client of the v3 API and of apps, as a script would be: no library of ours, real HTTP through the router."""

from __future__ import annotations

import base64
import io
import secrets
import time
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import requests

PASSWORD = "correct horse battery"


def wait_until(said: Callable[[], Any], what: str, *, seconds: float = 90) -> Any:
    """Return the first true answer; fail naming what was waited for and what was seen last."""
    end = time.monotonic() + seconds
    while not (answer := said()):
        assert time.monotonic() < end, f"Waited {seconds:.0f} s for {what}; last seen: {answer!r}"
        time.sleep(0.2)
    return answer


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


class Client:
    """One person (or robot) at the API; raises for what is not expected."""

    def __init__(self, port: int, username: str = "root@example.org", password: str = PASSWORD) -> None:
        self.port, self.username, self.password = port, username, password
        self.url = f"http://127.0.0.1:{port}"
        self.http = requests.Session()
        self.http.headers.update({"Host": f"localhost:{port}", "Accept": "application/json"})
        self.sign_in()

    def sign_in(self) -> None:
        form = {"grant_type": "password", "username": self.username, "password": self.password}
        basic = base64.b64encode(b"cf:").decode()
        answer = self.http.post(f"{self.url}/uaa/oauth/token", data=form, headers={"Authorization": f"Basic {basic}"})
        assert answer.status_code == 200, answer.text
        self.token: str = answer.json()["access_token"]

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request, whatever it answers; a token that ran out is renewed."""
        headers = {"Authorization": f"bearer {self.token}", **more.pop("headers", {})}
        answer = self.http.request(method, f"{self.url}{path}", headers=headers, timeout=120, **more)
        if answer.status_code == 401:
            self.sign_in()
            headers["Authorization"] = f"bearer {self.token}"
            answer = self.http.request(method, f"{self.url}{path}", headers=headers, timeout=120, **more)
        return answer

    def call(self, method: str, path: str, data: Any = None, **more: Any) -> Any:
        """One request that must succeed; a job that it answers with is waited for."""
        answer = self.send(method, path, **({"json": data} if data is not None else {}), **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        if answer.status_code == 202 and "Location" in answer.headers and not answer.content:
            return self.job(answer.headers["Location"])
        return answer.json() if answer.content else None

    def job(self, location: str) -> Any:
        path = location[location.index("/v3/") :]
        job = wait_until(lambda: _ended(self.call("GET", path)), f"job {path}")
        assert job["state"] == "COMPLETE", job
        return job

    def only(self, path: str) -> Any:
        (found,) = self.call("GET", path)["resources"]
        return found

    def space(self, organization: str, name: str) -> Any:
        """Make a space in an organization, both if need be."""
        there = self.call("GET", f"/v3/organizations?names={organization}")["resources"]
        org = there[0] if there else self.call("POST", "/v3/organizations", {"name": organization})
        return self.call("POST", "/v3/spaces", {"name": name, **belongs("organization", org)})

    # Pushing, step by step as any client does it ---------------------------------------------------------------

    def create_app(self, space: Any, name: str, **fields: Any) -> Any:
        return self.call("POST", "/v3/apps", {"name": name, **belongs("space", space), **fields})

    def upload(self, app: Any, files: Mapping[str, str | bytes] | bytes) -> Any:
        package = self.call("POST", "/v3/packages", {"type": "bits", **belongs("app", app)})
        bits = files if isinstance(files, bytes) else zipped(files)
        answer = self.send("POST", f"/v3/packages/{package['guid']}/upload", files={"bits": ("app.zip", bits)})
        assert answer.status_code == 200, answer.text
        return wait_until(
            lambda: (found := self.call("GET", f"/v3/packages/{package['guid']}"))["state"] == "READY" and found,
            "the package",
        )

    def build(self, package: Any, **fields: Any) -> Any:
        """Build and return the build when it has ended, whichever way."""
        build = self.call("POST", "/v3/builds", {"package": {"guid": package["guid"]}, **fields})
        return self.built(build["guid"])

    def built(self, guid: str) -> Any:
        return wait_until(
            lambda: (found := self.call("GET", f"/v3/builds/{guid}"))["state"] != "STAGING" and found,
            f"build {guid}",
            seconds=600,
        )

    def droplet(self, app: Any, files: Mapping[str, str | bytes]) -> Any:
        build = self.build(self.upload(app, files))
        assert build["state"] == "STAGED", build["error"]
        return self.call("GET", f"/v3/droplets/{build['droplet']['guid']}")

    def use(self, app: Any, droplet: Any) -> None:
        self.call("PATCH", f"/v3/apps/{app['guid']}/relationships/current_droplet", {"data": {"guid": droplet["guid"]}})

    def route(self, app: Any, space: Any, host: str) -> Any:
        domain = self.only("/v3/domains?names=apps.localhost")
        route = self.call(
            "POST", "/v3/routes", {"host": host, "relationships": {**ends("domain", domain), **ends("space", space)}}
        )
        self.call(
            "POST", f"/v3/routes/{route['guid']}/destinations", {"destinations": [{"app": {"guid": app["guid"]}}]}
        )
        return route

    def push(self, space: Any, name: str, files: Mapping[str, str | bytes], **fields: Any) -> Any:
        """From source to an app that answers at NAME.apps.localhost."""
        app = self.create_app(space, name, **fields)
        self.route(app, space, name)
        self.use(app, self.droplet(app, files))
        self.call("POST", f"/v3/apps/{app['guid']}/actions/start")
        self.running(app)
        return app

    def deploy(self, app: Any, files: Mapping[str, str | bytes]) -> Any:
        """Bring new source up beside what runs; return the deployment."""
        droplet = {"droplet": {"guid": self.droplet(app, files)["guid"]}, **belongs("app", app)}
        return self.call("POST", "/v3/deployments", droplet)

    def deployed(self, deployment: Any) -> Any:
        path = f"/v3/deployments/{deployment['guid']}"
        return wait_until(
            lambda: (found := self.call("GET", path))["status"]["value"] == "FINALIZED" and found,
            "the deployment",
            seconds=180,
        )

    def stats(self, app: Any, process: str = "web") -> list[Any]:
        found: list[Any] = self.call("GET", f"/v3/apps/{app['guid']}/processes/{process}/stats")["resources"]
        return found

    def running(self, app: Any) -> list[Any]:
        """Wait until every instance of web runs."""
        return wait_until(
            lambda: (found := self.stats(app)) and all(each["state"] == "RUNNING" for each in found) and found,
            "the instances",
        )

    def logs(self, app: Any, **query: Any) -> list[tuple[str, str]]:
        """Return (source type, text) of the app's newest lines, oldest first."""
        asked = {"limit": 1000, "descending": "true", "envelope_types": "LOG", "start_time": 0, **query}
        batch = self.call("GET", f"/api/v1/read/{app['guid']}", params=asked)["envelopes"]["batch"]
        lines = [(each["tags"]["source_type"], base64.b64decode(each["log"]["payload"]).decode()) for each in batch]
        return lines[::-1]

    def events(self, app: Any) -> list[str]:
        found = self.call("GET", f"/v3/audit_events?target_guids={app['guid']}&per_page=500")["resources"]
        return [each["type"] for each in found]

    def person(self, username: str, space: Any | None = None, role: str = "space_developer") -> Client:
        """Make a person with one role in a space, and sign in as them."""
        username = f"{username}-{secrets.token_hex(3)}@example.org"
        made = self.call(
            "POST", "/uaa/Users", {"userName": username, "password": PASSWORD, "emails": [{"value": username}]}
        )
        self.call("POST", "/v3/users", {"guid": made["id"]})
        if space:
            org = self.call("GET", f"/v3/spaces/{space['guid']}")["relationships"]["organization"]["data"]
            person = ends("user", {"guid": made["id"]})
            self.call(
                "POST",
                "/v3/roles",
                {"type": "organization_user", "relationships": {**person, **ends("organization", org)}},
            )
            self.call("POST", "/v3/roles", {"type": role, "relationships": {**person, **ends("space", space)}})
        return Client(self.port, username)

    # The apps themselves ------------------------------------------------------------------------------------------

    def fetch(self, name: str, path: str = "/", **more: Any) -> requests.Response:
        """Ask an app at NAME.apps.localhost."""
        headers = {"Host": f"{name}.apps.localhost:{self.port}", **more.pop("headers", {})}
        return requests.request(more.pop("method", "GET"), f"{self.url}{path}", headers=headers, timeout=60, **more)


def ends(what: str, resource: Any) -> dict[str, Any]:
    return {what: {"data": {"guid": resource["guid"]}}}


def belongs(what: str, resource: Any) -> dict[str, Any]:
    return {"relationships": ends(what, resource)}


def _ended(job: Any) -> Any:
    return job if job["state"] in ("COMPLETE", "FAILED") else None
