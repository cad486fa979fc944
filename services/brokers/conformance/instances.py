"""The checks that make a throw-away instance, change it and remove it."""

from __future__ import annotations

from services.brokers.conformance.caller import Reply
from services.brokers.conformance.trial import Trial
from services.brokers.conformance.verdicts import Failed, Skipped, check

AGAIN = "A platform that lost an answer asks again: the same request twice must mean the same as once."
NOT_THERE = "00000000-0000-4000-8000-00000000dead"


@check("provision.unknown_plan", "An unknown plan is refused with 400", "Provisioning", needs="plan")
def unknown_plan(trial: Trial) -> None:
    reply = trial.create("refused", trial.wish(plan_id=NOT_THERE))
    if reply.status != 400:
        raise Failed(f"The answer was {reply.status}, not 400.", "Look the plan up in your catalogue before you act.")


@check("provision.no_service", "A request without service_id is refused with 400", "Provisioning", needs="plan")
def no_service(trial: Trial) -> None:
    reply = trial.create("incomplete", trial.wish(service_id=None))
    if reply.status != 400:
        raise Failed(f"The answer was {reply.status}, not 400.", "Check that service_id and plan_id are there.")


@check(
    "provision.async_required",
    "Who cannot wait is not given an operation to wait for",
    "Asynchronous Operations",
    needs="plan",
)
def async_required(trial: Trial) -> None:
    reply = trial.create("hasty", trial.wish(), waits=False)
    if reply.status == 201:
        raise Skipped("This plan is made at once, so nobody has to wait.")
    if reply.status != 422 or reply.text("error") != "AsyncRequired":
        raise Failed(
            f"Without accepts_incomplete=true the answer was {reply.status} with the error {reply.text('error')!r}.",
            'Answer 201, or 422 with {"error": "AsyncRequired"} where it takes longer.',
        )


@check("provision.maintenance", "Another maintenance version than the plan's is refused", "Provisioning", needs="plan")
def maintenance(trial: Trial) -> None:
    assert trial.plan
    if not trial.plan.maintenance_info.get("version"):
        raise Skipped("The plan has no maintenance_info.")
    reply = trial.create("outdated", trial.wish(maintenance_info={"version": "0.0.0-outdated"}))
    if reply.status != 422 or reply.text("error") != "MaintenanceInfoConflict":
        raise Failed(
            f"The answer was {reply.status} with the error {reply.text('error')!r}.",
            'Compare the version with your catalogue\'s, and answer 422 with {"error": "MaintenanceInfoConflict"}.',
        )


@check("provision.create", "An instance is made, and unknown fields are ignored", "Provisioning", needs="plan")
def create(trial: Trial) -> None:
    reply = trial.create("main", trial.wish())
    if reply.status not in (201, 202):
        raise Failed(
            f"The answer was {reply.status}, not 201 or 202: {reply.text('description')}",
            "Answer 201 where it is there, or 202 where it is being made. If it lacks parameters, give them to the check.",
        )
    if reply.told is None:
        raise Failed("The answer is no JSON object.", "Answer with {} at least.")
    trial.instance, trial.creation = True, reply if reply.status == 202 else None


@check("provision.repeat_early", "While it is made, the same instance gets 202 again", "Provisioning", needs="instance")
def repeat_early(trial: Trial) -> None:
    if trial.creation is None:
        raise Skipped("It was made at once.")
    expected = trial.creation.text("operation")
    reply = trial.create("main", trial.wish())
    if reply.status == 200:
        raise Skipped("It was ready before the request was repeated.")
    if reply.status != 202 or reply.text("operation") != expected:
        raise Failed(
            f"The answer was {reply.status} with the operation {reply.text('operation')!r}, not 202 with {expected!r}.",
            AGAIN,
        )


@check(
    "provision.ends", "last_operation tells when it is made",
    "Polling Last Operation for Service Instances", needs="instance",
)  # fmt: skip
def ends(trial: Trial) -> None:
    if trial.creation is None:
        raise Skipped("It was made at once.")
    if (state := trial.finish(trial.main, trial.creation)) != "succeeded":
        trial.instance = False
        raise Failed(f"It ended as {state}.", "Look into your broker's log: it could not make the instance.")


@check("provision.repeat", "Once it is made, the same instance again gets 200", "Provisioning", needs="instance")
def repeat(trial: Trial) -> None:
    reply = trial.create("main", trial.wish())
    if reply.status != 200:
        raise Failed(f"The answer was {reply.status}, not 200.", AGAIN)


@check("provision.conflict", "Another instance with the same id gets 409", "Provisioning", needs="instance")
def conflict(trial: Trial) -> None:
    other = trial.other_plan
    if other is None:
        raise Skipped("The offering has no second plan to ask for.")
    version = other.maintenance_info.get("version")
    wish = trial.wish(plan_id=other.id, maintenance_info={"version": version} if version else None)
    reply = trial.create("main", wish)
    if reply.status != 409:
        raise Failed(
            f"Asked for the plan {other.name} with the id of an instance of another plan, the answer was {reply.status}, not 409.",
            "Keep what was asked for with each id, and compare.",
        )


@check("instance.fetch", "The instance can be fetched", "Fetching a Service Instance", needs="instance")
def fetch(trial: Trial) -> None:
    assert trial.offering and trial.plan
    if not trial.offering.instances_retrievable:
        raise Skipped("The catalogue does not promise it (instances_retrievable).")
    reply = trial.caller.ask("GET", trial.main, query=trial.ids())
    if reply.status != 200 or reply.told is None:
        raise Failed(
            f"The answer was {reply.status}, not 200 with a JSON object.", "Answer what the catalogue promises."
        )
    if reply.text("plan_id") not in ("", trial.plan.id):
        raise Failed(f"It says that the plan is {reply.text('plan_id')!r}.", "Tell the plan that was asked for.")


@check("instance.fetch_unknown", "An unknown instance is not found", "Fetching a Service Instance", needs="instance")
def fetch_unknown(trial: Trial) -> None:
    assert trial.offering
    if not trial.offering.instances_retrievable:
        raise Skipped("The catalogue does not promise fetching (instances_retrievable).")
    reply = trial.caller.ask("GET", f"/v2/service_instances/{NOT_THERE}", query=trial.ids())
    if reply.status != 404:
        raise Failed(f"The answer was {reply.status}, not 404.", "Answer 404 to ids that you do not know.")


@check("update.unknown_plan", "A change to an unknown plan is refused", "Updating a Service Instance", needs="instance")
def update_unknown(trial: Trial) -> None:
    reply = _update(trial, NOT_THERE)
    if not 400 <= reply.status < 500:
        raise Failed(f"The answer was {reply.status}.", "Answer 400 or 422, and change nothing.")


@check("update.plan", "Its plan can be changed", "Updating a Service Instance", needs="instance")
def update_plan(trial: Trial) -> None:
    assert trial.offering and trial.plan
    other = trial.other_plan
    own = trial.plan.plan_updateable
    if other is None or not (trial.offering.plan_updateable if own is None else own):
        raise Skipped("The catalogue does not promise it (plan_updateable), or there is no second plan.")
    reply = _update(trial, other.id, version=other.maintenance_info.get("version"))
    if reply.status == 422:
        raise Skipped(f"The broker does not allow this change: {reply.text('description')}")
    if reply.status not in (200, 202):
        raise Failed(
            f"The answer was {reply.status}, not 200 or 202: {reply.text('description')}",
            "Change the plan, or answer 422 and say why this change is not supported.",
        )
    if reply.status == 202 and (state := trial.finish(trial.main, reply)) != "succeeded":
        raise Failed(f"It ended as {state}.", "Look into your broker's log: it could not change the plan.")
    trial.plan = other
    trial.standing[trial.guid("main")] = trial.made("main")


@check(
    "update.not_promised", "A change that is not supported is refused", "Updating a Service Instance", needs="instance"
)
def update_not_promised(trial: Trial) -> None:
    assert trial.offering and trial.plan
    other, own = trial.other_plan, trial.plan.plan_updateable
    if other is None or (trial.offering.plan_updateable if own is None else own):
        raise Skipped("The catalogue promises changes of the plan, or there is no second plan.")
    reply = _update(trial, other.id)
    if not 400 <= reply.status < 500:
        raise Failed(
            f"The answer was {reply.status}.",
            "Answer 422 to changes that you do not support, or promise them: plan_updateable.",
        )


def _update(trial: Trial, plan: str, *, version: str | None = None) -> Reply:
    assert trial.plan
    previous = {**trial.ids(), "organization_id": trial.guid("organization"), "space_id": trial.guid("space")}
    body = {**trial.ids(), "plan_id": plan, "context": trial.context(), "previous_values": previous}
    body |= {"maintenance_info": {"version": version}} if version else {}
    return trial.caller.ask("PATCH", trial.main, body, query={"accepts_incomplete": "true"})


@check("deprovision.delete", "The instance is removed", "Deprovisioning", needs="instance")
def delete(trial: Trial) -> None:
    reply = trial.caller.ask("DELETE", trial.main, query=trial.ids() | {"accepts_incomplete": "true"})
    if reply.status not in (200, 202):
        raise Failed(f"The answer was {reply.status}, not 200 or 202.", "Remove it, and answer 200 or 202.")
    if reply.status == 202 and trial.finish(trial.main, reply) == "failed":
        raise Failed("It ended as failed.", "Look into your broker's log: it could not remove the instance.")
    trial.standing.pop(trial.guid("main"), None)
    trial.removed = True


@check("deprovision.repeat", "An instance that is gone gets 410", "Deprovisioning", needs="instance")
def delete_again(trial: Trial) -> None:
    if not trial.removed:
        raise Skipped("It was not removed.")
    reply = trial.caller.ask("DELETE", trial.main, query=trial.ids() | {"accepts_incomplete": "true"})
    if reply.status != 410:
        raise Failed(
            f"The answer was {reply.status}, not 410.",
            "Answer 410 to ids that you do not know: platforms delete until they hear it (orphan mitigation).",
        )


BEFORE = (
    unknown_plan, no_service, async_required, maintenance, create, repeat_early, ends, repeat, conflict, fetch, fetch_unknown,
)  # fmt: skip
AFTER = (update_unknown, update_not_promised, update_plan, delete, delete_again)
