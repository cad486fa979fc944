"""What readers of the record may ask for: words, a person, a kind, a thing, a door, days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q

from tenants.wording import NAME, SECRETS, WORDS

Kinds = Mapping[str, tuple[str, Q]]  # what the filter sends -> (label, which types)
DOORS = (("console", "Console"), ("api", "API"), ("none", "The platform itself"))
_ROLES = Q(type__regex=r"^audit\.user\..*_(add|remove|update|lapse)$")


def _begins(*prefixes: str) -> Q:
    return Q(*(("type__startswith", prefix) for prefix in prefixes), _connector=Q.OR)


READINGS = Q(type__regex=SECRETS.pattern)
KINDS: Kinds = {
    "apps": ("Apps", _begins("audit.app.", "app.")),
    "routes": ("Routes and domains", _begins("audit.route.", "audit.domain.") | Q(type__endswith="map-route")),
    "services": ("Services", _begins("audit.service", "audit.user_provided_service_instance")),
    "roles": ("Roles and members", _ROLES | _begins(
        "audit.custom_role", "audit.role_request", "audit.invitation", "audit.organization.member"
    )),
    "robots": ("Robots and tokens", _begins("audit.robot", "audit.access_token", "audit.user.token")),
    "accounts": ("Accounts and sign-ins", _begins("audit.user.", "audit.mail") & ~_ROLES),
    "places": ("Organizations, spaces and quotas", _begins("audit.organization", "audit.space", "audit.quota_request")),
    "platform": ("Platform settings", _begins("audit.buildpack", "audit.stack", "audit.feature", "audit.environment")),
    "secrets": ("Secrets read or made", READINGS),
}  # fmt: skip
APP_KINDS: Kinds = {
    "builds": ("Builds", _begins("audit.app.build", "audit.app.package", "audit.app.droplet")),
    "deployments": ("Deployments", _begins("audit.app.deployment", "audit.app.revert")),
    "running": (
        "Starting, stopping and scaling",
        _begins("audit.app.start", "audit.app.stop", "audit.app.restart", "audit.app.process"),
    ),
    "crashes": ("Crashes", Q(type="app.crash")),
    "settings": ("Settings", _begins("audit.app.update", "audit.app.sidecar", "audit.app.apply")),
    "secrets": ("Secrets read", READINGS),
}


class EventFilter(forms.Form):
    """Everything is optional; what cannot be read is said, and left out."""

    q = forms.CharField(required=False, max_length=255, label="Search")
    person = forms.CharField(required=False, max_length=255, label="Who")
    thing = forms.CharField(required=False, max_length=255, label="Name or ID of the thing")
    kind = forms.ChoiceField(required=False, label="About")
    door = forms.ChoiceField(required=False, label="Came through", choices=[("", "Any door"), *DOORS])
    since = forms.DateField(required=False, label="From day", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(required=False, label="To day", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def __init__(self, data: Mapping[str, Any], *, kinds: Kinds) -> None:
        super().__init__(data, auto_id="events-%s")
        self.kinds = kinds
        self.fields["kind"].choices = [("", "Everything"), *((name, label) for name, (label, _) in kinds.items())]  # type: ignore[attr-defined]
        for name in ("since", "until"):
            self.fields[name].error_messages["invalid"] = "Enter a day like 2026-03-31."
        for name in ("kind", "door"):
            self.fields[name].error_messages["invalid_choice"] = "Choose one of the list."
        self.is_valid()

    @property
    def asked(self) -> dict[str, str]:
        """What was asked for and can be read, as the query string has it."""
        return {name: str(value) for name, value in self.cleaned_data.items() if value not in (None, "")}

    @property
    def more(self) -> bool:
        """Whether anything beyond the first fields is asked for, or wrong."""
        return bool({"thing", "door", "since", "until"} & {*self.asked, *self.errors})

    def query(self, **more: str) -> str:
        return urlencode(self.asked | more)

    def days(self) -> Q:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        days = Q(created_at__gte=_midnight(since)) if since else Q()
        return days & Q(created_at__lt=_midnight(until) + timedelta(days=1)) if until else days

    def conditions(self) -> Q:
        """All that narrows beside the days; no index helps with it."""
        asked, found = self.asked, Q()
        if words := asked.get("q"):
            found &= _about(words)
        if person := asked.get("person"):
            found &= Q(actor_name__icontains=person) | Q(actor_guid=person)
        if thing := asked.get("thing"):
            found &= Q(target_name__icontains=thing) | Q(target_guid=thing)
        if kind := asked.get("kind"):
            found &= self.kinds[kind][1]
        if door := asked.get("door"):
            found &= Q(door="" if door == "none" else door)
        return found


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _about(words: str) -> Q:
    """Events whose people, things, places or words hold the text."""
    types = [type for type, told in WORDS.items() if words.lower() in told.format(target=NAME)]
    names = ("actor_name", "target_name", "space_name", "organization_name", "address", "via")
    return Q(*((f"{name}__icontains", words) for name in names), type__in=types, _connector=Q.OR)
