"""Creating, sharing and deleting domains."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Job, User
from apps.actions import route as routes
from apps.models import Domain, Route
from paas.lib.errors import Unprocessable
from paas.lib.v3.bodies import merged
from tenants import quotas
from tenants.access import authorize, may
from tenants.actions.space import default_region
from tenants.flags import require_flag
from tenants.models import Organization

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
SHORTEST, LONGEST, LONGEST_LABEL = 3, 253, 63
CONSOLE_ALIASES = ("api", "login", "uaa", "log-cache")


def default_of(organization: Organization) -> Domain | None:
    """The domain that routes get which name none: the oldest that all share, else the organization's own."""
    found = Domain.objects.filter(internal=False).order_by("created_at", "id")
    return found.filter(organization=None).first() or found.filter(organization=organization).first()


@transaction.atomic
def create(
    actor: User,
    organization: Organization | None,
    *,
    name: str,
    shared_with: Collection[Organization] = (),
    metadata: dict[str, Any] | None = None,
) -> Domain:
    """Write a domain of one organization; without one it is shared by all, and the platform's team alone may."""
    authorize(actor, _verb(organization), organization)
    if organization:
        require_flag("private_domain_creation", actor)
    name = name.lower()
    _check_name(name)
    _check_free(name, organization)
    if organization:
        quotas.take_from_organization(organization, domains=1)
    try:
        with transaction.atomic():
            domain = Domain.objects.create(
                name=name, organization=organization, region=default_region(), **merged(None, metadata or {})
            )
    except IntegrityError as error:
        raise _taken(name) from error
    audit.record(actor, "audit.domain.create", domain, after=audit.state(domain, ("name",)))
    _share(actor, domain, shared_with)
    return domain


@transaction.atomic
def update(actor: User, domain: Domain, *, metadata: dict[str, Any] | None = None) -> Domain:
    """Merge labels and annotations into the domain's own."""
    authorize(actor, _verb(domain.organization), domain.organization)
    domain = Domain.objects.lock(domain.pk)
    before = audit.state(domain)
    for name, value in merged(domain, metadata or {}).items():
        setattr(domain, name, value)
    domain.save(update_fields=["labels", "annotations", "updated_at"])
    audit.record(actor, "audit.domain.update", domain, before=before, after=audit.state(domain))
    return domain


@transaction.atomic
def share(actor: User, domain: Domain, *, organizations: Collection[Organization]) -> Domain:
    """Let other organizations create routes on the domain; whoever shares it manages both ends."""
    authorize(actor, _verb(domain.organization), domain.organization)
    if domain.organization is None:
        raise Unprocessable(
            "Domains cannot be shared with other organizations unless they are scoped to an organization."
        )
    domain = Domain.objects.lock(domain.pk)
    _share(actor, domain, organizations)
    return domain


@transaction.atomic
def unshare(actor: User, domain: Domain, *, organization: Organization) -> None:
    """Take the domain back from an organization; managers of either end may, once its routes are gone."""
    authorize(actor, "domain.manage", domain if may(actor, "domain.manage", domain.organization) else organization)
    domain = Domain.objects.lock(domain.pk)
    if not domain.shared_with.filter(pk=organization.pk).exists():
        raise Unprocessable(
            f"Unable to unshare domain from organization with name '{organization.name}'. "
            "Ensure the domain is shared to this organization."
        )
    if Route.objects.filter(domain=domain, space__organization=organization).exists():
        raise Unprocessable(
            "This domain has associated routes in this organization. Delete the routes before unsharing."
        )
    domain.shared_with.remove(organization)
    audit.record(
        actor,
        "audit.domain.unshare",
        domain,
        before={"shared_with": organization.name},
        with_organization=organization.guid,
    )


@transaction.atomic
def delete(actor: User, domain: Domain) -> Job:
    """Delete the domain and every route on it."""
    authorize(actor, _verb(domain.organization), domain.organization)
    domain = Domain.objects.lock(domain.pk)
    if domain.shared_with.exists():
        raise Unprocessable("This domain is shared with other organizations. Unshare before deleting.")
    remove(domain, by=actor)
    return Job.objects.create(
        owner=actor, operation="domain.delete", state=Job.State.COMPLETE, resource_guid=domain.guid
    )


def remove(domain: Domain, *, by: User) -> None:
    """Take a locked domain away with its routes, and give its quota back."""
    audit.record(by, "audit.domain.delete-request", domain, before=audit.state(domain, ("name",)))
    routes.remove(Route.objects.filter(domain=domain), by=by)
    if domain.organization:
        quotas.take_from_organization(domain.organization, domains=-1)
    domain.delete()


def _verb(organization: Organization | None) -> str:
    return "domain.manage" if organization else "platform.manage"


def _share(actor: User, domain: Domain, organizations: Collection[Organization]) -> None:
    for organization in organizations:
        if organization.pk == domain.organization_id:
            raise Unprocessable("Domain cannot be shared with owning organization.")
        if not may(actor, "domain.manage", organization):
            raise Unprocessable(
                f"You do not have sufficient permissions for organization '{organization.name}' to share domain."
            )
        if organization.suspended and not actor.is_admin:
            raise Unprocessable(f"Organization '{organization.name}' is suspended.")
        if not domain.shared_with.filter(pk=organization.pk).exists():
            domain.shared_with.add(organization)
            audit.record(
                actor,
                "audit.domain.share",
                domain,
                after={"shared_with": organization.name},
                with_organization=organization.guid,
            )


def _check_name(name: str) -> None:
    if not SHORTEST <= len(name) <= LONGEST:
        short = len(name) < SHORTEST
        raise Unprocessable(
            f"Name is too {'short' if short else 'long'} "
            f"({'minimum' if short else 'maximum'} is {SHORTEST if short else LONGEST} characters)"
        )
    if re.search(r"[^a-z0-9.-]", name):
        raise Unprocessable("Name must consist of alphanumeric characters and hyphens")
    if "." not in name:
        raise Unprocessable('Name must contain at least one "."')
    labels = name.split(".")
    if any(len(label) > LONGEST_LABEL for label in labels):
        raise Unprocessable("Name subdomains must each be at most 63 characters")
    if not all(LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise Unprocessable("Name does not comply with RFC 1035 standards")


def _check_free(name: str, organization: Organization | None) -> None:
    """Raise if an app on the domain could set the console's cookies, or catch requests that are another's."""
    if is_reserved(name):
        raise Unprocessable(f'The "{name}" domain is reserved and cannot be used for org-scoped domains.')
    if Domain.objects.filter(name=name).exists():
        raise _taken(name)
    for other in Domain.objects.filter(Q(name__in=_above(name)) | Q(name__endswith=f".{name}")).order_by("id"):
        if _overlaps(name, organization, other):
            raise Unprocessable(
                f'The domain name "{name}" cannot be created because "{other.name}" '
                "is already reserved by another domain"
            )
    host, _, rest = name.partition(".")
    if Route.objects.filter(host=host, domain__name=rest).exists():
        raise Unprocessable(f'The domain name "{name}" is already reserved by another domain or route.')


def _overlaps(name: str, organization: Organization | None, other: Domain) -> bool:
    """A domain that all share may have others below it; a private one has only its own organization's around it."""
    if other.organization is None:
        return organization is not None and other.name.endswith(f".{name}")
    return other.organization_id != (organization.pk if organization else None)


def is_reserved(name: str) -> bool:
    """Tell whether the name is equal to, below or above one of the console's.

    Of ``localhost`` only the names that the console has are its own: browsers keep cookies of the others apart.
    """
    consoles = [f"{alias}.{settings.PAAS_DOMAIN}" for alias in CONSOLE_ALIASES]
    if settings.PAAS_DOMAIN != "localhost":
        consoles.append(settings.PAAS_DOMAIN)
    return any(name == own or name.endswith(f".{own}") or own.endswith(f".{name}") for own in consoles)


def _above(name: str) -> list[str]:
    """The domains that the name is under: "c.example", "example" for "b.c.example"."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels))]


def _taken(name: str) -> Unprocessable:
    return Unprocessable(f'The domain name "{name}" is already in use')
