"""Every setting of the control plane: read from the environment (or the state folder's ``env`` file), checked here."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

from paas.lib.environment import BASE_DIR, STATE, database, env, secret_keys, whole

# Where we are ------------------------------------------------------------------------------------------------------
PAAS_INSTALL = env("PAAS_INSTALL", "dev")
PAAS_STATE = STATE
PAAS_PORT = whole("PAAS_PORT", 8080, least=1)
PAAS_DOMAIN = env("PAAS_DOMAIN", "localhost").lower()
PAAS_APPS_DOMAIN = env("PAAS_APPS_DOMAIN", "apps.localhost").lower()
PAAS_TLS = env("PAAS_TLS", "off")
PAAS_SCHEME = "http" if PAAS_TLS == "off" else "https"
PAAS_PUBLIC_PORT = PAAS_PORT if PAAS_TLS == "off" else whole("PAAS_TLS_PORT", 443, least=1)
PAAS_PORT_SUFFIX = "" if PAAS_PUBLIC_PORT in (80, 443) else f":{PAAS_PUBLIC_PORT}"
PAAS_URL = f"{PAAS_SCHEME}://{PAAS_DOMAIN}{PAAS_PORT_SUFFIX}"
PAAS_SUBNET = env("PAAS_SUBNET", "10.211.0.0/20")
PAAS_NAME = env("PAAS_NAME", "Slipway")
PAAS_API_VERSION = "3.205.0"

# The parts of the outside world ------------------------------------------------------------------------------------
PAAS_STACK_IMAGES: dict[str, str] = json.loads(env("PAAS_STACK_IMAGES", "{}"))
PAAS_SERVICE_IMAGES: dict[str, str] = json.loads(env("PAAS_SERVICE_IMAGES", "{}"))
PAAS_SERVICES_PLANS = Path(env("PAAS_SERVICES_PLANS") or BASE_DIR / "services" / "plans.toml")
PAAS_SERVICES_SCALE = whole("PAAS_SERVICES_SCALE", 25, least=1)  # percent of the sizes in that file
PAAS_BUILDPACKS = BASE_DIR / "apps" / "buildpacks"
PAAS_MEMORY_MB = whole("PAAS_MEMORY_MB", 0) or None
PAAS_BLOBS_KIND = env("PAAS_BLOBS", "disk")
PAAS_RUNTIME_KIND = env("PAAS_RUNTIME", "docker")
PAAS_ROUTER_KIND = env("PAAS_ROUTER", "envoy")
PAAS_BUILDER_KIND = env("PAAS_BUILDER", "container")
PAAS_S3 = {
    "bucket": env("PAAS_S3_BUCKET"),
    "prefix": env("PAAS_S3_PREFIX"),
    "endpoint_url": env("PAAS_S3_ENDPOINT_URL") or None,
    "region": env("PAAS_S3_REGION") or None,
    "access_key": env("PAAS_S3_ACCESS_KEY") or None,
    "secret_key": env("PAAS_S3_SECRET_KEY") or None,
}
PAAS_AT_AMAZON = PAAS_BLOBS_KIND == "s3" and not PAAS_S3["endpoint_url"]
PAAS_BACKUP_USERS = env("PAAS_BACKUP_USERS") or ("iam" if PAAS_AT_AMAZON else "shared")  # "iam": one for each instance
PAAS_AWS = {
    "region": env("PAAS_AWS_REGION"),  # none: nothing of Amazon's is offered
    "prefix": env("PAAS_AWS_PREFIX", "paas"),
    "endpoint_url": env("PAAS_AWS_ENDPOINT_URL"),
    "access_key": env("PAAS_AWS_ACCESS_KEY"),
    "secret_key": env("PAAS_AWS_SECRET_KEY"),
    "sources": tuple(env("PAAS_AWS_SOURCES").replace(",", " ").split()),
    "user_path": env("PAAS_AWS_USER_PATH", "/paas/"),
    "permissions_boundary": env("PAAS_AWS_PERMISSIONS_BOUNDARY"),
    "subnet_group": env("PAAS_AWS_SUBNET_GROUP"),
    "cache_subnet_group": env("PAAS_AWS_CACHE_SUBNET_GROUP"),
    "security_groups": tuple(env("PAAS_AWS_SECURITY_GROUPS").replace(",", " ").split()),
    "kms_key": env("PAAS_AWS_KMS_KEY"),
}
PAAS_AWS_PLANS = Path(env("PAAS_AWS_PLANS") or BASE_DIR / "services" / "amazon.toml")
PAAS_UPLOAD_LIMIT = whole("PAAS_UPLOAD_LIMIT_MB", 1024, least=1) * 1024 * 1024
PAAS_BLOBS_BUDGET = whole("PAAS_BLOBS_BUDGET_MB", 20480, least=100) * 1024 * 1024
PAAS_AUDIT_DAYS = whole("PAAS_AUDIT_DAYS", 400, least=400)
PAAS_CA_FILE = env("PAAS_CA_FILE")  # authorities to trust in outgoing calls, beside the machine's own
PAAS_TOKEN_DAYS = whole("PAAS_TOKEN_DAYS", 365, least=1)  # the longest life of API tokens and keys of robots

# Secrets: the first key signs and encrypts, all of them are accepted ------------------------------------------------
PAAS_SECRET_KEYS = secret_keys()
SECRET_KEY = PAAS_SECRET_KEYS[0]
SECRET_KEY_FALLBACKS = PAAS_SECRET_KEYS[1:]

# Django ------------------------------------------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = [
    PAAS_DOMAIN,
    *(f"{name}.{PAAS_DOMAIN}" for name in ("api", "login", "uaa", "log-cache")),
    "127.0.0.1",
    "localhost",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "accounts",
    "guardian",
    "tenants",
    "services",
    "apps",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "paas.lib.v3.TrailingSlash",
    "accounts.origin.OriginMiddleware",
    "paas.lib.web.ConsoleMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "paas.lib.intake.BodyLimit",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sessions.SessionsMiddleware",
    "accounts.gate.SecondFactorMiddleware",
    "tenants.view_as.ViewAsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "paas.urls"
ASGI_APPLICATION = "paas.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "paas.lib.web.platform",
            ]
        },
    }
]
_TESTING = "pytest" in sys.modules
DATABASES = {
    "default": database("DATABASE_URL", "postgresql://paas:paas@127.0.0.1:5432/paas"),
    "owner": database("DATABASE_OWNER_URL", env("DATABASE_URL", "postgresql://paas:paas@127.0.0.1:5432/paas"))
    | {"TEST": {"MIRROR": "default"}},
}
PAAS_DATABASE_APP_ROLE = DATABASES["default"]["USER"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "accounts.passwords.NotTooLong"},
    {"NAME": "accounts.passwords.NotCommon"},
    {"NAME": "accounts.passwords.NotTheirs"},
]
if _TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
APPEND_SLASH = False
STATIC_URL = "/static/"
STATIC_ROOT = STATE / "static"
STATICFILES_DIRS = [BASE_DIR / "static", *([STATE / "assets"] if (STATE / "assets").is_dir() else [])]
if not _TESTING:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
FILE_UPLOAD_HANDLERS = ["paas.lib.intake.Spool"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50000
PAAS_ADMIN_EMAIL = env("PAAS_ADMIN_EMAIL")
PAAS_ADMIN_PASSWORD = env("PAAS_ADMIN_PASSWORD")

# Mail: without a server, messages wait in the outbox --------------------------------------------------------------
PAAS_SMTP_HOST = env("PAAS_SMTP_HOST")
PAAS_SMTP_TLS = env("PAAS_SMTP_TLS", "starttls")
PAAS_SMTP_PORT = whole("PAAS_SMTP_PORT", {"starttls": 587, "tls": 465}.get(PAAS_SMTP_TLS, 25), least=1)
PAAS_SMTP_USER = env("PAAS_SMTP_USER")
PAAS_SMTP_PASSWORD = env("PAAS_SMTP_PASSWORD")
PAAS_SMTP_FROM = env("PAAS_SMTP_FROM", f"{PAAS_NAME} <no-reply@{PAAS_DOMAIN}>")
PAAS_MAIL_DOMAINS = [name.lower() for name in env("PAAS_MAIL_DOMAINS").replace(",", " ").split()]  # none: any
SITE_NAME = PAAS_NAME

# The browser's session ----------------------------------------------------------------------------------------------
SESSION_COOKIE_NAME = "paas_session"
CSRF_COOKIE_NAME = "paas_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PAAS_SCHEME == "https"
SESSION_COOKIE_AGE = int(timedelta(hours=20).total_seconds())
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [PAAS_URL]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_FORMS = {"login": "accounts.forms.SignInForm", "reauthenticate": "accounts.forms.factors.ConfirmPasswordForm"}
ACCOUNT_RATE_LIMITS = False  # accounts/signin.py counts per account and address
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # accounts/signin.py takes each code once
MFA_RATE_LIMITS = False
MFA_ADAPTER = "accounts.adapter.FactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.factors.CodeForm",
    "authenticate_webauthn": "accounts.forms.factors.PasskeyForm",
    "reauthenticate": "accounts.forms.factors.ConfirmCodeForm",
    "reauthenticate_webauthn": "accounts.forms.factors.ConfirmPasskeyForm",
    "login_webauthn": "accounts.forms.factors.SignInPasskeyForm",
    "activate_totp": "accounts.forms.factors.AppForm",
    "add_webauthn": "accounts.forms.factors.NewPasskeyForm",
    "edit_webauthn": "accounts.forms.factors.PasskeyNameForm",
}
PAAS_ADMIN_SECOND_FACTOR = env("PAAS_ADMIN_SECOND_FACTOR", "optional")
PAAS_ACCOUNT_ENDS = ["tenants.actions.account.ends"]
PAAS_SECOND_FACTOR_RULES = ["accounts.factors.of_platform_admins", "tenants.second_factor.of_members"]

SILENCED_SYSTEM_CHECKS = [
    "guardian.W001",
    "auth.W004",
]  # roles are resolved in tenants/access.py; names are unique per origin

# Object permissions: roles are rows, resolved in tenants/access.py ---------------------------------------------------
GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME = None

# The API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["paas.lib.rest.SignedIn"],
    "DEFAULT_PARSER_CLASSES": ["paas.lib.rest.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["paas.lib.rest.AnyJSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "paas.lib.v3.description.Schema",
    "EXCEPTION_HANDLER": "paas.lib.v3.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{PAAS_NAME} API",
    "DESCRIPTION": "Cloud Foundry's v3 API, for organizations, spaces, apps, routes and everything around them.",
    "VERSION": PAAS_API_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/v3",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": int(timedelta(hours=20).total_seconds()),
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 60,
    "SCOPES": {"cloud_controller.read": "Read", "cloud_controller.write": "Change", "openid": "Sign in"},
    "DEFAULT_SCOPES": ["cloud_controller.read", "cloud_controller.write", "openid"],
    "ACCESS_TOKEN_GENERATOR": "accounts.tokens.access_token",
    "REFRESH_TOKEN_GENERATOR": "accounts.tokens.refresh_token",
}

# Work ------------------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "converge"
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    # With Redis away a request must not wait for it: the sweep finds what a lost hint was about.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("PAAS_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},  # whose debug lines hold whole requests, secrets included
    },
}
