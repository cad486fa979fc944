"""Audit events in words: what was done to what."""

from __future__ import annotations

import re

from accounts.models import AuditEvent
from tenants.permissions import LABELS

WORDS = {
    "app.crash": "saw an instance of the app {target} crash",
    "audit.app.apply_manifest": "applied a manifest to the app {target}",
    "audit.app.build.cancel": "cancelled a build of the app {target}",
    "audit.app.build.create": "started a build of the app {target}",
    "audit.app.build.failed": "could not build the app {target}",
    "audit.app.build.staged": "built the app {target}",
    "audit.app.clear-buildpack-cache": "emptied the build cache of the app {target}",
    "audit.app.commands.show": "read start commands of the app {target}",
    "audit.app.deployment.cancel": "cancelled a deployment of the app {target}",
    "audit.app.deployment.create": "deployed the app {target}",
    "audit.app.droplet.mapped": "chose the droplet that the app {target} runs",
    "audit.app.droplet.upload-refused": "uploaded a droplet of the app {target} that was refused",
    "audit.app.environment.show": "read the environment of the app {target}",
    "audit.app.environment_variables.show": "read the environment variables of the app {target}",
    "audit.app.manifest.show": "read the manifest of the app {target}",
    "audit.app.map-route": "mapped a route to the app {target}",
    "audit.app.package.create": "began a push of the app {target}",
    "audit.app.package.delete": "deleted source of the app {target}",
    "audit.app.package.download": "downloaded the source of the app {target}",
    "audit.app.package.update": "described source of the app {target}",
    "audit.app.package.upload": "uploaded source for the app {target}",
    "audit.app.package.upload-refused": "uploaded source for the app {target} that was refused",
    "audit.app.process.create": "added a process to the app {target}",
    "audit.app.process.scale": "scaled the app {target}",
    "audit.app.process.terminate_instance": "restarted an instance of the app {target}",
    "audit.app.process.update": "changed how a process of the app {target} runs",
    "audit.app.restart": "restarted the app {target}",
    "audit.app.revert": "went back to the version of the app {target} before",
    "audit.app.revision.environment_variables.show": "read the environment variables of a revision of the app {target}",
    "audit.app.service_swap.complete": "put another service in place for the app {target}",
    "audit.app.service_swap.create": "began to put another service in place for the app {target}",
    "audit.app.start": "started the app {target}",
    "audit.app.stop": "stopped the app {target}",
    "audit.app.task.create": "started a task of the app {target}",
    "audit.app.task.end": "saw a task of the app {target} end",
    "audit.app.unmap-route": "took a route from the app {target}",
    "audit.buildpack.upload": "uploaded the buildpack {target}",
    "audit.buildpack.upload-refused": "uploaded the buildpack {target}, which was refused",
    "audit.domain.share": "shared the domain {target} with another organization",
    "audit.domain.unshare": "stopped sharing the domain {target} with another organization",
    "audit.environment_variable_group.update": "changed the environment variables of every {target} app",
    "audit.invitation.accept": "accepted the invitation of {target}",
    "audit.invitation.create": "invited {target}",
    "audit.invitation.send": "sent the invitation of {target} again",
    "audit.invitation.withdraw": "withdrew the invitation of {target}",
    "audit.mail.send": "sent a message again: {target}",
    "audit.mail.show": "read a message with a link in it: {target}",
    "audit.organization.delete": "finished deleting the organization {target}",
    "audit.organization.member-remove": "removed a member from the organization {target}",
    "audit.organization.member-restore": "brought a member back into the organization {target}",
    "audit.organization.view-as": "began to see the organization as {target} does",
    "audit.organization.view-as-end": "no longer saw the organization as {target} does",
    "audit.organization_quota.apply": "gave the organization the quota {target}",
    "audit.quota_request.accept": "accepted the request for a larger quota of {target}",
    "audit.quota_request.create": "asked for a larger quota of {target}",
    "audit.quota_request.refuse": "refused the request for a larger quota of {target}",
    "audit.quota_request.update": "changed the request for a larger quota of {target}",
    "audit.quota_request.withdraw": "withdrew the request for a larger quota of {target}",
    "audit.robot.key.create": "made a key of the robot {target}",
    "audit.robot.key.revoke": "revoked a key of the robot {target}",
    "audit.robot.key.rotate": "rotated a key of the robot {target}",
    "audit.route.transfer-owner": "moved the route {target} to another space",
    "audit.service.delete": "deleted the service offering {target}",
    "audit.service.update": "changed the service offering {target}",
    "audit.service_broker.check": "had the service broker {target} checked against the specification",
    "audit.service_broker.synchronize": "read the catalogue of the service broker {target} again",
    "audit.service_broker.synchronize-failed": "could not read the catalogue of the service broker {target}",
    "audit.service_instance.back_up": "asked for a backup of the service {target}",
    "audit.service_instance.purge": "struck the service {target} off without telling its broker",
    "audit.service_instance.restore": "restored the service {target} from its backups",
    "audit.service_instance.share": "shared the service {target} with another space",
    "audit.service_instance.show": "read the parameters of the service {target}",
    "audit.service_instance.start_create": "asked for the service {target}",
    "audit.service_instance.start_delete": "asked for the service {target} to be deleted",
    "audit.service_instance.start_update": "asked for the service {target} to be changed",
    "audit.service_instance.unshare": "stopped sharing the service {target} with another space",
    "audit.service_plan_visibility.delete": "narrowed who may use the plan {target}",
    "audit.service_plan_visibility.update": "changed who may use the plan {target}",
    "audit.space_quota.apply": "gave the space the quota {target}",
    "audit.space_quota.remove": "took the quota {target} from the space",
    "audit.user.address-refused": "was refused, calling from outside the address ranges of {target}",
    "audit.user.close": "closed the account {target}",
    "audit.user.email-change": "changed the e-mail address of {target}",
    "audit.user.email-change-cancel": "called off a new e-mail address of {target}",
    "audit.user.email-change-request": "asked for a new e-mail address of {target}",
    "audit.user.export": "took a copy of the data about {target}",
    "audit.user.factor-add": "added a second factor to the account {target}",
    "audit.user.factor-remove": "removed a second factor from the account {target}",
    "audit.user.factor-reset": "took every second factor from the account {target}",
    "audit.user.factor-update": "changed a second factor of the account {target}",
    "audit.user.passcode": "got a passcode for the command line, as {target}",
    "audit.user.password": "set the password of {target}",
    "audit.user.password-reset-link": "sent {target} a link to set a new password",
    "audit.user.platform-role": "changed the platform role of {target}",
    "audit.user.recovery-codes": "made recovery codes of the account {target}",
    "audit.user.recovery-codes-shown": "read recovery codes of the account {target}",
    "audit.user.session-end": "ended a session of {target}",
    "audit.user.sessions-end": "ended the sessions of {target}",
    "audit.user.sign-in": "signed in as {target}",
    "audit.user.sign-in-link": "made a sign-in link for {target}",
    "audit.user.sign-in-link-used": "used the sign-in link of {target}",
    "audit.user.sign-in-refused": "refused a sign-in as {target}",
    "audit.user.token-revoked": "revoked a token of {target}",
    "audit.user_provided_service_instance.show": "read the credentials of the service {target}",
}
# (The middle of a type, how it ends) of what is about somebody's role somewhere
ROLES = {
    ("user", "add"): "gave {target} the role {role} {where}",
    ("user", "remove"): "took the role {role} {where} from {target}",
    ("user", "update"): "changed until when {target} holds the role {role} {where}",
    ("user", "lapse"): "ended the role {role} of {target} {where}, as it was given until then",
    ("role_request", "create"): "asked for the role {role} {where}",
    ("role_request", "update"): "changed the request for the role {role} {where}",
    ("role_request", "withdraw"): "withdrew the request for the role {role} {where}",
    ("role_request", "accept"): "accepted that {target} asked for the role {role} {where}",
    ("role_request", "refuse"): "refused {target} the role {role} {where}",
}
# The last part of a type that has no words of its own
PAST = {
    "cancel": "cancelled",
    "create": "created",
    "delete": "deleted",
    "delete-request": "deleted",
    "download": "downloaded",
    "revoke": "revoked",
    "show": "read the credentials of",
    "start_create": "asked for",
    "start_delete": "asked to delete",
    "update": "changed",
    "upload": "uploaded",
}
# What the thing of a type is called, where that is not what the type says
NOUNS = {
    "access_token": "API token",
    "organization_quota": "organization quota",
    "service": "service offering",
    "service_binding": "service binding",
    "service_instance": "service",
    "user": "account",
    "user_provided_service_instance": "service",
}
# Types in which somebody read a secret, took one out or made one
SECRETS = re.compile(
    r"\.(show|download|passcode|recovery-codes-shown|sign-in-link)$|access_token\.create$|key\.(create|rotate)$"
)
NAME = "\0"  # where the name of the thing goes; none holds it


def words_for(event: AuditEvent) -> str:
    """Return what was done, without who did it: "created the app web"."""
    return "".join(around(event))


def around(event: AuditEvent) -> tuple[str, str, str]:
    """Return the words before the name of the thing, the name, and the words behind it."""
    before, name, after = _told(event).partition(NAME)
    return before, event.target_name if name else "", after


def is_told(type: str) -> bool:
    """Return whether there are words for the type."""
    parts = type.split(".")
    return type in WORDS or parts[-1] in PAST or _of_role(parts) in ROLES


def _told(event: AuditEvent) -> str:
    parts = event.type.split(".")
    if event.type in WORDS:
        return WORDS[event.type].format(target=NAME)
    if "role" in event.data and (told := ROLES.get(_of_role(parts))):
        label = LABELS[event.data["role"]].lower() if event.data["role"] in LABELS else event.data["role"]
        where = f"in the space {event.space_name}" if event.space_name else f"in {event.organization_name}"
        return told.format(target=NAME, role=label, where=where)
    did = PAST.get(parts[-1], "changed")
    noun = NOUNS.get(parts[1], parts[1].replace("_", " ")) if len(parts) > 1 else event.target_type
    part = f"{_a(parts[2].replace('_', ' '))} of " if len(parts) > 3 else ""
    return f"{did} {part}the {noun} {NAME}" if event.target_name else f"{did} {part}{_a(noun)}"


def _of_role(parts: list[str]) -> tuple[str, str]:
    return (parts[1] if len(parts) > 1 else "", parts[-1].rpartition("_")[2])


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
