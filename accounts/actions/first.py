"""What an install starts with: the system's own account, the command line's client, the first admin."""

from __future__ import annotations

from django.db import transaction
from oauth2_provider.models import Application

from accounts import audit
from accounts.models import SYSTEM_USERNAME, User

CF, FIRST_ADMIN = "cf", "admin"


def ensure_system_user() -> User:
    """Return the actor of what nobody asked for; made at the first start."""
    names = {"username": SYSTEM_USERNAME, "origin": "system"}
    return User.objects.get_or_create(**names, defaults={"kind": User.Kind.SYSTEM, "password": "!"})[0]


def ensure_oauth_client() -> Application:
    """Return the client that every ``cf`` is: known to all, without a secret. The system user comes with it."""
    ensure_system_user()
    fields = {
        "name": "The command line",
        "client_type": Application.CLIENT_PUBLIC,
        "authorization_grant_type": Application.GRANT_PASSWORD,
        "client_secret": "",
        "hash_client_secret": False,
    }
    return Application.objects.get_or_create(client_id=CF, defaults=fields)[0]


@transaction.atomic
def first_admin() -> User:
    """Return the platform admin who came first; where there is none, make one whom only a sign-in link lets in."""
    admins = User.objects.filter(platform_role=User.PlatformRole.ADMIN, kind=User.Kind.PERSON, is_active=True)
    found = admins.order_by("created_at", "id").first()
    if found is None:
        found = User(username=FIRST_ADMIN, platform_role=User.PlatformRole.ADMIN)
        found.set_unusable_password()
        found.save()
        fields = ("username", "platform_role")
        audit.record(ensure_system_user(), "audit.user.create", found, after=audit.state(found, fields))
    return found
