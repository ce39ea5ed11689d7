"""The lists of packages, one per system and kind of card: every package with its version and the digests of its files.

``installer/make_locks.py`` makes them. They hold no addresses: where the files come from is the user's choice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from app.language.say import say
from installer.launcher.errors import SetupFailed

FIRST = ("pyside6-essentials", "shiboken6", "truststore")
"""Packages of the set-up window, installed before all others."""
PYTHON = "3.11"
"""The Python that the lists are made for."""
_BACKEND = "# torch-backend: "


@dataclass(frozen=True)
class Package:
    """One line of a list.

    Attributes:
        name: normalised ("pyside6-essentials").
        version: exact, with a local part where there is one ("2.13.0+cpu").
        hashes: SHA-256 digests of the files that may be installed, in hexadecimal.
    """

    name: str
    version: str
    hashes: frozenset[str] = field(repr=False)

    def line(self) -> str:
        """As pip and uv read it."""
        return " \\\n    ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{h}" for h in sorted(self.hashes))])


@dataclass(frozen=True)
class Lock:
    """A list.

    Attributes:
        name: of the file without its ending, "linux-x86_64-cpu".
        packages: all of them.
        backend: the builds of torch to ask for ("cpu", "cu130"), "" for those of the package index itself.
        digest: of the whole list; an environment belongs to one digest.
    """

    name: str
    packages: tuple[Package, ...]
    backend: str
    digest: str

    def part(self, which: str) -> tuple[Package, ...]:
        """ "window": what the set-up window needs; "program": all the rest."""
        return tuple(package for package in self.packages if (package.name in FIRST) == (which == "window"))


def read_lock(file: Path) -> Lock:
    """Read a list.

    Raises:
        SetupFailed: the file is missing or damaged.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SetupFailed(
            say("The list of packages {0} cannot be read.", file.name), say("Install EchoGen again.")
        ) from error
    backend, packages = "", []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith(_BACKEND):
            backend = line.removeprefix(_BACKEND).strip()
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([a-z0-9][a-z0-9-]*)==([A-Za-z0-9.+!]+)((?:\s+--hash=sha256:[0-9a-f]{64})+)\s*", line)
        if match is None:
            raise SetupFailed(say("The list of packages {0} is damaged.", file.name), say("Install EchoGen again."))
        packages.append(Package(match[1], match[2], frozenset(re.findall(r"sha256:([0-9a-f]{64})", match[3]))))
    return Lock(file.stem, tuple(packages), backend, hashlib.sha256(text.encode()).hexdigest()[:16])


def requirements(packages: Iterable[Package]) -> str:
    return "".join(f"{package.line()}\n" for package in packages)
