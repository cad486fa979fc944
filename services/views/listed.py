"""The services of a space: its own, and those that others share with it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from services.models import Binding, Repository, Share
from services.views.frame import instances, space_of, space_page
from services.views.standing import last_operation, standing
from tenants.views.places import demand, person

PER_PAGE = 50


@login_required
@require_safe
def listed(request: HttpRequest, guid: str) -> HttpResponse:
    space = space_of(request, guid)
    demand(request, "service.view", space)
    bound = Binding.objects.there().filter(type=Binding.Type.APP, app__space=space)
    bound = bound.select_related("app").only("instance", "app__guid", "app__name").order_by("app__name", "pk")
    there = instances(person(request)).filter(
        Q(space=space) | Q(pk__in=Share.objects.filter(space=space).values("instance"))
    )
    there = there.prefetch_related(Prefetch("bindings", bound, to_attr="here"), "shares")
    page = Paginator(there.order_by("name", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    lines = [
        {
            "instance": row,
            "standing": standing(row),
            "last": last_operation(row),
            "apps": list({each.app.pk: each.app for each in row.here}.values()),
            "foreign": row.space_id != space.pk,
            "shared": len(row.shares.all()),
        }
        for row in page
    ]
    deleted = Repository.objects.filter(space=space, instance=None, backups__isnull=False).distinct().count()
    return space_page(
        request, space, "services/listed.html", tab="space_services", page=page, lines=lines, deleted=deleted
    )
