"""The console's addresses about spaces, apps and builds."""

from __future__ import annotations

from django.urls import path

from apps.views import app, build, environment, events, logs, new, revisions, routes, search, settings, space, use

urlpatterns = [
    path("spaces/<str:guid>", space.space, name="space"),
    path("spaces/<str:guid>/new", new.upload, name="app_new"),
    path("spaces/<str:guid>/new/git", new.git, name="app_new_git"),
    path("spaces/<str:guid>/new/cf", new.with_cf, name="app_new_cf"),
    path("spaces/<str:guid>/use", use.space_use, name="space_use"),
    path("spaces/<str:guid>/routes", routes.in_space, name="space_routes"),
    path("spaces/<str:guid>/routes/new", routes.create, name="route_create"),
    path("routes/<str:guid>", routes.one, name="route"),
    path("routes/<str:guid>/map", routes.lead, name="route_map"),
    path("routes/<str:guid>/unmap/<str:destination>", routes.unmap, name="route_unmap"),
    path("routes/<str:guid>/delete", routes.delete, name="route_delete"),
    path("apps/<str:guid>", app.overview, name="app"),
    path("apps/<str:guid>/instances", app.running, name="app_instances"),
    path(
        "apps/<str:guid>/instances/<str:process_type>/<int:index>/restart",
        app.restart_instance,
        name="instance_restart",
    ),
    path("apps/<str:guid>/start", app.start, name="app_start"),
    path("apps/<str:guid>/stop", app.stop, name="app_stop"),
    path("apps/<str:guid>/restart", app.restart, name="app_restart"),
    path("apps/<str:guid>/restage", app.restage, name="app_restage"),
    path("apps/<str:guid>/push", new.upload_version, name="app_push"),
    path("apps/<str:guid>/push/git", new.git_version, name="app_push_git"),
    path("apps/<str:guid>/push/cf", new.version_with_cf, name="app_push_cf"),
    path("apps/<str:guid>/builds", build.listed, name="app_builds"),
    path("builds/<str:guid>", build.one, name="build"),
    path("builds/<str:guid>/lines", build.since, name="build_lines"),
    path("builds/<str:guid>/cancel", build.cancel, name="build_cancel"),
    path("apps/<str:guid>/logs", logs.page, name="app_logs"),
    path("apps/<str:guid>/logs/lines", logs.since, name="app_logs_lines"),
    path("apps/<str:guid>/logs/text", logs.download, name="app_logs_text"),
    path("apps/<str:guid>/events", events.page, name="app_events"),
    path("apps/<str:guid>/routes", routes.of_app, name="app_routes"),
    path("apps/<str:guid>/routes/new", routes.new_for_app, name="app_route_new"),
    path("apps/<str:guid>/routes/map", routes.map_to_app, name="app_route_map"),
    path("apps/<str:guid>/environment", environment.page, name="app_environment"),
    path("apps/<str:guid>/environment/show", environment.show, name="app_environment_show"),
    path("apps/<str:guid>/environment/set", environment.put, name="app_environment_set"),
    path("apps/<str:guid>/environment/remove", environment.remove, name="app_environment_remove"),
    path("apps/<str:guid>/revisions", revisions.listed, name="app_revisions"),
    path("apps/<str:guid>/revisions/<int:version>/deploy", revisions.deploy, name="revision_deploy"),
    path("apps/<str:guid>/settings", settings.page, name="app_settings"),
    path("apps/<str:guid>/rename", settings.rename, name="app_rename"),
    path("apps/<str:guid>/buildpacks", settings.buildpacks, name="app_buildpacks"),
    path("apps/<str:guid>/processes/<str:process_type>/scale", settings.scale, name="app_scale"),
    path("apps/<str:guid>/processes/<str:process_type>/run", settings.run, name="app_run"),
    path("apps/<str:guid>/delete", settings.delete, name="app_delete"),
    path("search", search.search, name="search"),
]
