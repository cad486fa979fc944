"""The v3 door of resource matching: which files of a push need not be uploaded."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListField

from accounts.models import User
from apps.models import SourceFile
from apps.v3.uploads import Resource
from paas.lib.v3 import Form, ResourceViewSet
from tenants.access import spaces_with
from tenants.flags import flag

MOST = 5000  # in one request, as Cloud Foundry has it


class Asked(Form):
    resources = ListField(
        child=Resource(), max_length=MOST, error_messages={"max_length": f"is too long (maximum is {MOST} resources)"}
    )


class ResourceMatchViewSet(ResourceViewSet):
    def create(self, request: Request) -> Response:
        """Answer with the resources that are known, as they were sent."""
        read, sent = Asked.read(request.data)["resources"], request.data["resources"]
        there = known(request.user, {each["checksum"]["value"] for each in read})
        wanted = [(each["checksum"]["value"], each["size_in_bytes"]) for each in read]
        matched = [each for each, one in zip(sent, wanted, strict=True) if one in there]
        return Response({"resources": [{"mode": "644", **each} for each in matched]}, status=201)


def known(user: User, sha1s: set[str]) -> set[tuple[str, int]]:
    """Return (SHA-1, size) of the files that may be left out wherever the user pushes to next.

    The request does not say which organization the push is for, and files are never taken from another: so only what
    every organization has got where the user may push can be left out.
    """
    if not flag("resource_matching"):
        return set()
    places = spaces_with(user, "app.push").values("organization").distinct()
    rows = SourceFile.objects.filter(organization__in=places, sha1__in=sha1s).exclude(key="")
    found: Any = rows.values_list("sha1", "size").annotate(places=Count("organization")).filter(places=places.count())
    return {(sha1, size) for sha1, size, _ in found}
