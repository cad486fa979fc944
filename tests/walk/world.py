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

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import override_settings
from django.utils import timezone

from accounts import actions as accounts
from accounts import audit, mail, sessions, signin, tokens
from accounts.actions import email
from accounts.models import ApiToken, EmailChange, Job, PasswordReset, UsageEvent, User, UserSession
from apps import addresses, outside
from apps.actions import app as apps
from apps.actions import deployment, domain, droplet, process, push, route, sidecar, task
from apps.actions import destination as destinations
from apps.actions.destination import End
from apps.models import App, Build, Buildpack, Domain, Droplet, Instance, Package, Stack
from paas.lib.queue import work
from services.actions import binding as bindings
from services.actions import user_provided
from services.models import ConformanceCheck, Offering, Plan, Repository, ServiceBroker, ServiceInstance, Share
from tenants import access, effects
from tenants.actions import (
    custom_role,
    departure,
    invitation,
    organization_quota,
    quota_request,
    robot,
    robot_key,
    role_request,
    space_quota,
)
from tenants.actions import token as api_token
from tenants.models import CustomRole, FeatureFlag, Invitation, Organization, OrganizationQuota, QuotaUse, Region, Space
from tenants.permissions import ORGANIZATION, ORGANIZATION_ROLES
from tests.apps.archives import zipped
from tests.walk.people import CAST, CUSTOM, FROZEN, MINISTRY, SPARE, VIEWER, Person, account

PASSWORD = "a horse of another colour"
HOURS = 4 * 3600  # seconds that a token lasts: no walk takes longer
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
    with override_settings(**kinds, PAAS_STATE=state, PAAS_MEMORY_MB=1 << 20, PAAS_SMTP_HOST="mail.example"):
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
    quota = OrganizationQuota.objects.get_or_create(name="default", defaults={"total_routes": 1000})[0]
    spare = organization_quota.create(root, name="spare")
    Stack.objects.get_or_create(name="debian12", defaults={"is_default": True})
    pack = Buildpack.objects.create(name="walked_buildpack", enabled=False)
    robot = accounts.create_robot(root, client_id="walked-robot", secret="a long enough secret")
    for name in ("route_sharing", "diego_docker"):
        FeatureFlag.objects.update_or_create(name=name, defaults={"enabled": True})
    return Things(
        root=root.guid,
        quota=quota.guid,
        quota_key=str(quota.pk),
        spare=spare.guid,
        buildpack=pack.guid,
        stack=Stack.objects.get(name="debian12").guid,
        shared_domain=domain.create(root, None, name="apps.walked.example").guid,
        robot=robot.guid,
        mail=mail.send("walked@example.org", "added", subject="Walked", template="mail/added.txt", guid="walked").guid,
        root_job=Job.objects.create(owner=root, operation="walk").guid,
        root_session=_command_line(root).guid,
        root_token=accounts.create_api_token(root, name="walk")[0].guid,
        root_jti=tokens.claims_of(tokens.issue(root, seconds=HOURS))["jti"],
        nothing="no-such-guid",
    )


def _organization(root: User, name: str) -> Organization:
    made = Organization.objects.create(name=name, quota=OrganizationQuota.objects.get(name="default"))
    QuotaUse.objects.create(organization=made)
    for role, (where, verb) in CUSTOM.items():
        custom_role.create(root, made, name=role, where=where, verbs=[verb])
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
    TOTP.activate(member, generate_totp_secret())
    membership = access.give(member, "organization_user", organization, by=root)
    auditor = access.give(member, "organization_auditor", organization, by=root)
    access.give(root, "organization_manager", organization, by=root)
    leaver = account(Person(f"{name} leaver"))
    access.give(leaver, "organization_user", organization, by=root)
    in_space = access.give(member, "space_auditor", space, by=root)
    limits = space_quota.create(root, organization, name="small", spaces=[space], total_routes=100)
    private = domain.create(root, organization, name=f"{name}.example")
    leased = domain.create(root, organization, name=f"{name}-leased.example", shared_with=[partner])
    shared = Domain.objects.get(guid=platform.shared_domain)
    machine = robot.create(root, organization, name=f"{name} deploys")
    return {
        "organization": organization.guid,
        "organization_name": organization.name,
        "partner": partner.guid,
        "space": space.guid,
        "space_name": space.name,
        "annex": annex.guid,
        "member": member.guid,
        "member_name": member.username,
        "reset_secret": _reset(newcomer),
        "newcomer_name": newcomer.username,
        "membership": membership.guid,
        "auditor": auditor.guid,
        "in_space": in_space.guid,
        "departure": departure.leave(root, leaver, organization=organization)[0].guid,
        "space_quota": limits.guid,
        "domain": private.guid,
        "leased": leased.guid,
        "organization_event": audit.record(root, "audit.organization.update", organization).guid,
        "org_robot": machine.guid,
        "robot_key": robot_key.create(root, machine, name="ci")[0].guid,
        "link": signin.new_link(newcomer),
        "custom_role": _custom(VIEWER, organization).guid,
        "spare_role": _custom(SPARE, organization).guid,
        "spare_mark": effects.preview(_custom(SPARE, organization), ()).mark,
        "role_request": _ask(member, organization),
        "quota_request": quota_request.ask(root, organization, limits={"total_routes": 2000}).guid,
        "space_quota_request": quota_request.ask(root, space, limits={"total_routes": 200}).guid,
        "space_request": role_request.ask(member, space, role="space_developer").guid,
        **_invited(root, organization, newcomer),
        **_app(root, space, shared),
        **_offered(space),
        **_attached(root, space, annex),
    }


def _offered(space: Space) -> dict[str, str]:
    """A broker of the space's own, with what it offers."""
    state = ServiceBroker.State.AVAILABLE
    broker = ServiceBroker.objects.create(
        name=f"{space.name} broker", url="https://broker.example", space=space, state=state
    )
    ConformanceCheck.objects.create(broker=broker, begun_at=timezone.now(), ended_at=timezone.now())
    offering = Offering.objects.create(broker=broker, catalog_id="db", name="db")
    plan = Plan.objects.create(offering=offering, catalog_id="small", name="small", visibility_type="space")
    return {"service_broker": broker.guid, "service_offering": offering.guid, "service_plan": plan.guid}


def _attached(root: User, space: Space, annex: Space) -> dict[str, str]:
    """An instance of a broker of the space's own that is shared with the annex, and credentials that the team has itself."""
    broker = ServiceBroker.objects.create(name=f"{space.name} maker", space=space, url="https://maker.example")
    offering = Offering.objects.create(broker=broker, catalog_id="data", name="data", plan_updateable=True)
    kept = {"backups": True, "disk_mb": 1}
    plan, other = (
        Plan.objects.create(
            offering=offering, catalog_id=name, name=name, visibility_type="space", broker_metadata=kept
        )
        for name in ("one", "two")
    )
    made = ServiceInstance.objects.create(space=space, region=space.region, name=f"{space.name} data", plan=plan)
    Share.objects.create(instance=made, space=annex)
    Repository.objects.create(guid=made.guid, instance=made, space=space, name=made.name, offering_id="data", disk_mb=1)
    own = user_provided.create(root, space, name=f"{space.name} legacy", credentials={"key": "walked"})
    bound = bindings.create(root, own, app=App.objects.get(space=space, name=f"{space.organization.name}-app"))
    return {
        "service_instance": made.guid,
        "own_instance": own.guid,
        "other_plan": other.guid,
        "service_key": bindings.create_key(root, own, name="walked key").guid,
        "service_binding": bound.guid,
    }


def _invited(root: User, organization: Organization, newcomer: User) -> dict[str, str]:
    """Somebody who is invited, and somebody who has asked for another address; both have links."""
    (result,) = invitation.invite(root, organization, emails=[f"invited@{organization.name}.example"], offered=[])
    secret, other = f"invited to {organization.name}", f"address of {newcomer.username}"
    Invitation.objects.filter(pk=result.invitation.pk).update(digest=tokens.digest(secret))
    email.begin_email_change(newcomer, email=f"changed@{organization.name}.example")
    EmailChange.objects.filter(user=newcomer).update(new_digest=tokens.digest(other))
    return {"invitation": result.invitation.guid, "invitation_secret": secret, "email_secret": other}


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
        return Things(
            me="",
            my_name="",
            my_request="",
            my_quota_request="",
            session_row="",
            token="",
            session="",
            job="",
            access_token="",
            jti="",
        )
    user = account(person)
    home = Organization.objects.get(name=person.home)
    for roles, expires in ((person.roles, None), (person.lapsed, timezone.now() - timedelta(days=1))):
        for role in roles:
            everywhere = role in ORGANIZATION_ROLES or CUSTOM.get(role, ("",))[0] == ORGANIZATION
            for place in [home, partner] if everywhere else home.spaces.all():
                access.give(user, _name(role, place), place, by=root, expires_at=expires)
    text = tokens.issue(user, seconds=HOURS)
    EmailChange.objects.create(
        user=user,
        email=f"new-{user.username}@example.org",
        old_digest=tokens.digest(f"old {user.guid}"),
        new_digest=tokens.digest(f"new {user.guid}"),
        created_at=timezone.now() - timedelta(hours=1),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return Things(
        me=user.guid,
        my_name=user.username,
        token=_narrowed(user, person) if person.token else text,
        session=_session(user) if person.has_browser else "",
        session_row=_command_line(user).guid,
        my_request=_ask(user, home),
        my_quota_request=_ask_for_more(user, home),
        job=Job.objects.create(owner=user, operation="walk").guid,
        access_token=accounts.create_api_token(user, name="walk")[0].guid,
        jti=tokens.claims_of(text)["jti"],
    )


def _name(role: str, place: Organization | Space) -> str:
    """What a role is given as: custom ones by their guid in that organization."""
    return _custom(role, place.organization).guid if role in CUSTOM else role


def _custom(role: str, organization: Organization) -> CustomRole:
    return CustomRole.objects.get(organization=organization, name=role)


def _ask(user: User, organization: Organization) -> str:
    """Let whoever sees the organization ask for a role that nobody holds."""
    if not access.may(user, role_request.ASK, organization):
        return ""
    return role_request.ask(user, organization, role=_name(SPARE, organization)).guid


def _ask_for_more(user: User, organization: Organization) -> str:
    """Let whoever may ask for a larger quota, of the organization or else of its first space, do so."""
    for place in (organization, organization.spaces.get(name=f"{organization.name}-space")):
        if access.may(user, quota_request.ASK, place):
            return quota_request.ask(user, place, limits={"total_routes": 3000}).guid
    return ""


def _narrowed(user: User, person: Person) -> str:
    """Return a token that carries only these permissions; its use is not noted, for that would be written."""
    token, text = api_token.create(user, name="narrowed", permissions=person.token)
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now() + timedelta(hours=1))
    return text


def _reset(person: User) -> str:
    secret = f"reset of {person.username}".replace(" ", "-")
    ends = timezone.now() + timedelta(hours=1)
    PasswordReset.objects.create(user=person, digest=tokens.digest(secret), expires_at=ends)
    return secret


def _command_line(user: User) -> UserSession:
    return UserSession.objects.create(user=user, client="command_line", expires_at=timezone.now() + timedelta(hours=1))


def _session(user: Any) -> str:
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    row = UserSession.objects.create(user=user, client="browser", expires_at=session.get_expiry_date())
    session[sessions.KEY] = row.guid
    session.create()
    return str(session.session_key)
