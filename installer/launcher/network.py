"""Networks as they are: the system's proxy, the certificates it trusts, and mirrors – settings in one file.

``network.json`` in the configuration folder holds them; the set-up window edits it, and the program gets the same.
Without a file everything is as the system has it.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from app.language.say import say
from installer.launcher.errors import SetupFailed
from installer.launcher.places import config_folder, read_json, write

SECONDS = 30.0
"""How long a server may stay silent."""


@dataclass(frozen=True)
class Network:
    """Addresses to use instead of the usual ones; "" means the usual one.

    Attributes:
        packages: an index of Python packages (a "simple" index).
        torch: a folder or page with builds of torch, for lists that need another build than the index has.
        python: a mirror of the Python builds that uv fetches.
        models: a mirror of the hub of models.
        updates: the file that says which version is the newest (see ``updates.py``).
        proxy: of all of these, "http://host:port".
    """

    packages: str = ""
    torch: str = ""
    python: str = ""
    models: str = ""
    updates: str = ""
    proxy: str = ""

    @classmethod
    def load(cls) -> Network:
        """From the settings file; variables of the environment (ECHOGEN_PACKAGES …, ECHOGEN_HUB for models) go first."""
        data: dict[str, Any] = read_json(config_folder() / "network.json")
        found = {}
        for entry in fields(cls):
            # ECHOGEN_MODELS is taken: it names the folder of models.
            variable = "ECHOGEN_HUB" if entry.name == "models" else f"ECHOGEN_{entry.name.upper()}"
            value = os.environ.get(variable) or data.get(entry.name)
            found[entry.name] = value.strip() if isinstance(value, str) else ""
        return cls(**found)

    def save(self) -> None:
        config_folder().mkdir(parents=True, exist_ok=True)
        write(config_folder() / "network.json", json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    def environment(self) -> dict[str, str]:
        """Variables for uv and for the program: the same addresses, proxy and certificates everywhere.

        The mirror of models is none of them: the program reads the same file, and may change it there.
        """
        variables = {"UV_SYSTEM_CERTS": "1"}
        if self.packages:
            variables["UV_DEFAULT_INDEX"] = self.packages
        if self.python:
            variables["UV_PYTHON_INSTALL_MIRROR"] = self.python
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else urllib.request.getproxies()
        for scheme in ("http", "https"):
            address = proxies.get(scheme)
            if address:
                name = f"{scheme.upper()}_PROXY"
                variables[name] = variables[name.lower()] = address
        return variables


def make_opener(network: Network) -> urllib.request.OpenerDirector:
    """The opener of addresses: through the proxy, trusting whom the system trusts."""
    proxies = {"http": network.proxy, "https": network.proxy} if network.proxy else None
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=_certificates())
    )


def _certificates() -> ssl.SSLContext:
    """The system's own judge of certificates where it is installed already, else the certificates OpenSSL finds."""
    if importlib.util.find_spec("truststore") is not None:
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    if not context.get_ca_certs():  # a Python that was built elsewhere looks in folders that are not here
        for file in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"):
            if os.path.isfile(file):
                context.load_verify_locations(file)
                break
    return context


def request(url: str, first_byte: int = 0) -> urllib.request.Request:
    """A GET of a file from a byte on. A name and password in the address go into the header, where they belong."""
    parts = urlsplit(url)
    headers = {"User-Agent": "echogen-launcher", "Accept-Encoding": "identity"}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    if first_byte:
        headers["Range"] = f"bytes={first_byte}-"
    return urllib.request.Request(urlunsplit(parts._replace(fragment="")), headers=headers)


def explain(error: Exception, host: str) -> SetupFailed:
    """A failed connection in words."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        if "expired" in str(reason) or "not yet valid" in str(reason):
            return SetupFailed(
                say("The certificate of {0} is not valid at the time this computer shows.", host),
                say("Set the clock of this computer and try again."),
                "network",
            )
        return SetupFailed(
            say("The certificate of {0} is signed by nobody this computer trusts.", host),
            say("If your network has a certificate of its own, add it to the system's and try again."),
            "network",
        )
    if isinstance(error, urllib.error.HTTPError):
        if error.code == 407:
            return SetupFailed(
                say("The proxy asks for a name and a password."),
                say("Write it as http://name:password@host:port in the network settings."),
                "network",
            )
        return SetupFailed(
            say("The server {0} answers with error {1}.", host, error.code),
            say("Try again later, or set a mirror in the network settings."),
            "network",
        )
    return SetupFailed(
        say("The server {0} cannot be reached.", host),
        say("Check the network and try again. What has arrived is kept."),
        "network",
    )
