"""The console's addresses about services."""

from __future__ import annotations

from django.urls import path

from services.views import binding, deletion, instance, keys, listed, marketplace, plan, provided, settings

urlpatterns = [
    path("spaces/<str:guid>/services", listed.listed, name="space_services"),
    path("spaces/<str:guid>/services/new/<str:plan>", marketplace.create, name="service_create"),
    path("spaces/<str:guid>/services/own", provided.create, name="service_provide"),
    path("spaces/<str:guid>/marketplace", marketplace.marketplace, name="marketplace"),
    path("spaces/<str:guid>/marketplace/<str:offering>", marketplace.offering, name="offering"),
    path("apps/<str:guid>/bind", binding.choose, name="app_bind"),
    path("services/<str:guid>", instance.overview, name="service"),
    path("services/<str:guid>/now", instance.now, name="service_now"),
    path("services/<str:guid>/connect", instance.connect, name="service_connect"),
    path("services/<str:guid>/credentials", provided.show, name="service_credentials"),
    path("services/<str:guid>/metrics", instance.metrics, name="service_metrics"),
    path("services/<str:guid>/events", instance.events, name="service_events"),
    path("services/<str:guid>/bind", binding.bind, name="service_bind"),
    path("services/<str:guid>/keys", keys.keys, name="service_keys"),
    path("services/<str:guid>/keys/new", keys.create, name="service_key_create"),
    path("services/<str:guid>/plan", plan.plans, name="service_plans"),
    path("services/<str:guid>/plan/<str:plan>", plan.change_plan, name="service_plan_change"),
    path("services/<str:guid>/parameters", plan.change_parameters, name="service_parameters"),
    path("services/<str:guid>/parameters/show", plan.show_parameters, name="service_parameters_show"),
    path("services/<str:guid>/upgrade", plan.upgrade, name="service_upgrade"),
    path("services/<str:guid>/settings", settings.settings, name="service_settings"),
    path("services/<str:guid>/rename", settings.rename, name="service_rename"),
    path("services/<str:guid>/own", provided.update, name="service_provide_again"),
    path("services/<str:guid>/share", settings.share, name="service_share"),
    path("services/<str:guid>/unshare/<str:space>", settings.unshare, name="service_unshare"),
    path("services/<str:guid>/delete", deletion.delete, name="service_delete"),
    path("services/<str:guid>/purge", deletion.purge, name="service_purge"),
    path("bindings/<str:guid>/show", binding.show, name="binding_show"),
    path("bindings/<str:guid>/delete", binding.delete, name="binding_delete"),
]
