"""The v3 URLs about the platform itself, background work and usage."""

from __future__ import annotations

from django.urls import path

from accounts.v3 import root
from accounts.v3.jobs import JobViewSet
from accounts.v3.mails import MailViewSet
from accounts.v3.sessions import PersonViewSet, SessionViewSet
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
    path("v3/sessions", SessionViewSet.as_view(LIST)),
    path("v3/sessions/<str:guid>", SessionViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path("v3/users/<str:guid>/actions/end_sessions", PersonViewSet.as_view({"post": "end_sessions"})),
    path("v3/users/<str:guid>/actions/reset_second_factor", PersonViewSet.as_view({"post": "reset_second_factor"})),
    path("v3/mails", MailViewSet.as_view(LIST)),
    path("v3/mails/<str:guid>", MailViewSet.as_view(RETRIEVE)),
    path("v3/mails/<str:guid>/actions/show", MailViewSet.as_view({"post": "show"})),
    path("v3/mails/<str:guid>/actions/send", MailViewSet.as_view({"post": "send"})),
]
