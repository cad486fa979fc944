"""The checks that make a binding of the throw-away instance, and remove it."""

from __future__ import annotations

from typing import Any

from services.brokers.conformance.caller import Reply
from services.brokers.conformance.instances import AGAIN, NOT_THERE
from services.brokers.conformance.trial import Trial
from services.brokers.conformance.verdicts import Failed, Skipped, check


def _bind(trial: Trial, app: str) -> Reply:
    app_guid = trial.guid(app)
    body: dict[str, Any] = {
        **trial.ids(),
        "context": trial.context(),
        "app_guid": app_guid,
        "bind_resource": {"app_guid": app_guid, "space_guid": trial.guid("space")},
        "x-unknown-field": "of a later version",
    }
    query = {"accepts_incomplete": "true"} if trial.retrievable else {}
    return trial.caller.ask("PUT", trial.binding_path, body, query=query)


def _held(reply: Reply) -> dict[str, Any]:
    told = reply.told or {}
    names = ("credentials", "syslog_drain_url", "route_service_url", "volume_mounts")
    held = {name: told[name] for name in names if told.get(name)}
    if not held or not isinstance(held.get("credentials", {}), dict):
        raise Failed(
            "The answer holds no credentials object, nor a drain, a route service or volumes.",
            'Answer {"credentials": {...}} with all that an app needs.',
        )
    return held


@check("bind.create", "A binding is made", "Binding", needs="instance")
def create(trial: Trial) -> None:
    assert trial.offering and trial.plan
    own = trial.plan.bindable
    if not (trial.offering.bindable if own is None else own):
        raise Skipped("The plan cannot be bound, as the catalogue says.")
    trial.binding = True
    reply = _bind(trial, "app")
    if reply.status == 202 and not trial.retrievable:
        raise Failed(
            "The answer was 202 to a caller who did not say that it waits.",
            "Answer 201 with the credentials; only with bindings_retrievable can they be fetched later.",
        )
    if reply.status not in (201, 202):
        trial.binding = not 400 <= reply.status < 500
        raise Failed(
            f"The answer was {reply.status}, not 201 or 202: {reply.text('description')}",
            "Answer 201 with the credentials, or 202 where that takes longer.",
        )
    if reply.status == 201:
        trial.bound = _held(reply)
    elif (state := trial.finish(trial.binding_path, reply)) != "succeeded":
        raise Failed(f"It ended as {state}.", "Look into your broker's log: it could not make the binding.")


@check("bind.repeat", "The same binding again gets 200 and the same credentials", "Binding", needs="binding")
def repeat(trial: Trial) -> None:
    reply = _bind(trial, "app")
    if reply.status != 200:
        raise Failed(f"The answer was {reply.status}, not 200.", AGAIN)
    if trial.bound and _held(reply) != trial.bound:
        raise Failed("The credentials are others than the first time.", AGAIN)


@check("bind.conflict", "Another binding with the same id gets 409", "Binding", needs="binding")
def conflict(trial: Trial) -> None:
    reply = _bind(trial, "another app")
    if reply.status != 409:
        raise Failed(
            f"For another app, with the id of a binding that is there, the answer was {reply.status}, not 409.",
            "Keep what was asked for with each id, and compare.",
        )


@check("binding.fetch", "The binding can be fetched", "Fetching a Service Binding", needs="binding")
def fetch(trial: Trial) -> None:
    if not trial.retrievable:
        raise Skipped("The catalogue does not promise it (bindings_retrievable).")
    reply = trial.caller.ask("GET", trial.binding_path, query=trial.ids())
    if reply.status != 200:
        raise Failed(f"The answer was {reply.status}, not 200.", "Answer what the catalogue promises.")
    held = _held(reply)
    if trial.bound and held != trial.bound:
        raise Failed("The credentials are others than those that were handed out.", "Answer the same ones.")


@check("binding.fetch_unknown", "An unknown binding is not found", "Fetching a Service Binding", needs="binding")
def fetch_unknown(trial: Trial) -> None:
    if not trial.retrievable:
        raise Skipped("The catalogue does not promise fetching (bindings_retrievable).")
    reply = trial.caller.ask("GET", f"{trial.main}/service_bindings/{NOT_THERE}", query=trial.ids())
    if reply.status != 404:
        raise Failed(f"The answer was {reply.status}, not 404.", "Answer 404 to ids that you do not know.")


@check("unbind.delete", "The binding is removed", "Unbinding", needs="binding")
def delete(trial: Trial) -> None:
    reply = _unbind(trial)
    if reply.status not in (200, 202):
        raise Failed(f"The answer was {reply.status}, not 200 or 202.", "Remove it, and answer 200 or 202.")
    if reply.status == 202 and trial.finish(trial.binding_path, reply) == "failed":
        raise Failed("It ended as failed.", "Look into your broker's log: it could not remove the binding.")
    trial.unbound = True


@check("unbind.repeat", "A binding that is gone gets 410", "Unbinding", needs="binding")
def delete_again(trial: Trial) -> None:
    if not trial.unbound:
        raise Skipped("It was not removed.")
    reply = _unbind(trial)
    if reply.status != 410:
        raise Failed(
            f"The answer was {reply.status}, not 410.",
            "Answer 410 to ids that you do not know: platforms delete until they hear it (orphan mitigation).",
        )


def _unbind(trial: Trial) -> Reply:
    return trial.caller.ask("DELETE", trial.binding_path, query=trial.ids() | {"accepts_incomplete": "true"})


ALL = (create, repeat, conflict, fetch, fetch_unknown, delete, delete_again)
