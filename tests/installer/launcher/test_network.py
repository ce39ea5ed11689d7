"""Networks as they are: a proxy, certificates of one's own, a clock that is years off, servers that refuse."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import urllib.error
from email.message import Message
from pathlib import Path

import pytest

from installer.launcher.errors import SetupFailed
from installer.launcher.fetch import Control, Fetcher, RemoteFile
from installer.launcher.network import Network, explain, request
from installer.launcher.setup import Setup
from installer.launcher.uv import explain_uv
from tests.installer.launcher.conftest import serve

NOW = datetime.datetime.now(datetime.UTC)
YEAR = datetime.timedelta(days=365)


def make_certificate(folder: Path, *, begins: datetime.datetime, ends: datetime.datetime) -> tuple[Path, Path]:
    """A certificate of this computer with its key, and the one of the authority that signed it."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def make(name: str, issuer: str, key, signer, extension, critical: bool, first, last):
        builder = x509.CertificateBuilder(
            issuer_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]),
            subject_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=first,
            not_valid_after=last,
        )
        return builder.add_extension(extension, critical).sign(signer, hashes.SHA256())

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = make(
        "Company",
        "Company",
        authority,
        authority,
        x509.BasicConstraints(True, None),
        True,
        NOW - 9 * YEAR,
        NOW + 9 * YEAR,
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = make("server", "Company", own, authority, names, False, begins, ends)
    pem = serialization.Encoding.PEM
    private = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    server, trusted = folder / "server.pem", folder / "company.pem"
    server.write_bytes(leaf.public_bytes(pem) + private)
    trusted.write_bytes(root.public_bytes(pem))
    return server, trusted


def fetch(folder: Path, place: str, size: int, sha256: str) -> None:
    Fetcher(folder, Network.load(), Control(), lambda *_: None).fetch([RemoteFile("a.whl", place, size, sha256)])


def test_everything_goes_through_the_proxy_of_the_settings(program, index, monkeypatch):
    """The address of the packages is known to the proxy alone."""
    proxy, index.url = index.url, "http://packages.invalid"
    monkeypatch.setenv("ECHOGEN_PACKAGES", "http://packages.invalid/simple")
    monkeypatch.setenv("ECHOGEN_PROXY", proxy)
    setup = Setup(program)
    setup.run()
    assert setup.is_done("program")
    assert {path.split("/")[1] for path, _ in index.asked} == {"simple", "files"}


def test_a_company_signs_its_own_certificates(program, index, monkeypatch, tmp_path):
    """uv and the launcher trust whom the system trusts: with the company's certificate there, all is set up over TLS."""
    server, trusted = make_certificate(tmp_path, begins=NOW - YEAR, ends=NOW + YEAR)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with serve(index, server) as index.url:
        monkeypatch.setenv("ECHOGEN_PACKAGES", f"{index.url}/simple")
        setup = Setup(program)
        setup.run()
        assert setup.is_done("program")


@pytest.mark.parametrize(
    ("begins", "ends", "trust", "words"),
    [
        (-1, 1, False, "signed by nobody this computer trusts"),
        (-3, -1, True, "not valid at the time this computer shows"),
        (1, 3, True, "not valid at the time this computer shows"),
    ],
    ids=["unknown", "the clock is late", "the clock is early"],
)
def test_certificates_that_are_not_believed(program, index, monkeypatch, tmp_path, begins, ends, trust, words):
    server, trusted = make_certificate(tmp_path, begins=NOW + begins * YEAR, ends=NOW + ends * YEAR)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted if trust else make_another(tmp_path)))
    monkeypatch.setattr("installer.launcher.fetch.TRIES", 1)
    with serve(index, server) as url, pytest.raises(SetupFailed, match=words) as failure:
        fetch(tmp_path / "files", f"{url}/files/{next(iter(index.files))}", 1, "0" * 64)
    assert failure.value.kind == "network" and failure.value.advice


def make_another(folder: Path) -> Path:
    other = folder / "other"
    other.mkdir()
    return make_certificate(other, begins=NOW - YEAR, ends=NOW + YEAR)[1]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            urllib.error.HTTPError("http://x", 407, "", Message(), None),
            "The proxy asks for a name and a password. Write it as",
        ),
        (urllib.error.HTTPError("http://x", 503, "", Message(), None), "answers with error 503. Try again later"),
        (
            urllib.error.URLError(socket.gaierror(-2, "Name or service not known")),
            "cannot be reached. Check the network",
        ),
    ],
    ids=["proxy", "server", "name"],
)
def test_what_servers_say_becomes_a_sentence_and_a_next_step(error, words):
    failure = explain(error, "packages.example")
    assert words in str(failure) and failure.kind == "network"


@pytest.mark.parametrize(
    ("errors", "words", "kind"),
    [
        ("error: Failed to write\n  cause: No space left on device (os error 28)", "The disk is full.", "disk"),
        (
            "error: failed to create directory\n  Caused by: Permission denied (os error 13)",
            "cannot be written",
            "disk",
        ),
        (
            "error: Failed to fetch: `https://x/`\n  cause: invalid peer certificate: UnknownIssuer",
            "is not trusted",
            "network",
        ),
        ("error: Failed to fetch: `https://x/`\n  cause: dns error", "cannot be reached", "network"),
        ("  × No solution found\n  ╰─▶ because …", "could not be installed: No solution found", ""),
        ("", "could not be installed", ""),
    ],
)
def test_what_uv_says_becomes_a_sentence_and_a_next_step(errors, words, kind):
    failure = explain_uv(errors)
    assert words in failure.message and failure.advice and failure.kind == kind


def test_a_name_and_password_in_an_address_go_where_they_belong():
    asked = request("https://n%40me:s%3Acret@mirror.example/simple/#x", 5)
    assert asked.full_url == "https://mirror.example/simple/"
    assert asked.get_header("Authorization") == "Basic bkBtZTpzOmNyZXQ=" and asked.get_header("Range") == "bytes=5-"
