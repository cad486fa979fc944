"""Reads the parts of a broker's answer: what a binding holds, when to ask again, what went wrong."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any

from django.utils import timezone

from paas.lib.errors import MessageParseError
from paas.lib.http import Answer
from paas.lib.rest import StrictJSONParser
from services.brokers import errors
from services.brokers.base import Binding, Bound, BrokerError, OperationInProgress, RequestRejected

LONGEST_DESCRIPTION, LONGEST_ADDRESS, LONGEST_WAIT = 10_000, 2048, 86_400
INVALID = "The service broker returned an invalid response: "
OF_422 = {  # the broker's code -> what it means, and what is said where the broker says nothing
    "AsyncRequired": (
        errors.AsyncRequired,
        "This service plan requires client support for asynchronous service operations.",
    ),
    "ConcurrencyError": (OperationInProgress, "Another operation for this service instance is in progress."),
    "RequiresApp": (errors.AppRequired, "This service supports generation of credentials through binding an app only."),
    "MaintenanceInfoConflict": (
        errors.MaintenanceInfoConflict,
        "The maintenance information does not match the catalogue. Update the broker's catalogue, and try again.",
    ),
}


def text(told: dict[str, Any], key: str) -> str:
    """Return a text of the answer, "" where there is none; raise ``Malformed`` where it is something else."""
    value = told.get(key)
    if value is not None and not isinstance(value, str):
        raise errors.Malformed(f"{INVALID}expected {key} to be a text.")
    return value or ""


def dashboard(told: dict[str, Any]) -> str | None:
    """Return the address of the instance's dashboard, null where the answer says nothing of it."""
    address = text(told, "dashboard_url") if told.get("dashboard_url") is not None else None
    if address and (len(address) > LONGEST_ADDRESS or not address.startswith(("https://", "http://"))):
        raise errors.Malformed(
            f"{INVALID}expected dashboard_url to be an address that starts with https:// or http://."
        )
    return address


def description(told: dict[str, Any]) -> str:
    said = told.get("description")
    return said[:LONGEST_DESCRIPTION] if isinstance(said, str) else ""


def retry_after(answer: Answer) -> float | None:
    """Return in how many seconds the broker wants to be asked again: it says so in seconds or with a date."""
    said = (answer.headers.get("Retry-After") or "").strip()
    if said.isascii() and said.isdigit():
        return float(min(int(said[:9]), LONGEST_WAIT))
    try:
        seconds = (parsedate_to_datetime(said) - timezone.now()).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def failure(answer: Answer, url: str) -> BrokerError:
    """Return the error that an answer stands for which is none of those that were hoped for."""
    told = _told(answer)
    said, code = description(told), told.get("error")
    if answer.status == 401:
        return errors.NotLetIn(
            "Authentication with the service broker failed. "
            f"Double-check that the username and password are correct: {url}"
        )
    if answer.status == 408:
        return errors.TimedOut(f"The request to the service broker timed out: {url}")
    if answer.status == 409:
        return errors.Conflicting(f"Service broker error: {said or 'it exists already, and is not the same.'}")
    if answer.status == 422 and isinstance(code, str) and code in OF_422:
        kind, usual = OF_422[code]
        return kind(f"Service broker error: {said}" if said else usual)
    if answer.status == 429:
        return errors.TooOften(f"Service broker error: {said or 'it is asked too often. Try again later.'}")
    whole = f"Service broker error: {said}" if said else f"{INVALID}status code {answer.status}."
    return RequestRejected(whole) if 300 <= answer.status < 500 else BrokerError(whole)


def _told(answer: Answer) -> dict[str, Any]:
    try:
        return StrictJSONParser().parse(BytesIO(answer.body))
    except MessageParseError:
        return {}


def bound(told: dict[str, Any], binding: Binding) -> Bound:
    """Return what the binding holds; raise ``BrokerError`` where it holds what the offering did not announce."""
    credentials = told.get("credentials")
    if credentials is not None and not isinstance(credentials, dict):
        raise errors.Malformed(f"{INVALID}expected credentials to be an object.")
    drain, route, mounts = text(told, "syslog_drain_url"), text(told, "route_service_url"), told.get("volume_mounts")
    if drain and "syslog_drain" not in binding.requires:
        raise errors.InvalidSyslogDrain(
            "The service is attempting to stream logs from your application, but is not registered as a logging service. "
            "Please contact the service provider."
        )
    if route and "route_forwarding" not in binding.requires:
        raise errors.InvalidBinding(
            "The service is attempting to forward requests to your application, but is not registered as a route service. "
            "Please contact the service provider."
        )
    if mounts and "volume_mount" not in binding.requires:
        raise errors.InvalidVolumeMounts(
            "The service is attempting to supply volume mounts from your application, "
            "but is not registered as a volume mount service. Please contact the service provider."
        )
    return Bound(credentials or {}, drain, route, tuple(_mounts(mounts or [])))


def _mounts(mounts: Any) -> list[dict[str, Any]]:
    wrong = "The service broker returned volume mounts that are not valid: "
    if not isinstance(mounts, list):
        raise errors.InvalidVolumeMounts(f"{wrong}they must be a list.")
    for each in mounts:
        device = each.get("device") if isinstance(each, dict) else None
        if not isinstance(device, dict) or not _text(device, "volume_id"):
            raise errors.InvalidVolumeMounts(f"{wrong}each needs a device with a volume_id.")
        if not all(_text(each, key) for key in ("driver", "container_dir")):
            raise errors.InvalidVolumeMounts(f"{wrong}each needs a driver and a container_dir.")
        if each.get("mode") not in ("r", "rw") or each.get("device_type") != "shared":
            raise errors.InvalidVolumeMounts(f"{wrong}mode must be r or rw, and device_type shared.")
    return mounts


def _text(thing: dict[str, Any], key: str) -> bool:
    return isinstance(thing.get(key), str) and bool(thing[key].strip())
