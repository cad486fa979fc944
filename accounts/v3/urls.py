"""The v3 URLs about the platform itself, background work, usage and tokens."""

from __future__ import annotations

from django.urls import path

from accounts.v3 import root
from accounts.v3.access_tokens import AccessTokenViewSet
from accounts.v3.jobs import JobViewSet
from accounts.v3.usage_events import AppUsageEventViewSet, ServiceUsageEventViewSet

LIST, RETRIEVE = {"get": "list"}, {"get": "retrieve"}

urlpatterns = [
    path("v3", root.index, name="v3"),
    path("v3/info", root.info, name="v3_info"),
    path("v2/info", root.info_v2, name="v2_info"),
    path("v3/jobs/<str:guid>", JobViewSet.as_view(RETRIEVE)),
    path("v3/app_usage_events", AppUsageEventViewSet.as_view(LIST)),
    path("v3/app_usage_events/<str:guid>", AppUsageEventViewSet.as_view(RETRIEVE)),
    path("v3/service_usage_events", ServiceUsageEventViewSet.as_view(LIST)),
    path("v3/service_usage_events/<str:guid>", ServiceUsageEventViewSet.as_view(RETRIEVE)),
    path("v3/access_tokens", AccessTokenViewSet.as_view({"get": "list", "post": "create"})),
    path("v3/access_tokens/<str:guid>", AccessTokenViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
]
