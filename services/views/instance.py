"""An instance: how it stands, what it is, what uses it; how to connect, how its server is, and what was done to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import AuditEvent, EventQuerySet, User
from paas.lib.errors import NotFound, PaasError
from paas.lib.models import by_guid
from paas.lib.web import found
from paas.seams.runtimes.base import Observation
from services import credentials, live
from services.models import Binding, Operation, ServiceInstance
from services.views import connecting, kept, prices
from services.views.frame import bindings, instance_of, instance_page, instances, is_own
from services.views.standing import progress, standing, was_made
from tenants.access import authorize, spaces_with
from tenants.event_links import page_of
from tenants.events import EventPage
from tenants.models import Space
from tenants.views.events import told
from tenants.views.places import for_scripts, has_moved, person, polled

ALMOST_FULL = 0.8  # of a plan's disk


RESTORED = "audit.service_instance.restore"


def bound_apps(user: User, instance: ServiceInstance) -> list[Binding]:
    rows = bindings(user).filter(instance=instance, type=Binding.Type.APP)
    return list(rows.order_by("app__name", "pk"))


def lines_of(user: User, rows: Collection[Binding]) -> list[dict[str, Any]]:
    """The bindings as the page lists them, with what the user may do to each."""
    unused = _unused(rows)
    spaces = [row.app.space_id for row in rows if row.app]
    may_bind, may_run, may_deploy = (
        set(spaces_with(user, verb).filter(pk__in=spaces).values_list("pk", flat=True))
        for verb in ("service.bind", "app.run", "app.deploy")
    )
    return [
        {
            "binding": row,
            "app": row.app,
            "standing": standing(row),
            "unused": row.pk in unused,
            "waits": waits_for_restart(row) and row.pk not in unused,
            "may_unbind": row.app and row.app.space_id in may_bind,
            "may_restart": row.app and row.app.space_id in may_run,
            "may_swap": _may_swap(row) and row.app.space_id in may_bind & may_deploy,
        }
        for row in rows
    ]


def _may_swap(row: Binding) -> bool:
    """Whether the binding is one that another could take the place of in an app that runs."""
    app: Any = row.app
    ready = row.operation_type == Operation.Type.CREATE and row.operation_state == Operation.State.SUCCEEDED
    return ready and app is not None and app.state == app.State.STARTED and app.serving is not None


def _unused(rows: Collection[Binding]) -> set[int]:
    """Which of the bindings an app keeps without being given them, since another has their place."""
    apps = {row.app_id for row in rows}
    placed = Binding.objects.there().filter(app__in=apps, placed_at__isnull=False)
    beside = list(placed.only("guid", "app", "place", "placed_at", "created_at"))
    return {row.pk for row in rows if _has_lost_place(row, [each for each in beside if each.app_id == row.app_id])}


def _has_lost_place(row: Binding, beside: list[Binding]) -> bool:
    given = {each.pk for each in credentials.in_use({each.pk: each for each in (row, *beside)}.values())}
    return row.pk not in given


def waits_for_restart(binding: Binding) -> bool:
    """Whether the app runs since before it was bound: it reads credentials when it starts."""
    app: Any = binding.app
    if app is None or binding.busy or binding.operation_state != binding.State.SUCCEEDED:
        return False
    current = app.target or app.serving
    if current and current.options.get(credentials.SWAP, {}).get("binding") == binding.guid:
        return False  # its instances are those that it was made for
    return app.state == app.State.STARTED and (not current or current.created_at < binding.operation_updated_at)


@login_required
@require_safe
def overview(request: HttpRequest, guid: str) -> HttpResponse:
    instance, user = instance_of(request, guid), person(request)
    bound = bound_apps(user, instance)
    all_bound = Binding.objects.there().filter(instance=instance, type=Binding.Type.APP).count()
    plan, repository = instance.plan, kept.of(user, instance)
    context = {
        "lines": lines_of(user, bound),
        "elsewhere": all_bound - len(bound),
        "made": was_made(instance),
        "price": prices.price(plan) if plan else "",
        "points": prices.points(plan) if plan else [],
        "shared": instance.shares.count(),
        "repository": repository,
        "safety": kept.safety(repository) if repository else None,
        "down": seconds_down(instance),
        **origin_of(user, instance, bound),
    }
    return instance_page(
        request, instance, "services/overview.html", tab="service", **progress(instance, bound), **context
    )


def seconds_down(instance: ServiceInstance) -> float | None:
    """For how long it was down at most with its last change; None where it was not, or where nobody can tell."""
    if instance.operation_type != Operation.Type.UPDATE or instance.operation_state != Operation.State.SUCCEEDED:
        return None
    changes = AuditEvent.objects.filter(target_guid=instance.guid, type="audit.service_instance.update")
    last = changes.newest().first()
    told: float | None = last.data.get("seconds_down_at_most") if last else None
    return told


def origin_of(user: User, instance: ServiceInstance, bound: Collection[Binding]) -> dict[str, Any]:
    """Whose backups it was made from, where it was: the name, the instance if that is still there to be seen, and which

    of its running apps could use the new one in its place.
    """
    of_it = AuditEvent.objects.filter(target_guid=instance.guid, type=RESTORED).first()
    if of_it is None:
        return {}
    seen = ServiceInstance.objects.visible_to(user).filter(guid=of_it.data["source_guid"])
    source = seen.only("guid", "name", "plan", "space").first()
    lines = lines_of(user, bound_apps(user, source)) if source else []
    used = {row.app_id for row in bound}
    apps = {line["app"] for line in lines if line["may_swap"] and line["app"].pk not in used}
    here = [app for app in apps if app.space_id == instance.space_id]
    return {
        "origin": of_it.data["source_name"],
        "source": source,
        "replaceable": sorted(here, key=lambda app: app.name),
    }


@for_scripts
@require_safe
def now(request: HttpRequest, guid: str) -> HttpResponse:
    """How far an operation is, fetched again and again; the page is loaded anew with each change."""
    instance = by_guid(instances(person(request)), guid)
    if instance is None:
        return _gone(request)
    shown = progress(instance, bound_apps(person(request), instance))
    context = {"instance": instance, **shown}
    return polled(request, "services/now.html", context, anew=has_moved(request, shown["stage"]))


def _gone(request: HttpRequest) -> HttpResponse:
    """A deletion has ended while it was watched: on to the services of the space."""
    guid = request.GET.get("space", "")
    space = found(Space.objects.visible_to(person(request)), guid) if guid else None
    if space is None:
        raise NotFound("There is no such service instance, or you have no role in its space.")
    response = HttpResponse()
    response["HX-Redirect"] = reverse("space_services", args=[space.guid])
    return response


@login_required
@require_safe
def connect(request: HttpRequest, guid: str) -> HttpResponse:
    return connect_page(request, instance_of(request, guid))


def connect_page(request: HttpRequest, instance: ServiceInstance, **shown: Any) -> HttpResponse:
    """Show how to connect; ``shown`` has the credentials that somebody has asked for."""
    rows = bound_apps(person(request), instance)
    kind = connecting.kind_of(instance)
    context = {"rows": rows, "kind": kind, "languages": connecting.LANGUAGES, "quoted": connecting.quoted(instance)}
    return instance_page(request, instance, "services/connect.html", tab="service_connect", **context, **shown)


@login_required
@require_safe
def metrics(request: HttpRequest, guid: str) -> HttpResponse:
    instance = instance_of(request, guid)
    if not is_own(instance):
        raise NotFound("What this service does is measured by whoever runs it: see its dashboard.")
    context: dict[str, Any] = {"size": instance.plan.broker_metadata if instance.plan else {}}
    try:
        context["seen"] = live.observation(instance)
        context["full"] = is_full(context["seen"], context["size"])
        context["figures"] = live.metrics(instance)
    except PaasError as error:
        context["silent"] = error.detail
    return instance_page(request, instance, "services/metrics.html", tab="service_metrics", **context)


def is_full(seen: Observation | None, size: Mapping[str, Any]) -> bool:
    """Whether its owner should do something about its disk."""
    return bool(seen and seen.disk_bytes and seen.disk_bytes > (size["disk_mb"] << 20) * ALMOST_FULL)


@login_required
@require_safe
def events(request: HttpRequest, guid: str) -> HttpResponse | StreamingHttpResponse:
    """What was done to the instance and to the bindings that it has, and what was made from its backups."""
    instance = instance_of(request, guid)
    guids = [instance.guid, *Binding.objects.filter(instance=instance).values_list("guid", flat=True)]

    def sources(reader: User) -> Collection[EventQuerySet]:
        authorize(reader, "audit.read", instance.space)
        restored = AuditEvent.objects.filter(type=RESTORED, space_guid=instance.space.guid)
        return [AuditEvent.objects.filter(target_guid__in=guids), restored.filter(data__source_guid=instance.guid)]

    def show(page: EventPage) -> HttpResponse:
        return instance_page(request, instance, "services/events.html", tab="service_events", events=page)

    return told(request, sources, show, name=instance.name)


@page_of("service_instance", "user_provided_service_instance", name="service")
def pages(reader: User, guids: Collection[str]) -> Iterable[str]:
    return ServiceInstance.objects.visible_to(reader).filter(guid__in=guids).values_list("guid", flat=True)
