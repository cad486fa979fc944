"""What each list is made of, asked for in SQL as one would write it by hand: how many there are, and one page of them."""

from __future__ import annotations

SPACES = "SELECT content_object_id FROM tenants_spacerole WHERE user_id = %(user)s"
ORGANIZATIONS = "SELECT content_object_id FROM tenants_organizationrole WHERE user_id = %(user)s"
PAGE = "ORDER BY {0}.created_at, {0}.id LIMIT %(limit)s"

APPS = f"""
SELECT a.guid, a.created_at, a.updated_at, a.name, a.state, a.lifecycle, a.buildpacks, a.stack, a.labels, a.annotations,
       s.guid, d.guid
FROM apps_app a JOIN tenants_space s ON s.id = a.space_id LEFT JOIN apps_droplet d ON d.id = a.droplet_id
WHERE a.space_id IN ({SPACES}) {PAGE.format("a")}
"""
ROUTES = f"""
SELECT r.id, r.guid, r.created_at, r.updated_at, r.host, r.path, r.options, r.labels, r.annotations,
       d.name, d.guid, s.guid
FROM apps_route r JOIN apps_domain d ON d.id = r.domain_id JOIN tenants_space s ON s.id = r.space_id
WHERE r.space_id IN ({SPACES}) {PAGE.format("r")}
"""
DESTINATIONS = f"""
SELECT e.route_id, e.guid, e.created_at, e.updated_at, e.process_type, e.weight, e.port, e.protocol, a.guid
FROM apps_destination e JOIN apps_app a ON a.id = e.app_id
WHERE e.route_id IN (SELECT r.id FROM apps_route r WHERE r.space_id IN ({SPACES}) {PAGE.format("r")})
"""
ORGANIZATION_PAGE = f"""
SELECT o.guid, o.created_at, o.updated_at, o.name, o.suspended, o.labels, o.annotations, q.guid
FROM tenants_organization o JOIN tenants_organizationquota q ON q.id = o.quota_id
WHERE o.id IN ({ORGANIZATIONS}) {PAGE.format("o")}
"""
ROLES = f"""
SELECT * FROM (
  SELECT r.id, r.guid, r.created_at, r.updated_at, r.cf_type, u.guid AS person, o.guid AS place
  FROM tenants_organizationrole r JOIN accounts_user u ON u.id = r.user_id
  JOIN tenants_organization o ON o.id = r.content_object_id WHERE r.content_object_id IN ({ORGANIZATIONS})
  UNION ALL
  SELECT r.id, r.guid, r.created_at, r.updated_at, r.cf_type, u.guid, s.guid
  FROM tenants_spacerole r JOIN accounts_user u ON u.id = r.user_id
  JOIN tenants_space s ON s.id = r.content_object_id WHERE r.content_object_id IN ({SPACES})
) held {PAGE.format("held")}
"""

LISTS: dict[str, tuple[str, ...]] = {
    "/v3/apps": (f"SELECT count(*) FROM apps_app WHERE space_id IN ({SPACES})", APPS),
    "/v3/routes": (f"SELECT count(*) FROM apps_route WHERE space_id IN ({SPACES})", ROUTES, DESTINATIONS),
    "/v3/organizations": (f"SELECT count(*) FROM ({ORGANIZATIONS}) held", ORGANIZATION_PAGE),
    "/v3/roles": (
        f"SELECT (SELECT count(*) FROM tenants_organizationrole WHERE content_object_id IN ({ORGANIZATIONS}))"
        f" + (SELECT count(*) FROM tenants_spacerole WHERE content_object_id IN ({SPACES}))",
        ROLES,
    ),
}
