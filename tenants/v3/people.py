"""The people of an organization or a space, as its sub-collection in the v3 API lists them."""

from __future__ import annotations

from django.db.models import Q

from paas.lib.v3 import Names, Query, Text
from paas.lib.v3.query import values


class Partly(Text):
    """A comma list of which the column must contain one."""

    def __call__(self, name: str, text: str) -> Q:
        any_of = Q()
        for value in values(text):
            any_of |= Q(**{f"{self.path}__icontains": value})
        return any_of


PEOPLE = Query(
    filters={"usernames": Names("username"), "partial_usernames": Partly("username"), "origins": Text("origin")}
)
