"""The bootstrap: what it says when something is missing, how it goes on after a cut, and the menu entry."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import types
from pathlib import Path

import pytest

from installer import bootstrap, desktop_entry
from installer.launcher.targets import list_name

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path, monkeypatch):
    folder = tmp_path / "env"
    monkeypatch.setattr(bootstrap, "ENVIRONMENT", folder)
    monkeypatch.setattr(bootstrap, "LISTS", tmp_path / "locks")  # without a list, unless a test writes one
    monkeypatch.setenv("ECHOGEN_BACKEND", "cpu")
    monkeypatch.setattr(bootstrap, "environment_python", lambda environment=folder: environment / "bin" / "python")
    return folder


def test_only_the_standard_library_is_imported():
    import ast

    for name in ("bootstrap.py", "desktop_entry.py"):
        tree = ast.parse((ROOT / "installer" / name).read_text(encoding="utf-8"))
        imported = {
            alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        } | {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        assert imported - set(sys.stdlib_module_names) <= {"desktop_entry", "installer"}
    # What it takes from the launcher needs no package either.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import installer.launcher.targets, installer.launcher.locks"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0), (2, 7, 18)])
def test_a_wrong_python_is_said(monkeypatch, version, capsys):
    monkeypatch.setattr(sys, "version_info", version)
    assert bootstrap.main(["run"]) == 1
    assert f"this is Python {version[0]}.{version[1]}" in capsys.readouterr().err


def test_an_intel_mac_is_told_so_before_anything_is_fetched(monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.sys, "platform", "darwin")
    monkeypatch.setattr(bootstrap.platform, "machine", lambda: "x86_64")
    assert bootstrap.main(["run"]) == 1
    assert "no torch for Intel processors" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["install", "--help"], ["repair", "--help"], ["repair", "all"], ["install", "-x"]])
def test_what_a_command_does_not_know_is_not_passed_over(monkeypatch, words, capsys):
    """``install --help`` installed."""
    monkeypatch.setattr(bootstrap, "set_up", lambda with_tests: pytest.fail("nothing is to be done"))
    with pytest.raises(SystemExit) as ended:
        bootstrap.main(words)
    assert ended.value.code == (0 if "--help" in words else 2)


def test_a_disk_that_cannot_be_written_is_one_sentence(environment, monkeypatch, capsys):
    environment.write_text("no folder")
    monkeypatch.setattr(bootstrap, "make_environment", lambda: None)
    monkeypatch.setattr(bootstrap, "find_list", lambda: None)
    monkeypatch.setattr(bootstrap, "install_torch", lambda names: None)
    assert bootstrap.main(["run"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("A file or folder cannot be used. ")


@pytest.mark.parametrize("content", ["[project", "[tool]", "[project]"])
def test_a_damaged_description_of_the_project_is_one_sentence(environment, monkeypatch, tmp_path, content, capsys):
    (tmp_path / "pyproject.toml").write_text(content)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    assert bootstrap.main(["run"]) == 1
    assert f"{tmp_path / 'pyproject.toml'} is damaged" in capsys.readouterr().err


def test_a_missing_system_library_names_its_package(monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/x" if name == "apt-get" else None)
    text = "ImportError: libEGL.so.1: cannot open shared object file: No such file or directory"
    sentence = bootstrap.explain_missing_library(text)
    assert "libEGL.so.1" in sentence and "sudo apt-get install libegl1" in sentence
    assert "something odd" in bootstrap.explain_missing_library("Traceback\nsomething odd")


@pytest.mark.skipif(sys.platform != "linux", reason="an X server's libraries")
def test_all_that_an_x_server_needs_is_said_at_once(monkeypatch, environment, capsys):
    started = []
    monkeypatch.setattr(bootstrap, "set_up", lambda with_tests: None)
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda command, **_: started.append(command) or Ended())
    monkeypatch.setattr(bootstrap, "can_load", lambda library: library not in ("libxcb-icccm.so.4", "libxcb-util.so.1"))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if name == "apt-get" else None)
    monkeypatch.setenv("DISPLAY", ":5")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert bootstrap.main(["run"]) == 1
    assert "sudo apt-get install libxcb-icccm4 libxcb-util1" in capsys.readouterr().err
    assert not started
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")  # Qt draws on Wayland then
    assert bootstrap.main(["run"]) == 0
    assert len(started) == 1


class Ended:
    returncode = 0


class Commands:
    """Stands in for running programs: makes the environment, installs nothing, fails where told."""

    def __init__(self, environment: Path, fail_at: str = "") -> None:
        self.environment, self.fail_at, self.streamed = environment, fail_at, []

    def run(self, command, **_):
        words = [str(word) for word in command]
        if words[1:3] == ["-m", "venv"]:
            (self.environment / "bin").mkdir(parents=True)
            (self.environment / "bin" / "python").touch()

        class Result:
            returncode, stdout, stderr = 0, "", ""

        return Result()

    def stream(self, command):
        self.streamed.append([str(word) for word in command])
        (self.environment / "bootstrap.log").write_text("ERROR: the network is gone\n", encoding="utf-8")
        return int(bool(self.fail_at) and any(self.fail_at in word for word in self.streamed[-1]))


def install(environment, monkeypatch, commands, with_tests=False):
    monkeypatch.setattr(bootstrap.subprocess, "run", commands.run)
    monkeypatch.setattr(bootstrap, "_stream", commands.stream)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    bootstrap.set_up(with_tests=with_tests)


def test_set_up_resumes_after_a_cut(environment, monkeypatch):
    cut = Commands(environment, fail_at="PySide6")
    with pytest.raises(bootstrap.SetupError, match="the network is gone"):
        install(environment, monkeypatch, cut)
    assert len(cut.streamed) == 2  # torch arrived, the rest did not
    rest = Commands(environment)
    install(environment, monkeypatch, rest)
    assert len(rest.streamed) == 1, "torch must not be installed twice"
    again = Commands(environment)
    install(environment, monkeypatch, again)
    assert again.streamed == []


def test_tests_need_more_than_the_program(environment, monkeypatch):
    install(environment, monkeypatch, Commands(environment))
    assert bootstrap.is_ready() and not bootstrap.is_ready(with_tests=True)
    install(environment, monkeypatch, Commands(environment), with_tests=True)
    assert bootstrap.is_ready(with_tests=True) and bootstrap.is_ready()


@pytest.mark.parametrize("notes", ["{", "[]"])
def test_damaged_notes_mean_setting_up_again(environment, monkeypatch, notes):
    install(environment, monkeypatch, Commands(environment))
    (environment / "bootstrap.json").write_text(notes, encoding="utf-8")
    assert not bootstrap.is_ready()


def test_a_full_disk_is_said_before_anything_is_fetched(environment, monkeypatch):
    class Usage:
        free = 10**9

    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(bootstrap.SetupError, match=r"0\.9 GB is free"):
        bootstrap.set_up()


def test_uv_picks_the_torch_build_where_it_is_at_hand(environment, monkeypatch):
    commands = Commands(environment)
    monkeypatch.setattr(bootstrap, "_stream", commands.stream)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "uv" if name == "uv" else None)
    environment.mkdir()
    bootstrap.install_torch(["torch>=2.10,<2.14"])
    assert commands.streamed == [
        [
            "uv",
            "pip",
            "install",
            "--python",
            str(environment / "bin/python"),
            "--torch-backend=auto",
            "torch>=2.10,<2.14",
        ]
    ]


@pytest.mark.parametrize(
    ("backend", "system", "maker"),
    [
        ("rocm", "linux", "AMD"),
        ("xpu", "linux", "Intel"),
        ("cuda", "win32", "NVIDIA"),
        ("cuda", "linux", ""),
        ("cpu", "linux", ""),
    ],
)
def test_a_card_that_pips_torch_is_not_for_is_said(environment, monkeypatch, capsys, backend, system, maker):
    """Where there is no uv, or uv does not reach PyTorch's own index."""
    commands = Commands(environment)
    monkeypatch.setattr(bootstrap, "_stream", commands.stream)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv("ECHOGEN_BACKEND", backend)
    environment.mkdir()
    bootstrap.install_torch(["torch>=2.10,<2.14"])
    output = capsys.readouterr().err
    assert f"not for graphics cards by {maker}: EchoGen draws with the processor" in output if maker else output == ""


def test_notes_are_json(environment, monkeypatch):
    install(environment, monkeypatch, Commands(environment))
    notes = json.loads((environment / "bootstrap.json").read_text(encoding="utf-8"))
    assert set(notes) == {"torch", "list", "packages"}


LINE = "{}=={} \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture
def listed(environment, monkeypatch) -> Path:
    """The list for this machine."""
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 11, 9))
    bootstrap.LISTS.mkdir()
    file = bootstrap.LISTS / f"{list_name('cpu')}.txt"
    file.write_text("# torch-backend: cpu\n" + LINE.format("numpy", "2.4.6") + LINE.format("torch", "2.13.0+cpu"))
    return file


def asked(commands: Commands) -> list[str]:
    """What each command was to install: the name of a file of a list, or "pyproject.toml"."""
    return [
        Path(command[command.index("-r") + 1]).name if "-r" in command else "pyproject.toml"
        for command in commands.streamed
    ]


def test_the_launchers_list_is_installed_with_its_digests(environment, listed, monkeypatch):
    commands = Commands(environment)
    install(environment, monkeypatch, commands)
    assert asked(commands) == ["torch.txt", "packages.txt"] and bootstrap.is_ready()
    assert all("--require-hashes" in command and "--no-deps" in command for command in commands.streamed)
    assert (environment / "torch.txt").read_text(encoding="utf-8") == LINE.format("torch", "2.13.0+cpu")
    assert (environment / "packages.txt").read_text(encoding="utf-8") == LINE.format("numpy", "2.4.6")
    install(environment, monkeypatch, tests := Commands(environment), with_tests=True)
    assert asked(tests) == ["packages.txt", "pyproject.toml"], "what tests need besides is in no list"
    listed.write_text(listed.read_text(encoding="utf-8").replace("2.4.6", "2.4.7"), encoding="utf-8")
    assert not bootstrap.is_ready() and not bootstrap.is_ready(with_tests=True)
    install(environment, monkeypatch, newer := Commands(environment))
    assert asked(newer) == ["packages.txt"], "torch is the same"
    assert "2.4.7" in (environment / "packages.txt").read_text(encoding="utf-8")


def test_uv_is_asked_first_and_for_the_builds_of_the_list(environment, listed, monkeypatch):
    commands = Commands(environment)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "uv" if name == "uv" else None)
    monkeypatch.setattr(bootstrap, "_stream", commands.stream)
    environment.mkdir()
    lock = bootstrap.find_list()
    assert lock is not None and bootstrap.install_listed(lock.packages[1:], "torch", lock.backend)
    (command,) = commands.streamed
    assert command[:3] == ["uv", "pip", "install"] and command[command.index("--torch-backend") + 1] == "cpu"
    commands.fail_at = "--torch-backend"  # as where PyTorch's own index cannot be reached
    assert bootstrap.install_listed(lock.packages[1:], "torch", lock.backend)
    assert [command[1:3] for command in commands.streamed[-2:]] == [["pip", "install"], ["-m", "pip"]]


@pytest.mark.parametrize(
    ("refused", "order", "used"),
    [
        ("torch.txt", ["torch.txt", "pyproject.toml", "packages.txt"], True),
        ("packages.txt", ["torch.txt", "packages.txt", "pyproject.toml"], False),
    ],
)
def test_what_the_index_does_not_have_comes_as_pyproject_allows(
    environment, listed, monkeypatch, capsys, refused, order, used
):
    commands = Commands(environment, fail_at=refused)
    install(environment, monkeypatch, commands)
    assert asked(commands) == order
    assert "(ERROR: the network is gone): taking what pyproject.toml allows" in capsys.readouterr().err
    install(environment, monkeypatch, again := Commands(environment))
    assert again.streamed == [] and bootstrap.is_ready(), "it is settled until the list changes"
    listed.write_text(LINE.format("torch", "2.13.1+cpu"), encoding="utf-8")
    assert bootstrap.is_ready() != used


@pytest.mark.parametrize(
    ("backend", "version", "reason"),
    [
        ("rocm", (3, 11, 9), "-rocm and Python 3.11"),
        ("cpu", (3, 12, 1), "-cpu and Python 3.12"),
        ("damaged", (3, 11, 9), "is damaged"),
    ],
)
def test_where_there_is_no_list_that_is_said(listed, monkeypatch, capsys, backend, version, reason):
    listed.with_name(f"{list_name('damaged')}.txt").write_text("<<<<<<< ours\n", encoding="utf-8")
    monkeypatch.setenv("ECHOGEN_BACKEND", backend)
    monkeypatch.setattr(bootstrap.sys, "version_info", version)
    assert bootstrap.find_list() is None
    words = capsys.readouterr().err
    assert reason in words and words.endswith(": taking what pyproject.toml allows.\n")


def test_an_environment_of_before_there_were_lists_stays_as_it_is(environment, listed, monkeypatch):
    environment_python = environment / "bin/python"
    environment_python.parent.mkdir(parents=True)
    environment_python.touch()
    (environment / "bootstrap.json").write_text(
        json.dumps({"torch": "x", "packages": bootstrap._digest(bootstrap.read_dependencies(False))}), encoding="utf-8"
    )
    assert bootstrap.is_ready()


@pytest.mark.skipif(not shutil.which("gio") or not shutil.which("dbus-run-session"), reason="needs gio and dbus")
def test_the_desktop_entry_starts_the_program(tmp_path, monkeypatch):
    """As the desktop starts it, from a folder whose name has everything that needs quoting."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_DATA_HOME")
    root, started = tmp_path / 'Echo $Gen 100% "a" `b` \\ 日本', tmp_path / "started"
    (root / "resources" / "icons").mkdir(parents=True)
    (root / "resources" / "icons" / "echogen.svg").write_text("<svg/>", encoding="utf-8")
    python = root / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > "{started}.part"; mv "{started}.part" "{started}"\n', encoding="utf-8"
    )
    python.chmod(0o755)
    entry = desktop_entry.install_entry(root, python, tmp_path / "home")
    assert (tmp_path / "home/.local/share/icons/hicolor/scalable/apps" / f"{desktop_entry.APP_ID}.svg").exists()
    # Nothing is captured: services that the session starts would hold the other end of a pipe.
    command = ["dbus-run-session", "gio", "launch", str(entry), "/a photo.png"]
    # Nor is the session to mount anything in the home folder of a test.
    environment = {**os.environ, "GIO_USE_VFS": "local", "GVFS_DISABLE_FUSE": "1"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    for _ in range(100):
        if started.exists():
            break
        time.sleep(0.05)
    assert started.read_text(encoding="utf-8").splitlines() == ["-I", str(root / "main.py"), "/a photo.png"]


@pytest.mark.parametrize("error", [FileNotFoundError("powershell"), subprocess.CalledProcessError(1, "powershell")])
def test_a_menu_that_cannot_be_written_is_said(monkeypatch, capsys, error):
    def refused(*_: object) -> None:
        raise error

    monkeypatch.setattr(bootstrap, "set_up", lambda with_tests: None)
    # Beside the script, where it is when that is run.
    monkeypatch.setitem(sys.modules, "desktop_entry", types.SimpleNamespace(install_entry=refused))
    assert bootstrap.main(["install"]) == 1
    assert "could not be added to the menu:" in capsys.readouterr().err


def test_the_desktop_entry_is_quoted_as_its_specification_says(tmp_path):
    assert desktop_entry._quote(Path('/a $b/100%/"c"')) == '"/a \\\\$b/100%%/\\\\"c\\\\""'
    assert "Exec=env x %F\n" in desktop_entry.desktop_entry("env x")


def test_the_mac_application_has_a_program_and_a_plist(tmp_path, monkeypatch):
    import plistlib

    monkeypatch.setattr(sys, "platform", "darwin")
    bundle = desktop_entry.install_entry(tmp_path, tmp_path / "it's/python", tmp_path)
    information = plistlib.loads((bundle / "Contents/Info.plist").read_bytes())
    start = bundle / "Contents/MacOS" / information["CFBundleExecutable"]
    assert start.stat().st_mode & 0o111 and "it'\\''s" in start.read_text(encoding="utf-8")


def test_packages_of_other_programs_do_not_come_first(tmp_path, monkeypatch):
    import main as start

    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert not start.foreign_packages()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", start.ROOT]))
    assert not start.foreign_packages()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert start.foreign_packages()
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, command: called.append(command) or sys.exit(0))
    monkeypatch.setattr(start.subprocess, "call", lambda command: called.append(command) or sys.exit(0))
    with pytest.raises(SystemExit):
        start.main(["photo.jpg"])
    assert called[0][1] == "-I" and called[0][-1] == "photo.jpg"


def test_a_missing_package_of_whatever_kind_starts_the_set_up():
    """One that came with a newer version was not looked for: a double-click ended in a traceback instead of the set-up."""
    import main as start

    other_names = {
        "pillow": "PIL",
        "opencv_python_headless": "cv2",
        "PySide6_Essentials": "PySide6",
        "Send2Trash": "send2trash",
    }
    project = tomllib.loads((bootstrap.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = {re.match(r"[\w-]+", wanted)[0].replace("-", "_") for wanted in project["dependencies"]}
    assert set(start.NEEDED) == {other_names.get(package, package) for package in packages}


@pytest.mark.parametrize("waiting", [True, False])
def test_an_installed_program_that_cannot_be_loaded_goes_to_its_launcher(tmp_path, monkeypatch, capsys, waiting):
    """And never to the developers' set-up, which would write beside the installed program."""
    import main as start

    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("ECHOGEN_INSTALLED", str(tmp_path))
    monkeypatch.setenv("ECHOGEN_DAMAGED", str(tmp_path / "damaged"))
    monkeypatch.delenv("ECHOGEN_WINDOW_SHOWN", raising=False)
    if waiting:
        monkeypatch.setenv("ECHOGEN_WINDOW_SHOWN", str(tmp_path / "shown"))
    called: list[list[str]] = []
    monkeypatch.setattr(start.subprocess, "call", lambda command: called.append(command) or 7)
    monkeypatch.setattr(start, "packages_missing", lambda: ["torch"])
    assert start.main(["photo.jpg"]) == (1 if waiting else 7)
    monkeypatch.setattr(start, "packages_missing", list)
    monkeypatch.setitem(sys.modules, "app.run", None)  # its import fails
    assert start.main(["photo.jpg"]) == (1 if waiting else 7)
    assert capsys.readouterr().err.count("EchoGen cannot be loaded:") == 2
    if waiting:
        assert not called, "the launcher waits for the window, and repairs by itself"
        return
    assert called == [[sys.executable, "-I", str(tmp_path / "installer/launcher/start.pyw"), "photo.jpg"]] * 2
    assert (tmp_path / "damaged").read_text(encoding="utf-8") == "window\n"


def _checks(monkeypatch, arguments: list[str], failing: str = "") -> tuple[int, list[str]]:
    ran = []

    class Result:
        returncode = 0

    def run(command, cwd, env):
        ran.append(" ".join(command[1:]))
        result = Result()
        result.returncode = int(bool(failing) and failing in ran[-1])
        return result

    monkeypatch.setattr(bootstrap.subprocess, "run", run)
    return bootstrap.run_checks(arguments), ran


def test_every_test_runs_once_and_those_that_measure_time_run_alone(monkeypatch):
    monkeypatch.setattr(bootstrap.os, "cpu_count", lambda: 2)
    code, ran = _checks(monkeypatch, [])
    assert code == 0
    assert ran[-2:] == [
        "-m pytest -n 2 --dist loadfile -m not long and not serial",
        "-m pytest -m serial and not long",
    ]
    monkeypatch.setattr(bootstrap.os, "cpu_count", lambda: 1)
    assert _checks(monkeypatch, [])[1][-2] == "-m pytest -m not long and not serial"


def test_a_failure_is_said_and_the_other_checks_run_all_the_same(monkeypatch, capsys):
    code, ran = _checks(monkeypatch, [], failing="mypy")
    assert code == 1 and len(ran) == 6
    assert "Failed: types." in capsys.readouterr().err


def test_arguments_choose_tests_and_leave_the_other_checks_out(monkeypatch):
    assert _checks(monkeypatch, ["-m", "long"]) == (0, ["-m pytest -m long"])
