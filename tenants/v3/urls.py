"""The v3 URLs of organizations, spaces, people, roles, quotas, events and feature flags; what is not here is an unknown request."""

from __future__ import annotations

from django.urls import include, path

from tenants.v3.access_tokens import AccessTokenViewSet
from tenants.v3.account import AccountViewSet, ConfirmationViewSet, EmailChangeViewSet
from tenants.v3.audit_events import AuditEventViewSet
from tenants.v3.custom_roles import CustomRoleViewSet
from tenants.v3.departures import DepartureViewSet
from tenants.v3.feature_flags import FeatureFlagViewSet
from tenants.v3.invitations import InvitationViewSet, JoiningViewSet, MailDomainsViewSet
from tenants.v3.nothing import (
    DefaultIsolationSegmentViewSet,
    IsolationSegmentViewSet,
    SecurityGroupViewSet,
    SpaceIsolationSegmentViewSet,
    SpaceSecurityGroupViewSet,
)
from tenants.v3.organization_quotas import OrganizationQuotaViewSet
from tenants.v3.organizations import OrganizationViewSet
from tenants.v3.permissions import PermissionViewSet
from tenants.v3.quota_requests import QuotaRequestViewSet
from tenants.v3.robot_keys import RobotKeyViewSet
from tenants.v3.robots import RobotViewSet
from tenants.v3.role_grants import RoleGrantViewSet
from tenants.v3.role_requests import RoleRequestViewSet
from tenants.v3.roles import RoleViewSet
from tenants.v3.second_factor import SecondFactorViewSet
from tenants.v3.space_quotas import SpaceQuotaViewSet
from tenants.v3.spaces import SpaceFeatureViewSet, SpaceViewSet
from tenants.v3.users import UserViewSet

MANY = {"get": "list", "post": "create"}
ONE = {"get": "retrieve", "patch": "update", "delete": "destroy"}

resources = [
    path("organizations", OrganizationViewSet.as_view(MANY)),
    path("organizations/<str:guid>", OrganizationViewSet.as_view(ONE)),
    path("organizations/<str:guid>/users", OrganizationViewSet.as_view({"get": "users"})),
    path("organizations/<str:guid>/usage_summary", OrganizationViewSet.as_view({"get": "usage_summary"})),
    path(
        "organizations/<str:guid>/relationships/default_isolation_segment",
        DefaultIsolationSegmentViewSet.as_view({"get": "retrieve", "patch": "update"}),
    ),
    path("spaces", SpaceViewSet.as_view(MANY)),
    path("spaces/<str:guid>", SpaceViewSet.as_view(ONE)),
    path("spaces/<str:guid>/users", SpaceViewSet.as_view({"get": "users"})),
    path("spaces/<str:guid>/usage_summary", SpaceViewSet.as_view({"get": "usage_summary"})),
    path("spaces/<str:guid>/features", SpaceFeatureViewSet.as_view({"get": "every"})),
    path("spaces/<str:guid>/features/<str:name>", SpaceFeatureViewSet.as_view({"get": "one", "patch": "update"})),
    path("spaces/<str:guid>/running_security_groups", SpaceSecurityGroupViewSet.as_view({"get": "list"})),
    path("spaces/<str:guid>/staging_security_groups", SpaceSecurityGroupViewSet.as_view({"get": "list"})),
    path(
        "spaces/<str:guid>/relationships/isolation_segment",
        SpaceIsolationSegmentViewSet.as_view({"get": "retrieve", "patch": "update"}),
    ),
    path("roles", RoleViewSet.as_view(MANY)),
    path("roles/<str:guid>", RoleViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("role_grants", RoleGrantViewSet.as_view(MANY)),
    path("role_grants/<str:guid>", RoleGrantViewSet.as_view(ONE)),
    path("custom_roles", CustomRoleViewSet.as_view(MANY)),
    path("custom_roles/<str:guid>", CustomRoleViewSet.as_view(ONE)),
    path("custom_roles/<str:guid>/actions/preview", CustomRoleViewSet.as_view({"post": "preview"})),
    path("role_requests", RoleRequestViewSet.as_view(MANY)),
    path("role_requests/<str:guid>", RoleRequestViewSet.as_view({"get": "retrieve"})),
    *(
        path(f"role_requests/<str:guid>/actions/{did}", RoleRequestViewSet.as_view({"post": did}))
        for did in ("accept", "refuse", "withdraw")
    ),
    path("organization_quotas", OrganizationQuotaViewSet.as_view(MANY)),
    path("organization_quotas/<str:guid>", OrganizationQuotaViewSet.as_view(ONE)),
    path(
        "organization_quotas/<str:guid>/relationships/organizations",
        OrganizationQuotaViewSet.as_view({"post": "apply"}),
    ),
    path("space_quotas", SpaceQuotaViewSet.as_view(MANY)),
    path("space_quotas/<str:guid>", SpaceQuotaViewSet.as_view(ONE)),
    path("space_quotas/<str:guid>/relationships/spaces", SpaceQuotaViewSet.as_view({"post": "apply"})),
    path("space_quotas/<str:guid>/relationships/spaces/<str:space>", SpaceQuotaViewSet.as_view({"delete": "remove"})),
    path("quota_requests", QuotaRequestViewSet.as_view(MANY)),
    path("quota_requests/<str:guid>", QuotaRequestViewSet.as_view({"get": "retrieve"})),
    *(
        path(f"quota_requests/<str:guid>/actions/{did}", QuotaRequestViewSet.as_view({"post": did}))
        for did in ("accept", "refuse", "withdraw")
    ),
    path("departures", DepartureViewSet.as_view(MANY)),
    path("departures/<str:guid>", DepartureViewSet.as_view({"get": "retrieve"})),
    path("departures/<str:guid>/actions/undo", DepartureViewSet.as_view({"post": "undo"})),
    path("organizations/<str:guid>/second_factor", SecondFactorViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("organizations/<str:guid>/mail_domains", MailDomainsViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("account", AccountViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("account/data", AccountViewSet.as_view({"get": "data"})),
    path("account/actions/close", AccountViewSet.as_view({"post": "close"})),
    path(
        "account/email_change",
        EmailChangeViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"}),
    ),
    path("account/email_change/actions/confirm", ConfirmationViewSet.as_view({"post": "confirm"})),
    path("invitations", InvitationViewSet.as_view(MANY)),
    path("invitations/actions/accept", InvitationViewSet.as_view({"post": "accept"})),
    path("invitations/actions/join", JoiningViewSet.as_view({"post": "join"})),
    path("invitations/<str:guid>", InvitationViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("invitations/<str:guid>/actions/send", InvitationViewSet.as_view({"post": "send"})),
    path("organizations/<str:guid>/permissions", PermissionViewSet.as_view({"get": "why"})),
    path("organizations/<str:guid>/actions/change_roles", PermissionViewSet.as_view({"post": "change_roles"})),
    path("users", UserViewSet.as_view(MANY)),
    path("users/<str:guid>", UserViewSet.as_view(ONE)),
    path(
        "users/<str:guid>/platform_role",
        UserViewSet.as_view({"get": "platform_role", "patch": "platform_role"}),
    ),
    path("robots", RobotViewSet.as_view(MANY)),
    path("robots/<str:guid>", RobotViewSet.as_view(ONE)),
    path("robots/<str:robot>/keys", RobotKeyViewSet.as_view(MANY)),
    path("robots/<str:robot>/keys/<str:guid>", RobotKeyViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("robots/<str:robot>/keys/<str:guid>/actions/rotate", RobotKeyViewSet.as_view({"post": "rotate"})),
    path("access_tokens", AccessTokenViewSet.as_view(MANY)),
    path("access_tokens/<str:guid>", AccessTokenViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("audit_events", AuditEventViewSet.as_view({"get": "list"})),
    path("audit_events/<str:guid>", AuditEventViewSet.as_view({"get": "retrieve"})),
    path("feature_flags", FeatureFlagViewSet.as_view({"get": "list"})),
    path("feature_flags/<str:guid>", FeatureFlagViewSet.as_view({"get": "retrieve", "patch": "update"})),
    path("isolation_segments", IsolationSegmentViewSet.as_view({"get": "list"})),
    path("isolation_segments/<str:guid>", IsolationSegmentViewSet.as_view({"get": "retrieve"})),
    path("security_groups", SecurityGroupViewSet.as_view({"get": "list"})),
    path("security_groups/<str:guid>", SecurityGroupViewSet.as_view({"get": "retrieve"})),
]

urlpatterns = [path("v3/", include(resources))]
