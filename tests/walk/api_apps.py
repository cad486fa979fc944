"""The table of the API about apps: Cloud Foundry's v3 from source to instances, and log reading."""

from __future__ import annotations

from tests.apps.archives import tarred, zipped
from tests.walk.api import DELETE, GET, PATCH, POST, PUT, SPACE, described, listed, to, upload
from tests.walk.rows import Row

APP = "v3/apps/<str:guid>"
SIDECAR = {"name": "walked", "command": "walk", "process_types": ["web"]}


def of_process(path: str) -> tuple[Row, ...]:
    """A process at one of its two addresses."""
    return (
        GET(path, SPACE),
        PATCH(path, SPACE, "process.update", lambda t: {"command": "walk"}),
        POST(f"{path}/actions/scale", SPACE, "app.scale", lambda t: {"instances": 2}),
        GET(f"{path}/stats", SPACE),
        GET(f"{path}/process_instances", SPACE),
        DELETE(f"{path}/instances/<str:index>", SPACE, "app.run"),
        GET(f"{path}/sidecars", SPACE),
    )


APP_ROWS = (
    listed("v3/apps", "app", SPACE),
    POST(
        "v3/apps",
        SPACE,
        "app.create",
        lambda t: {"name": "walked", "relationships": {"space": to(t.space)}},
        named=True,
    ),
    GET(APP, SPACE),
    PATCH(APP, SPACE, "app.update", lambda t: {"name": "walked"}),
    DELETE(APP, SPACE, "app.delete"),
    POST(f"{APP}/actions/start", SPACE, "app.run"),
    POST(f"{APP}/actions/stop", SPACE, "app.run"),
    POST(f"{APP}/actions/restart", SPACE, "app.run"),
    POST(f"{APP}/actions/clear_buildpack_cache", SPACE, "app.stage"),
    GET(f"{APP}/permissions", SPACE),
    GET(f"{APP}/ssh_enabled", SPACE),
    GET(f"{APP}/env", SPACE, "app.see_environment"),
    GET(f"{APP}/environment_variables", SPACE, "app.see_environment"),
    PATCH(f"{APP}/environment_variables", SPACE, "app.set_environment", lambda t: {"var": {"A": "b"}}),
    GET(f"{APP}/features", SPACE),
    GET(f"{APP}/features/<str:name>", SPACE, ids={"name": "=revisions"}),
    PATCH(f"{APP}/features/<str:name>", SPACE, "app.update", lambda t: {"enabled": True}, {"name": "=revisions"}),
    GET(f"{APP}/manifest", SPACE, "app.see_secrets"),
    GET(f"{APP}/processes", SPACE),
    *of_process(f"{APP}/processes/<str:type>"),
    *of_process("v3/processes/<str:guid>"),
    listed("v3/processes", "process", SPACE),
    GET(f"{APP}/sidecars", SPACE),
    POST(f"{APP}/sidecars", SPACE, "app.update", lambda t: SIDECAR),
    GET("v3/sidecars/<str:guid>", SPACE),
    PATCH("v3/sidecars/<str:guid>", SPACE, "app.update", lambda t: SIDECAR),
    DELETE("v3/sidecars/<str:guid>", SPACE, "app.update"),
    GET(f"{APP}/revisions", SPACE),
    GET(f"{APP}/revisions/deployed", SPACE),
    *described("v3/revisions/<str:guid>", SPACE, "app.update"),
    GET("v3/revisions/<str:guid>/environment_variables", SPACE, "app.see_secrets"),
    listed("v3/deployments", "deployment", SPACE),
    POST("v3/deployments", SPACE, "app.deploy", lambda t: {"relationships": {"app": to(t.app)}}, named=True),
    *described("v3/deployments/<str:guid>", SPACE, "app.update"),
    POST("v3/deployments/<str:guid>/actions/cancel", SPACE, "app.deploy"),
    POST("v3/deployments/<str:guid>/actions/continue", SPACE, "app.deploy", cannot=True),
    GET(f"{APP}/tasks", SPACE),
    POST(f"{APP}/tasks", SPACE, "task.run", lambda t: {"command": "walk"}),
    listed("v3/tasks", "task", SPACE),
    *described("v3/tasks/<str:guid>", SPACE, "app.update"),
    PUT("v3/tasks/<str:guid>/cancel", SPACE, "task.cancel"),
    POST("v3/tasks/<str:guid>/actions/cancel", SPACE, "task.cancel"),
    GET(f"{APP}/routes", SPACE),
    GET("api/v1/info", public=True),
    GET("api/v1/read/<str:source>", SPACE, "log.read"),
)

BUILD_ROWS = (
    GET(f"{APP}/packages", SPACE),
    listed("v3/packages", "package", SPACE),
    POST(
        "v3/packages",
        SPACE,
        "app.push",
        lambda t: {"type": "bits", "relationships": {"app": to(t.app)}},
        named=True,
    ),
    *described("v3/packages/<str:guid>", SPACE, "app.update"),
    DELETE("v3/packages/<str:guid>", SPACE, "app.push"),
    POST(
        "v3/packages/<str:guid>/upload",
        SPACE,
        "app.push",
        upload("source.zip", zipped().read()),
        {"guid": "empty_package"},
    ),
    GET("v3/packages/<str:guid>/download", SPACE, "app.download"),
    GET("v3/packages/<str:guid>/droplets", SPACE),
    POST("v3/resource_matches", send=lambda t: {"resources": []}),
    GET(f"{APP}/builds", SPACE),
    listed("v3/builds", "build", SPACE),
    POST("v3/builds", SPACE, "app.stage", lambda t: {"package": {"guid": t.package}}, named=True),
    *described("v3/builds/<str:guid>", SPACE, "app.update"),
    POST("v3/builds/<str:guid>/actions/cancel", SPACE, "app.stage", ids={"guid": "building"}),
    GET(f"{APP}/droplets", SPACE),
    listed("v3/droplets", "droplet", SPACE),
    POST("v3/droplets", SPACE, "app.push", lambda t: {"relationships": {"app": to(t.app)}}, named=True),
    *described("v3/droplets/<str:guid>", SPACE, "app.update"),
    DELETE("v3/droplets/<str:guid>", SPACE, "app.push", ids={"guid": "empty_droplet"}),
    POST(
        "v3/droplets/<str:guid>/upload",
        SPACE,
        "app.push",
        upload("droplet.tgz", tarred({"./app/run": "x"}, mode="w:gz").read()),
        {"guid": "empty_droplet"},
    ),
    GET("v3/droplets/<str:guid>/download", SPACE, "app.download"),
    GET(f"{APP}/droplets/current", SPACE),
    GET(f"{APP}/relationships/current_droplet", SPACE),
    PATCH(f"{APP}/relationships/current_droplet", SPACE, "app.deploy", lambda t: to(t.droplet)),
)

ROWS = (*APP_ROWS, *BUILD_ROWS)
