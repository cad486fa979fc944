"""What fails of a broker against the specification, for its author: the last check, and asking for one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from paas.lib.errors import NotFound
from services.actions import conformance as actions
from services.brokers.conformance.run import CHECKS
from services.brokers.conformance.verdicts import ADVICE, FAILED, PASSED, SKIPPED, anchor
from services.forms.brokers import CheckForm
from services.models import ConformanceCheck, ServiceBroker
from services.views.brokers import broker_of, broker_page, demand_keeping
from tenants.forms import errors_told_in
from tenants.views.places import for_scripts, person, polled

GROUPS = (
    (FAILED, "To mend", "failed"),
    (ADVICE, "To improve", "degraded"),
    (PASSED, "Passed", "ready"),
    (SKIPPED, "Not tried", ""),
)


@login_required
@require_safe
def conformance(request: HttpRequest, guid: str) -> HttpResponse:
    broker = _checkable(request, guid)
    return broker_page(request, broker, "conformance", tab="broker_conformance", **_shown(broker))


@for_scripts
@require_safe
def now(request: HttpRequest, guid: str) -> HttpResponse:
    """How far the check is, fetched again and again; the page is loaded anew when it has ended."""
    broker = _checkable(request, guid)
    shown = _shown(broker)
    context = {"broker": broker, **shown}
    return polled(request, "services/brokers/conformance_now.html", context, anew=not shown["going_on"])


@login_required
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, guid: str) -> HttpResponse:
    """Asks what the check may make, and begins it."""
    broker = _checkable(request, guid)
    demand_keeping(request, broker)
    form = CheckForm(request.POST if request.method == "POST" else None, broker=broker)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            plan, parameters = form.cleaned_data["plan"], form.parameters
            actions.check(person(request), broker, plan=plan, parameters=parameters if plan else None)
            return redirect("broker_conformance", broker.guid)
    return broker_page(request, broker, "check", form=form)


def _checkable(request: HttpRequest, guid: str) -> ServiceBroker:
    broker = broker_of(request, guid)
    if broker.kind != "osb":
        raise NotFound("Only brokers that are called over HTTP can be checked. This one is the platform's own.")
    return broker


def _shown(broker: ServiceBroker) -> dict[str, Any]:
    row = ConformanceCheck.objects.filter(broker=broker).select_related("asked_by").defer("parameters").first()
    if row is None or row.begun_at is None:
        return {"check": None, "going_on": False}
    counted = Counter(each["outcome"] for each in row.findings)
    groups = [
        (
            title,
            colour,
            [each | {"link": anchor(each["section"])} for each in row.findings if each["outcome"] == outcome],
        )
        for outcome, title, colour in GROUPS
    ]
    return {
        "check": row,
        "going_on": row.going_on,
        "total": len(CHECKS) + bool(row.plan_name),
        "last": row.findings[-1] if row.findings else None,
        "groups": [group for group in groups if group[2]],
        "counts": [(title.lower(), counted[outcome]) for outcome, title, _ in GROUPS if counted[outcome]],
        "broken_off": row.ended_at is not None and len(row.findings) < len(CHECKS),
    }
