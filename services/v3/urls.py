"""The v3 URLs of services."""

from __future__ import annotations

from django.urls import include, path

from services.v3.backups import BackupRepositoryViewSet, BackupViewSet
from services.v3.brokers import ServiceBrokerViewSet
from services.v3.collections import urls
from services.v3.conformance import ConformanceViewSet
from services.v3.differences import DifferencesViewSet
from services.v3.offerings import ServiceOfferingViewSet
from services.v3.plans import ServicePlanViewSet
from services.v3.service_instances import ServiceInstanceViewSet
from services.v3.shared_spaces import SharedSpacesViewSet

MANY = {"get": "list", "post": "create"}
ONE = {"get": "retrieve", "patch": "update", "delete": "destroy"}
VISIBILITY = {"get": "visibility", "patch": "set_visibility", "post": "add_visibility"}

catalogue = [  # brokers, offerings, plans
    path("service_brokers", ServiceBrokerViewSet.as_view(MANY)),
    path("service_brokers/<str:guid>", ServiceBrokerViewSet.as_view(ONE)),
    path("service_brokers/<str:guid>/differences", DifferencesViewSet.as_view({"get": "every"})),
    path("service_brokers/<str:guid>/conformance", ConformanceViewSet.as_view({"get": "last", "post": "create"})),
    path("service_offerings", ServiceOfferingViewSet.as_view({"get": "list"})),
    path("service_offerings/<str:guid>", ServiceOfferingViewSet.as_view(ONE)),
    path("service_plans", ServicePlanViewSet.as_view({"get": "list"})),
    path("service_plans/<str:guid>", ServicePlanViewSet.as_view(ONE)),
    path("service_plans/<str:guid>/visibility", ServicePlanViewSet.as_view(VISIBILITY)),
    path(
        "service_plans/<str:guid>/visibility/<str:organization>",
        ServicePlanViewSet.as_view({"delete": "remove_visibility"}),
    ),
]

INSTANCE = "service_instances/<str:guid>"
SHARED = f"{INSTANCE}/relationships/shared_spaces"

instances = [  # service instances and whom they are shared with; bindings are beside the apps
    path("service_instances", ServiceInstanceViewSet.as_view(MANY)),
    path(INSTANCE, ServiceInstanceViewSet.as_view(ONE)),
    path(f"{INSTANCE}/backups", BackupViewSet.as_view({"get": "every", "post": "take"})),
    path("service_backup_repositories", BackupRepositoryViewSet.as_view({"get": "list"})),
    path("service_backup_repositories/<str:guid>", BackupRepositoryViewSet.as_view({"get": "retrieve"})),
    path(f"{INSTANCE}/credentials", ServiceInstanceViewSet.as_view({"get": "credentials"})),
    path(f"{INSTANCE}/parameters", ServiceInstanceViewSet.as_view({"get": "parameters"})),
    path(f"{INSTANCE}/permissions", ServiceInstanceViewSet.as_view({"get": "permissions"})),
    path(SHARED, SharedSpacesViewSet.as_view({"get": "every", "post": "share"})),
    path(f"{SHARED}/usage_summary", SharedSpacesViewSet.as_view({"get": "usage_summary"})),
    path(f"{SHARED}/<str:space>", SharedSpacesViewSet.as_view({"delete": "unshare"})),
]

urlpatterns = [path("v3/", include([*catalogue, *instances, *urls()]))]
