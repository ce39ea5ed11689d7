"""The downloads for Linux, made of a small program: installed, looked at, removed."""

from __future__ import annotations

import configparser
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from installer import make_packages
from installer.desktop_entry import COMMENT
from installer.launcher import updates

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="packages for Linux")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Few of the program's files, and a uv that does nothing; an umask that would hide files from others."""
    monkeypatch.setattr(
        make_packages, "CONTENTS", ("main.py", "LICENSE", "installer", "engine/version.py", "resources/icons")
    )
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    return uv


def test_the_archive_is_one_folder_of_roots_without_leftovers(tmp_path, small):
    made = make_packages.make_tar(tmp_path, small)
    with tarfile.open(made) as tar:
        entries = tar.getmembers()
    names = [entry.name for entry in entries]
    assert {name.partition("/")[0] for name in names} == {made.name.removesuffix(".tar.gz")}
    assert not [name for name in names if name.endswith("/bin/uv")]
    assert made.name.removesuffix(".tar.gz") + "/installer/launcher/start.sh" in names
    assert {(entry.uid, entry.uname) for entry in entries} == {(0, "root")}
    assert all(entry.mode & 0o044 == 0o044 for entry in entries)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="compiled by the launcher's Python")
def test_the_program_is_compiled_for_folders_that_nobody_can_write(tmp_path, small):
    """Python takes what lies in the package, also after packing has changed every time, and never what another one compiled."""
    tree = tmp_path / "tree"
    make_packages.put_program(tree, None)
    for file in tree.rglob("*"):
        os.utime(file, (0, 0))
    sources = [file for file in tree.rglob("*.py") if file.name != "main.py"]
    for source in sources:
        assert Path(importlib.util.cache_from_source(str(source), optimization="")).is_file(), source
    run = [
        sys.executable,
        "-I",
        "-B",
        "-v",
        "-c",
        f"import sys; sys.path.insert(0, {str(tree)!r}); import installer.launcher.errors",
    ]
    errors = subprocess.run(run, capture_output=True, text=True, check=True).stderr
    assert f"code object from '{tree}/installer/launcher/__pycache__/errors" in errors
    (tree / "installer/launcher/errors.py").write_text("raise SystemExit(7)\n", encoding="utf-8")
    assert subprocess.run(run, capture_output=True).returncode == 7


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
def test_the_deb_holds_program_entry_and_uv(tmp_path, small):
    made = make_packages.make_deb(tmp_path, small)
    listing = subprocess.run(["dpkg-deb", "--contents", str(made)], capture_output=True, text=True, check=True).stdout
    lines = {line.split()[5]: line for line in listing.splitlines()}
    for path, mode in (
        ("./opt/echogen/main.py", "-rw-r--r-- root/root"),
        ("./opt/echogen/installer/launcher/bin/uv", "-rwxr-xr-x root/root"),
        ("./opt/echogen/installer/launcher/start.sh", "-rwxr-xr-x root/root"),
        ("./usr/share/applications/io.github.echogen.Desktop.desktop", "-rw-r--r-- root/root"),
        ("./usr/share/mime/packages/io.github.echogen.Desktop.xml", "-rw-r--r-- root/root"),
        ("./usr/bin/echogen", "lrwxrwxrwx root/root"),
    ):
        assert lines[path].startswith(mode)
    fields = subprocess.run(["dpkg-deb", "--field", str(made)], capture_output=True, text=True, check=True).stdout
    assert "Package: echogen" in fields and "libxcb-cursor0" in fields
    subprocess.run(["dpkg-deb", "--control", str(made), str(tmp_path / "control")], check=True)
    for step, words in (("remove", "~/.local/share/echogen-desktop/program"), ("purge", ""), ("upgrade", "")):
        after = subprocess.run([tmp_path / "control" / "postrm", step], capture_output=True, text=True, check=True)
        assert words in after.stdout and bool(after.stdout) == bool(words)
    if shutil.which("desktop-file-validate"):
        subprocess.run(["dpkg-deb", "--extract", str(made), str(tmp_path / "x")], check=True)
        entry = tmp_path / "x/usr/share/applications/io.github.echogen.Desktop.desktop"
        subprocess.run(["desktop-file-validate", str(entry)], check=True)


def test_the_archive_says_what_it_is(tmp_path, small):
    """``latest.json`` is read by the program's own reader, from a folder as from a server."""
    made = make_packages.make_tar(tmp_path, updates="https://example.org/latest.json")
    announced = make_packages.make_announcement(made)
    release = updates.newest(announced.as_uri())
    assert release.version == updates.version_of(ROOT) and release.size == made.stat().st_size
    assert set(release.news) == {"en", "zh_CN"} and release.archive == made.as_uri()
    with tarfile.open(made) as tar:
        text = tar.extractfile(f"{made.name.removesuffix('.tar.gz')}/{updates.ADDRESS.as_posix()}").read()
    assert text == b"https://example.org/latest.json\n"


def install(made: Path, target: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "ECHOGEN_TARGET": str(target)}
    return subprocess.run(["sh", str(made), "--no-start"], env=environment, capture_output=True, text=True, timeout=60)


def test_the_run_file_installs_updates_and_removes_itself(tmp_path, small):
    made, home = make_packages.make_run(tmp_path, small), tmp_path / "home"
    target = tmp_path / 'it\'s "100%" $x `日本`' / "echogen"
    for _ in range(2):  # the second time over the first
        result = install(made, target, home)
        assert result.returncode == 0, result.stderr
    assert (target / "main.py").exists() and (target / "installer/launcher/bin/uv").exists()
    assert sorted(path.name for path in target.parent.iterdir()) == ["echogen"]
    entry = home / ".local/share/applications/io.github.echogen.Desktop.desktop"
    words = entry.read_text(encoding="utf-8")
    assert f"Comment={COMMENT}\n" in words and "@" not in words, "it is the entry of the .deb with another command"
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", str(entry)], check=True)
    picture = home / "Pictures" / "EchoGen" / "duck.png"
    picture.parent.mkdir(parents=True)
    picture.touch()
    folder = home / ".local/share/echogen-desktop/program"
    folder.mkdir(parents=True)
    (folder / "python-path").write_text(f"{sys.executable}\n", encoding="utf-8")
    (folder / ".made-by-echogen-launcher").touch()
    shutil.copytree(ROOT / "app/language", target / "app/language")
    shutil.copy(ROOT / "app/__init__.py", target / "app")
    for module in (ROOT / "engine").glob("*.py"):  # the launcher gives files their names with engine/files.py
        shutil.copy(module, target / "engine")
    removed = subprocess.run(
        [str(target / "uninstall.sh")], env={"PATH": "/usr/bin:/bin", "HOME": str(home)}, capture_output=True, text=True
    )
    assert removed.returncode == 0, removed.stderr
    assert not target.exists() and not entry.exists() and not folder.exists() and picture.exists()
    assert [path for path in home.rglob("*") if path.is_file()] == [picture]
    assert not (home / ".local/share/mime").exists() and not (home / ".local/share/applications").exists()


def thunar(command: str, entry: Path) -> list[str]:
    """As Thunar and GLib put the place of an entry into its command: quoted."""
    return shlex.split(command.replace("%k", shlex.quote(str(entry))))


def pcmanfm(command: str, entry: Path) -> list[str]:
    """As PCManFM does: the entry's folder, and not quoted."""
    return shlex.split(command.replace("%k", str(entry.parent)))


@pytest.mark.parametrize(
    ("manager", "folder"),
    [(thunar, "it's 100% $HOME 日本"), (thunar, "plain"), (pcmanfm, "a b $HOME 日本"), (pcmanfm, "plain")],
    ids=["thunar-hostile", "thunar", "pcmanfm-hostile", "pcmanfm"],
)
def test_the_unpacked_archive_installs_by_a_double_click(tmp_path, small, manager, folder):
    """A file that was downloaded may not be executed: file managers show it as text. What they unpack may."""
    made, home = make_packages.make_archive(tmp_path, small), tmp_path / "home"
    with tarfile.open(made) as tar:
        assert {(one.uid, one.mode & 0o755) for one in tar.getmembers()} == {(0, 0o755)}
    place = tmp_path / folder
    place.mkdir(exist_ok=True)
    subprocess.run(["tar", "-xf", str(made), "-C", str(place)], check=True)
    (run,) = (place / "EchoGen").glob("*.run")
    assert os.access(run, os.X_OK)
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    entry = place / "EchoGen/Install EchoGen.desktop"
    parser.read(entry, encoding="utf-8")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    command = manager(parser["Desktop Entry"]["Exec"], entry)
    errors = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60).stderr
    assert (home / ".local/opt/echogen/main.py").is_file(), errors
    assert "Python cannot be fetched" in errors, "it went on to the launcher, whose uv does nothing here"


def test_what_others_added_to_the_desktop_stays(tmp_path, small):
    made, home, target = make_packages.make_run(tmp_path, small), tmp_path / "home", tmp_path / "there" / "echogen"
    share = home / ".local/share"
    kind = '<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info"><mime-type type="text/x-other"/></mime-info>'
    for name, text in (("mime/packages/other.xml", kind), ("applications/other.desktop", "[Desktop Entry]\n")):
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text(text, encoding="utf-8")
    assert install(made, target, home).returncode == 0
    (target / "installer/launcher/start.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    subprocess.run([str(target / "uninstall.sh")], env={"PATH": "/usr/bin:/bin", "HOME": str(home)}, check=True)
    assert (share / "mime/packages/other.xml").exists() and (share / "applications/other.desktop").exists()
    if shutil.which("update-mime-database"):
        types = (share / "mime/types").read_text(encoding="utf-8")
        assert "text/x-other" in types and "echogen" not in types


@pytest.mark.skipif(
    not shutil.which("update-mime-database") or not shutil.which("gio"), reason="needs a desktop's tools"
)
def test_a_picture_of_ours_is_told_and_every_other_png_stays_one(tmp_path):
    share = tmp_path / "share"
    (share / "mime/packages").mkdir(parents=True)
    shutil.copy(make_packages.MIME, share / "mime/packages")
    subprocess.run(["update-mime-database", str(share / "mime")], check=True, capture_output=True)
    ours = next((ROOT / "tests/data/profiles/0.1.0/Pictures").rglob("*.png"))
    shutil.copy(ours, tmp_path / "ours")
    shutil.copy(ours, tmp_path / "ours.png")
    shutil.copy(ROOT / "tests/pixels/snapshots/compare-dark.png", tmp_path / "other")
    shutil.copy(ROOT / "tests/pixels/snapshots/compare-dark.png", tmp_path / "other.png")
    found = {}
    for name in ("ours", "ours.png", "other", "other.png"):
        command = ["gio", "info", "-a", "standard::content-type", str(tmp_path / name)]
        environment = {**os.environ, "XDG_DATA_HOME": str(share), "LANG": "C.UTF-8"}
        output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        found[name] = output.rpartition("content-type: ")[2].strip()
    assert found == {
        "ours": "image/x-echogen+png",
        "ours.png": "image/png",
        "other": "image/png",
        "other.png": "image/png",
    }
    entry = make_packages.desktop_entry("echogen")
    assert "image/x-echogen+png" in entry and "image/png" in entry, "both are opened with EchoGen"


def test_a_run_file_that_arrived_damaged_changes_nothing(tmp_path, small):
    made, home, target = make_packages.make_run(tmp_path, small), tmp_path / "home", tmp_path / "there" / "echogen"
    target.mkdir(parents=True)
    (target / "old").touch()
    data = made.read_bytes()
    for damaged in (data[:-1000], data[:-10] + b"x" * 10):
        made.write_bytes(damaged)
        result = install(made, target, home)
        assert result.returncode == 1 and "arrived damaged" in result.stderr
    assert [path.name for path in target.parent.iterdir()] == ["echogen"] and (target / "old").exists()
    assert install(made, tmp_path / "nowhere" / "echogen", home).returncode == 1
    assert not (tmp_path / "nowhere").exists(), "nor does it leave an empty folder"
