"""Claims about encrypted connections, on a MariaDB that has a certificate (the PostgreSQL of the tests is built without TLS)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.databases.conftest import LOOPBACK, Reader, Server, mariadb_server


def certificate(
    folder: Path, name: str, issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None = None
) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    """Write a key and its certificate, signed by an issuer or by itself, good for the loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed_by, signing_key = issuer or (subject, key)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return subject, key


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority = certificate(folder, "authority")
    certificate(folder, "server", authority)
    certificate(folder, "stranger")
    return folder


@pytest.fixture(scope="module")
def encrypted(certificates: Path) -> Iterator[Server]:
    settings = [f"--ssl-cert={certificates}/server.pem", f"--ssl-key={certificates}/server.key"]
    with mariadb_server(*settings) as server:
        server.run(
            "CREATE TABLE crm.lines (amount DECIMAL(10,2))",
            "INSERT INTO crm.lines VALUES (1.10), (2.20)",
            "ALTER USER analyst@'%' REQUIRE SSL",
        )
        yield server


@pytest.mark.parametrize("mode", ["REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"])
def test_an_encrypted_server_is_read(encrypted: Server, certificates: Path, reader: Reader, mode: str) -> None:
    url = f"{encrypted.url}?ssl-mode={mode}&ssl-ca={certificates}/authority.pem"
    assert reader.rows(url, table="lines") == [(Decimal("1.10"),), (Decimal("2.20"),)]


def test_a_certificate_of_a_stranger_is_refused(encrypted: Server, certificates: Path, reader: Reader) -> None:
    url = f"{encrypted.url}?ssl-mode=VERIFY_CA&ssl-ca={certificates}/stranger.pem"
    assert "do not agree on TLS" in reader.failure(url, table="lines")


def test_a_server_that_asks_for_encryption_gets_no_open_connection(encrypted: Server, reader: Reader) -> None:
    assert reader.failure(f"{encrypted.url}?ssl-mode=DISABLED", table="lines")
