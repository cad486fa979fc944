"""The certificate that the router shows: the operator's, or one that signs itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from paas.seams.routers.folder import Folder, replace
from paas.seams.routers.front import Front

_LIFETIME = timedelta(days=397)  # the most that browsers accept
_RENEWAL = timedelta(days=30)


@dataclass(frozen=True)
class Certificate:
    """A PEM chain and its PEM key."""

    chain: str
    key: str


def certificate_for(front: Front, folder: Folder) -> Certificate | None:
    """Return what to show, None without TLS; raise ``ValueError`` when the operator's files are no pair."""
    if front.listen.tls == "off":
        return None
    if front.listen.tls == "self-signed":
        return _self_signed(front, folder)
    if front.listen.certificate is None or front.listen.key is None:
        raise ValueError("TLS with files needs both a certificate and a key.")
    certificate = Certificate(chain=front.listen.certificate.read_text(), key=front.listen.key.read_text())
    _check_pair(certificate)
    return certificate


def _check_pair(certificate: Certificate) -> None:
    leaf = x509.load_pem_x509_certificates(certificate.chain.encode())[0]
    key = serialization.load_pem_private_key(certificate.key.encode(), password=None)
    if leaf.public_key() != key.public_key():
        raise ValueError("The TLS key does not belong to the first certificate in the TLS certificate file.")


def _self_signed(front: Front, folder: Folder) -> Certificate:
    """Return the certificate in the folder, made anew when it ends soon or the domains have changed."""
    path = folder.root / "self-signed.pem"
    domain, apps_domain = front.console.domain, front.console.apps_domain
    names = [domain, f"*.{domain}", apps_domain, f"*.{apps_domain}"]
    if not path.exists() or not _still_good(path.read_bytes(), names):
        replace(path, _make(names))
    key, marker, chain = path.read_text().partition("-----BEGIN CERTIFICATE-----")
    return Certificate(chain=marker + chain, key=key)


def _still_good(content: bytes, names: list[str]) -> bool:
    certificate = x509.load_pem_x509_certificate(content)
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    until = certificate.not_valid_after_utc
    return found.get_values_for_type(x509.DNSName) == names and until - _RENEWAL > datetime.now(UTC)


def _make(names: list[str]) -> bytes:
    """Return a new key and, after it, the certificate that it signs for these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
