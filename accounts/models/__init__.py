"""Who acts (people, robots, the system itself), how they get in, and the append-only record of what was done."""

from accounts.models.events import AuditEvent, EventQuerySet, UsageEvent
from accounts.models.job import Job
from accounts.models.mail import Mail
from accounts.models.signin import Device, EmailChange, PasswordReset, SignInLink, UserSession
from accounts.models.tokens import ApiToken, RobotKey
from accounts.models.user import SYSTEM_USERNAME, User, UserManager

__all__ = [
    "SYSTEM_USERNAME",
    "ApiToken",
    "AuditEvent",
    "Device",
    "EmailChange",
    "EventQuerySet",
    "Job",
    "Mail",
    "PasswordReset",
    "RobotKey",
    "SignInLink",
    "UsageEvent",
    "User",
    "UserManager",
    "UserSession",
]
