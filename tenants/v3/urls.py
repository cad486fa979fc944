"""The v3 URLs of organizations, spaces, people, roles, quotas, events and feature flags; what is not here is an unknown request."""

from __future__ import annotations

from django.urls import include, path

from tenants.v3.audit_events import AuditEventViewSet
from tenants.v3.feature_flags import FeatureFlagViewSet
from tenants.v3.nothing import (
    DefaultIsolationSegmentViewSet,
    IsolationSegmentViewSet,
    SecurityGroupViewSet,
    SpaceIsolationSegmentViewSet,
    SpaceSecurityGroupViewSet,
)
from tenants.v3.organization_quotas import OrganizationQuotaViewSet
from tenants.v3.organizations import OrganizationViewSet
from tenants.v3.roles import RoleViewSet
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
    path("users", UserViewSet.as_view(MANY)),
    path("users/<str:guid>", UserViewSet.as_view(ONE)),
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
