"""The v3 door of roles: one collection over the roles in organizations and those in spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet, Value
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from paas.lib.errors import NotFound, Unprocessable
from paas.lib.models import by_guid
from paas.lib.v3 import INVALID, Form, Pagination, Query, ResourceViewSet, Text, ToOne, accepted, named
from paas.lib.v3.query import Filter
from tenants.access import authorize
from tenants.actions import role as actions
from tenants.flags import require_flag
from tenants.models import Organization, OrganizationRole, Space, SpaceRole, in_force
from tenants.permissions import ORGANIZATION_ROLES, SPACE_ROLES
from tenants.v3 import shapes

TYPES = [*ORGANIZATION_ROLES, *SPACE_ROLES]
NOT_A_MEMBER = "Users cannot be assigned roles in a space if they do not have a role in that space's organization."
AMBIGUOUS = (
    "Ambiguous user. User with username '{}' exists in the following origins: {}. Specify an origin to disambiguate."
)


class Person(Form):
    guid = serializers.CharField(max_length=255, required=False)
    username = serializers.CharField(max_length=255, required=False)
    origin = serializers.CharField(max_length=64, required=False, allow_null=True, allow_blank=True)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if "guid" in sent and len(sent) > 1:
            raise serializers.ValidationError("cannot have a username or an origin beside the guid")
        if "guid" not in sent and "username" not in sent:
            raise serializers.ValidationError("must have a username or guid specified")
        return sent


class ToPerson(Form):
    data = Person()  # type: ignore[assignment]


class Ends(Form):
    user = ToPerson()
    organization = ToOne(required=False)
    space = ToOne(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if "organization" not in sent and "space" not in sent:
            raise serializers.ValidationError("must specify either a space or an organization.")
        if "organization" in sent and "space" in sent:
            raise serializers.ValidationError("cannot specify both an organization and a space.")
        return sent


class New(Form):
    type = serializers.ChoiceField(
        TYPES, error_messages={"invalid_choice": "must be one of the allowed types " + str(TYPES).replace("'", '"')}
    )
    relationships = Ends()

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        check_place(sent)
        return sent


def check_place(sent: dict[str, Any]) -> None:
    """Refuse a role of the one kind in a place of the other."""
    kind, other = ("space", "organization") if sent["type"] in SPACE_ROLES else ("organization", "space")
    if other in sent["relationships"]:
        raise serializers.ValidationError(
            f"Relationships {other} cannot be provided with the {kind} role type: '{sent['type']}'."
        )


def nothing(name: str, text: str) -> Q:
    """The roles of the other kind are in no such place."""
    return Q(pk__in=[])


BOTH: dict[str, Filter] = {"user_guids": Text("user__guid"), "types": Text("cf_type")}
IN_ORGANIZATIONS: dict[str, Filter] = {
    "organization_guids": Text("content_object__guid"),
    "space_guids": nothing,
    **BOTH,
}
IN_SPACES: dict[str, Filter] = {"organization_guids": nothing, "space_guids": Text("content_object__guid"), **BOTH}


def users_of(request: Request, roles: list[Any]) -> dict[str, list[dict[str, Any]]]:
    return {"users": [shapes.user(request, role.user) for role in roles]}


def organizations_of(request: Request, roles: list[Any]) -> dict[str, list[dict[str, Any]]]:
    there = [role.content_object for role in roles if isinstance(role, OrganizationRole)]
    return {"organizations": [shapes.organization(request, organization) for organization in there]}


def spaces_of(request: Request, roles: list[Any]) -> dict[str, list[dict[str, Any]]]:
    there = [role.content_object for role in roles if isinstance(role, SpaceRole)]
    return {"spaces": [shapes.space(request, space) for space in there]}


INCLUDES = {"user": users_of, "organization": organizations_of, "space": spaces_of}


class RoleViewSet(ResourceViewSet):
    noun = "Role"
    query = Query(filters=IN_ORGANIZATIONS, includes=INCLUDES, labels=False)
    query_in_spaces = Query(filters=IN_SPACES, includes=INCLUDES, labels=False)

    def in_organizations(self) -> QuerySet[OrganizationRole]:
        there = Organization.objects.visible_to(self.user).values("pk")
        rows = OrganizationRole.objects.filter(in_force(), content_object__in=there)
        return self.shown(rows.select_related("user", "permission", "content_object__quota"))

    def in_spaces(self) -> QuerySet[SpaceRole]:
        there = Space.objects.visible_to(self.user).values("pk")
        rows = SpaceRole.objects.filter(in_force(), content_object__in=there)
        joined = ("user", "permission", "content_object__quota", "content_object__organization__quota")
        return self.shown(rows.select_related(*joined))

    def shown(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those that Cloud Foundry's clients know by a name."""
        return rows.exclude(cf_type="")

    def present(self, resource: OrganizationRole | SpaceRole) -> dict[str, Any]:
        return shapes.role(self.request, resource)

    def found(self, guid: str, queryset: QuerySet[Any] | None = None) -> Any:
        for rows in (self.in_organizations(), self.in_spaces()):
            if row := by_guid(rows, guid):
                return row
        raise NotFound(f"{self.noun} not found")

    def list(self, request: Request, **_: str) -> Response:
        asked = request.query_params
        column, _id = self.query.ordering(asked)
        sign = "-" if column.startswith("-") else ""
        parts = [
            query.apply(rows, asked).order_by().annotate(kind=Value(kind)).values_list("kind", "id", column.lstrip("-"))
            for kind, query, rows in (
                (0, self.query, self.in_organizations()),
                (1, self.query_in_spaces, self.in_spaces()),
            )
        ]
        pagination = Pagination(request)
        keys = pagination.rows(parts[0].union(parts[1], all=True).order_by(column, f"{sign}kind", f"{sign}id"))
        found = {(0, row.pk): row for row in self._rows(self.in_organizations(), keys, 0)}
        found |= {(1, row.pk): row for row in self._rows(self.in_spaces(), keys, 1)}
        roles = [found[kind, pk] for kind, pk, _ in keys if (kind, pk) in found]
        included = self.query.included(request, roles)
        return Response(pagination.envelope([self.present(role) for role in roles], **included))

    @staticmethod
    def _rows(rows: QuerySet[Any], keys: Sequence[Any], kind: int) -> QuerySet[Any]:
        return rows.filter(pk__in=[pk for of, pk, _ in keys if of == kind])

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        place = self._place(sent["relationships"])
        authorize(self.user, actions.VERB, place)  # before anybody learns who exists
        person = self._person(sent["relationships"]["user"]["data"], place)
        role = actions.give(self.user, person, role=sent["type"], place=place)
        return Response(self.present(role), status=201)

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.take(self.user, self.found(guid)))

    def _place(self, ends: dict[str, Any]) -> Organization | Space:
        kind, model = ("space", Space) if "space" in ends else ("organization", Organization)
        place: Organization | Space = named(model.objects.visible_to(self.user), ends[kind], kind)
        return place

    def _person(self, sent: dict[str, str], place: Organization | Space) -> User:
        """Return the person meant; what is not found is told in the words that clients know."""
        people = User.objects.exclude(kind=User.Kind.SYSTEM)
        if "guid" in sent:
            found: Sequence[User] = list(people.filter(guid=sent["guid"]))
            missing = INVALID.format("user")
        else:
            require_flag("set_roles_by_username", self.user)
            found, missing = self._named(people, sent["username"], sent.get("origin"))
        if not found:
            raise Unprocessable(NOT_A_MEMBER if isinstance(place, Space) else missing)
        return found[0]

    @staticmethod
    def _named(people: QuerySet[User], username: str, origin: str | None) -> tuple[Sequence[User], str]:
        found = list(people.filter(username__iexact=username).order_by("origin"))
        if origin:
            missing = f"No user exists with the username '{username}' and origin '{origin}'."
            return [person for person in found if person.origin == origin], missing
        if len(found) > 1:
            raise Unprocessable(AMBIGUOUS.format(username, ", ".join(person.origin for person in found)))
        return found, f"No user exists with the username '{username}'."
