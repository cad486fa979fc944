"""Making, changing and deleting the roles that an organization makes of named permissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import NotAuthorized, Unprocessable
from paas.lib.models import new_guid
from paas.lib.v3.bodies import merged
from tenants import access, effects
from tenants.access import authorize
from tenants.actions import role as roles
from tenants.actions import role_request as requests
from tenants.models import CustomRole, Organization, OrganizationRole, Space, SpaceRole
from tenants.permissions import LABELS, ORGANIZATION, ORGANIZATION_ROLES, SPACE, choosable, covering, needed

VERB = "role.manage"
MOST = 100  # in one organization
RESERVED = frozenset(name.lower() for name in (*LABELS, *LABELS.values()))
TOLD = ("name", "description", "verbs")


@transaction.atomic
def create(
    actor: User,
    organization: Organization,
    *,
    name: str,
    where: str = "",
    verbs: Iterable[str] | None = None,
    copy_of: str = "",
    description: str = "",
    metadata: dict[str, Any] | None = None,
) -> CustomRole:
    """Make a role of verbs for the organization or for spaces (``where``), or as a copy of another role.

    ``copy_of`` is the name of one of Cloud Foundry's roles or the guid of one of the organization's own; the copy is
    for the same places, and made of the same verbs unless others are given.
    """
    authorize(actor, VERB, organization)
    roles.lock(organization)
    if copy_of:
        where, verbs = _copied(organization, copy_of, where, verbs)
    made = _checked(actor, organization, where, verbs or ())
    if organization.custom_roles.count() >= MOST:
        raise Unprocessable(f"Organization '{organization.name}' has {MOST} roles of its own, which is the most.")
    guid = new_guid()
    kind = ContentType.objects.get_for_model(Organization if where == ORGANIZATION else Space)
    role = CustomRole(
        guid=guid,
        organization=organization,
        name=_free(organization, name),
        description=description,
        where=where,
        verbs=made,
        permission=Permission.objects.create(codename=guid, name=name, content_type=kind),
        **merged(None, metadata or {}),
    )
    role.save()
    audit.record(actor, "audit.custom_role.create", role, after=audit.state(role, (*TOLD, "where")))
    return role


@transaction.atomic
def update(
    actor: User, role: CustomRole, *, preview: str | None = None, metadata: dict[str, Any] | None = None, **fields: Any
) -> CustomRole:
    """Change name, description, verbs or metadata; whoever holds the role may do at once what it is made of then.

    ``preview`` is the mark of what was told about the change; it is refused if that is not so any more.
    """
    authorize(actor, VERB, role)
    roles.lock(role.organization)
    role = CustomRole.objects.select_related("organization", "permission").lock(role.pk)
    before = audit.state(role, TOLD)
    if "verbs" in fields:
        asked = made_of(actor, role, fields["verbs"])
        _same(preview, effects.preview(role, asked))
        fields["verbs"] = asked
    if "name" in fields:
        _free(role.organization, fields["name"], beside=role)
        Permission.objects.filter(pk=role.permission_id).update(name=fields["name"])
    for field, value in (fields | merged(role, metadata or {})).items():
        setattr(role, field, value)
    role.save()
    if "verbs" in fields:
        _rows(role).update(cf_type=covering(role.verbs, role.where))
    audit.record(actor, "audit.custom_role.update", role, before=before, after=audit.state(role, TOLD))
    return role


@transaction.atomic
def delete(actor: User, role: CustomRole, *, recursive: bool = False, preview: str | None = None) -> Job:
    """Delete the role; with ``recursive`` it is taken from whoever holds it, without that they are named instead."""
    authorize(actor, VERB, role)
    roles.lock(role.organization)
    role = CustomRole.objects.select_related("organization", "permission").lock(role.pk)
    _within_reach(actor, role.organization, role.verbs)
    held = effects.preview(role, ())
    _same(preview, held)
    if held.effects and not recursive:
        raise Unprocessable(
            f"The role '{role.name}' is held by {_named(held)}. Take it from them first, or delete it with "
            "recursive=true to take it from them all."
        )
    for effect in held.effects:
        roles.note(actor, effect.row, "remove")
    for ended in _rows(role).filter(expires_at__lte=timezone.now()).select_related(*roles.ROLE, "content_object"):
        roles.lapse(ended)
    requests.close(role, by=actor)
    audit.record(actor, "audit.custom_role.delete", role, before=audit.state(role, (*TOLD, "where")))
    guid, permission = role.guid, role.permission
    role.delete()
    permission.delete()  # and with it every grant
    return Job.objects.create(owner=actor, operation="custom_role.delete", state=Job.State.COMPLETE, resource_guid=guid)


def leave(organization: Organization) -> None:
    """Remove the roles of an organization that goes, with what stands for them."""
    permissions = Permission.objects.filter(pk__in=list(organization.custom_roles.values_list("permission", flat=True)))
    organization.custom_roles.all().delete()
    permissions.delete()


def made_of(actor: User, role: CustomRole, verbs: Iterable[str]) -> list[str]:
    """Return what the role will be made of if the actor asks for those verbs; raise where they may not."""
    authorize(actor, VERB, role)
    _within_reach(actor, role.organization, role.verbs)
    return _checked(actor, role.organization, role.where, verbs)


def _copied(
    organization: Organization, copy_of: str, where: str, verbs: Iterable[str] | None
) -> tuple[str, Iterable[str]]:
    own = CustomRole.objects.filter(organization=organization, guid=copy_of).first()
    if own is None and copy_of not in LABELS:
        raise Unprocessable(f"There is no role '{copy_of}' in organization '{organization.name}' to copy.")
    place = own.where if own else ORGANIZATION if copy_of in ORGANIZATION_ROLES else SPACE
    if where not in ("", place):
        raise Unprocessable(f"A copy of '{own.name if own else copy_of}' is for the same places: where is '{place}'.")
    return place, access.verbs_of(copy_of) if verbs is None else verbs


def _checked(actor: User, organization: Organization, where: str, verbs: Iterable[str]) -> list[str]:
    """Return what the role is made of, in the table's order, with what it is of no use without."""
    asked, fit = frozenset(verbs), choosable(where)
    if unfit := sorted(asked - set(fit)):
        places = "the organization" if where == ORGANIZATION else "spaces"
        raise Unprocessable(f"A role for {places} cannot be made of: {', '.join(unfit)}.")
    if not asked:
        raise Unprocessable("A role is made of at least one permission.")
    _within_reach(actor, organization, asked)
    return effects.in_order(asked | needed(asked, where))


def _within_reach(actor: User, organization: Organization, verbs: Iterable[str]) -> None:
    if not access.may_grant(actor, verbs, organization):
        raise NotAuthorized(
            "You may make and change only roles whose permissions you hold yourself. Ask an organization manager."
        )


def _free(organization: Organization, name: str, *, beside: CustomRole | None = None) -> str:
    others = organization.custom_roles.exclude(pk=beside.pk if beside else None)
    if name.lower() in RESERVED:
        raise Unprocessable(f"'{name}' is a role of Cloud Foundry's. Choose another name.")
    if others.filter(name__iexact=name).exists():
        raise Unprocessable(f"Organization '{organization.name}' has a role called '{name}' already.")
    return name


def _same(mark: str | None, now: effects.Preview) -> None:
    if mark not in (None, now.mark):
        raise Unprocessable(
            "The role, or who holds it, has changed since you looked. Look at the new summary, then confirm again."
        )


def _rows(role: CustomRole) -> Any:
    model: Any = OrganizationRole if role.where == ORGANIZATION else SpaceRole
    return model.objects.filter(permission=role.permission_id)


def _named(held: effects.Preview, most: int = 10) -> str:
    names = list(dict.fromkeys(effect.row.user.username for effect in held.effects))
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
