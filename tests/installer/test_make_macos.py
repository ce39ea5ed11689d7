"""The app for macOS, made here: its folders, its property list, and its start from a hostile folder."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from installer import make_macos, make_packages

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and modes of files")


@pytest.fixture
def app(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(
        make_packages, "CONTENTS", ("main.py", "LICENSE", "installer", "engine/version.py", "resources/icons")
    )
    python = tmp_path / "pythons" / "cpython-3.11.9-macos-aarch64-none" / "bin" / "python3.11"
    python.parent.mkdir(parents=True)
    python.touch(0o755)
    (python.parent / "python3").symlink_to("python3.11")
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    return make_macos.make_app(tmp_path / "it's 100% $HOME 日本", tmp_path / "pythons", uv)


def test_the_property_list_names_what_is_there(app):
    with (app / "Contents/Info.plist").open("rb") as stream:
        values = plistlib.load(stream)
    assert os.access(app / "Contents/MacOS" / values["CFBundleExecutable"], os.X_OK)
    assert (app / "Contents/Resources" / values["CFBundleIconFile"]).is_file()
    assert values["CFBundlePackageType"] == "APPL" and values["LSMinimumSystemVersion"] == "14.0"
    assert values["CFBundleVersion"].replace(".", "").isdigit()
    (kinds,) = values["CFBundleDocumentTypes"]
    assert kinds["LSHandlerRank"] == "Alternate" and "public.png" in kinds["LSItemContentTypes"]
    python = app / "Contents/Resources/echogen/python/cpython-3.11.9-macos-aarch64-none/bin/python3"
    assert python.is_symlink() and os.access(python, os.X_OK)


def test_a_signed_python_may_load_the_packages_that_others_signed(app):
    with (app.parent / "entitlements.plist").open("rb") as stream:
        assert plistlib.load(stream)["com.apple.security.cs.disable-library-validation"] is True
    workflow = (make_packages.ROOT / ".github/workflows/installers.yml").read_text(encoding="utf-8")
    signing = [line for line in workflow.splitlines() if "--options runtime" in line]
    assert len(signing) == 2 and all("--entitlements build/macos/entitlements.plist" in line for line in signing)


def test_it_starts_from_any_folder(app, tmp_path):
    start = app / "Contents/Resources/echogen/installer/launcher/start.sh"
    start.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n', encoding="utf-8")
    command = [str(app / "Contents/MacOS/EchoGen"), "a photo.png"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"})
    program, photo = done.stdout.splitlines()
    assert Path(program).resolve() == start.resolve() and photo == "a photo.png", done.stderr


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
def test_its_script_is_clean(app):
    done = subprocess.run(["shellcheck", str(app / "Contents/MacOS/EchoGen")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
