"""Where clients begin: the root document, the list of collections, and what this platform is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from paas.lib.v3 import link, origin

COLLECTIONS = (
    "access_tokens", "account", "app_usage_events", "apps", "audit_events", "buildpacks", "builds", "deployments", "domains",
    "droplets", "feature_flags", "info", "invitations", "isolation_segments", "mails", "organization_quotas", "organizations", "packages",
    "processes", "resource_matches", "robots", "roles", "routes", "security_groups", "service_brokers",
    "service_credential_bindings", "service_instances", "service_offerings", "service_plans",
    "service_route_bindings", "service_usage_events", "space_quotas", "spaces", "stacks", "tasks", "users",
)  # fmt: skip
CLI_VERSION = {"minimum": "8.0.0", "recommended": "8.18.4"}
DESCRIPTION = "Push source code, get a URL."
OSBAPI_VERSION = "2.15"


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """``GET /``: one origin serves everything. Log reading must stand at its root: clients drop the path."""
    here = {"href": origin(request)}
    uaa = link(request, "/uaa")
    links: dict[str, Any] = {
        "self": here,
        "cloud_controller_v2": None,
        "cloud_controller_v3": {**link(request, "/v3"), "meta": {"version": settings.PAAS_API_VERSION}},
        "network_policy_v0": None,
        "network_policy_v1": None,
        "login": uaa,
        "uaa": uaa,
        "credhub": None,
        "routing": None,
        "logging": None,
        "log_cache": here,
        "log_stream": None,
        "app_ssh": None,
    }
    return JsonResponse({"links": links})


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """``GET /v3``."""
    collections = {name: link(request, f"/v3/{name}") for name in COLLECTIONS}
    return JsonResponse({"links": {"self": link(request, "/v3"), **collections}})


@require_safe
def info(request: HttpRequest) -> HttpResponse:
    """``GET /v3/info``."""
    return JsonResponse(
        {
            "build": settings.PAAS_API_VERSION,
            "cli_version": CLI_VERSION,
            "custom": {},
            "description": DESCRIPTION,
            "name": settings.PAAS_NAME,
            "version": 0,
            "osbapi_version": OSBAPI_VERSION,
            "rate_limits": {"enabled": False, "general_limit": 0, "reset_interval_in_minutes": 0},
            "links": {"self": link(request, "/v3/info"), "support": link(request, "/docs")},
        }
    )


@require_safe
def info_v2(request: HttpRequest) -> HttpResponse:
    """``GET /v2/info``: all that is left of v2, since the Java client finds the sign-in here and nowhere else.

    An empty ``api_version`` says that there is no v2, as it does on a Cloud Foundry where v2 is off.
    """
    uaa = link(request, "/uaa")["href"]
    return JsonResponse(
        {
            "name": settings.PAAS_NAME,
            "build": settings.PAAS_API_VERSION,
            "support": "There is no v2 API here. Use v3.",
            "version": 0,
            "description": DESCRIPTION,
            "authorization_endpoint": uaa,
            "token_endpoint": uaa,
            "min_cli_version": CLI_VERSION["minimum"],
            "min_recommended_cli_version": CLI_VERSION["recommended"],
            "app_ssh_endpoint": None,
            "app_ssh_host_key_fingerprint": None,
            "app_ssh_oauth_client": None,
            "doppler_logging_endpoint": None,
            "api_version": "",
            "osbapi_version": OSBAPI_VERSION,
        }
    )
