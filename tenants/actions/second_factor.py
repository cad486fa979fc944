"""Requiring a second factor of everybody in an organization."""

from __future__ import annotations

from django.db import transaction

from accounts import factors
from accounts.models import User
from paas.lib.errors import Unprocessable
from tenants.access import authorize
from tenants.actions import organization as organizations
from tenants.models import Organization


@transaction.atomic
def require_second_factor(actor: User, organization: Organization, *, required: bool) -> Organization:
    """Say whether people need a second factor here; those who have none see nothing of it until they do."""
    authorize(actor, "organization.update", organization)
    if required and not (factors.may_lack(actor) or factors.has(actor)):
        raise Unprocessable("Add a second factor to your own account first, or you would shut yourself out.")
    return organizations.update(actor, organization, second_factor_required=required)
