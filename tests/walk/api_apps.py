"""The table of the API about apps: Cloud Foundry's v3 from source to instances, and log reading."""

from __future__ import annotations

from tests.apps.archives import tarred, zipped
from tests.walk.api import APPS, DELETE, GET, PATCH, POST, PUT, SPACE, described, listed, to, upload
from tests.walk.rows import Row

APP = "v3/apps/<str:guid>"
SIDECAR = {"name": "walked", "command": "walk", "process_types": ["web"]}


def of_process(path: str) -> tuple[Row, ...]:
    """A process at one of its two addresses."""
    return (
        GET(path, APPS),
        PATCH(path, APPS, "process.update", lambda t: {"command": "walk"}),
        POST(f"{path}/actions/scale", APPS, "app.scale", lambda t: {"instances": 2}),
        GET(f"{path}/stats", APPS),
        GET(f"{path}/process_instances", APPS),
        DELETE(f"{path}/instances/<str:index>", APPS, "app.run"),
        GET(f"{path}/sidecars", APPS),
    )


APP_ROWS = (
    listed("v3/apps", "app", APPS),
    POST(
        "v3/apps",
        SPACE,
        "app.create",
        lambda t: {"name": "walked", "relationships": {"space": to(t.space)}},
        named=True,
    ),
    GET(APP, APPS),
    PATCH(APP, APPS, "app.update", lambda t: {"name": "walked"}),
    DELETE(APP, APPS, "app.delete"),
    POST(f"{APP}/actions/start", APPS, "app.run"),
    POST(f"{APP}/actions/stop", APPS, "app.run"),
    POST(f"{APP}/actions/restart", APPS, "app.run"),
    POST(f"{APP}/actions/clear_buildpack_cache", APPS, "app.stage"),
    POST(
        f"{APP}/actions/swap_service",
        APPS,
        "service.bind",
        lambda t: {"relationships": {"from": to(t.own_instance), "to": to(t.service_instance)}},
    ),
    GET(f"{APP}/permissions", APPS),
    GET(f"{APP}/ssh_enabled", APPS),
    GET(f"{APP}/env", APPS, "app.see_environment"),
    GET(f"{APP}/environment_variables", APPS, "app.see_environment"),
    PATCH(f"{APP}/environment_variables", APPS, "app.set_environment", lambda t: {"var": {"A": "b"}}),
    GET(f"{APP}/features", APPS),
    GET(f"{APP}/features/<str:name>", APPS, ids={"name": "=revisions"}),
    PATCH(f"{APP}/features/<str:name>", APPS, "app.update", lambda t: {"enabled": True}, {"name": "=revisions"}),
    GET(f"{APP}/manifest", APPS, "app.see_secrets"),
    GET(f"{APP}/processes", APPS),
    *of_process(f"{APP}/processes/<str:type>"),
    *of_process("v3/processes/<str:guid>"),
    listed("v3/processes", "process", APPS),
    GET(f"{APP}/sidecars", APPS),
    POST(f"{APP}/sidecars", APPS, "app.update", lambda t: SIDECAR),
    GET("v3/sidecars/<str:guid>", APPS),
    PATCH("v3/sidecars/<str:guid>", APPS, "app.update", lambda t: SIDECAR),
    DELETE("v3/sidecars/<str:guid>", APPS, "app.update"),
    GET(f"{APP}/revisions", APPS),
    GET(f"{APP}/revisions/deployed", APPS),
    *described("v3/revisions/<str:guid>", APPS, "app.update"),
    GET("v3/revisions/<str:guid>/environment_variables", APPS, "app.see_secrets"),
    listed("v3/deployments", "deployment", APPS),
    POST("v3/deployments", APPS, "app.deploy", lambda t: {"relationships": {"app": to(t.app)}}, named=True),
    *described("v3/deployments/<str:guid>", APPS, "app.update"),
    POST("v3/deployments/<str:guid>/actions/cancel", APPS, "app.deploy"),
    POST("v3/deployments/<str:guid>/actions/continue", APPS, "app.deploy", cannot=True),
    GET(f"{APP}/tasks", APPS),
    POST(f"{APP}/tasks", APPS, "task.run", lambda t: {"command": "walk"}),
    listed("v3/tasks", "task", APPS),
    *described("v3/tasks/<str:guid>", APPS, "app.update"),
    PUT("v3/tasks/<str:guid>/cancel", APPS, "task.cancel"),
    POST("v3/tasks/<str:guid>/actions/cancel", APPS, "task.cancel"),
    GET(f"{APP}/routes", APPS),
    GET("api/v1/info", public=True),
    GET("api/v1/read/<str:source>", APPS, "log.read"),
)

BUILD_ROWS = (
    GET(f"{APP}/packages", APPS),
    listed("v3/packages", "package", APPS),
    POST(
        "v3/packages",
        APPS,
        "app.push",
        lambda t: {"type": "bits", "relationships": {"app": to(t.app)}},
        named=True,
    ),
    *described("v3/packages/<str:guid>", APPS, "app.update"),
    DELETE("v3/packages/<str:guid>", APPS, "app.push"),
    POST(
        "v3/packages/<str:guid>/upload",
        APPS,
        "app.push",
        upload("source.zip", zipped().read()),
        {"guid": "empty_package"},
    ),
    GET("v3/packages/<str:guid>/download", APPS, "app.download"),
    GET("v3/packages/<str:guid>/droplets", APPS),
    POST("v3/resource_matches", send=lambda t: {"resources": []}),
    GET(f"{APP}/builds", APPS),
    listed("v3/builds", "build", APPS),
    POST("v3/builds", APPS, "app.stage", lambda t: {"package": {"guid": t.package}}, named=True),
    *described("v3/builds/<str:guid>", APPS, "app.update"),
    POST("v3/builds/<str:guid>/actions/cancel", APPS, "app.stage", ids={"guid": "building"}),
    GET(f"{APP}/droplets", APPS),
    listed("v3/droplets", "droplet", APPS),
    POST("v3/droplets", APPS, "app.push", lambda t: {"relationships": {"app": to(t.app)}}, named=True),
    *described("v3/droplets/<str:guid>", APPS, "app.update"),
    DELETE("v3/droplets/<str:guid>", APPS, "app.push", ids={"guid": "empty_droplet"}),
    POST(
        "v3/droplets/<str:guid>/upload",
        APPS,
        "app.push",
        upload("droplet.tgz", tarred({"./app/run": "x"}, mode="w:gz").read()),
        {"guid": "empty_droplet"},
    ),
    GET("v3/droplets/<str:guid>/download", APPS, "app.download"),
    GET(f"{APP}/droplets/current", APPS),
    GET(f"{APP}/relationships/current_droplet", APPS),
    PATCH(f"{APP}/relationships/current_droplet", APPS, "app.deploy", lambda t: to(t.droplet)),
)

ROWS = (*APP_ROWS, *BUILD_ROWS)
