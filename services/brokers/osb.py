"""A broker over HTTP: the Open Service Broker API 2.17, and what each of its answers means."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from paas.lib import http
from paas.lib.errors import MessageParseError
from paas.lib.models import new_guid
from paas.lib.rest import StrictJSONParser
from services.brokers import catalogue, errors
from services.brokers.answers import bound, dashboard, description, failure, retry_after, text
from services.brokers.base import (
    Accepted,
    Binding,
    Broker,
    BrokerError,
    CatalogOffering,
    Done,
    Fetched,
    Instance,
    Outcome,
    Place,
    Previous,
    Progress,
    Refused,
    Unknown,
)

VERSION = "2.17"
CATALOGUE_MOST = 64 << 20  # bytes: thousands of plans, each with its schemas
STATES = ("in progress", "succeeded", "failed")


@dataclass(frozen=True)
class OsbBroker(Broker):
    """``networks`` are the private ones that this broker may be found in; ``info`` is where it finds the platform."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    networks: Collection[str] = ()
    seconds: float = http.SECONDS
    info: str = ""

    def catalog(self) -> tuple[CatalogOffering, ...]:
        answer = self._answer("GET", "/v2/catalog", most=CATALOGUE_MOST)
        if answer.status != 200:
            raise failure(answer, self.url)
        return catalogue.read(self._object(answer))

    def provision(self, instance: Instance, *, by: str = "") -> Outcome:
        body = {
            "service_id": instance.offering_id,
            "plan_id": instance.plan_id,
            "organization_guid": instance.place.organization_guid,
            "space_guid": instance.place.space_guid,
            "context": _context(instance),
            **_optional(instance),
        }
        return self._change("PUT", f"{_path(instance)}?accepts_incomplete=true", body, by=by)

    def update(self, instance: Instance, previous: Previous, *, by: str = "") -> Outcome:
        before = {"plan_id": previous.plan_id, "service_id": instance.offering_id} | _maintenance(
            previous.maintenance_version
        )
        before |= {"organization_id": instance.place.organization_guid, "space_id": instance.place.space_guid}
        body = {
            "service_id": instance.offering_id,
            "plan_id": instance.plan_id,
            "context": _context(instance),
            "previous_values": before,
            **_optional(instance),
        }
        return self._change("PATCH", f"{_path(instance)}?accepts_incomplete=true", body, by=by, made=(200,))

    def bind(self, binding: Binding, *, by: str = "") -> Outcome:
        app, instance = binding.app, binding.instance
        body: dict[str, Any] = {
            "service_id": instance.offering_id,
            "plan_id": instance.plan_id,
            "context": _context(instance, app.place if app else None),
        }
        if app:
            resource = {
                "app_guid": app.guid,
                "space_guid": app.place.space_guid,
                "app_annotations": dict(app.annotations),
            }
            body |= {"app_guid": app.guid, "bind_resource": resource}
        if binding.parameters is not None:
            body["parameters"] = dict(binding.parameters)
        query = "?accepts_incomplete=true" if binding.retrievable else ""
        outcome = self._change("PUT", f"{_path(binding)}{query}", body, by=by, binding=binding)
        if isinstance(outcome, Accepted) and not binding.retrievable:
            return Unknown(
                errors.Malformed(
                    "The service broker responded asynchronously, and does not support fetching bindings: "
                    "their credentials could never be read."
                )
            )
        return outcome

    def remove(self, what: Instance | Binding, *, by: str = "") -> Outcome:
        query = urlencode(_ids(what) | {"accepts_incomplete": "true"})
        try:
            answer = self._answer("DELETE", f"{_path(what)}?{query}", by=by)
        except BrokerError as error:
            return Unknown(error)
        if answer.status in (200, 410):
            return Done()
        if answer.status == 202:
            try:
                return Accepted(text(self._object(answer), "operation"), retry_after(answer))
            except BrokerError as error:
                return Unknown(error)
        return self._failed(answer)

    def poll(self, what: Instance | Binding, operation: str) -> Progress:
        query = urlencode(_ids(what) | ({"operation": operation} if operation else {}))
        answer = self._answer("GET", f"{_path(what)}/last_operation?{query}")
        if answer.status == 410:
            return Progress("gone")
        if answer.status != 200:
            raise failure(answer, self.url)
        told = self._object(answer)
        if told.get("state") not in STATES:
            raise errors.Malformed(
                f"The service broker returned an invalid response: expected state to be one of {', '.join(STATES)}."
            )
        made = None
        if told["state"] == "succeeded" and isinstance(what, Binding) and what.retrievable:
            try:
                fetched = self.fetch(what)
            except errors.InvalidBinding as error:
                return Progress("failed", error.detail)
            made = fetched.bound if fetched else None
        usable = told.get("instance_usable") is not False
        return Progress(told["state"], description(told), retry_after(answer), made, usable)

    def fetch(self, what: Instance | Binding) -> Fetched | None:
        answer = self._answer("GET", f"{_path(what)}?{urlencode(_ids(what))}")
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            raise failure(answer, self.url)
        told = self._object(answer)
        parameters, maintenance = told.get("parameters"), told.get("maintenance_info")
        return Fetched(
            parameters=parameters if isinstance(parameters, dict) else {},
            plan_id=text(told, "plan_id"),
            dashboard_url=dashboard(told) or "",
            maintenance_version=text(maintenance, "version") if isinstance(maintenance, dict) else "",
            bound=bound(told, what) if isinstance(what, Binding) else None,
        )

    def _change(
        self,
        method: str,
        target: str,
        body: dict[str, Any],
        *,
        by: str,
        made: tuple[int, ...] = (200, 201),
        binding: Binding | None = None,
    ) -> Outcome:
        """Ask for something, and say what the answer means: the table of orphan mitigation, row by row."""
        try:
            answer = self._answer(method, target, body, by=by)
        except errors.Unreachable as error:
            return Refused(error)  # nothing was sent
        except BrokerError as error:
            return Unknown(error)
        if answer.status not in (*made, 202):
            return self._failed(answer)
        try:
            told = self._object(answer)
            if answer.status == 202:
                return Accepted(text(told, "operation"), retry_after(answer), dashboard(told))
            return Done(dashboard(told), bound(told, binding) if binding else None)
        except errors.Malformed as error:
            return Refused(error) if answer.status == 200 else Unknown(error)
        except BrokerError as error:
            return Unknown(error)

    def _failed(self, answer: http.Answer) -> Outcome:
        error = failure(answer, self.url)
        return Unknown(error) if answer.status // 100 in (2, 5) else Refused(error)

    def _answer(
        self, method: str, target: str, body: dict[str, Any] | None = None, *, by: str = "", most: int = http.MOST
    ) -> http.Answer:
        secret = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {secret}",
            "X-Broker-API-Version": VERSION,
            "X-Broker-API-Request-Identity": new_guid(),
        }
        if self.info:
            headers["X-Api-Info-Location"] = self.info
        if by:
            user = base64.b64encode(json.dumps({"user_id": by}).encode()).decode()
            headers["X-Broker-API-Originating-Identity"] = f"cloudfoundry {user}"
        sent = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = json.dumps(body).encode()
        client = http.Client(networks=self.networks, seconds=self.seconds, most=most)
        try:
            return client.call(method, f"{self.url.rstrip('/')}{target}", headers=headers, body=sent)
        except http.TimedOut as error:
            raise errors.TimedOut(f"The request to the service broker timed out: {self.url}") from error
        except http.Unreachable as error:
            raise errors.Unreachable(f"The service broker could not be reached: {self.url}. {error}") from error
        except http.CallFailed as error:
            raise BrokerError(f"The service broker did not answer properly: {self.url}. {error}") from error

    def _object(self, answer: http.Answer) -> dict[str, Any]:
        try:
            if answer.body.strip():
                told: dict[str, Any] = StrictJSONParser().parse(io.BytesIO(answer.body))
                return told
        except MessageParseError:
            pass
        raise errors.Malformed(
            f"The service broker returned an invalid response: expected valid JSON object in body, with status {answer.status}."
        )


def _path(what: Instance | Binding) -> str:
    if isinstance(what, Binding):
        return f"{_path(what.instance)}/service_bindings/{quote(what.guid, safe='')}"
    return f"/v2/service_instances/{quote(what.guid, safe='')}"


def _ids(what: Instance | Binding) -> dict[str, str]:
    instance = what.instance if isinstance(what, Binding) else what
    return {"service_id": instance.offering_id, "plan_id": instance.plan_id}


def _maintenance(version: str) -> dict[str, Any]:
    return {"maintenance_info": {"version": version}} if version else {}


def _optional(instance: Instance) -> dict[str, Any]:
    sent = _maintenance(instance.maintenance_version)
    return sent if instance.parameters is None else sent | {"parameters": dict(instance.parameters)}


def _context(instance: Instance, place: Place | None = None) -> dict[str, Any]:
    """The profile of Cloud Foundry: the place is the app's where a shared instance is bound."""
    place = place or instance.place
    return {
        "platform": "cloudfoundry",
        "organization_guid": place.organization_guid,
        "organization_name": place.organization_name,
        "organization_annotations": dict(place.organization_annotations),
        "space_guid": place.space_guid,
        "space_name": place.space_name,
        "space_annotations": dict(place.space_annotations),
        "instance_name": instance.name,
        "instance_annotations": dict(instance.annotations),
    }
