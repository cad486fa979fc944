"""The only place that gives, takes and resolves roles; what each of them permits is in ``tenants.permissions``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from accounts import factors
from accounts.models import User
from paas.lib.errors import NotAuthorized, OrgSuspended, PaasError, Unprocessable
from tenants.models import (
    CustomRole,
    Organization,
    OrganizationRole,
    Space,
    SpaceRole,
    in_force,
    sees_all,
)
from tenants.permissions import (
    ADMIN,
    LABELS,
    OF_ROLE,
    OM,
    ORGANIZATION_ROLES,
    OU,
    READ_ONLY_ADMIN,
    READING,
    SECRETS,
    SM,
    SPACE_ROLES,
    TABLE,
    covering,
    everywhere,
)


def roles_held(user: User, *, space: Space | None = None, organization: Organization | None = None) -> set[str]:
    """Return the role names that are in force for the user in that space (and its organization) right now.

    A custom role's name here is its guid.
    """
    return set(_roles(user, space=space, organization=organization))


def _roles(
    user: User, *, space: Space | None = None, organization: Organization | None = None
) -> dict[str, frozenset[str]]:
    """Return {role name: verbs} of what is in force; who holds a role in a space belongs to its organization."""
    organization_id = space.organization_id if space else organization.pk if organization else None
    names = ("permission__codename", "permission__custom_role__verbs")
    held = OrganizationRole.objects.filter(in_force(), user=user, content_object=organization_id).values_list(*names)
    rows = [*held]
    if space:
        rows += SpaceRole.objects.filter(in_force(), user=user, content_object=space).values_list(*names)
    elif (
        organization
        and SpaceRole.objects.filter(in_force(), user=user, content_object__organization=organization).exists()
    ):
        rows.append((OU, None))
    return {name: frozenset(verbs) if verbs is not None else OF_ROLE[name] for name, verbs in rows}


def _roles_at_hand(user: User, place: Any) -> dict[str, frozenset[str]]:
    """What is in force there, or nothing where a second factor is required that the user does not have."""
    lacking = _organization(place).second_factor_required and not (factors.may_lack(user) or factors.has(user))
    return {} if lacking else _roles(user, **_place(place))


def _place(place: Any) -> dict[str, Any]:
    space = getattr(place, "space", None)
    return {"space": space} if space else {"organization": place.organization}


def may(user: User, verb: str, place: Any = None) -> bool:
    """Return whether the user holds the verb in ``place``: a space, an organization, a thing in one, or the platform."""
    authority = user.authority
    if not user.is_active or not authority.leaves(verb) or not _in_sight(authority.organization, place):
        return False
    if authority.beside is not None and not may(authority.beside, verb, place):
        return False
    if everywhere(user, verb):
        return True
    return place is not None and any(verb in verbs for verbs in _roles_at_hand(user, place).values())


def _in_sight(organization_id: int | None, place: Any) -> bool:
    if organization_id is None:
        return True
    return place is not None and _organization(place).pk == organization_id


def _organization(place: Any) -> Organization:
    space = getattr(place, "space", None)
    found: Organization = space.organization if space else place.organization
    return found


def verbs_held(user: User, place: Any = None) -> set[str]:
    """Return every verb that the user holds in ``place``; what pages use to show only buttons that work."""
    authority = user.authority
    if not user.is_active or not _in_sight(authority.organization, place):
        return set()
    held = {verb for verb in TABLE if everywhere(user, verb)}
    if place is not None and not user.is_admin:
        held = held.union(*_roles_at_hand(user, place).values())
    if authority.beside is not None:
        held &= verbs_held(authority.beside, place)
    return {verb for verb in held if authority.leaves(verb)}


def authorize(user: User, verb: str, place: Any = None) -> None:
    """Raise ``NotAuthorized`` unless the user holds the verb in ``place``; ``OrgSuspended`` where nothing may change."""
    if not may(user, verb, place):
        error = NotAuthorized()
        error.missing = f"{TABLE[verb].sentence} ({verb})"
        raise error
    if verb not in READING and not user.is_admin and place is not None and _organization(place).suspended:
        raise OrgSuspended()


class AlreadyHeld(PaasError):
    status, code, title = 422, 10008, "UnprocessableEntity"


def custom_roles(place: Organization | Space) -> QuerySet[CustomRole]:
    """The organization's own roles that can be given there."""
    where = CustomRole.Where.SPACE if isinstance(place, Space) else CustomRole.Where.ORGANIZATION
    return CustomRole.objects.filter(organization=place.organization, where=where)


def roles_of(place: Organization | Space) -> dict[str, str]:
    """Return {name: label} of every role that can be given there, Cloud Foundry's first."""
    own = custom_roles(place).order_by("name").values_list("guid", "name")
    return dict(SPACE_ROLES if isinstance(place, Space) else ORGANIZATION_ROLES) | dict(own)


def verbs_of(role: str) -> frozenset[str]:
    """Return the verbs that a role is made of: Cloud Foundry's by name, a custom one by its guid."""
    if role in OF_ROLE:
        return OF_ROLE[role]
    found = CustomRole.objects.filter(guid=role).values_list("verbs", flat=True).first()
    return frozenset(found or ())


def role_label(permission: Permission) -> str:
    """Return what a role is called; custom ones want ``permission__custom_role`` joined in lists."""
    name: str = LABELS.get(permission.codename) or permission.custom_role.name
    return name


def is_manager(user: User, place: Organization | Space) -> bool:
    """Return whether the user manages the organization, or the space, by Cloud Foundry's own role."""
    held = roles_held(user, space=place) if isinstance(place, Space) else roles_held(user, organization=place)
    return OM in held or SM in held


def lasting_manager() -> Q:
    """The roles that keep an organization from being nobody's: of managers who are people, and without an end."""
    return Q(permission__codename=OM, expires_at=None, user__kind=User.Kind.PERSON, user__is_active=True)


def unmanaged() -> QuerySet[Organization]:
    """The organizations that nobody manages."""
    managed = OrganizationRole.objects.filter(lasting_manager()).values("content_object")
    return Organization.objects.filter(deleting_at=None).exclude(pk__in=managed)


def may_grant(user: User, verbs: Iterable[str], place: Organization | Space) -> bool:
    """Return whether the user, who holds ``member.manage`` there, may give and take a role made of those verbs.

    Managers grant any role of what they manage, platform admins every role; who manages members by a custom role,
    or with a token that is narrowed, grants only what is theirs to use.
    """
    asked, authority = frozenset(verbs), user.authority
    if authority.verbs is not None and not asked <= authority.verbs:
        return False
    return user.is_admin or is_manager(user, place) or asked <= verbs_held(user, place)


def permission_of(place: Organization | Space, role: str) -> Permission:
    """Return what stands for the role; raise ``Unprocessable`` where it cannot be given in that place."""
    names = ORGANIZATION_ROLES if isinstance(place, Organization) else SPACE_ROLES
    if role not in names and not custom_roles(place).filter(guid=role).exists():
        raise Unprocessable(f"There is no role '{role}' in '{place.name}', or there is none any more.")
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
    permission = permission_of(place, role)
    custom = CustomRole.objects.filter(permission=permission).first()
    model.objects.filter(user=user, permission=permission, content_object=place).exclude(in_force()).delete()
    row, made = model.objects.get_or_create(
        user=user,
        permission=permission,
        content_object=place,
        defaults={
            "cf_type": covering(custom.verbs, custom.where) if custom else role,
            "granted_by": by,
            "expires_at": expires_at,
            "reason": reason,
        },
    )
    if not made:
        where = f"organization '{place.name}'" if isinstance(place, Organization) else f"space '{place.name}'"
        name = custom.name if custom else role
        raise AlreadyHeld(f"User '{user.username}' already has '{name}' role in {where}.")
    return row


def take(row: OrganizationRole | SpaceRole) -> None:
    row.delete()


def people_visible_to(user: User) -> QuerySet[User]:
    """The people that the user may see: everybody who shares an organization with them, and themselves."""
    if sees_all(user, "organization.view"):
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
    return Organization.objects.where(user, verb)


def spaces_with(user: User, verb: str) -> QuerySet[Space]:
    """The spaces where the user holds the verb, through a space role or one of the organization."""
    return Space.objects.where(user, verb)


def table() -> Iterable[tuple[str, str, dict[str, bool]]]:
    """Yield (verb, sentence, {role: held}) for the documentation page, platform roles included."""
    for verb, line in TABLE.items():
        cells = {role: role in line.roles for role in LABELS}
        yield verb, line.sentence, cells | {ADMIN: True, READ_ONLY_ADMIN: verb in READING - SECRETS}


def verbs_anywhere(user: User) -> frozenset[str]:
    """Return every verb that the user holds in some place or other; what a token of theirs can be narrowed to."""
    names = ("permission__codename", "permission__custom_role__verbs")
    rows = {
        (name, None if verbs is None else tuple(verbs))
        for model in (OrganizationRole, SpaceRole)
        for name, verbs in model.objects.filter(in_force(), user=user).values_list(*names).distinct()
    }
    held = frozenset(verb for verb in TABLE if everywhere(user, verb))
    if any(name in SPACE_ROLES for name, _ in rows):
        held |= OF_ROLE[OU]
    return held.union(*(OF_ROLE[name] if verbs is None else verbs for name, verbs in rows))
