"""What plans cost and hold, in words; and which of them a space may use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from paas.lib.errors import PaasError
from services import live
from services.actions.instance import refused_by_quota
from services.costs import in_words
from services.models import Plan
from services.views import kept
from tenants.models import Space

ELSEWHERE = "as its broker says"
UNTOLD = "Room cannot be told right now; the platform says when you create it whether there is any."


@dataclass(frozen=True)
class Offer:
    """A plan as it is offered to a space. ``refusal`` says why it may not be used there, ``lacks`` what is missing now."""

    plan: Plan
    price: str
    points: list[str]
    refusal: str
    lacks: str

    @property
    def usable(self) -> bool:
        return not self.refusal

    @property
    def backups(self) -> str:
        """How what is stored is backed up, in a few words."""
        if not kept.has_backups(self.plan):
            return "none" if self.own else ELSEWHERE
        exact = ", and to any second of them" if kept.to_the_second(self.plan) else ""
        return f"every day, kept for 7 days{exact}"

    @property
    def availability(self) -> str:
        """What becomes of it when its server fails."""
        return "one server, which is started again by itself" if self.own else ELSEWHERE

    @property
    def own(self) -> bool:
        return self.plan.offering.broker.kind == "container"


def price(plan: Plan) -> str:
    """Return what a plan costs: "£37.30 a month"."""
    costs = [in_words(cost) for cost in plan.costs if cost.get("amount")]
    if costs:
        return " and ".join(costs)
    return "Free" if plan.free else "It costs something; the broker does not tell how much"


def least(plans: Collection[Plan]) -> str:
    """Return the lowest price of a month among the plans, or "" where none tells any."""
    priced = [plan for plan in plans if plan.costs]
    return price(min(priced, key=amount)) if priced else ""


def amount(plan: Plan) -> float:
    """What plans are put in order by."""
    return sum(float(cost.get("amount") or 0) for cost in plan.costs)


def points(plan: Plan) -> list[str]:
    """Return the lines with which a broker describes a plan."""
    bullets = plan.broker_metadata.get("bullets")
    return [str(each)[:200] for each in bullets[:12]] if isinstance(bullets, list) else []


def offers(plans: Collection[Plan], space: Space, *, room: bool = True) -> list[Offer]:
    """Return the plans as they are offered to the space, the cheapest first. ``room`` asks whether there is any."""
    usable = set(Plan.objects.usable_in(space).filter(pk__in=[plan.pk for plan in plans]).values_list("pk", flat=True))
    made = []
    for plan in sorted(plans, key=lambda plan: (amount(plan), plan.pk)):
        refusal = refused(plan, space, usable)
        made.append(Offer(plan, price(plan), points(plan), refusal, lacking(plan) if room and not refusal else ""))
    return made


def refused(plan: Plan, space: Space, usable: Collection[int]) -> str:
    if plan.pk not in usable:
        return f"Not open to {space.organization.name}. Ask the platform team to open it."
    if refused_by_quota(plan, space):
        return "It costs something, and the quota allows only free plans. A manager can ask for another quota."
    return ""


def lacking(plan: Plan) -> str:
    """Return what is missing for one more instance of the plan; where the machine does not answer, that it does not."""
    try:
        return live.lacks(plan)
    except PaasError:
        return UNTOLD
