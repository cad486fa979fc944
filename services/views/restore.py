"""Making a new service from the backups of another, also of one that was deleted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from paas.lib.errors import NotFound
from paas.lib.web import found
from services.actions import instance as actions
from services.forms.restore import BACKUP, NEWEST, RestoreForm
from services.models import Plan, Repository, ServiceInstance
from services.views import kept, prices
from services.views.frame import services_crumbs, space_of, space_page
from services.views.listed import PER_PAGE
from services.views.marketplace import use_after
from tenants.access import verbs_held
from tenants.forms import errors_told_in
from tenants.models import Space
from tenants.navigation import Crumb
from tenants.views.places import demand, person

MISSING = "There are no backups of such a service, or you have no role in its space."


@login_required
@require_http_methods(["GET", "POST"])
def restore(request: HttpRequest, guid: str) -> HttpResponse:
    """Which state, and what the new service is to be; the source stays as it is."""
    row, user = found(kept.repositories(person(request)), guid, MISSING), person(request)
    if row.space is None:
        raise NotFound(MISSING)
    demand(request, "service.see_credentials", row.space)
    plans = _plans(request, row)
    exact = any(kept.to_the_second(plan) for plan in plans.values())
    labels = [(guid, f"{plan.name}: {prices.price(plan)}") for guid, plan in plans.items()]
    form = RestoreForm(
        request.POST or None, repository=row, user=user, plans=labels, to_the_second=exact,
        initial=_initial(request, row, plans),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        with errors_told_in(form):
            made, _job = actions.create(
                user, asked["space"], name=asked["name"], plan=plans[asked["plan"]], parameters=form.parameters
            )
            return redirect("service", made.guid)
    return _page(request, row, form, exact=exact, large=bool(plans))


def _page(request: HttpRequest, row: Repository, form: RestoreForm, **context: Any) -> HttpResponse:
    space: Any = row.space
    return render(
        request,
        "services/restore.html",
        {
            "row": row,
            "form": form,
            "space": space,
            "organization": space.organization,
            "figures": use_after(space),
            "anywhere": form.fields["space"].queryset.exists(),
            "until": kept.until(row),
            "safety": kept.safety(row),
            "crumbs": _crumbs(row, space),
            **context,
        },
    )


def _crumbs(row: Repository, space: Space) -> list[Crumb]:
    if row.instance is None or row.instance.removed_at:
        return [*services_crumbs(space), ("Deleted", reverse("services_deleted", args=[space.guid]))]
    return [
        *services_crumbs(space),
        (row.name, reverse("service", args=[row.guid])),
        ("Backups", reverse("service_backups", args=[row.guid])),
    ]


def _plans(request: HttpRequest, row: Repository) -> dict[str, Plan]:
    """The plans that are large enough, the cheapest first."""
    there = Plan.objects.visible_to(person(request)).filter(
        available=True, offering__catalog_id=row.offering_id, broker_metadata__disk_mb__gte=row.disk_mb
    )
    usable = [each for each in there.select_related("offering__broker") if kept.has_backups(each)]
    return {plan.guid: plan for plan in sorted(usable, key=lambda plan: (prices.amount(plan), plan.pk))}


def _initial(request: HttpRequest, row: Repository, plans: dict[str, Plan]) -> dict[str, Any]:
    """The newest state, or the backup that a link names; the same plan, the same space."""
    backup = request.GET.get("backup", "")[:64]
    had = row.instance.plan_id if row.instance else None
    same = next((plan.guid for plan in plans.values() if plan.pk == had), next(iter(plans), ""))
    taken = ServiceInstance.objects.there().filter(space=row.space_id, name__iexact=row.name).exists()
    until = kept.until(row)
    return {
        "what": BACKUP if backup else NEWEST,
        "backup": backup,
        "date": until.date(),
        "time": until.time().replace(microsecond=0),
        "name": f"{row.name}-restored" if taken else row.name,
        "space": row.space.guid if row.space else "",
        "plan": same,
    }


@login_required
@require_safe
def deleted(request: HttpRequest, guid: str) -> HttpResponse:
    """What was deleted in the space and can be brought back, until when."""
    space = space_of(request, guid)
    demand(request, "service.view", space)
    rows = kept.repositories(person(request)).filter(space=space, instance=None, backups__isnull=False).distinct()
    page = Paginator(rows.order_by("-deleted_at", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    may_restore = "service.see_credentials" in verbs_held(person(request), space)
    return space_page(request, space, "services/deleted.html", page=page, may_restore=may_restore)
