"""The listeners: ports, TLS, protocols, limits, the access log."""

from __future__ import annotations

from typing import Any

from paas.seams.routers import accesslog, replies, stickiness
from paas.seams.routers.certificates import Certificate
from paas.seams.routers.folder import Folder
from paas.seams.routers.front import Front, Listen
from paas.seams.routers.xds import IDLE

# What only the router may say to an app: a client's own words are taken out first.
_INTERNAL_HEADERS = ("x-cf-application", "x-cf-instance", "x-cf-proxy-", "x-cf-forwarded-", "x-envoy-", "x-paas-")
_NOBODY = {"address_prefix": "255.255.255.255", "prefix_len": 32}
_TYPE = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def listeners(front: Front, folder: Folder, *, certificate: Certificate | None) -> list[dict[str, Any]]:
    """Return the listener of everything and, with TLS, the one that redirects to it."""
    manager = _manager("router") | {
        "rds": {"route_config_name": "apps", "config_source": file_source(folder, "rds")},
        "local_reply_config": replies.local_replies(front.console),
        "access_log": [accesslog.access_log(folder, front.console)],
        "http_filters": [stickiness.http_filter(), _router_filter()],
    }
    found = [_listener("apps", front.listen, port=front.listen.port, manager=manager, certificate=certificate)]
    if front.listen.redirect_port is not None:
        manager = _manager("redirect") | {
            "route_config": _redirect(front.listen.port),
            "http_filters": [_router_filter()],
        }
        found.append(_listener("redirect", front.listen, port=front.listen.redirect_port, manager=manager))
    return found


def file_source(folder: Folder, kind: str) -> dict[str, Any]:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(folder.resources(kind))}}


def _listener(
    name: str, listen: Listen, *, port: int, manager: dict[str, Any], certificate: Certificate | None = None
) -> dict[str, Any]:
    chain: dict[str, Any] = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    }
    if certificate:
        chain["transport_socket"] = _tls(certificate)
    return {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": name,
        "address": {"socket_address": {"address": listen.address, "port_value": port}},
        "filter_chains": [chain],
    }


def _manager(name: str) -> dict[str, Any]:
    return {
        "@type": _TYPE,
        "stat_prefix": name,
        "use_remote_address": True,
        "internal_address_config": {"cidr_ranges": [_NOBODY]},  # no client is trusted, wherever it connects from
        "always_set_request_id_in_response": True,
        "server_header_transformation": "PASS_THROUGH",
        "strip_trailing_host_dot": True,
        "normalize_path": True,
        "stream_idle_timeout": IDLE,
        "request_headers_timeout": "30s",
        "max_request_headers_kb": 64,
        "common_http_protocol_options": {"idle_timeout": IDLE, "max_headers_count": 300},
        "http_protocol_options": {"accept_http_10": True},
        "http2_protocol_options": {"max_concurrent_streams": 100},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "early_header_mutation_extensions": [_strip()],
    }


def _strip() -> dict[str, Any]:
    removals = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in _INTERNAL_HEADERS]
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": removals,
        },
    }


def _router_filter() -> dict[str, Any]:
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            "suppress_envoy_headers": True,
        },
    }


def _redirect(port: int) -> dict[str, Any]:
    """Return routes that answer 308, so that a POST stays one; path and query are kept."""
    action: dict[str, Any] = {"https_redirect": True, "response_code": "PERMANENT_REDIRECT"}
    if port != 443:
        action["port_redirect"] = port
    everything = {"name": "everything", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "redirect": action}]}
    return {"name": "redirect", "virtual_hosts": [everything]}


def _tls(certificate: Certificate) -> dict[str, Any]:
    pair = {
        "certificate_chain": {"inline_string": certificate.chain},
        "private_key": {"inline_string": certificate.key},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "tls_certificates": [pair],
                "alpn_protocols": ["h2", "http/1.1"],
            },
        },
    }
