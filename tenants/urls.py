"""The console's addresses about organizations, spaces, their members and events, and the documentation."""

from __future__ import annotations

from django.urls import path

from tenants.views import docs, members, organizations, spaces

urlpatterns = [
    path("orgs/new", organizations.create, name="organization_create"),
    path("orgs/<str:guid>", organizations.organization, name="organization"),
    path("orgs/<str:guid>/events", organizations.organization_events, name="organization_events"),
    path("orgs/<str:guid>/settings", organizations.settings, name="organization_settings"),
    path("orgs/<str:guid>/rename", organizations.rename, name="organization_rename"),
    path("orgs/<str:guid>/quota", organizations.set_quota, name="organization_quota"),
    path("orgs/<str:guid>/suspend", organizations.suspend, name="organization_suspend"),
    path("orgs/<str:guid>/resume", organizations.resume, name="organization_resume"),
    path("orgs/<str:guid>/delete", organizations.delete, name="organization_delete"),
    path("orgs/<str:guid>/spaces/new", spaces.create, name="space_create"),
    path("orgs/<str:guid>/members", members.organization_members, name="organization_members"),
    path("orgs/<str:guid>/members/add", members.organization_member_add, name="organization_member_add"),
    path(
        "orgs/<str:guid>/members/<str:person>/remove",
        members.organization_member_remove,
        name="organization_member_remove",
    ),
    path("spaces/<str:guid>/events", spaces.space_events, name="space_events"),
    path("spaces/<str:guid>/members", members.space_members, name="space_members"),
    path("spaces/<str:guid>/members/add", members.space_member_add, name="space_member_add"),
    path("spaces/<str:guid>/settings", spaces.settings, name="space_settings"),
    path("spaces/<str:guid>/rename", spaces.rename, name="space_rename"),
    path("spaces/<str:guid>/delete", spaces.delete, name="space_delete"),
    path("docs", docs.index, name="docs"),
    path("docs/api", docs.api, name="docs_api"),
    path("docs/roles", docs.roles, name="docs_roles"),
    path("docs/<slug:page>", docs.page, name="docs_page"),
]
