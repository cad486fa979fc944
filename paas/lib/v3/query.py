"""What query strings may ask for: filters, order, label selectors, includes, pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlencode

from django.db.models import Q, QuerySet

from paas.lib.errors import BadQueryParameter
from paas.lib.v3.fields import Fields
from paas.lib.v3.shapes import link, origin

PAGING = ("page", "per_page", "order_by")
STAMPS = ("created_ats", "updated_ats")
COMPARISONS = {"gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte"}
TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"
MOST_PER_PAGE, USUAL_PER_PAGE = 5000, 50
LONGEST_SELECTOR = 10_000  # characters; the time that it takes to read one grows with their square


def values(text: str) -> list[str]:
    """Split at commas, then percent-decode each: clients escape commas inside names twice."""
    return [unquote(part) for part in text.split(",")]


@dataclass(frozen=True)
class Text:
    """A comma list that the column must be one of; an empty value means equal to ''."""

    path: str

    def __call__(self, name: str, text: str) -> Q:
        return Q(**{f"{self.path}__in": values(text)})


class Names(Text):
    """A comma list of names, in which upper and lower case are the same, as in the constraints on them."""

    def __call__(self, name: str, text: str) -> Q:
        asked = dict.fromkeys(values(text))
        return Q(*((f"{self.path}__iexact", value) for value in asked), _connector=Q.OR)


@dataclass(frozen=True)
class Choice:
    path: str
    choices: tuple[str, ...]

    def __call__(self, name: str, text: str) -> Q:
        asked = values(text)
        if wrong := [value for value in asked if value not in self.choices]:
            raise BadQueryParameter(f"{name} '{wrong[0]}' is not one of: {', '.join(self.choices)}")
        return Q(**{f"{self.path}__in": asked})


@dataclass(frozen=True)
class Bool:
    path: str

    def __call__(self, name: str, text: str) -> Q:
        if text not in ("true", "false"):
            raise BadQueryParameter(f"{name} must be 'true' or 'false'")
        return Q(**{self.path: text == "true"})


Filter = Callable[[str, str], Q]


@dataclass(frozen=True)
class Query:
    """What one collection takes. ``includes`` maps a name to a function of the page's resources."""

    filters: Mapping[str, Filter] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)  # beyond created_at and updated_at: name -> column
    includes: Mapping[str, Callable[[Any, list[Any]], Mapping[str, list[dict[str, Any]]]]] = field(default_factory=dict)
    fields: Mapping[str, Fields] = field(default_factory=dict)  # "space.organization" -> what may be asked of it
    extras: tuple[str, ...] = ()  # parameters that the view itself reads ("embed")
    order: tuple[str, ...] = ("created_at", "id")
    labels: bool = True
    stamps: bool = True
    guids: bool = True

    def valid(self) -> list[str]:
        names = [*PAGING, *(("guids",) if self.guids and "guids" not in self.filters else ()), *self.filters]
        names += [*(STAMPS if self.stamps else ()), *(("label_selector",) if self.labels else ())]
        return [
            *names,
            *(("include",) if self.includes else ()),
            *(f"fields[{path}]" for path in self.fields),
            *self.extras,
        ]

    def check(self, parameters: Any) -> None:
        valid = self.valid()
        unknown = [
            name
            for name in parameters
            if re.sub(r"\[(gt|lt)e?\]$|\[not\]$", "", name) not in valid and name not in valid
        ]
        if unknown:
            raise BadQueryParameter(
                "Unknown query parameter(s): "
                + ", ".join(f"'{name}'" for name in unknown)
                + ". Valid parameters are: "
                + ", ".join(f"'{name}'" for name in valid)
            )

    def conditions(self, parameters: Any) -> list[Q]:
        """Return what each filter asks for; raise ``BadQueryParameter``."""
        self.check(parameters)
        found: list[Q] = []
        for name, text in parameters.items():
            bare, _, comparison = name.rstrip("]").partition("[")
            if "\0" in unquote(text):
                raise BadQueryParameter(f"{name} must not contain a null byte")
            if name in self.filters:
                found.append(self.filters[name](name, text))
            elif comparison == "not" and bare in self.filters:
                found.append(~self.filters[bare](bare, text))
            elif name == "guids" and self.guids:
                found.append(Q(guid__in=values(text)))
            elif bare in STAMPS and self.stamps:
                found.append(_stamps(bare, comparison, text))
            elif name == "label_selector" and self.labels:
                found.append(label_selector(text))
        return found

    def apply(self, queryset: QuerySet[Any], parameters: Any) -> QuerySet[Any]:
        """Return the rows asked for, in a stable order; raise ``BadQueryParameter``."""
        for condition in self.conditions(parameters):
            queryset = queryset.filter(condition)
        return queryset.order_by(*self.ordering(parameters))

    def ordering(self, parameters: Any) -> tuple[str, ...]:
        """Return the columns to sort by, the last of them unique."""
        return self._order(parameters.get("order_by", ""))

    def _order(self, asked: str) -> tuple[str, ...]:
        if not asked:
            return self.order
        known = {"created_at": "created_at", "updated_at": "updated_at", **self.orders}
        name = asked.lstrip("+-")
        if name not in known:
            raise BadQueryParameter("Order by can only be: " + ", ".join(f"'{key}'" for key in known))
        sign = "-" if asked.startswith("-") else ""
        return (f"{sign}{known[name]}", f"{sign}id")

    def included(self, request: Any, rows: list[Any]) -> dict[str, Any]:
        """Return ``{"included": {...}}`` for what ``include`` and ``fields`` ask for, each resource once; else ``{}``."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        text = request.query_params.get("include", "") if self.includes else ""
        for name in values(text) if text else ():
            if name not in self.includes:
                raise BadQueryParameter(
                    f"Invalid included resource: '{name}'. Valid included resources are: "
                    + ", ".join(f"'{key}'" for key in self.includes)
                )
            for kind, resources in self.includes[name](request, rows).items():
                found.setdefault(kind, {}).update({resource["guid"]: resource for resource in resources})
        for path, fields in self.fields.items():
            if text := request.query_params.get(f"fields[{path}]", ""):
                for guid, shown in fields.read(path, values(text), rows).items():
                    here = found.setdefault(fields.kind, {})
                    here[guid] = here.get(guid, {}) | shown
                found.setdefault(fields.kind, {})
        return {"included": {kind: list(resources.values()) for kind, resources in found.items()}} if found else {}


def _stamps(name: str, comparison: str, text: str) -> Q:
    column = name.removesuffix("s")
    try:
        moments = [datetime.strptime(value, TIMESTAMP).replace(tzinfo=UTC) for value in values(text)]
        seconds = [(moment, moment + _SECOND) for moment in moments]  # the API shows whole seconds
    except (ValueError, OverflowError) as error:
        raise BadQueryParameter(
            f"{name} has an invalid timestamp format. Timestamps should be formatted as 'YYYY-MM-DDThh:mm:ssZ'"
        ) from error
    if comparison and (comparison not in COMPARISONS or len(moments) > 1):
        raise BadQueryParameter(f"{name} takes one timestamp with [gt], [gte], [lt] or [lte]")
    if comparison:
        return Q(**{f"{column}__{COMPARISONS[comparison]}": moments[0]})
    exact = (Q(**{f"{column}__gte": moment, f"{column}__lt": until}) for moment, until in seconds)
    return Q(*exact, _connector=Q.OR)


_SECOND = timedelta(seconds=1)
_IN = re.compile(r"^(?P<key>\S+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^=!\s]+)\s*(?P<op>==|!=|=)\s*(?P<value>[^=!\s]*)$")


def label_selector(text: str) -> Q:
    """Return the condition for ``a=b,c!=d,e in (f,g),h notin (i),j,!k`` (all of them must hold)."""
    if not text.strip() or len(text) > LONGEST_SELECTOR:
        raise BadQueryParameter("Invalid label_selector value")
    requirements = [part.strip() for part in re.split(r",(?![^(]*\))", text)]
    if len(requirements) > 50 or not all(requirements):
        raise BadQueryParameter("Invalid label_selector value")
    condition = Q()
    for part in requirements:
        condition &= _requirement(part)
    return condition


def _requirement(part: str) -> Q:
    if found := _IN.match(part):
        asked = dict.fromkeys(value.strip() for value in found["values"].split(","))
        any_of = Q(*(("labels__contains", {found["key"]: value}) for value in asked), _connector=Q.OR)
        return any_of if found["op"] == "in" else ~any_of
    if found := _EQUAL.match(part):
        same = Q(labels__contains={found["key"]: found["value"]})
        return ~same if found["op"] == "!=" else same
    if re.fullmatch(r"!?[A-Za-z0-9./_-]+", part):
        return ~Q(labels__has_key=part[1:]) if part.startswith("!") else Q(labels__has_key=part)
    raise BadQueryParameter("Invalid label_selector value")


class Pagination:
    """One page of a queryset, in Cloud Foundry's envelope."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.page = self._number("page", 1, None)
        self.per_page = self._number("per_page", USUAL_PER_PAGE, MOST_PER_PAGE)

    def _number(self, name: str, usual: int, most: int | None) -> int:
        text = self.request.query_params.get(name, str(usual))
        if not text.isascii() or not text.isdigit() or int(text) < 1 or len(text) > 9:
            raise BadQueryParameter(f"{name.replace('_', ' ').capitalize()} must be a positive integer")
        if most and int(text) > most:
            raise BadQueryParameter(f"{name.replace('_', ' ').capitalize()} must be between 1 and {most}")
        return int(text)

    def of(self, items: Sequence[Any]) -> list[Any]:
        """Return the page of what is not in the database."""
        self.total = len(items)
        start = (self.page - 1) * self.per_page
        return list(items[start : start + self.per_page])

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        self.total = queryset.order_by().count()
        start = (self.page - 1) * self.per_page
        return list(queryset[start : start + self.per_page]) if start < self.total else []

    def _href(self, page: int) -> dict[str, str]:
        asked = {**{k: v for k, v in self.request.query_params.items() if k not in ("page", "per_page")}}
        query = urlencode({**asked, "page": page, "per_page": self.per_page})
        return link(self.request, f"{self.request.path}?{query}")

    def envelope(self, resources: list[Any], **more: Any) -> dict[str, Any]:
        pages = max(1, -(-self.total // self.per_page))
        return {
            "pagination": {
                "total_results": self.total,
                "total_pages": pages,
                "first": self._href(1),
                "last": self._href(pages),
                "next": self._href(self.page + 1) if self.page < pages else None,
                "previous": self._href(self.page - 1) if self.page > 1 else None,
            },
            "resources": resources,
            **more,
        }


__all__ = ["Bool", "Choice", "Filter", "Names", "Pagination", "Query", "Text", "label_selector", "origin", "values"]
