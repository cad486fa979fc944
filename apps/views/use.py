"""What a space uses of its quota, and which app how much of that."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.actions.capacity import UNFINISHED
from apps.models import App, Process, Task
from apps.views.frame import person, space_page
from tenants.models import QuotaUse, Space
from tenants.templatetags.console import mb
from tenants.views.figures import all_figures, high
from tenants.views.places import Figure, limits, space_seen

PER_PAGE = 50


def listed(space: Space) -> QuerySet[App]:
    """The apps of a space with what they count for in its quota, those with the most memory first."""
    memory = Cast("memory_mb", BigIntegerField())
    started = Process.objects.filter(app=OuterRef("pk"), app__state=App.State.STARTED)
    tasks = Task.objects.filter(app=OuterRef("pk"), state__in=UNFINISHED)

    def total(rows: QuerySet[Process] | QuerySet[Task], amount: object) -> Coalesce:
        summed = rows.order_by().values("app").annotate(total=Sum(amount)).values("total")
        return Coalesce(Subquery(summed, BigIntegerField()), 0)

    return (
        App.objects.filter(space=space)
        .defer("environment")
        .annotate(
            memory_used=total(started, memory * F("instances")),
            instances_used=total(started, F("instances")),
            tasks_used=total(tasks, memory),
        )
        .order_by(-(F("memory_used") + F("tasks_used")), "name", "id")
    )


def parts(app: App, use: QuotaUse) -> list[Figure]:
    """Return what the app uses of what the space does."""
    used = (
        ("Memory", app.memory_used, use.memory_mb, mb(app.memory_used)),
        ("App instances", app.instances_used, use.instances, str(app.instances_used)),
        ("Memory of tasks", app.tasks_used, use.memory_mb, mb(app.tasks_used)),
    )
    return [
        Figure(title, amount, whole, words, f"{words} ({_percent(amount, whole)})")
        for title, amount, whole, words in used
    ]


def _percent(amount: int, whole: int) -> str:
    return f"{min(round(amount * 100 / whole), 100) if whole else 0} %"


@login_required
@require_safe
def space_use(request: HttpRequest, guid: str) -> HttpResponse:
    place = space_seen(person(request), guid)
    page = Paginator(listed(place), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": [(app, parts(app, place.use)) for app in page],
        "figures": all_figures(place.use, place.quota),
        "high": high(place.use, place.quota),
        "warned_at": place.use.warned_at,
        "limits": limits(place.quota) if place.quota else [],
    }
    return space_page(request, place, "apps/use.html", tab="space_use", **context)
