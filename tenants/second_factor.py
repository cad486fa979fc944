"""Organizations that require a second factor: whoever has none sees nothing of them, at any door."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from accounts import factors
from accounts.models import User
from tenants.models import Organization, OrganizationRole, SpaceRole, in_force


def of_members(person: User) -> list[str]:
    """Return the names of the organizations of the person that require a second factor."""
    held = OrganizationRole.objects.filter(in_force(), user=person).values("content_object")
    through = SpaceRole.objects.filter(in_force(), user=person).values("content_object__organization")
    theirs = Organization.objects.filter(Q(pk__in=held) | Q(pk__in=through), deleting_at=None)
    return list(theirs.filter(second_factor_required=True).order_by(Lower("name")).values_list("name", flat=True))


def lacking(organization: Organization) -> QuerySet[User]:
    """Return the people of the organization who have no second factor."""
    held = OrganizationRole.objects.filter(in_force(), content_object=organization).values("user")
    through = SpaceRole.objects.filter(in_force(), content_object__organization=organization).values("user")
    people = User.objects.filter(Q(pk__in=held) | Q(pk__in=through), kind=User.Kind.PERSON)
    return people.exclude(pk__in=factors.holders()).order_by(Lower("username"))
