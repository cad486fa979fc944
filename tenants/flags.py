"""Cloud Foundry's feature flags: what a platform admin switches off for everybody else."""

from __future__ import annotations

from accounts.models import User
from paas.lib.errors import FeatureDisabled
from tenants.access import authorize
from tenants.models import FeatureFlag

# name -> enabled from the start
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
