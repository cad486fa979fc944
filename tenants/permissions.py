"""The table of named permissions: each with its sentence, and the Cloud Foundry roles that are named sets of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from accounts.models import User

ADMIN, READ_ONLY_ADMIN = User.PlatformRole.ADMIN, User.PlatformRole.ADMIN_READ_ONLY
OM, OB, OA, OU = "organization_manager", "organization_billing_manager", "organization_auditor", "organization_user"
SD, SM, SA, SS = "space_developer", "space_manager", "space_auditor", "space_supporter"
ORGANIZATION_ROLES = {
    OU: "Organization user",
    OM: "Organization manager",
    OB: "Billing manager",
    OA: "Organization auditor",
}
SPACE_ROLES = {
    SD: "Space developer",
    SM: "Space manager",
    SA: "Space auditor",
    SS: "Space supporter",
}
LABELS = ORGANIZATION_ROLES | SPACE_ROLES
_SHORT = {label: label.removeprefix("Organization ").removeprefix("Space ").capitalize() for label in LABELS.values()}

_ANY_ORG = frozenset({OM, OB, OA, OU})
_READ_SPACE = frozenset({OM, SD, SM, SA, SS})
_DEVELOP = frozenset({SD})
_OPERATE = frozenset({SD, SS})
_NOBODY: frozenset[str] = frozenset()

PLATFORM, ORGANIZATION, SPACE, BOTH = "platform", "organization", "space", "organization or space"


class Verb(NamedTuple):
    """A named permission: what it lets people do, which roles hold it, and where it can be held.

    Held in an organization, a permission about spaces holds in each of its spaces.
    """

    sentence: str
    roles: frozenset[str]
    where: str


# A platform admin holds every permission; the read-only admin every reading one that is not a secret.
TABLE: dict[str, Verb] = {
    "organization.view": Verb("See the organization, its quota and its members", _ANY_ORG | _READ_SPACE, BOTH),
    "organization.create": Verb("Create an organization", _NOBODY, PLATFORM),
    "organization.update": Verb("Rename and describe the organization", frozenset({OM}), ORGANIZATION),
    "organization.suspend": Verb("Suspend the organization", _NOBODY, PLATFORM),
    "organization.delete": Verb("Delete the organization and everything in it", _NOBODY, PLATFORM),
    "member.manage": Verb("Invite and remove people and set their roles", frozenset({OM, SM}), BOTH),
    "role.manage": Verb("Make and change custom roles", frozenset({OM}), ORGANIZATION),
    "robot.manage": Verb("Make robot accounts and their keys", frozenset({OM}), ORGANIZATION),
    "audit.read": Verb("Read the events: who did what, and when", frozenset({OM, OA}) | _READ_SPACE, BOTH),
    "billing.view": Verb("See what the organization has used and what it costs", frozenset({OM, OB}), ORGANIZATION),
    "usage.view": Verb("See how much of the quota is used", frozenset({OM}), ORGANIZATION),
    "quota.manage": Verb("Set the quotas of spaces", frozenset({OM}), ORGANIZATION),
    "quota.ask": Verb("Ask for a larger quota", frozenset({OM, SM}), BOTH),
    "domain.manage": Verb("Create, share and delete the organization's own domains", frozenset({OM}), ORGANIZATION),
    "space.create": Verb("Create a space", frozenset({OM}), ORGANIZATION),
    "space.delete": Verb("Delete a space and everything in it", frozenset({OM}), ORGANIZATION),
    "space.view": Verb("See the space and the routes in it", _READ_SPACE, SPACE),
    "space.update": Verb("Rename and describe the space", frozenset({OM, SM}), SPACE),
    "app.view": Verb("See apps, their state, processes and builds", _READ_SPACE, SPACE),
    "app.create": Verb("Create apps", _DEVELOP, SPACE),
    "app.push": Verb("Push source and build it", _DEVELOP, SPACE),
    "app.deploy": Verb("Choose which droplet runs, deploy it, and call that off", _OPERATE, SPACE),
    "app.stage": Verb("Build a package again", _OPERATE, SPACE),
    "app.run": Verb("Start, stop and restart apps and single instances", _OPERATE, SPACE),
    "app.scale": Verb("Change instances, memory and disk", _OPERATE, SPACE),
    "app.update": Verb("Rename an app and change its settings", _DEVELOP, SPACE),
    "app.delete": Verb("Delete apps", _DEVELOP, SPACE),
    "process.update": Verb("Change start commands and health checks", _OPERATE, SPACE),
    "app.set_environment": Verb("Change environment variables", _OPERATE, SPACE),
    "app.see_environment": Verb("See environment variables", _OPERATE, SPACE),
    "app.see_secrets": Verb("See start commands, manifests and credentials", _DEVELOP, SPACE),
    "app.download": Verb("Download packages and droplets", _DEVELOP, SPACE),
    "app.ssh": Verb("Open a shell in an app", _DEVELOP, SPACE),
    "task.run": Verb("Run one-off tasks", _DEVELOP, SPACE),
    "task.cancel": Verb("Call tasks off", _OPERATE, SPACE),
    "log.read": Verb("Read the logs of apps", _READ_SPACE, SPACE),
    "route.manage": Verb("Create, map and delete routes", _OPERATE, SPACE),
    "route.move": Verb("Move routes to another space", _DEVELOP, SPACE),
    "service.view": Verb("See service instances", _READ_SPACE, SPACE),
    "service.create": Verb("Create and change service instances", _DEVELOP, SPACE),
    "service.delete": Verb("Delete service instances", _DEVELOP, SPACE),
    "service.bind": Verb("Bind services to apps", _OPERATE, SPACE),
    "service.see_credentials": Verb("See the credentials of services", _DEVELOP, SPACE),
    "platform.view": Verb("See every organization and platform setting", _NOBODY, PLATFORM),
    "platform.manage": Verb(
        "Change platform settings: buildpacks, stacks, shared domains, feature flags, quotas", _NOBODY, PLATFORM
    ),
}
SECRETS = frozenset({"app.see_environment", "app.see_secrets", "service.see_credentials", "app.download", "app.ssh"})
READING = frozenset(
    {
        "organization.view", "audit.read", "billing.view", "usage.view", "space.view", "app.view", "log.read",
        "service.view", "platform.view",
    }
) | SECRETS  # fmt: skip
OF_ROLE = {role: frozenset(verb for verb, line in TABLE.items() if role in line.roles) for role in LABELS}

# How the verbs are shown together: a heading, and the nouns under it
KINDS = (
    ("Apps", ("app", "process", "task", "log")),
    ("Routes and domains", ("route", "domain")),
    ("Services", ("service",)),
    ("Spaces", ("space",)),
    ("People, roles and robots", ("member", "role", "robot")),
    ("Organization, quotas and records", ("organization", "quota", "usage", "billing", "audit")),
    ("Platform", ("platform",)),
)

# What everybody holds who holds any role there: without it the rest could not be reached.
BASE = {ORGANIZATION: frozenset({"organization.view"}), SPACE: frozenset({"organization.view", "space.view"})}


def short(label: str) -> str:
    """Return "Developer" for "Space developer", where it is said what for; a custom role's name is as it is."""
    return _SHORT.get(label, label)


def choosable(where: str) -> dict[str, str]:
    """Return {verb: sentence} of what a custom role for organizations or for spaces can be made of."""
    fit = {ORGANIZATION, SPACE, BOTH} if where == ORGANIZATION else {SPACE, BOTH}
    return {verb: line.sentence for verb, line in TABLE.items() if line.where in fit}


def grouped(where: str) -> list[tuple[str, dict[str, str]]]:
    """Return [(kind, {verb: sentence})] of what can be chosen beyond what everybody holds there."""
    fit = {verb: sentence for verb, sentence in choosable(where).items() if verb not in BASE[where]}
    return [(kind, {verb: fit[verb] for verb in verbs}) for kind, verbs in by_kind(fit)]


def by_kind(verbs: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return [(kind, verbs)], without kinds of which there are none."""
    listed = list(verbs)
    groups = [(kind, [verb for verb in listed if verb.partition(".")[0] in nouns]) for kind, nouns in KINDS]
    return [(kind, found) for kind, found in groups if found]


def needed(verbs: Iterable[str], where: str) -> frozenset[str]:
    """Return what belongs to a role of those verbs: what is in a space is reached only by who sees the space."""
    inside = any(TABLE[verb].where == SPACE for verb in verbs)
    return BASE[where] | (BASE[SPACE] if inside else frozenset())


def covering(verbs: Iterable[str], where: str) -> str:
    """Return the widest Cloud Foundry role whose permissions are all among the verbs, or an empty string."""
    held, names = frozenset(verbs), ORGANIZATION_ROLES if where == ORGANIZATION else SPACE_ROLES
    covered = [role for role in names if OF_ROLE[role] <= held]
    return max(covered, key=lambda role: len(OF_ROLE[role]), default="")


def everywhere(user: User, verb: str) -> bool:
    """Return whether the user's platform role gives the verb in every place."""
    return user.is_admin or (user.platform_role == READ_ONLY_ADMIN and verb in READING - SECRETS)
