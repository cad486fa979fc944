"""Letting an app use another service in the place of one: what happens is told first, and watched until it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from apps import swaps
from apps.actions import service_swap as actions
from apps.models import App, Deployment
from apps.service_forms import KEEP, SwapForm
from apps.views.frame import app_of, app_page, demand, for_scripts, person
from paas.lib.errors import NotFound
from paas.lib.web import found
from services.models import Binding, Operation, ServiceInstance
from services.views.standing import Step
from tenants.forms import errors_told_in
from tenants.views.places import has_moved, polled

CREATE, DEPLOYED = Operation.Type.CREATE, Deployment.Reason.DEPLOYED


@login_required
@require_http_methods(["GET", "POST"])
def swap(request: HttpRequest, guid: str) -> HttpResponse:
    app, user = app_of(request, guid), person(request)
    demand(request, "service.bind", app.space)
    demand(request, "app.deploy", app.space)
    initial = {name: request.GET.get(name, "")[:64] for name in ("source", "target")}
    form = SwapForm(request.POST or None, app=app, user=user, initial=initial)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        with errors_told_in(form):
            made = actions.swap(user, app, source=asked["source"], target=asked["target"], keep=asked["keep"] == KEEP)
            return redirect("app_swapped", app.guid, made.guid)
    context = {"form": form, "uses": form.fields["source"].queryset.exists()}
    return app_page(request, app, "apps/swap.html", **context)


@login_required
@require_safe
def swapped(request: HttpRequest, guid: str, deployment: str) -> HttpResponse:
    """How far it is, and what can be done next."""
    app = app_of(request, guid)
    return app_page(request, app, "apps/swapped.html", **_shown(request, app, deployment))


@for_scripts
@require_safe
def now(request: HttpRequest, guid: str, deployment: str) -> HttpResponse:
    """The steps, fetched again and again; the page is loaded anew with each change."""
    app = app_of(request, guid)
    shown = _shown(request, app, deployment)
    return polled(request, "services/steps.html", {"app": app, **shown}, anew=has_moved(request, shown["stage"]))


@dataclass(frozen=True)
class Looked:
    """A swap's deployment with the rows that it is about, as far as they are still there to be seen."""

    deployment: Deployment
    swap: swaps.Swap
    instances: dict[str, ServiceInstance]
    bindings: dict[str, Binding]

    def name(self, guid: str) -> str:
        there = self.instances.get(guid)
        return there.name if there else "a service that is gone"


def _look(request: HttpRequest, app: App, guid: str) -> Looked:
    row: Deployment = found(app.deployments.select_related("revision", "created_by"), guid, "There is no such swap.")
    swap = swaps.of(row)
    if swap is None:
        raise NotFound("There is no such swap.")
    seen = ServiceInstance.objects.visible_to(person(request)).filter(guid__in=(swap.source, swap.target))
    bound = Binding.objects.there().filter(guid__in=(swap.left, swap.binding)).select_related("instance")
    fields = ("operation_type", "operation_state", "operation_created_at", "operation_updated_at", "instance__guid")
    return Looked(
        row, swap, {each.guid: each for each in seen.only("guid", "name")},
        {each.guid: each for each in bound.only("guid", *fields)},
    )  # fmt: skip


def _shown(request: HttpRequest, app: App, guid: str) -> dict[str, Any]:
    look = _look(request, app, guid)
    row, swap = look.deployment, look.swap
    steps = [*_credentials(look), _instances(app, look), *_unbinding(look)]
    left = look.bindings.get(swap.left)
    holds = app.serving_id == row.pk and row.reason == DEPLOYED
    return {
        "deployment": row,
        "steps": steps,
        "going_on": any(step.state in ("now", "left") for step in steps),
        "stage": "-".join(step.state for step in steps),
        "source": look.instances.get(swap.source),
        "target": look.instances.get(swap.target),
        "source_name": look.name(swap.source),
        "target_name": look.name(swap.target),
        "failed": row.value == Deployment.Value.FINALIZED and row.reason != DEPLOYED,
        "superseded": row.reason == Deployment.Reason.SUPERSEDED,
        "made": swap.made,
        "holds": holds,
        "kept": left if holds and swap.keep else None,
    }


def _credentials(look: Looked) -> list[Step]:
    row = look.bindings.get(look.swap.binding)
    title = f"Make credentials of {look.name(look.swap.target)}"
    if not look.swap.made:
        return []
    if row is None or row.operation_type != CREATE:
        return [Step(title, "done")]
    if row.busy:
        return [Step(title, "now", row.operation_created_at)]
    failed = row.operation_state == Operation.State.FAILED
    return [Step(title, "failed" if failed else "done", row.operation_created_at, row.operation_updated_at)]


def _instances(app: App, look: Looked) -> Step:
    row, title = look.deployment, f"Start new instances of {app.name}, and lead requests to them when they are healthy"
    if row.value == Deployment.Value.ACTIVE:
        waits = swaps.stand(row).state == "waiting"
        return Step(title, "left" if waits else "now", None if waits else row.created_at)
    done = row.reason == DEPLOYED
    return Step(title, "done" if done else "failed", row.created_at, row.status_changed_at)


def _unbinding(look: Looked) -> list[Step]:
    row, swap = look.bindings.get(look.swap.left), look.swap
    given_up = look.deployment.value == Deployment.Value.FINALIZED and look.deployment.reason != DEPLOYED
    if swap.keep or given_up:
        return []
    title = f"Unbind {look.name(swap.source)}"
    if row is None:
        return [Step(title, "done")]
    if row.operation_type != Operation.Type.DELETE:
        return [Step(title, "left")]
    failed = row.operation_state == Operation.State.FAILED
    return [Step(title, "failed" if failed else "now", row.operation_created_at)]
