"""Makes ``EchoGen.app`` and the ``.dmg`` for Apple silicon, in ``build/macos``: ``python3 installer/make_macos.py --python FOLDER``.

The app holds the program, uv, and the Python in FOLDER (``uv python install 3.11 --install-dir FOLDER``), so that the first sign of the
launcher is there at once. ``hdiutil``, which makes the .dmg, is on every Mac; ``--no-dmg`` makes the app alone, on any system.
"""

from __future__ import annotations

import argparse
import plistlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installer.desktop_entry import APP_ID, NAME  # noqa: E402
from installer.launcher.targets import OLDEST_MAC  # noqa: E402
from installer.launcher.versions import version_of  # noqa: E402
from installer.make_packages import fetch_uv, put_program  # noqa: E402

START = """#!/bin/sh
# Finder starts this file. Everything else is beside it.
here=$(cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
exec "$here/../Resources/echogen/installer/launcher/start.sh" "$@"
"""

# A signed Python with the hardened runtime loads no library of anybody else, and all packages are.
ENTITLEMENTS = {"com.apple.security.cs.disable-library-validation": True}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make_macos.py", description="Make EchoGen.app and the .dmg.")
    parser.add_argument("--python", type=Path, required=True, help="folder of a Python for macOS, as uv installs it")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "macos", help="folder for it (%(default)s)")
    parser.add_argument("--uv", type=Path, help="a uv to take along instead of the pinned one")
    parser.add_argument("--updates", default="", help="address of the latest.json of later versions")
    parser.add_argument("--app", type=Path, help="pack this app, signed meanwhile, instead of making one")
    parser.add_argument("--no-dmg", action="store_true", help="make the app alone")
    options = parser.parse_args(arguments)
    if options.app is None and not options.python.is_dir():  # the app that was made before goes first
        parser.error(f"there is no folder {options.python}")
    app = options.app or make_app(options.out, options.python, options.uv, options.updates)
    print(app if options.no_dmg else make_dmg(app, options.out))
    return 0


def make_app(out: Path, python: Path, uv: Path | None = None, updates: str = "") -> Path:
    """Make the app, and ``entitlements.plist`` beside it for who signs it. Returns the app's folder."""
    app = out / f"{NAME}.app"
    shutil.rmtree(app, ignore_errors=True)
    resources, programs = app / "Contents" / "Resources", app / "Contents" / "MacOS"
    programs.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        put_program(resources / "echogen", uv or fetch_uv(Path(folder), "macos"), updates)
    shutil.copytree(python, resources / "echogen" / "python", symlinks=True)
    shutil.copyfile(ROOT / "resources" / "icons" / "echogen.icns", resources / "echogen.icns")
    start = programs / NAME
    start.write_text(START, encoding="utf-8", newline="\n")
    start.chmod(0o755)
    (out / "entitlements.plist").write_bytes(plistlib.dumps(ENTITLEMENTS))
    (app / "Contents" / "Info.plist").write_bytes(plistlib.dumps(information(version_of(ROOT))))
    return app


def information(version: str) -> dict[str, object]:
    """The content of ``Info.plist``."""
    return {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleDisplayName": NAME,
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "Picture",
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",  # what opens pictures by default stays as it is
                "LSItemContentTypes": ["public.png", "public.jpeg", "org.webmproject.webp", "public.tiff"],
            }
        ],
        "CFBundleExecutable": NAME,
        "CFBundleIconFile": "echogen.icns",
        "CFBundleIdentifier": APP_ID,
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleLocalizations": ["en", "zh_CN"],
        "CFBundleName": NAME,
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": version,
        "CFBundleVersion": version,
        "LSApplicationCategoryType": "public.app-category.graphics-design",
        "LSArchitecturePriority": ["arm64"],
        "LSMinimumSystemVersion": ".".join(map(str, OLDEST_MAC)),
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": "The EchoGen authors, MIT licence",
    }


def make_dmg(app: Path, out: Path) -> Path:
    """Pack an app beside a link to the applications, where it is to be dragged."""
    made = out / f"{NAME}-{version_of(ROOT)}-arm64.dmg"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(app, Path(folder) / app.name, symlinks=True)
        (Path(folder) / "Applications").symlink_to("/Applications")
        subprocess.run(
            ["hdiutil", "create", "-volname", NAME, "-srcfolder", folder, "-format", "UDZO", "-ov", str(made)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return made


if __name__ == "__main__":
    sys.exit(main())
