"""The start script, run by the system's own sh with programs that stand in for uv and Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from installer.launcher import __main__ as entry
from installer.launcher import first_sign
from installer.launcher.errors import SetupFailed
from installer.launcher.network import Network
from installer.launcher.places import Places

ROOT = Path(__file__).parents[3]
SCRIPTS = ("start.sh", "install.sh")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script for sh")


def program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


@pytest.fixture
def place(tmp_path: Path) -> Path:
    launcher = tmp_path / "it's 100% $HOME 日本" / "installer" / "launcher"
    launcher.mkdir(parents=True)
    shutil.copy(ROOT / "installer/launcher/start.sh", launcher)
    return launcher


def start(
    place: Path, tmp_path: Path, *arguments: str, path: str = "/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "HOME": str(tmp_path / "a home"), "LANG": "C.UTF-8"}
    (tmp_path / "a home").mkdir(exist_ok=True)
    return subprocess.run(
        [str(place / "start.sh"), *arguments], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=30
    )


def test_the_python_of_the_last_set_up_is_used_at_once(place, tmp_path):
    python = program(tmp_path / "my env" / "python", 'printf "%s\\n" "$PYTHONPATH" "$@"')
    folder = tmp_path / "a home/.local/share/echogen-desktop/program"
    folder.mkdir(parents=True)
    (folder / "python-path").write_text(f"{python}\n", encoding="utf-8")
    result = start(place, tmp_path, "a photo.png", "-x")
    root = str(place.parent.parent)
    assert result.stdout.splitlines() == [root, "-P", "-m", "installer.launcher", "a photo.png", "-x"]


def test_a_folder_that_was_chosen_is_looked_in(place, tmp_path):
    python = program(tmp_path / "env/python", "echo chosen")
    other = tmp_path / "other disk"
    other.mkdir()
    (other / "python-path").write_text(f"{python}\n", encoding="utf-8")
    config = tmp_path / "a home/.config/echogen-desktop"
    config.mkdir(parents=True)
    (config / "program-folder").write_text(f"{other}\n", encoding="utf-8")
    assert start(place, tmp_path).stdout == "chosen\n"


@pytest.mark.parametrize("there", [True, False])
def test_uv_finds_or_brings_a_python(place, tmp_path, there):
    python = program(tmp_path / "found/python", "echo opened")
    marker = tmp_path / "brought"
    program(
        place / "bin/uv",
        f'[ "$2" = install ] && : > "{marker}" && exit 0\n'
        f'{"" if there else f"""[ -e "{marker}" ] || exit 2"""}\necho "{python}"',
    )
    result = start(place, tmp_path)
    assert result.stdout == "opened\n" and marker.exists() != there, result.stderr


def test_python_comes_from_the_users_mirror_through_the_users_proxy(place, tmp_path, monkeypatch):
    """The settings that the set-up window writes hold before there is a Python to read them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "a home" / ".config"))
    for name in ("ECHOGEN_PYTHON", "ECHOGEN_PROXY"):
        monkeypatch.delenv(name, raising=False)
    program(place / "bin/uv", 'echo "$UV_PYTHON_INSTALL_MIRROR $HTTPS_PROXY $https_proxy" >&2; exit 2')
    log = tmp_path / "a home/.local/share/echogen-desktop/program/setup.log"
    start(place, tmp_path)
    assert log.read_text(encoding="utf-8").split() == []
    Network(python="https://mirror/a?b=1&c", proxy="http://me:p'w@proxy:3128").save()
    start(place, tmp_path)
    words = log.read_text(encoding="utf-8").split()
    assert words[:3] == ["https://mirror/a?b=1&c", "http://me:p'w@proxy:3128", "http://me:p'w@proxy:3128"]


def test_a_python_that_broke_is_left_for_another_one(place, tmp_path):
    """As after an upgrade of the system that took its library away."""
    folder = tmp_path / "a home/.local/share/echogen-desktop/program"
    folder.mkdir(parents=True)
    broken = program(tmp_path / "broken/python", "echo 'error while loading shared libraries' >&2; exit 127")
    (folder / "python-path").write_text(f"{broken}\n", encoding="utf-8")
    python = program(tmp_path / "found/python", "echo opened")
    program(place / "bin/uv", f'echo "{python}"')
    assert start(place, tmp_path).stdout == "opened\n"


def test_without_uv_and_without_a_network_it_says_so(place, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("readlink", "mkdir", "sh"):
        (bare / name).symlink_to(shutil.which(name) or "")
    result = start(place, tmp_path, path=str(bare))
    assert result.returncode == 1 and "uv, which brings Python, is missing" in result.stderr
    program(place / "bin/uv", "echo 'no route' >&2; exit 2")
    result = start(place, tmp_path)
    assert result.returncode == 1 and "Python cannot be fetched" in result.stderr
    log = tmp_path / "a home/.local/share/echogen-desktop/program/setup.log"
    assert "no route" in log.read_text(encoding="utf-8")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_are_clean(name):
    result = subprocess.run(["shellcheck", str(ROOT / "installer/launcher" / name)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def mac(tmp_path: Path, *, arm: int = 1) -> str:
    """A PATH on which this computer is a Mac."""
    program(tmp_path / "mac/uname", "echo Darwin")
    program(tmp_path / "mac/sysctl", f'[ "$*" = "-in hw.optional.arm64" ] && echo {arm}')
    program(tmp_path / "mac/osascript", f'for words; do :; done; echo "$words" >>"{tmp_path}/alert"')
    return f"{tmp_path}/mac:/usr/bin:/bin"


def test_on_a_mac_the_folders_are_those_of_its_library(place, tmp_path):
    python = program(tmp_path / "env/python", "echo mac")
    folder = tmp_path / "a home/Library/Application Support/echogen-desktop/program"
    folder.mkdir(parents=True)
    (folder / "python-path").write_text(f"{python}\n", encoding="utf-8")
    assert start(place, tmp_path, path=mac(tmp_path)).stdout == "mac\n"


def test_a_mac_with_an_intel_processor_is_told_so_and_not_to_check_its_network(place, tmp_path):
    program(place / "bin/uv", "exit 2")
    result = start(place, tmp_path, path=mac(tmp_path, arm=0))
    assert result.returncode == 1 and "this one has an Intel processor" in result.stderr
    assert "Intel processor" in (tmp_path / "alert").read_text(encoding="utf-8")


def test_an_app_that_macos_runs_from_a_place_of_its_own_asks_to_be_moved(tmp_path):
    """It would be set up anew at every start, each time somewhere else."""
    moved = tmp_path / "AppTranslocation" / "0F0F" / "d" / "EchoGen.app/Contents/Resources/echogen/installer/launcher"
    moved.mkdir(parents=True)
    shutil.copy(ROOT / "installer/launcher/start.sh", moved)
    program(moved / "bin/uv", "echo /nowhere")
    result = start(moved, tmp_path, path=mac(tmp_path))
    assert result.returncode == 1 and "Drag EchoGen to the Applications folder" in result.stderr


@pytest.mark.parametrize(
    ("locale", "words"),
    [("zh_CN.UTF-8", "正在获取"), ("zh_TW.UTF-8", "Getting"), ("de_DE.UTF-8", "Getting"), ("", "Getting")],
)
def test_the_first_sign_speaks_the_language_of_the_system(monkeypatch, locale, words):
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    monkeypatch.setattr("sys.platform", "linux")
    assert first_sign.text().startswith(words)


def test_whatever_happens_before_there_is_a_window_is_said(tmp_path, monkeypatch, capsys):
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("ECHOGEN_UV", "uv")

    def broken(*_: object) -> int:
        raise PermissionError(13, "not allowed", "state.json")

    monkeypatch.setattr(entry, "_open", broken)
    assert entry.main([]) == 1
    words = capsys.readouterr().err
    log = tmp_path / "XDG_DATA_HOME/echogen-desktop/program/setup.log"
    assert "not allowed: 'state.json'" in words and str(log) in words
    assert "in broken" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(("answer", "used"), [(0, "large 日本/EchoGen"), (1, "")], ids=["another folder", "closed"])
def test_a_full_disk_before_there_is_a_window_offers_another_folder(tmp_path, monkeypatch, answer, used):
    """The set-up window itself does not fit: the desktop's dialogs ask."""
    said = f'echo "$*" >>"{tmp_path}/asked"'
    zenity = f'case $1 in --question) exit {answer} ;; --file-selection) echo "{tmp_path}/large 日本" ;; esac'
    program(tmp_path / "bin/zenity", f"{said}\n{zenity}")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("ECHOGEN_UV", "uv")
    monkeypatch.setenv("ECHOGEN_INSTALLED", "")
    monkeypatch.setattr("sys.platform", "linux")
    opened: list[Path] = []

    def small(places: Places, *_: object) -> int:
        opened.append(places.folder)
        if len(opened) == 1:
            raise SetupFailed("0.4 GB are needed, and 0.1 GB are free.", "Make room.", "disk")
        return 0

    monkeypatch.setattr(entry, "_open", small)
    assert entry.main([]) == (0 if used else 1)
    assert opened[1:] == ([tmp_path / used] if used else [])
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert "0.4 GB are needed, and 0.1 GB are free. Make room." in asked
    assert ("--file-selection" in asked) == bool(used)
    assert "--error" not in asked, "it is said once"


def test_the_launcher_needs_no_package():
    """It runs before there is any: ``-S`` hides those of the tests."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import installer.launcher.__main__, installer.launcher.removal"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, timeout=120)
