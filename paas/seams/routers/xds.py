"""Turns routes into Envoy's resources: one cluster a route, one virtual host a host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from paas.seams.routers import stickiness
from paas.seams.routers.base import Route
from paas.seams.routers.front import Console
from paas.seams.routers.shares import Share, shares

CONSOLE = "console"
IDLE = "900s"  # a stream without a byte for this long is given up; nothing else ends one
_NO_LIMIT = 100_000  # the defaults allow three retries at once, which loses requests when an instance dies

_PROTOCOL = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        # Shorter than any server's own, so that a connection is never used while the server closes it.
        "common_http_protocol_options": {"idle_timeout": "1s"},
        "explicit_http_config": {"http_protocol_options": {}},
    }
}

# Only what the instance cannot have acted on is sent to another one.
_RETRY = {
    "retry_on": "connect-failure,refused-stream,reset-before-request",
    "num_retries": 3,
    "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
    "host_selection_retry_max_attempts": 3,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
}

_OUTLIERS = {
    "split_external_local_origin_errors": True,
    "consecutive_local_origin_failure": 2,
    "enforcing_consecutive_5xx": 0,  # an app's own errors are its own business
    "enforcing_consecutive_gateway_failure": 0,
    "enforcing_success_rate": 0,
    "enforcing_local_origin_success_rate": 0,
    "interval": "1s",
    "base_ejection_time": "2s",
    "max_ejection_percent": 100,
}


def clusters(routes: Iterable[Route], console: Console) -> list[dict[str, Any]]:
    here = _cluster(CONSOLE, [_endpoint("127.0.0.1", console.port)])
    return [here, *(_route_cluster(route) for route in routes)]


def route_configuration(routes: Iterable[Route], console: Console) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": "apps",
        "validate_clusters": False,
        "ignore_port_in_host_matching": True,
        "request_headers_to_add": [
            _header("X-Forwarded-Host", "%REQ(:AUTHORITY)%"),
            _header("X-Vcap-Request-Id", "%REQ(X-REQUEST-ID)%"),
        ],
        "request_headers_to_remove": ["x-envoy-external-address"],
        "response_headers_to_add": [_header("X-Vcap-Request-Id", "%REQ(X-REQUEST-ID)%")],
        "virtual_hosts": [_console_host(console), *_app_hosts(routes)],
    }


def _cluster(name: str, endpoints: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "common_lb_config": {"update_merge_window": "0s"},
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": _NO_LIMIT,
                    "max_pending_requests": _NO_LIMIT,
                    "max_requests": _NO_LIMIT,
                    "max_retries": _NO_LIMIT,
                }
            ]
        },
        "typed_extension_protocol_options": _PROTOCOL,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    }


def _route_cluster(route: Route) -> dict[str, Any]:
    found = shares(route)
    cluster = _cluster(f"route/{route.guid}", [_instance(share) for share in found])
    if route.balancing == "least-connection":
        cluster["lb_policy"] = "LEAST_REQUEST"
    if len(found) > 1:
        cluster["outlier_detection"] = _OUTLIERS  # costly, and pointless where there is no other instance
    return cluster


def _endpoint(address: str, port: int) -> dict[str, Any]:
    return {"endpoint": {"address": {"socket_address": {"address": address, "port_value": port}}}}


def _instance(share: Share) -> dict[str, Any]:
    endpoint = share.endpoint
    shape = _endpoint(endpoint.address, endpoint.port)
    known = {"app": share.app, "instance": endpoint.instance, "index": str(endpoint.index)}
    shape["metadata"] = {"filter_metadata": {"paas": known}}
    if share.weight > 1:
        shape["load_balancing_weight"] = share.weight
    return shape


def _header(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _console_host(console: Console) -> dict[str, Any]:
    return {
        "name": CONSOLE,
        "domains": list(console.hosts),
        "retry_policy": _RETRY,
        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": CONSOLE, "timeout": "0s", "idle_timeout": IDLE}}],
    }


def _app_hosts(routes: Iterable[Route]) -> list[dict[str, Any]]:
    by_host: dict[str, list[Route]] = {}
    for route in routes:
        by_host.setdefault(route.host, []).append(route)
    for own in by_host.values():
        own.sort(key=lambda route: len(route.path), reverse=True)
    return [
        {
            "name": host,
            "domains": [host],
            "retry_policy": _RETRY,
            "routes": [_route(route) for route in _reachable(host, by_host)],
        }
        for host in by_host
    ]


def _reachable(host: str, by_host: dict[str, list[Route]]) -> list[Route]:
    """Return the host's own routes, then, where no path of its own matches, those of the wildcards above it."""
    found = list(by_host[host])
    rest = host.removeprefix("*.")
    while "." in rest and found[-1].path:
        rest = rest.partition(".")[2]
        found += by_host.get(f"*.{rest}", [])
    return found


def _route(route: Route) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "match": {"path_separated_prefix": route.path} if route.path else {"prefix": "/"},
        "route": {"cluster": f"route/{route.guid}", "timeout": "0s", "idle_timeout": IDLE},
        "metadata": {"filter_metadata": {"paas": {"app": _first_app(route), "route": route.guid}}},
    }
    found = shares(route)
    if len(found) > 1:
        stickiness.turn_on(shape, found)
    return shape


def _first_app(route: Route) -> str:
    """Name the app that a request without an instance is logged to."""
    return route.targets[0].app if route.targets else ""
