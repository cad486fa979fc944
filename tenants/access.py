"""The permission table, and the only place that gives, takes and resolves roles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from accounts.models import User
from paas.lib.errors import FeatureDisabled, NotAuthorized, OrgSuspended, PaasError
from tenants.models import (
    ORGANIZATION_ROLES,
    SPACE_ROLES,
    FeatureFlag,
    Organization,
    OrganizationRole,
    Space,
    SpaceRole,
    in_force,
)

ADMIN, READ_ONLY_ADMIN = User.PlatformRole.ADMIN, User.PlatformRole.ADMIN_READ_ONLY
OM, OB, OA, OU = "organization_manager", "organization_billing_manager", "organization_auditor", "organization_user"
SD, SM, SA, SS = "space_developer", "space_manager", "space_auditor", "space_supporter"
_ANY_ORG = frozenset({OM, OB, OA, OU})
_READ_SPACE = frozenset({OM, SD, SM, SA, SS})
_DEVELOP = frozenset({SD})
_OPERATE = frozenset({SD, SS})
_NOBODY: frozenset[str] = frozenset()

# verb -> (sentence, roles that hold it, does it only read, is it refused to the read-only admin)
# A platform admin holds every verb; the read-only admin every reading one that is not a secret.
TABLE: dict[str, tuple[str, frozenset[str]]] = {
    "organization.view": ("See the organization, its quota and its members", _ANY_ORG | _READ_SPACE),
    "organization.create": ("Create an organization", _NOBODY),
    "organization.update": ("Rename and describe the organization", frozenset({OM})),
    "organization.suspend": ("Suspend the organization", _NOBODY),
    "organization.delete": ("Delete the organization and everything in it", _NOBODY),
    "organization.audit": ("Read the organization's events", frozenset({OM, OA})),
    "organization.member.manage": ("Invite and remove members and set their organization roles", frozenset({OM})),
    "organization.quota.manage": ("Set the organization's quota", _NOBODY),
    "billing.view": ("See what the organization has used and what it costs", frozenset({OM, OB})),
    "usage.view": ("See how much of the quota is used", frozenset({OM})),
    "domain.manage": ("Create, share and delete the organization's own domains", frozenset({OM})),
    "space.create": ("Create a space", frozenset({OM})),
    "space.delete": ("Delete a space and everything in it", frozenset({OM})),
    "space.quota.manage": ("Set the quotas of spaces", frozenset({OM})),
    "space.view": ("See the space and the apps, routes and services in it", _READ_SPACE),
    "space.update": ("Rename and describe the space", frozenset({OM, SM})),
    "space.audit": ("Read the events of the space and its apps", _READ_SPACE),
    "space.member.manage": ("Set the roles in the space", frozenset({OM, SM})),
    "app.view": ("See apps, their state, processes and builds", _READ_SPACE),
    "app.create": ("Create apps", _DEVELOP),
    "app.push": ("Push source and build it", _DEVELOP),
    "app.deploy": ("Choose which droplet runs, deploy it, and call that off", _OPERATE),
    "app.stage": ("Build a package again", _OPERATE),
    "app.run": ("Start, stop and restart apps and single instances", _OPERATE),
    "app.scale": ("Change instances, memory and disk", _OPERATE),
    "app.update": ("Rename an app and change its settings", _DEVELOP),
    "app.delete": ("Delete apps", _DEVELOP),
    "process.update": ("Change start commands and health checks", _OPERATE),
    "app.set_environment": ("Change environment variables", _OPERATE),
    "app.see_environment": ("See environment variables", _OPERATE),
    "app.see_secrets": ("See start commands, manifests and credentials", _DEVELOP),
    "app.download": ("Download packages and droplets", _DEVELOP),
    "app.ssh": ("Open a shell in an app", _DEVELOP),
    "task.run": ("Run one-off tasks", _DEVELOP),
    "task.cancel": ("Call tasks off", _OPERATE),
    "log.read": ("Read the logs of apps", _READ_SPACE),
    "route.manage": ("Create, map and delete routes", _OPERATE),
    "route.move": ("Move routes to another space", _DEVELOP),
    "service.view": ("See service instances", _READ_SPACE),
    "service.create": ("Create and change service instances", _DEVELOP),
    "service.delete": ("Delete service instances", _DEVELOP),
    "service.bind": ("Bind services to apps", _OPERATE),
    "service.see_credentials": ("See the credentials of services", _DEVELOP),
    "platform.view": ("See every organization and platform setting", _NOBODY),
    "platform.manage": ("Change platform settings: buildpacks, stacks, shared domains, feature flags, quotas", _NOBODY),
    "user.manage": ("Create and delete people", _NOBODY),
}
SECRETS = frozenset({"app.see_environment", "app.see_secrets", "service.see_credentials", "app.download", "app.ssh"})
READING = frozenset(
    {
        "organization.view", "organization.audit", "billing.view", "usage.view", "space.view", "space.audit",
        "app.view", "log.read", "service.view", "platform.view",
    }
) | SECRETS  # fmt: skip

# Cloud Foundry's feature flags: name -> enabled from the start
FEATURE_FLAGS = {
    "app_bits_upload": True,
    "app_scaling": True,
    "diego_docker": False,
    "env_var_visibility": True,
    "hide_marketplace_from_unauthenticated_users": False,
    "private_domain_creation": True,
    "resource_matching": True,
    "route_creation": True,
    "route_sharing": False,
    "service_instance_creation": True,
    "service_instance_sharing": True,
    "set_roles_by_username": True,
    "space_developer_env_var_visibility": True,
    "space_scoped_private_broker_creation": True,
    "task_creation": True,
    "unset_roles_by_username": True,
    "user_org_creation": False,
}


def roles_held(user: User, *, space: Space | None = None, organization: Organization | None = None) -> set[str]:
    """Return the role names that are in force for the user in that space (and its organization) right now."""
    organization_id = space.organization_id if space else organization.pk if organization else None
    held = set(
        OrganizationRole.objects.filter(in_force(), user=user, content_object=organization_id).values_list(
            "permission__codename", flat=True
        )
    )
    if space:
        in_space = SpaceRole.objects.filter(in_force(), user=user, content_object=space)
        held |= set(in_space.values_list("permission__codename", flat=True))
    elif (
        organization
        and SpaceRole.objects.filter(in_force(), user=user, content_object__organization=organization).exists()
    ):
        held.add(OU)
    return held


def may(user: User, verb: str, place: Any = None) -> bool:
    """Return whether the user holds the verb in ``place``: a space, an organization, a thing in one, or the platform."""
    _sentence, roles = TABLE[verb]
    if user.is_admin:
        return user.is_active
    if user.platform_role == READ_ONLY_ADMIN and verb in READING - SECRETS:
        return user.is_active
    if place is None or not user.is_active:
        return False
    space = getattr(place, "space", None)
    held = roles_held(user, space=space) if space else roles_held(user, organization=place.organization)
    return bool(held & roles)


def verbs_held(user: User, place: Any = None) -> set[str]:
    """Return every verb that the user holds in ``place``; what pages use to show only buttons that work."""
    if user.is_admin:
        return set(TABLE)
    held: set[str] = set()
    if place is not None:
        space = getattr(place, "space", None)
        held = roles_held(user, space=space) if space else roles_held(user, organization=place.organization)
    verbs = {verb for verb, (_sentence, roles) in TABLE.items() if roles & held}
    return verbs | (READING - SECRETS if user.platform_role == READ_ONLY_ADMIN else set())


def authorize(user: User, verb: str, place: Any = None) -> None:
    """Raise ``NotAuthorized`` unless the user holds the verb in ``place``; ``OrgSuspended`` where nothing may change."""
    if not may(user, verb, place):
        raise NotAuthorized()
    if verb not in READING and not user.is_admin and place is not None:
        organization = place.organization if not getattr(place, "space", None) else place.space.organization
        if organization.suspended:
            raise OrgSuspended()


def authorize_creation(user: User) -> None:
    """Raise ``NotAuthorized`` unless the user may create organizations: admins, or everybody by the feature flag."""
    if not flag("user_org_creation"):
        authorize(user, "organization.create")


def flag(name: str) -> bool:
    row = FeatureFlag.objects.filter(name=name).first()
    return row.enabled if row else FEATURE_FLAGS[name]


def require_flag(name: str, actor: User) -> None:
    """Raise ``FeatureDisabled`` if the flag is off; platform admins are not held back by flags."""
    row = FeatureFlag.objects.filter(name=name).first()
    if actor.is_admin or (row.enabled if row else FEATURE_FLAGS[name]):
        return
    raise FeatureDisabled(f"Feature Disabled: {(row.custom_error_message if row else '') or name}")


class AlreadyHeld(PaasError):
    status, code, title = 422, 10008, "UnprocessableEntity"


def role_label(name: str) -> str:
    return (ORGANIZATION_ROLES | SPACE_ROLES)[name]


def _permission(place: Organization | Space, role: str) -> Permission:
    names = ORGANIZATION_ROLES if isinstance(place, Organization) else SPACE_ROLES
    if role not in names:
        raise LookupError(f"{role} is no role of {type(place).__name__.lower()}s.")
    return Permission.objects.get(content_type=ContentType.objects.get_for_model(type(place)), codename=role)


def role_rows(place: Organization | Space) -> QuerySet[Any]:
    """The roles in force in that organization or space, with their people."""
    model: Any = OrganizationRole if isinstance(place, Organization) else SpaceRole
    return model.objects.filter(in_force(), content_object=place).select_related("user", "permission")


def people_of(place: Organization | Space) -> QuerySet[User]:
    """The people who hold a role there right now."""
    return User.objects.filter(pk__in=role_rows(place).values("user"))


def give(
    user: User,
    role: str,
    place: Organization | Space,
    *,
    by: User,
    expires_at: datetime | None = None,
    reason: str = "",
) -> OrganizationRole | SpaceRole:
    """Write the role; raise ``AlreadyHeld`` if it is in force. Rules and audit are the action's."""
    model: Any = OrganizationRole if isinstance(place, Organization) else SpaceRole
    permission = _permission(place, role)
    model.objects.filter(user=user, permission=permission, content_object=place).exclude(in_force()).delete()
    row, made = model.objects.get_or_create(
        user=user,
        permission=permission,
        content_object=place,
        defaults={"cf_type": role, "granted_by": by, "expires_at": expires_at, "reason": reason},
    )
    if not made:
        where = f"organization '{place.name}'" if isinstance(place, Organization) else f"space '{place.name}'"
        raise AlreadyHeld(f"User '{user.username}' already has '{role}' role in {where}.")
    return row


def take(row: OrganizationRole | SpaceRole) -> None:
    row.delete()


def people_visible_to(user: User) -> QuerySet[User]:
    """The people that the user may see: everybody who shares an organization with them, and themselves."""
    if user.platform_role:
        return User.objects.all()
    organizations = Organization.objects.visible_to(user).values("pk")
    return User.objects.filter(
        Q(pk=user.pk)
        | Q(pk__in=OrganizationRole.objects.filter(in_force(), content_object__in=organizations).values("user"))
        | Q(pk__in=SpaceRole.objects.filter(in_force(), content_object__organization__in=organizations).values("user"))
    )


def person_named(name: str) -> User | None:
    """Return who has that username or, failing that, that e-mail address; nobody where several people do."""
    people = User.objects.exclude(kind=User.Kind.SYSTEM)
    found = list(people.filter(username__iexact=name)[:2]) or list(people.filter(email__iexact=name)[:2])
    return found[0] if len(found) == 1 else None


def organizations_with(user: User, verb: str) -> QuerySet[Organization]:
    """The organizations where an organization role gives the user the verb."""
    if user.is_admin or (user.platform_role == READ_ONLY_ADMIN and verb in READING - SECRETS):
        return Organization.objects.filter(deleting_at=None)
    held = OrganizationRole.objects.filter(in_force(), user=user, permission__codename__in=TABLE[verb][1])
    return Organization.objects.filter(pk__in=held.values("content_object"), deleting_at=None)


def spaces_with(user: User, verb: str) -> QuerySet[Space]:
    """The spaces where the user holds the verb, through a space role or one of the organization."""
    if user.is_admin or (user.platform_role == READ_ONLY_ADMIN and verb in READING - SECRETS):
        return Space.objects.filter(deleting_at=None)
    roles = TABLE[verb][1]
    held = SpaceRole.objects.filter(in_force(), user=user, permission__codename__in=roles).values("content_object")
    through = OrganizationRole.objects.filter(in_force(), user=user, permission__codename__in=roles)
    return Space.objects.filter(Q(pk__in=held) | Q(organization__in=through.values("content_object")), deleting_at=None)


def table() -> Iterable[tuple[str, str, dict[str, bool]]]:
    """Yield (verb, sentence, {role: held}) for the documentation page, platform roles included."""
    for verb, (sentence, roles) in TABLE.items():
        cells = {role: role in roles for role in (*ORGANIZATION_ROLES, *SPACE_ROLES)}
        yield verb, sentence, cells | {ADMIN: True, READ_ONLY_ADMIN: verb in READING - SECRETS}
