"""The install's own certificate authority, for what its containers serve to one another."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MACHINE = "/etc/ssl/certs/ca-certificates.crt"
NAME = "Platform services"
OWN_LIFE, LIFE = timedelta(days=20 * 365), timedelta(days=10 * 365)
SKEW = timedelta(hours=1)  # of the clocks of those who check


@dataclass(frozen=True)
class Issued:
    """A server's key and certificate, in PEM."""

    key: str = field(repr=False)
    certificate: str


class Authority:
    """Its key stays in the folder; its certificate stands in the bundle that every container of an app trusts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key, self._certificate = folder / "key.pem", folder / "certificate.pem"

    def certificate(self) -> Path:
        """Return the file with the authority's own certificate, made at the first need."""
        if not self._certificate.exists():
            with self._alone():
                if not self._certificate.exists():
                    self._make()
        return self._certificate

    def bundle(self) -> Path:
        """Return the file with all that this machine trusts, and the authority's own certificate."""
        machine = Path(os.environ.get("SSL_CERT_FILE") or MACHINE).read_bytes().rstrip() + b"\n"
        wanted = machine + self.certificate().read_bytes()
        path = self.folder / "bundle.pem"
        if not path.exists() or path.read_bytes() != wanted:
            with self._alone():
                _replace(path, wanted, mode=0o644)
        return path

    def issue(self, name: str, address: str) -> Issued:
        """Sign a new key for a server that is found by this name and at this address."""
        issuer = x509.load_pem_x509_certificate(self.certificate().read_bytes())
        signer = load_pem_private_key(self._key.read_bytes(), password=None)
        key = ec.generate_private_key(ec.SECP256R1())
        names: Sequence[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(IPv4Address(address))]
        certificate = (
            _builder(name, issuer.subject, key, LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)  # type: ignore[arg-type]
            .sign(signer, hashes.SHA256())  # type: ignore[arg-type]
        )
        return Issued(_pem(key).decode(), certificate.public_bytes(Encoding.PEM).decode())

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        )
        certificate = (
            _builder(NAME, subject, key, OWN_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False, **usage),
                critical=True,
            )
            .sign(key, hashes.SHA256())
        )
        _replace(self._key, _pem(key), mode=0o600)
        _replace(self._certificate, certificate.public_bytes(Encoding.PEM), mode=0o644)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _replace(path: Path, content: bytes, *, mode: int) -> None:
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.chmod(mode)
    new.replace(path)
