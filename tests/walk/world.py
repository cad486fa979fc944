"""What people walk through: two organizations with one of everything in them, a third one, and everybody's way in."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace as Things
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import override_settings
from django.utils import timezone

from accounts import actions as accounts
from accounts import audit, signin, tokens
from accounts.models import Job, UsageEvent, User
from apps import addresses, outside
from apps.actions import app as apps
from apps.actions import deployment, domain, droplet, process, push, route, sidecar, task
from apps.actions import destination as destinations
from apps.actions.destination import End
from apps.models import App, Build, Buildpack, Domain, Droplet, Instance, Package, Stack
from paas.lib.queue import work
from tenants import access
from tenants.actions import organization_quota, space_quota
from tenants.models import ORGANIZATION_ROLES, Organization, OrganizationQuota, QuotaUse, Region, Space
from tests.apps.archives import zipped
from tests.walk.people import CAST, FROZEN, MINISTRY, Person, account

PASSWORD = "a horse of another colour"
OUTSIDE = (outside.runtime, outside.router, outside.builder, outside.blobs)


@dataclass(frozen=True)
class World:
    """``there`` holds, by organization, the guids of what is in it; ``own`` adds what is each person's own."""

    there: dict[str, Things]
    own: dict[str, Things]

    def things(self, person: Person) -> Things:
        """What the person asks for."""
        return Things(**vars(self.there[person.home]), **vars(self.own[person.name]))


@contextmanager
def seams(state: Path) -> Iterator[None]:
    """The outside world in memory, and blobs in a folder of their own."""
    kinds = {f"PAAS_{seam}_KIND": "fake" for seam in ("RUNTIME", "ROUTER", "BUILDER")}
    with override_settings(**kinds, PAAS_STATE=state, PAAS_MEMORY_MB=1 << 20):
        for seam in OUTSIDE:
            seam.cache_clear()
        yield
    for seam in OUTSIDE:
        seam.cache_clear()


def build() -> World:
    """Write all of it, as the platform's first admin."""
    accounts.ensure_oauth_client()
    root = account(Person("root", platform_role=access.ADMIN))
    region = Region.objects.get_or_create(name="local", defaults={"is_default": True})[0]
    addresses.fill(region, "10.99.0.0/24")
    platform = _platform(root, region)
    partner = _organization(root, "partner")
    there = {name: Things(**vars(platform), **_tenant(root, name, platform, partner)) for name in (MINISTRY, FROZEN)}
    own = {person.name: _join(root, person, partner) for person in CAST}
    Organization.objects.filter(name=FROZEN).update(suspended=True)
    return World(there, own)


def _platform(root: User, region: Region) -> Things:
    """What is nobody's in particular."""
    quota = OrganizationQuota.objects.get_or_create(name="default")[0]
    spare = organization_quota.create(root, name="spare")
    Stack.objects.get_or_create(name="debian12", defaults={"is_default": True})
    pack = Buildpack.objects.create(name="walked_buildpack", enabled=False)
    robot = accounts.create_robot(root, client_id="walked-robot", secret="a long enough secret")
    for name in ("route_sharing", "diego_docker"):
        access.FeatureFlag.objects.update_or_create(name=name, defaults={"enabled": True})
    return Things(
        root=root.guid,
        quota=quota.guid,
        quota_key=str(quota.pk),
        spare=spare.guid,
        buildpack=pack.guid,
        stack=Stack.objects.get(name="debian12").guid,
        shared_domain=domain.create(root, None, name="apps.walked.example").guid,
        robot=robot.guid,
        root_job=Job.objects.create(owner=root, operation="walk").guid,
        root_token=accounts.create_api_token(root, name="walk")[0].guid,
        root_jti=tokens.claims_of(tokens.issue(root, seconds=600))["jti"],
        nothing="no-such-guid",
    )


def _organization(root: User, name: str) -> Organization:
    made = Organization.objects.create(name=name, quota=OrganizationQuota.objects.get(name="default"))
    QuotaUse.objects.create(organization=made)
    return made


def _space(organization: Organization, name: str) -> Space:
    made = Space.objects.create(organization=organization, name=name, region=Region.objects.get(is_default=True))
    QuotaUse.objects.create(space=made)
    return made


def _tenant(root: User, name: str, platform: Things, partner: Organization) -> dict[str, str]:
    """An organization with a member, two spaces, domains, quotas and an app with all that an app can have."""
    organization = _organization(root, name)
    space, annex = _space(organization, f"{name}-space"), _space(organization, "annex")
    member = account(Person(f"{name} member"))
    newcomer = account(Person(f"{name} newcomer"))
    membership = access.give(member, "organization_user", organization, by=root)
    auditor = access.give(member, "organization_auditor", organization, by=root)
    in_space = access.give(member, "space_auditor", space, by=root)
    limits = space_quota.create(root, organization, name="small", spaces=[space])
    private = domain.create(root, organization, name=f"{name}.example")
    leased = domain.create(root, organization, name=f"{name}-leased.example", shared_with=[partner])
    shared = Domain.objects.get(guid=platform.shared_domain)
    return {
        "organization": organization.guid,
        "organization_name": organization.name,
        "partner": partner.guid,
        "space": space.guid,
        "space_name": space.name,
        "annex": annex.guid,
        "member": member.guid,
        "member_name": member.username,
        "newcomer_name": newcomer.username,
        "membership": membership.guid,
        "auditor": auditor.guid,
        "in_space": in_space.guid,
        "space_quota": limits.guid,
        "domain": private.guid,
        "leased": leased.guid,
        "organization_event": audit.record(root, "audit.organization.update", organization).guid,
        "link": signin.new_link(newcomer),
        **_app(root, space, shared),
    }


def _app(root: User, space: Space, shared: Domain) -> dict[str, str]:
    """A running app with a secret in everything that may hold one, and one that is being built."""
    name = f"{space.organization.name}-app"
    app = apps.create(root, space, name=name, environment={"KEY": f"variable of {name}"})
    other = apps.create(root, space, name=f"{space.organization.name}-other")
    package = push.create_package(root, app)
    Package.objects.filter(pk=package.pk).update(state="READY", key=_blob(f"packages/{package.guid}.zip"))
    types = {"web": f"run command of {name}", "worker": f"work command of {name}"}
    built = Droplet.objects.create(
        app=app, package=package, state="STAGED", key=_blob(f"droplets/{name}.tgz"), stack="debian12",
        process_types=types,
    )  # fmt: skip
    build = Build.objects.create(app=app, package=package, droplet=built, state="STAGED", ended_at=timezone.now())
    source = push.create_package(root, other, source_url="https://git.example/team/app.git")
    building = push.stage(root, source)
    apps.use_droplet(root, app, droplet=built)
    web = app.processes.get(type="web")
    process.update(root, web, command=f"serve command of {name}")
    beside = sidecar.create(root, app, name="proxy", command="proxy", process_types=["web"])
    led = route.create(root, space, domain=shared, host=name)
    destinations.add(root, led, ends=[End(app)])
    loose = route.create(root, space, domain=shared, host=f"{name}-loose")
    apps.start(root, App.objects.get(pk=app.pk))
    work("apps.jobs.converge", app.pk)
    assert Instance.objects.filter(app=app).exists()
    coming = deployment.create(root, App.objects.get(pk=app.pk))
    once = task.create(root, app, command=f"migrate command of {name}")
    return {
        "app": app.guid,
        "app_name": name,
        "variable": f"variable of {name}",
        "command": f"command of {name}",
        "other": other.guid,
        "other_name": other.name,
        "process": web.guid,
        "package": package.guid,
        "empty_package": push.create_package(root, app).guid,
        "droplet": built.guid,
        "empty_droplet": droplet.create(root, app).guid,
        "unused_droplet": droplet.copy(root, built, app=app).guid,
        "build": build.guid,
        "building": building.guid,
        "sidecar": beside.guid,
        "route": led.guid,
        "destination": led.destinations.get().guid,
        "loose": loose.guid,
        "deployment": coming.guid,
        "revision": coming.revision.guid,
        "version": str(coming.revision.version),
        "task": once.guid,
        "space_event": audit.record(root, "audit.space.update", space).guid,
        "usage": UsageEvent.objects.filter(parent_guid=app.guid, kind="app").latest("id").guid,
    }


def _blob(key: str) -> str:
    return outside.blobs().put(key, io.BytesIO(zipped().read())).key


def _join(root: User, person: Person, partner: Organization) -> Things:
    """Give the person their account, roles and ways in; in the partner they hold their organization roles, too."""
    if not person.signed_in:
        return Things(me="", token="", session="", job="", access_token="", jti="")
    user = account(person)
    home = Organization.objects.get(name=person.home)
    for roles, expires in ((person.roles, None), (person.lapsed, timezone.now() - timedelta(days=1))):
        for role in roles:
            places = [home, partner] if role in ORGANIZATION_ROLES else home.spaces.all()
            for place in places:
                access.give(user, role, place, by=root, expires_at=expires)
    text = tokens.issue(user, seconds=600)
    return Things(
        me=user.guid,
        token=text,
        session=_session(user),
        job=Job.objects.create(owner=user, operation="walk").guid,
        access_token=accounts.create_api_token(user, name="walk")[0].guid,
        jti=tokens.claims_of(text)["jti"],
    )


def _session(user: Any) -> str:
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
