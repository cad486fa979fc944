"""Pages about organizations: those I can see, one of them, and its settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings as conf
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import factors
from paas.lib.web import tells_errors
from tenants import access, flags, navigation
from tenants.actions import organization as actions
from tenants.actions import organization_quota as quotas
from tenants.forms import ConfirmForm, NameForm, OrganizationQuotaForm, errors_told_in
from tenants.models import Organization, Space
from tenants.views.grants import ending_soon
from tenants.views.places import figures, limits, organization_seen

PER_PAGE = 50


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The organizations that I can see, with what they use where I may see that."""
    user: Any = request.user
    if not user.is_authenticated:
        return redirect(conf.LOGIN_URL)
    rows = Organization.objects.visible_to(user).select_related("quota", "use")
    if words := request.GET.get("q", "").strip().replace("\0", ""):
        rows = rows.filter(name__icontains=words)
    mine = Q(spaces__in=Space.objects.visible_to(user))
    rows = rows.annotate(space_count=Count("spaces", filter=mine)).order_by(Lower("name"), "id")
    measured = set(access.organizations_with(user, "usage.view").values_list("pk", flat=True))
    runs_platform = access.may(user, "platform.view")
    unmanaged_only = runs_platform and "unmanaged" in request.GET
    if unmanaged_only:
        rows = rows.filter(pk__in=access.unmanaged())
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    here = [row.pk for row in page]
    return render(
        request,
        "tenants/home.html",
        {
            "due": factors.due(user),
            "page": page,
            "unmanaged": set(access.unmanaged().filter(pk__in=here).values_list("pk", flat=True)),
            "unmanaged_only": unmanaged_only,
            "runs_platform": runs_platform,
            "words": words,
            "listed": [(row, figures(row.use, row.quota)[0] if row.pk in measured else None) for row in page],
            "ending": ending_soon(user),
            "may_create": flags.flag("user_org_creation") or access.may(user, "organization.create"),
        },
    )


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new organization; who creates it manages it."""
    user: Any = request.user
    flags.authorize_creation(user)
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            made = actions.create(user, name=form.cleaned_data["name"])
            messages.success(request, f"Organization {made.name} is there, with a space to try things in: sandbox.")
            return redirect("organization", made.guid)
    shown = {"form": form, "crumbs": [navigation.HOME]}
    return render(request, "tenants/organization_create.html", shown)


@login_required
@require_GET
def organization(request: HttpRequest, guid: str) -> HttpResponse:
    """The spaces that I can see in it, and what it uses of its quota."""
    user: Any = request.user
    found = organization_seen(user, guid)
    spaces = Space.objects.visible_to(user).filter(organization=found).select_related("use", "quota")
    page = Paginator(spaces.order_by(Lower("name"), "id"), PER_PAGE).get_page(request.GET.get("page"))
    people = access.people_of(found)
    managers = people.filter(pk__in=access.role_rows(found).filter(cf_type=access.OM).values("user"))
    more = {
        "page": page,
        "listed": [(row, figures(row.use, row.quota)) for row in page],
        "figures": figures(found.use, found.quota),
        "people_count": people.count(),
        "managers": managers.order_by(Lower("username"))[:10],
    }
    return _render(request, "organization", found, current="organization", **more)


@login_required
@require_GET
def settings(request: HttpRequest, guid: str) -> HttpResponse:
    """Its name, its quota, and for who may: suspending and deleting it."""
    return _settings(request, organization_seen(request.user, guid))  # type: ignore[arg-type]


@login_required
@require_POST
def rename(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    found = organization_seen(user, guid)
    form = NameForm(request.POST)
    if form.is_valid():
        with errors_told_in(form):
            found = actions.update(user, found, name=form.cleaned_data["name"])
            messages.success(request, f"The organization is called {found.name} now.")
            return redirect("organization_settings", guid)
    return _settings(request, found, rename_form=form)


@login_required
@require_POST
def set_quota(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    found = organization_seen(user, guid)
    form = OrganizationQuotaForm(request.POST)
    if form.is_valid():
        quota = form.cleaned_data["quota"]
        with errors_told_in(form):
            quotas.apply(user, quota, organizations=[found])
            messages.success(request, f"{found.name} has the quota {quota.name} now.")
            return redirect("organization_settings", guid)
    return _settings(request, found, quota_form=form)


@login_required
@require_POST
@tells_errors("organization_settings")
def suspend(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    found = actions.update(user, organization_seen(user, guid), suspended=True)
    messages.success(
        request, f"{found.name} is suspended: what runs goes on running, and only platform admins can change anything."
    )
    return redirect("organization_settings", guid)


@login_required
@require_POST
@tells_errors("organization_settings")
def resume(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    found = actions.update(user, organization_seen(user, guid), suspended=False)
    messages.success(request, f"{found.name} is not suspended any more.")
    return redirect("organization_settings", guid)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Asks for the name, and says what goes with it."""
    user: Any = request.user
    found = organization_seen(user, guid)
    access.authorize(user, "organization.delete", found)
    form = ConfirmForm(request.POST or None, expected=found.name)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            actions.delete(user, found)
            messages.success(request, f"Organization {found.name} is gone. What was in it is being taken away.")
            return redirect("home")
    shown = {
        "organization": found,
        "form": form,
        "space_count": found.spaces.filter(deleting_at=None).count(),
        "people_count": access.people_of(found).count(),
        "crumbs": navigation.org_crumbs(found),
    }
    return render(request, "tenants/organization_delete.html", shown)


def _settings(request: HttpRequest, found: Organization, **forms: Any) -> HttpResponse:
    shown = {
        "rename_form": NameForm(initial={"name": found.name}),
        "quota_form": OrganizationQuotaForm(initial={"quota": found.quota_id}),
        "limits": limits(found.quota),
    }
    form = next(iter(forms.values()), None)
    return _render(request, "organization_settings", found, current="organization_settings", form=form, **shown | forms)


def _render(request: HttpRequest, template: str, found: Organization, *, current: str, **more: Any) -> HttpResponse:
    user: Any = request.user
    shown = {
        "organization": found,
        "may": access.verbs_held(user, found),
        "tabs": navigation.org_tabs(found, user, current),
        "crumbs": [navigation.HOME],
    }
    return render(request, f"tenants/{template}.html", shown | more)
