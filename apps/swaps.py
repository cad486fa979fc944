"""Putting one service in another's place in an app: a deployment whose instances find the new one, beside the old ones.

Until that deployment is live the app has what it had; if it is given up, nothing has changed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps.models import App, Deployment
from services import credentials
from services.actions import binding as bindings
from services.actions import place
from services.models import Binding, Operation


@dataclass(frozen=True)
class Swap:
    """What makes way for what, by guids: instances, and the bindings to them. ``made``: the new binding is undone with it.

    ``keep``: the old one stays bound, to be swapped back to; else it is unbound once the new instances are live.
    """

    source: str
    target: str
    left: str
    binding: str
    made: bool
    keep: bool

    @property
    def option(self) -> dict[str, Any]:
        return {credentials.SWAP: asdict(self)}


def of(deployment: Deployment | None) -> Swap | None:
    """Return the swap that the deployment brings, if it does."""
    told = deployment.options.get(credentials.SWAP) if deployment else None
    return Swap(**told) if told else None


def under_way(deployment: Deployment | None) -> Swap | None:
    return of(deployment) if deployment and deployment.value == Deployment.Value.ACTIVE else None


def coming(app: App) -> Swap | None:
    """Return the swap that is under way and whose instances do not serve yet."""
    return under_way(app.target) if app.serving_id != app.target_id else None


def carried(app: App) -> dict[str, Any]:
    """The options by which a deployment that takes another's place brings the swap that the other was to bring."""
    swap = coming(app)
    return swap.option if swap else {}


def given(app: App, deployment: Deployment | None = None) -> list[Binding]:
    """Return what the deployment's instances find; without one what a task, a build or the next start would."""
    rows = credentials.bound_to(app)
    swap = coming(app)
    if swap is None:
        return credentials.in_use(rows)
    if deployment is not None and deployment.pk == app.target_id:
        return credentials.in_use(rows, swap=(swap.left, swap.binding))
    return credentials.in_use(row for row in rows if not swap.made or row.guid != swap.binding)


class Stand(NamedTuple):
    """Whether the credentials that a deployment brings are there yet, or why they never will be."""

    state: Literal["ready", "waiting", "failed"]
    why: str = ""


def stand(deployment: Deployment | None) -> Stand:
    swap = under_way(deployment)
    if swap is None:
        return Stand("ready")
    row = Binding.objects.there().filter(guid=swap.binding).first()
    if row is None or row.operation_type == Operation.Type.DELETE:
        return Stand("failed", "The new credentials were deleted before they were used.")
    if row.busy:
        return Stand("waiting")
    if row.operation_state == Operation.State.FAILED:
        return Stand("failed", f"The new credentials could not be made: {row.operation_description}")
    return Stand("ready")


def complete(deployment: Deployment | None) -> None:
    """The instances are healthy, and serve with what is written now: from now on the new service has the place of the old; the app is locked by the caller."""
    if deployment is None or (swap := under_way(deployment)) is None:
        return
    put, left = _locked(swap.binding), _locked(swap.left)
    if put and left:
        place.take(put, of=left)
    told = {"deployment_guid": deployment.guid, "source_guid": swap.source, "target_guid": swap.target}
    audit.record(_by(deployment), "audit.app.service_swap.complete", deployment.app, keep=swap.keep, **told)


def undo(deployment: Deployment | None) -> None:
    """The deployment ends before it serves: take away what was made for it; the app is locked by the caller."""
    swap = under_way(deployment)
    if deployment is None or swap is None or not swap.made:
        return
    serves = App.objects.filter(pk=deployment.app_id, serving=deployment).exists()
    if row := None if serves else _locked(swap.binding):
        bindings.remove(_by(deployment), row)


@transaction.atomic
def clear(app: App) -> None:
    """The instances that used the old service have ended: unbind it, where it was not to be kept."""
    swap = of(app.serving)
    if app.serving is None or swap is None or swap.keep or swap.left not in _guids(app):
        return
    fresh = App.objects.lock(app.pk)
    if fresh.serving_id != app.serving_id or fresh.target_id != fresh.serving_id:
        return  # something else has begun, which may want the old one
    row, used = _locked(swap.left), {each.guid for each in given(fresh)}
    if row is None or row.guid in used or row.operation_type == Operation.Type.DELETE:
        return
    if row.instance.managed:
        bindings.end(row, by=_by(app.serving))
    else:
        bindings.forget(_by(app.serving), row)


def _guids(app: App) -> set[str]:
    return set(Binding.objects.there().filter(app=app).values_list("guid", flat=True))


def _locked(guid: str) -> Binding | None:
    rows = Binding.objects.there().select_related("instance__space__organization", "app__space__organization")
    found: Binding | None = rows.filter(guid=guid).select_for_update(of=("self",)).first()
    return found


def _by(deployment: Deployment) -> User:
    return deployment.created_by or User.objects.system()
