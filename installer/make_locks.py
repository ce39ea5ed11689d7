"""Makes the lists of packages in ``installer/locks``: ``python3 installer/make_locks.py [name …]``.

One list per system and kind of card, from pyproject.toml, by uv. Each holds exact versions and the digests of their files, and
no address: where files come from is the user's choice. Packages keep their versions unless ``--upgrade`` is given, and a list that is
made for the first time takes those of the list for the same system's processor. The packages that
read photos of phones and cameras are in every list: who opens the program by a double-click has no other way to install them.

A build of torch that the package index does not have (for the processor on Linux, for CUDA on Windows, for cards of AMD and Intel)
needs PyTorch's own index, or a folder of its files in UV_FIND_LINKS. Lists that cannot be made now stay as they are, and the command
says so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "installer" / "locks"
PYTHON = "3.11"


@dataclass(frozen=True)
class Target:
    """One list.

    Attributes:
        name: of the file: system, processor, kind of card.
        platform: as uv names it.
        backend: builds of torch to ask PyTorch's own index for; "" takes those of the package index.
        torch: the one version of torch of this list, with its local part.
    """

    name: str
    platform: str
    backend: str = ""
    torch: str = "2.13.0"


TARGETS = (
    Target("linux-x86_64-cpu", "x86_64-manylinux_2_34", "cpu", "2.13.0+cpu"),
    Target("linux-x86_64-cuda", "x86_64-manylinux_2_34"),
    Target("linux-arm64-cpu", "aarch64-manylinux_2_39"),
    Target("windows-x86_64-cpu", "x86_64-pc-windows-msvc"),
    Target("windows-x86_64-cuda", "x86_64-pc-windows-msvc", "cu130", "2.13.0+cu130"),
    Target("linux-x86_64-rocm", "x86_64-manylinux_2_34", "rocm7.2", "2.13.0+rocm7.2"),
    Target("linux-x86_64-xpu", "x86_64-manylinux_2_34", "xpu", "2.13.0+xpu"),
    Target("macos-arm64-mps", "aarch64-apple-darwin"),
)
EXTRAS = ("--extra", "photos")
MACOS = "14.0"
"""The oldest macOS that torch has files for."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make_locks.py", description="Make the lists of packages in installer/locks.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"of: {', '.join(t.name for t in TARGETS)}; by default all"
    )
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - {target.name for target in TARGETS}
    if unknown:
        parser.error(f"there is no list {', '.join(sorted(unknown))}")
    uv = os.environ.get("ECHOGEN_UV") or shutil.which("uv")
    if uv is None:
        print("uv is missing: install it with “pip install uv”.", file=sys.stderr)
        return 1
    failed = 0
    for target in TARGETS:
        if not options.names or target.name in options.names:
            problem = make(target, uv, upgrade=options.upgrade)
            print(f"{target.name}: {problem or 'made'}", flush=True)
            failed += bool(problem)
    return 1 if failed and options.names else 0


def make(target: Target, uv: str, *, upgrade: bool = False) -> str:
    """Make one list. Returns why it could not be made, or ""."""
    LOCKS.mkdir(exist_ok=True)
    file = LOCKS / f"{target.name}.txt"
    with tempfile.TemporaryDirectory() as folder:
        wanted, made = Path(folder) / "wanted.in", Path(folder) / "made.txt"
        wanted.write_text(f"torch=={target.torch}\n", encoding="utf-8")
        known = file if file.exists() else file.with_name(f"{target.name.rpartition('-')[0]}-cpu.txt")
        if known.exists() and not upgrade:
            shutil.copyfile(known, made)  # uv keeps the versions it finds there
        backend = ["--torch-backend", target.backend] if target.backend and not os.environ.get("UV_FIND_LINKS") else []
        command = [
            *(uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-config", "--generate-hashes"),
            *("--only-binary", ":all:", "--python-platform", target.platform, "--python-version", PYTHON, *backend),
            *("--output-file", str(made), *EXTRAS, str(ROOT / "pyproject.toml"), str(wanted)),
        ]
        result = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
        )
        if result.returncode:
            lines = [line.strip(" ×╰─▶│") for line in result.stderr.splitlines() if line.strip()]
            return "not made: " + " ".join(lines[:3])[:300]
        text = made.read_text(encoding="utf-8")
    head = f"# torch-backend: {target.backend}\n" if target.backend else ""
    temporary = file.with_suffix(".part")
    temporary.write_text(head + text, encoding="utf-8", newline="\n")
    temporary.replace(file)
    return ""


if __name__ == "__main__":
    sys.exit(main())
