"""Makes what people download for Linux, in ``build/packages``: ``python3 installer/make_packages.py [deb run archive tar]``.

    echogen_VERSION_amd64.deb     for Debian and Ubuntu: a double-click, the system's own installer
    echogen-VERSION-x86_64.run    for every Linux: one file, installs for this user only; no administrator
    echogen-VERSION-x86_64.tar    the same for a double-click: unpacked, the file may be executed, and an entry beside it runs it
    echogen-VERSION.tar.gz        the program alone, as updates take it
    latest.json                   says that this is the newest version; lies beside the archive where programs look for updates

Each holds the program, the mini model and a pinned uv, which brings Python and the packages at the first start. Standard library,
tar and dpkg-deb only.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installer.bootstrap import SYSTEM_LIBRARIES, X_LIBRARIES  # noqa: E402
from installer.desktop_entry import APP_ID, desktop_entry  # noqa: E402
from installer.launcher.locks import PYTHON  # noqa: E402
from installer.launcher.updates import ADDRESS  # noqa: E402
from installer.launcher.versions import version_of  # noqa: E402

UV = "uv==0.13.9"
UV_FILES = {
    "linux": ("manylinux2014_x86_64", "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19", "uv"),
    "windows": ("win_amd64", "6a44b2ed8111d2f60d2b92627c5dccda3f7ed7570b18ce115e569cd68c28246b", "uv.exe"),
    "macos": ("macosx_11_0_arm64", "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63", "uv"),
}
"""System → the platform of its file in the package index, that file's digest, and the name of the program in it."""
CONTENTS = (
    "main.py",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "pyproject.toml",
    "app",
    "engine",
    "installer",
    "resources",
)
MIME = ROOT / "installer" / "linux" / f"{APP_ID}.xml"
LEFT_OUT = ("__pycache__", ".pyc", ".ts")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make_packages.py", description="Make the downloads for Linux.")
    parser.add_argument("kinds", nargs="*", metavar="kind", help="of: deb, run, archive, tar; by default all")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "packages", help="folder for them (%(default)s)")
    parser.add_argument("--uv", type=Path, help="a uv to take along instead of the pinned one")
    parser.add_argument(
        "--updates", default="", help="address of the latest.json of later versions; none: the program cannot look"
    )
    options = parser.parse_args(arguments)
    makers = {"deb": make_deb, "run": make_run, "archive": make_archive, "tar": make_tar}
    kinds = options.kinds or list(makers)
    if unknown := set(kinds) - set(makers):
        parser.error(f"there is no kind {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        uv = options.uv or fetch_uv(Path(folder))
        for kind in kinds:
            made = makers[kind](options.out, uv, updates=options.updates)
            print(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")
            if kind == "tar":
                print(make_announcement(made))
    return 0


def make_announcement(archive: Path) -> Path:
    """Write ``latest.json`` beside an archive, see ``launcher/updates.py``."""
    made = archive.with_name("latest.json")
    announced = {
        "version": version_of(ROOT),
        "news": json.loads((ROOT / "installer" / "news.json").read_text(encoding="utf-8")),
        "archive": archive.name,
        "size": archive.stat().st_size,
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
    }
    _put(made, json.dumps(announced, ensure_ascii=False, indent=1) + "\n")
    return made


def fetch_uv(folder: Path, system: str = "linux") -> Path:
    """The pinned uv of a system ("linux", "windows", "macos"), by pip and its digest. Returns the program's path."""
    platform, digest, name = UV_FILES[system]
    wanted = folder / "uv.txt"
    wanted.write_text(f"{UV} --hash=sha256:{digest}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--platform", platform, "--dest", str(folder), "-r", str(wanted)]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("uv-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (inside,) = (entry for entry in archive.namelist() if entry.endswith(f"/scripts/{name}"))
        program = folder / name
        program.write_bytes(archive.read(inside))
    program.chmod(0o755)
    return program


def put_program(target: Path, uv: Path | None, updates: str = "") -> None:
    """Copy the program into a folder, with uv where there is one, and the address of its newer versions."""
    target.mkdir(parents=True)
    for name in CONTENTS:
        source = ROOT / name
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_left_out)
        else:
            shutil.copyfile(source, target / name)
    (target / ADDRESS).unlink(missing_ok=True)
    if updates:
        _put(target / ADDRESS, f"{updates}\n")
    if uv is not None:
        folder = target / "installer" / "launcher" / "bin"
        folder.mkdir(exist_ok=True)
        name = "uv.exe" if uv.suffix == ".exe" else "uv"
        shutil.copyfile(uv, folder / name)
        (folder / name).chmod(0o755)
    _compile(target)
    for file in target.rglob("*"):
        program = file.is_dir() or os.access(file, os.X_OK)
        file.chmod(0o755 if program else 0o644)


def _compile(target: Path) -> None:
    """Compile the program for the launcher's Python.

    Where it is installed its user can often not write, and a signed app must stay as it is: Python would compile everything anew at
    every start. By the digest of the source, not its time, which packing changes.
    """
    if sys.version_info[:2] != tuple(map(int, PYTHON.split("."))):
        print(f"Not compiled: run this with Python {PYTHON}, and the program starts faster.", file=sys.stderr)
        return
    mode = PycInvalidationMode.CHECKED_HASH
    if not compileall.compile_dir(target, quiet=1, stripdir=target, invalidation_mode=mode):
        raise SystemExit("The program could not be compiled.")


def _left_out(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(LEFT_OUT) or (name == "bin" and folder.endswith("launcher"))]


def make_tar(out: Path, uv: Path | None = None, *, name: str = "", with_uv: bool = False, updates: str = "") -> Path:
    """The program as an archive; everything in it belongs to root, and its times are those of now."""
    version = version_of(ROOT)
    made = out / (name or f"echogen-{version}.tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / f"echogen-{version}"
        put_program(tree, uv if with_uv else None, updates)
        with tarfile.open(made, "w:gz", compresslevel=6) as archive:
            archive.add(tree, tree.name, filter=_roots)
    return made


def _roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def make_deb(out: Path, uv: Path, *, updates: str = "") -> Path:
    """A package of Debian. The program lies in /opt; what it sets up lies in each user's own folder."""
    version = version_of(ROOT)
    made = out / f"echogen_{version}_amd64.deb"
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        put_program(tree / "opt" / "echogen", uv, updates)
        (tree / "usr" / "bin").mkdir(parents=True)
        (tree / "usr" / "bin" / "echogen").symlink_to("/opt/echogen/installer/launcher/start.sh")
        _put(tree / "usr/share/applications" / f"{APP_ID}.desktop", desktop_entry("echogen"))
        icons = tree / "usr/share/icons/hicolor/scalable/apps"
        icons.mkdir(parents=True)
        shutil.copyfile(ROOT / "resources" / "icons" / "echogen.svg", icons / f"{APP_ID}.svg")
        _put(tree / "usr/share/mime/packages" / MIME.name, MIME.read_text(encoding="utf-8"))
        documents = tree / "usr/share/doc/echogen"
        documents.mkdir(parents=True)
        shutil.copyfile(ROOT / "LICENSE", documents / "copyright")
        size = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file()) // 1024
        _put(tree / "DEBIAN" / "control", CONTROL.format(version=version, size=size, depends=", ".join(depends())))
        _put(tree / "DEBIAN" / "postrm", AFTER_REMOVAL)
        (tree / "DEBIAN" / "postrm").chmod(0o755)
        # A umask must not decide who may read the program.
        for path in tree.rglob("*"):
            if path.is_dir():
                path.chmod(0o755)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "-z2", "--build", str(tree), str(made)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return made


CONTROL = """Package: echogen
Version: {version}
Architecture: amd64
Maintainer: The EchoGen authors <echogen@users.noreply.github.com>
Installed-Size: {size}
Depends: libc6 (>= 2.34), {depends}
Recommends: zenity
Section: graphics
Priority: optional
Description: Your subject, from one photo, in any scene you can describe
 Drop one photo of a pet, shoe, toy or product, correct the cut-out, type a
 prompt, and watch the picture form from coarse to fine. Everything runs on
 this computer. A small model comes along; larger ones can be downloaded.
 .
 At its first start the program fetches its packages into the user's own
 folder. "echogen --remove" takes them away again; pictures stay.
"""


# A package must not delete in anybody's home, but it can say what is left there.
AFTER_REMOVAL = """#!/bin/sh
set -e
if [ "$1" = remove ]; then
    echo "EchoGen is removed. What it fetched for each user (about 1.4 GB) stays in their home folder,"
    echo "in ~/.local/share/echogen-desktop/program, unless \"echogen --remove\" was run before; it can be deleted."
fi
"""


def depends() -> list[str]:
    """Debian's packages that Qt needs; what was renamed for 64-bit times has both names."""
    names = {packages[0] for packages in (SYSTEM_LIBRARIES | X_LIBRARIES).values()}
    return sorted(f"{name} | {name}t64" if name == "libglib2.0-0" else name for name in names)


def make_run(out: Path, uv: Path, *, updates: str = "") -> Path:
    """One file that unpacks and installs itself for the user who starts it."""
    made = out / f"echogen-{version_of(ROOT)}-x86_64.run"
    with tempfile.TemporaryDirectory() as folder:
        archive = make_tar(Path(folder), uv, name="payload.tar.gz", with_uv=True, updates=updates)
        head = (ROOT / "installer" / "launcher" / "install.sh").read_text(encoding="utf-8")
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        head = head.replace("@DIGEST@", digest).replace("@ENTRY@\n", desktop_entry('env "$quoted"'))
        # The line after which the archive begins, as tail counts.
        head = head.replace("@LINE@", str(head.count("\n") + 1))
        with made.open("wb") as stream, archive.open("rb") as payload:
            stream.write(head.encode())
            shutil.copyfileobj(payload, stream)
    made.chmod(0o755)
    return made


def make_archive(out: Path, uv: Path, *, updates: str = "") -> Path:
    """The ``.run`` in an archive. What is downloaded may not be executed, and a file manager shows it as text; what is unpacked may."""
    made = out / f"echogen-{version_of(ROOT)}-x86_64.tar"
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "EchoGen"
        tree.mkdir()
        make_run(tree, uv, updates=updates)
        entry = tree / "Install EchoGen.desktop"
        _put(entry, INSTALL_ENTRY)
        entry.chmod(0o755)
        # What lies in it is compressed already.
        with tarfile.open(made, "w") as archive:
            archive.add(tree, tree.name, filter=_roots)
    return made


# Some file managers run no script by a double-click, but an entry. Quoted as all of them read it (Thunar does not undo the backslashes of
# the specification); %k is the entry for most, its folder for PCManFM, which splits it at spaces.
INSTALL_ENTRY = """[Desktop Entry]
Type=Application
Version=1.4
Name=Install EchoGen
Name[zh_CN]=安装 EchoGen
Exec=sh -c 'here="$*"; [ -d "$here" ] || here=$(dirname "$here"); exec sh "$here"/echogen-*.run' sh %k
Icon=system-software-install
Terminal=false
"""


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


if __name__ == "__main__":
    sys.exit(main())
