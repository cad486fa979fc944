"""Sends a session back to its instance (``__VCAP_ID__``) and a debugger to the one it names (``X-CF-APP-INSTANCE``).

The route's metadata holds the addresses of its instances, and Envoy's address override does the rest. It falls
back to any instance when the chosen one is gone or ejected, which a subset of one endpoint would not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from paas.seams.routers.shares import Share

FILTER = "envoy.filters.http.lua"

# The cookie is set when the app opens a session (JSESSIONID), and again when its instance has changed.
_SCRIPT = """
function envoy_on_request(handle)
  local known = handle:metadata():get("instances") or {}
  local named = handle:headers():get("x-cf-app-instance")
  if named ~= nil then
    local address = (handle:metadata():get("indexes") or {})[named]
    if address == nil then
      handle:respond({[":status"] = "404", ["content-type"] = "text/plain; charset=utf-8",
        ["x-cf-routererror"] = "unknown_route"}, "404 Not Found: The app has no instance '" .. named .. "'.\\n")
      return
    end
    handle:setUpstreamOverrideHost(address, true)
    return
  end
  local wanted = string.match(handle:headers():get("cookie") or "", "__VCAP_ID__=([%w-]+)")
  if wanted ~= nil then
    handle:streamInfo():dynamicMetadata():set("paas.session", "instance", wanted)
    if known[wanted] ~= nil then handle:setUpstreamOverrideHost(known[wanted], false) end
  end
end

function envoy_on_response(handle)
  local used = handle:headers():get("x-paas-instance")
  if used == nil then return end
  handle:headers():remove("x-paas-instance")
  local session = handle:streamInfo():dynamicMetadata():get("paas.session")
  local stale = session ~= nil and session["instance"] ~= used
  local attributes = stale and "; Path=/; HttpOnly" or nil
  for i = 0, handle:headers():getNumValues("set-cookie") - 1 do
    local cookie = handle:headers():getAtIndex("set-cookie", i)
    if string.match(cookie, "^JSESSIONID=") then
      attributes = "; Path=/; HttpOnly" .. (string.match(string.lower(cookie), ";%s*secure") and "; Secure" or "")
    end
  end
  if attributes ~= nil then handle:headers():add("set-cookie", "__VCAP_ID__=" .. used .. attributes) end
end
"""


def http_filter() -> dict[str, Any]:
    """Return the filter, off until a route turns it on: most apps have one instance and need none of it."""
    return {
        "name": FILTER,
        "disabled": True,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": _SCRIPT},
        },
    }


def turn_on(shape: dict[str, Any], instances: Iterable[Share]) -> None:
    """Add to a route's shape what makes its sessions sticky."""
    addresses = [(share, f"{share.endpoint.address}:{share.endpoint.port}") for share in instances]
    shape["typed_per_filter_config"] = {
        FILTER: {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}
    }
    shape["metadata"]["filter_metadata"][FILTER] = {
        "instances": {share.endpoint.instance: address for share, address in addresses},
        "indexes": {f"{share.app}:{share.endpoint.index}": address for share, address in addresses},
    }
    shape["response_headers_to_add"] = [
        {
            "header": {"key": "x-paas-instance", "value": "%METADATA(UPSTREAM_HOST:paas:instance)%"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    ]
