"""The operator's settings: read from the environment, and refused with a sentence when they are wrong."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .shell import HostError

CHECKOUT = Path(__file__).resolve().parent.parent.parent
TOOLS = CHECKOUT / "var"  # what the installs of one checkout share: the virtual environment, the browser's packages
CHOICES = {
    "PAAS_BLOBS": ("disk", "s3"),
    "PAAS_BACKUP_USERS": ("shared", "iam"),
    "PAAS_LOG_LEVEL": ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"),
    "PAAS_SMTP_TLS": ("starttls", "tls", "off"),
    "PAAS_ADMIN_SECOND_FACTOR": ("optional", "required"),
}
HOST_NAME = re.compile(r"(?=.{1,200}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True)
class Settings:
    """What the operator asked for. ``tls`` is "off", "self-signed", or "CERTIFICATE,KEY"."""

    state: Path
    port: int  # plain HTTP; with TLS it only redirects
    tls_port: int
    domain: str
    apps_domain: str
    tls: str
    admin_email: str
    admin_password: str
    database_url: str  # "" where the platform runs its own
    database_owner_url: str
    redis_url: str
    subnet: str  # "" leaves the choice to the first start
    memory_mb: int | None
    egress_allow: tuple[str, ...]
    egress_deny: tuple[str, ...]

    @property
    def secure(self) -> bool:
        return self.tls != "off"

    @property
    def public_port(self) -> int:
        return self.tls_port if self.secure else self.port

    @property
    def address(self) -> str:
        return self.address_of(self.domain)

    def address_of(self, host: str) -> str:
        """Return the address that a browser opens for a host behind our router."""
        scheme, usual = ("https", 443) if self.secure else ("http", 80)
        return f"{scheme}://{host}" + ("" if self.public_port == usual else f":{self.public_port}")


def read(environment: Mapping[str, str]) -> Settings:
    """Return the settings, or raise ``HostError`` naming the first that is wrong."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    tls = _tls(given.get("PAAS_TLS", "off"))
    port = _whole(given, "PAAS_PORT", 8080 if tls == "off" else 80, most=65535)
    tls_port = _whole(given, "PAAS_TLS_PORT", 443, most=65535)
    if tls != "off" and port == tls_port:
        raise HostError(f"PAAS_PORT and PAAS_TLS_PORT are both {port}: plain HTTP and TLS each need their own port.")
    domain, apps_domain = _domains(given)
    email, password = given.get("PAAS_ADMIN_EMAIL", ""), environment.get("PAAS_ADMIN_PASSWORD", "")
    _check_admin(email, password)
    database = _url(given, "DATABASE_URL", ("postgres", "postgresql"))
    owner = _url(given, "DATABASE_OWNER_URL", ("postgres", "postgresql"))
    _check_passed_on(given)
    if owner and not database:
        raise HostError("DATABASE_OWNER_URL is given without DATABASE_URL. Give both, or neither.")
    return Settings(
        state=state_folder(environment),
        port=port,
        tls_port=tls_port,
        domain=domain,
        apps_domain=apps_domain,
        tls=tls,
        admin_email=email,
        admin_password=password,
        database_url=database,
        database_owner_url=owner or database,
        redis_url=_url(given, "REDIS_URL", ("redis", "rediss")),
        subnet=_subnet(given.get("PAAS_SUBNET", "")),
        memory_mb=_whole(given, "PAAS_MEMORY_MB", 0) or None,
        egress_allow=_networks(given, "PAAS_EGRESS_ALLOW"),
        egress_deny=_networks(given, "PAAS_EGRESS_DENY"),
    )


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the absolute path of the folder that holds all that the platform writes."""
    return Path(environment.get("PAAS_STATE", "").strip() or TOOLS).expanduser().resolve()


def _whole(given: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    text = given.get(name, str(default))
    whole = text.isascii() and text.isdigit()
    if not whole or int(text) > (most or int(text)) or (most and int(text) < least):
        limits = f"from {least} to {most}" if most else "without a sign or a unit"
        raise HostError(f"{name} is {text!r}; it must be a whole number {limits}.")
    return int(text)


def _domains(given: Mapping[str, str]) -> tuple[str, str]:
    domain = given.get("PAAS_DOMAIN", "localhost").lower().rstrip(".")
    _check_host("PAAS_DOMAIN", domain)
    if domain != "localhost" and "PAAS_APPS_DOMAIN" not in given:
        raise HostError(
            f"PAAS_APPS_DOMAIN is missing: with PAAS_DOMAIN={domain}, apps need a domain of their own. "
            f"Give one that is not {domain}, nor under nor above it."
        )
    apps = given.get("PAAS_APPS_DOMAIN", "apps.localhost").lower().rstrip(".")
    _check_host("PAAS_APPS_DOMAIN", apps)
    # Browsers keep cookies of "localhost" to itself, so names under it are fit for trying things out.
    under = apps.endswith(f".{domain}") and domain != "localhost"
    if apps == domain or under or domain.endswith(f".{apps}"):
        how = "is equal to" if apps == domain else "lies under" if under else "lies above"
        raise HostError(
            f"PAAS_APPS_DOMAIN={apps} {how} PAAS_DOMAIN={domain}: an app could then set the console's cookies. "
            "Give apps a domain that is neither equal to the console's nor under nor above it."
        )
    return domain, apps


def _check_host(name: str, host: str) -> None:
    if not HOST_NAME.fullmatch(host) or host.replace(".", "").isdigit():
        raise HostError(
            f"{name} is {host!r}; it must be a host name, like paas.example.org, without scheme, port or path."
        )


def _tls(value: str) -> str:
    if value in ("off", "self-signed"):
        return value
    files = [Path(part.strip()).expanduser().resolve() for part in value.split(",")]
    if len(files) != 2:
        raise HostError(
            f"PAAS_TLS is {value!r}; it must be off, self-signed, or two files with a comma between them: CERTIFICATE,KEY."
        )
    for what, file in zip(("certificate", "key"), files, strict=True):
        if not file.is_file() or not os.access(file, os.R_OK):
            raise HostError(f"PAAS_TLS names {file} as the {what}, but no such file can be read.")
    return ",".join(map(str, files))


def _check_admin(email: str, password: str) -> None:
    if bool(email) != bool(password):
        given, missing = ("PAAS_ADMIN_EMAIL", "PAAS_ADMIN_PASSWORD")[:: 1 if email else -1]
        raise HostError(f"{given} is given without {missing}. Give both, or neither for a one-time sign-in link.")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise HostError(f"PAAS_ADMIN_EMAIL is {email!r}; it must be an e-mail address.")
    if password and len(password) < 12:
        raise HostError("PAAS_ADMIN_PASSWORD is too short; it must have at least 12 characters.")


def _check_passed_on(given: Mapping[str, str]) -> None:
    """Refuse what the control plane would trip over later: here the operator still reads the sentence."""
    _whole(given, "PAAS_UPLOAD_LIMIT_MB", 1024, most=10**9)
    _whole(given, "PAAS_BLOBS_BUDGET_MB", 20480, least=100, most=10**9)
    _whole(given, "PAAS_TOKEN_DAYS", 365, most=365)
    _whole(given, "PAAS_SERVICES_SCALE", 25, most=1000)
    services = Path(given.get("PAAS_SERVICES_PLANS", __file__)).expanduser()
    if not services.is_file():
        raise HostError(f"PAAS_SERVICES_PLANS names {services}, but there is no such file.")
    _whole(given, "PAAS_AUDIT_DAYS", 400, least=400, most=36500)
    _whole(given, "PAAS_SMTP_PORT", 587, most=65535)
    _check_mail(given)
    authorities = Path(given.get("PAAS_CA_FILE", __file__)).expanduser()
    if not authorities.is_file() or not os.access(authorities, os.R_OK):
        raise HostError(f"PAAS_CA_FILE names {authorities}, but no such file can be read.")
    for name, words in CHOICES.items():
        if given.get(name, words[0]) not in words:
            raise HostError(f"{name} is {given[name]!r}; it must be one of: {', '.join(words)}.")
    _check_amazon(given)
    if given.get("PAAS_BLOBS") == "s3":
        _check_bucket(given)


def _check_bucket(given: Mapping[str, str]) -> None:
    """Databases write their backups there by themselves: encrypted on the way, and with a key that they can be given."""
    if "PAAS_S3_BUCKET" not in given:
        raise HostError("PAAS_BLOBS is s3, but PAAS_S3_BUCKET is missing: name the bucket that packages are kept in.")
    _url(given, "PAAS_S3_ENDPOINT_URL", ("https",))
    users = given.get("PAAS_BACKUP_USERS", "shared" if "PAAS_S3_ENDPOINT_URL" in given else "iam")
    if "PAAS_S3_ACCESS_KEY" not in given and users == "shared":
        raise HostError(
            "PAAS_BLOBS is s3 without PAAS_S3_ACCESS_KEY, and databases cannot use the machine's own identity for their "
            "backups. Give a key, or PAAS_BACKUP_USERS=iam to have a user made for each."
        )


def _check_amazon(given: Mapping[str, str]) -> None:
    alone = [name for name in given if name.startswith("PAAS_AWS_")]
    if alone and "PAAS_AWS_REGION" not in given:
        raise HostError(f"{sorted(alone)[0]} is given without PAAS_AWS_REGION. Name Amazon's region, or give neither.")
    if ("PAAS_AWS_ACCESS_KEY" in given) != ("PAAS_AWS_SECRET_KEY" in given):
        raise HostError("PAAS_AWS_ACCESS_KEY and PAAS_AWS_SECRET_KEY belong together. Give both, or neither.")
    if alone and not _networks(given, "PAAS_AWS_SOURCES"):
        raise HostError(
            "PAAS_AWS_SOURCES is missing: name the networks that apps come from when they call Amazon, like "
            "203.0.113.7/32, from which alone credentials work. 0.0.0.0/0 lets them work from everywhere."
        )
    prefix, path = given.get("PAAS_AWS_PREFIX", "paas"), given.get("PAAS_AWS_USER_PATH", "/paas/")
    if not re.fullmatch(r"[a-z][a-z0-9]{0,6}", prefix):
        raise HostError(f"PAAS_AWS_PREFIX is {prefix!r}; it must be at most 7 lower-case letters and digits.")
    if not re.fullmatch(r"/([\w+=,.@-]+/)*", path):
        raise HostError(f"PAAS_AWS_USER_PATH is {path!r}; it must begin and end with a slash, like /paas/.")
    _url(given, "PAAS_AWS_ENDPOINT_URL", ("http", "https"))
    plans = Path(given.get("PAAS_AWS_PLANS", __file__)).expanduser()
    if not plans.is_file():
        raise HostError(f"PAAS_AWS_PLANS names {plans}, but there is no such file.")


def _check_mail(given: Mapping[str, str]) -> None:
    alone = [name for name in given if name.startswith("PAAS_SMTP_")]
    if alone and "PAAS_SMTP_HOST" not in given:
        raise HostError(f"{sorted(alone)[0]} is given without PAAS_SMTP_HOST. Name the mail server, or give neither.")
    if ("PAAS_SMTP_USER" in given) != ("PAAS_SMTP_PASSWORD" in given):
        raise HostError("PAAS_SMTP_USER and PAAS_SMTP_PASSWORD belong together. Give both, or neither.")
    for domain in given.get("PAAS_MAIL_DOMAINS", "").replace(",", " ").split():
        _check_host("PAAS_MAIL_DOMAINS", domain.lower())


def _url(given: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    url = given.get(name, "")
    parts = urlsplit(url)
    if url and (parts.scheme not in schemes or not parts.hostname):
        start = " or ".join(f"{scheme}://" for scheme in schemes)
        raise HostError(f"{name} must start with {start} and name a host.")  # never the URL: it has a password
    return url


def _subnet(text: str) -> str:
    if not text:
        return ""
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise HostError(f"PAAS_SUBNET is {text!r}; it must be an IPv4 network like 10.64.0.0/20.") from error
    if not network.is_private or not 16 <= network.prefixlen <= 24:
        raise HostError(f"PAAS_SUBNET is {text}; it must be a private network of /16 to /24, like 10.64.0.0/20.")
    return str(network)


def _networks(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = []
    for part in re.split(r"[,\s]+", given.get(name, "")):
        try:
            found += [str(ipaddress.IPv4Network(part))] if part else []
        except ValueError as error:
            raise HostError(
                f"{name} has {part!r}; it must hold IPv4 networks like 10.0.0.0/8, split by commas."
            ) from error
    return tuple(found)
