"""What the console's templates need beyond Django's own tags: form fields, dates, sizes and tags of state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.models import Permission
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select, Textarea
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from tenants import access

register = template.Library()

EXAMPLES = settings.BASE_DIR / "services" / "examples"

GREEN, BLUE, YELLOW, RED, GREY, PURPLE = "green", "blue", "yellow", "red", "grey", "purple"
COLOURS = {
    "running": GREEN, "staged": GREEN, "ready": GREEN, "deployed": GREEN, "live": GREEN, "succeeded": GREEN, "active": GREEN, "sent": GREEN,
    "starting": BLUE, "staging": BLUE, "building": BLUE, "deploying": BLUE, "waiting": BLUE, "stopping": BLUE, "sending": BLUE,
    "crashed": RED, "failed": RED, "unhealthy": RED,
    "canceled": GREY, "cancelled": GREY, "stopped": GREY, "superseded": GREY,
    "degraded": YELLOW, "unknown": YELLOW, "canceling": YELLOW, "suspended": YELLOW, "no manager": YELLOW,
}  # fmt: skip
STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (30, "day"), (12, "month"), (None, "year"))


def since_words(seconds: float) -> str:
    """Return how long ago in the largest whole unit: "just now", "5 minutes ago"; "in 2 hours" for the future."""
    amount, ahead = int(abs(seconds)), seconds < 0
    if amount < 5:
        return "just now"
    for size, unit in STEPS:
        if size is None or amount < size:
            words = f"{amount} {unit}{'' if amount == 1 else 's'}"
            return f"in {words}" if ahead else f"{words} ago"
        amount //= size
    raise AssertionError("the last step has no size")


@register.simple_tag
def ago(at: datetime | None, otherwise: str = "never") -> SafeString | str:
    """A ``<time>``: relative, and absolute beside it (the browser's script turns that into the reader's zone)."""
    if at is None:
        return otherwise
    utc = at.astimezone(timezone.get_default_timezone())
    return format_html(
        '<time class="app-time" datetime="{}"><span class="app-time__ago">{}</span> <span class="app-time__at">{} UTC</span></time>',
        utc.isoformat(timespec="milliseconds"),
        since_words((timezone.now() - at).total_seconds()),
        f"{utc.day} {utc:%b %Y, %H:%M:%S}",
    )


@register.filter
def mb(value: int | None) -> str:
    """Megabytes as people write them: 512 MB, 1.5 GB; without limit where there is none."""
    if value is None:
        return "no limit"
    return f"{value} MB" if value < 1024 else f"{value / 1024:.1f}".removesuffix(".0") + " GB"


@register.filter
def size(value: int | None) -> str:
    """Bytes as people write them."""
    if value is None:
        return "unknown"
    amount = float(value)
    for unit in ("bytes", "KB", "MB", "GB"):
        if amount < 1024 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError("gigabytes are the last unit")


@register.filter
def percent(value: float | None) -> str:
    """A share of one core (1.0) as text."""
    return "unknown" if value is None else f"{value * 100:.0f}%" if value >= 0.1 or not value else f"{value * 100:.1f}%"


@register.filter
def lasted(start: datetime | None, end: datetime | None) -> str:
    """How long something took, or has been going on."""
    if start is None:
        return ""
    seconds = max(((end or timezone.now()) - start).total_seconds(), 0)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


@register.filter
def named(error: str, label: str) -> str:
    """An error as it stands in the summary, away from its field: the framework's own do not say which they mean."""
    return (
        f"{label}: {error}"
        if str(error).startswith(("Ensure ", "Enter a valid", "Enter a whole number", "This field", "Select a valid"))
        else str(error)
    )


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    return mapping.get(key)


@register.simple_tag
def tag(words: str, colour_of: str = "") -> SafeString:
    """A coloured tag for a state; the words carry the meaning, the colour only helps."""
    colour = COLOURS.get((colour_of or words).lower(), GREY)
    return format_html('<strong class="govuk-tag govuk-tag--{}">{}</strong>', colour, words[:1].upper() + words[1:])


@register.simple_tag
def role_label(permission: Permission) -> str:
    """What a role is called; in lists ``permission__custom_role`` is joined."""
    return access.role_label(permission)


@register.simple_tag
def example(path: str) -> SafeString:
    """A file of the examples, for the documentation: what is shown is what the tests run."""
    return mark_safe((EXAMPLES / path).read_text())  # noqa: S308  our own text


@register.inclusion_tag("parts/bar.html")
def bar(used: int, limit: int | None, words: str) -> dict[str, Any]:
    """A bar of what is used of a limit; ``words`` say the same as text."""
    share = None if limit is None else 100 if limit <= 0 else min(round(used * 100 / limit), 100)
    level = "full" if share is not None and share >= 95 else "high" if share is not None and share >= 80 else "fine"
    return {"share": share, "level": level, "words": words}


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, size: str = "", small: bool = False) -> dict[str, Any]:
    """One form field with label, hint and error as GOV.UK Frontend draws it. ``size`` is a width class' ending ("10", "two-thirds")."""
    widget = bound.field.widget
    described = [f"{bound.id_for_label}-hint"] if bound.help_text else []
    described += [f"{bound.id_for_label}-error"] if bound.errors else []
    attrs: dict[str, Any] = {"class": _classes(widget, size, bool(bound.errors))}
    if described:
        attrs["aria-describedby"] = " ".join(described)
    many = isinstance(widget, CheckboxSelectMultiple | RadioSelect)
    drawn = "" if many else bound.as_widget(attrs={**widget.attrs, **attrs})
    return {
        "field": bound,
        "drawn": drawn,
        "one_box": isinstance(widget, CheckboxInput),
        "many": many,
        "kind": "checkboxes"
        if isinstance(widget, CheckboxSelectMultiple)
        else "radios",  # the one is a kind of the other
        "small": small,
    }


def _classes(widget: Any, size: str, wrong: bool) -> str:
    name = (
        "govuk-checkboxes__input" if isinstance(widget, CheckboxInput)
        else "govuk-select" if isinstance(widget, Select)
        else "govuk-textarea" if isinstance(widget, Textarea)
        else "govuk-file-upload" if isinstance(widget, FileInput)
        else "govuk-input"
    )  # fmt: skip
    width = f" govuk-input--width-{size}" if size.isdigit() else f" govuk-!-width-{size}" if size else ""
    return name + (f" {name}--error" if wrong else "") + width
