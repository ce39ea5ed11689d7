"""Set up EchoGen in a private environment and open it. Standard library only: it runs before anything is installed.

    python3 installer/bootstrap.py run [photo.jpg]   set up if needed, then open the program
    python3 installer/bootstrap.py test [pytest …]   set up if needed, then run every check and test
    python3 installer/bootstrap.py install           add EchoGen to the desktop's menu
    python3 installer/bootstrap.py repair            set up again from scratch (models and pictures stay)

The environment is ``.venv`` beside this folder. It gets the packages of the launcher's list for this machine (``installer/locks``), and
what pyproject.toml allows where there is no list or the package index does not have what is in it. Every finished step is noted
in the environment, so that a set-up that was cut off goes on where it stopped, and a change of the packages is noticed.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, it sees its own folder alone

if TYPE_CHECKING:
    from installer.launcher.locks import Lock, Package

ENVIRONMENT = ROOT / ".venv"
LISTS = ROOT / "installer" / "locks"
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_BYTES = 4 * 2**30

# Shared libraries Qt loads, and the package that brings each (Debian and Ubuntu, Fedora, Arch).
SYSTEM_LIBRARIES = {
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd"),
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd"),
    "libOpenGL.so.0": ("libopengl0", "libglvnd-opengl", "libglvnd"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2"),
}
# What Qt needs besides to draw on an X server. It loads them late, and without one of them it can only give up.
X_LIBRARIES = {
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb", "libx11"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb", "libxcb"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb", "libxcb"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb", "libxcb"),
    "libxcb-util.so.1": ("libxcb-util1", "xcb-util", "xcb-util"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb", "libxcb"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
}
PACKAGE_MANAGERS = {
    "apt-get": ("sudo apt-get install", 0),
    "dnf": ("sudo dnf install", 1),
    "pacman": ("sudo pacman -S", 2),
}


_PASSING_ON = ("run", "test")


class SetupError(Exception):
    """Set-up cannot go on; the message is one sentence for the user."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up EchoGen and open it.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("run", "set up if needed, then open the program"),
        ("test", "set up if needed, then run every check and test"),
        ("install", "add EchoGen to the desktop's menu"),
        ("repair", "set up again from scratch"),
    ):
        # Those of the program and of pytest have options of their own, --help among them.
        commands.add_parser(name, help=text, add_help=name not in _PASSING_ON)
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command not in _PASSING_ON:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        check_python()
        if options.command == "repair":
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        set_up(with_tests=options.command == "test")
        if options.command == "run":
            return run(rest)
        if options.command == "test":
            return run_checks(rest)
        if options.command == "install":
            from desktop_entry import install_entry  # beside this file; the script's folder is on the path

            try:
                say(f"EchoGen is in the menu now: {install_entry(ROOT, environment_python())}")
            except (
                OSError,
                subprocess.CalledProcessError,
            ) as error:  # a Windows without PowerShell, or that forbids it
                raise SetupError(f"EchoGen could not be added to the menu: {error}") from error
        return 0
    except SetupError as error:
        say(str(error))
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        say(f"A file or folder cannot be used. {where}{error.strerror or error}.")
        return 1
    except KeyboardInterrupt:
        say("Stopped. Run the same command again to go on.")
        return 130


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def check_python() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SetupError(
            f"EchoGen needs Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, and this is Python "
            f"{sys.version_info[0]}.{sys.version_info[1]}: install one of those and run this again with it."
        )
    if sys.platform == "darwin" and platform.machine() != "arm64":
        raise SetupError(
            "EchoGen needs a Mac with Apple silicon and a Python made for it: there is no torch for Intel processors any more."
        )


def environment_python(environment: Path = ENVIRONMENT) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def read_dependencies(with_tests: bool) -> list[str]:
    import tomllib

    file = ROOT / "pyproject.toml"
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        return project["dependencies"] + (project["optional-dependencies"]["test"] if with_tests else [])
    except (ValueError, KeyError) as error:
        raise SetupError(f"{file} is damaged: get EchoGen again from where it came from.") from error


def find_list() -> Lock | None:
    """Return the launcher's list of packages for this machine and this Python; None, said with its reason, where there is none."""
    from installer.launcher.errors import SetupFailed
    from installer.launcher.locks import PYTHON, read_lock
    from installer.launcher.targets import find_backend, list_name

    file, python = LISTS / f"{list_name(find_backend())}.txt", f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        if python == PYTHON and file.is_file():
            return read_lock(file)
        reason = f"There is no list of packages for {file.stem} and Python {python}"
    except SetupFailed as failure:
        reason = failure.message.rstrip(".")
    say(f"      {reason}: taking what pyproject.toml allows.")
    return None


def is_ready(with_tests: bool = False) -> bool:
    """Return True if the environment holds what pyproject.toml and the list that it was made from ask for today."""
    done = _read_notes()
    name = done.get("list", "")
    return (
        environment_python().exists()
        and _wanted_digest(name, with_tests=False) == done.get("packages")
        and (not with_tests or _wanted_digest(name, with_tests=True) == done.get("test packages"))
    )


def _wanted_digest(name: str, *, with_tests: bool) -> str:
    """The digest of all that is asked for: by pyproject.toml, and by the list of that name ("" for none)."""
    file = LISTS / f"{name}.txt"
    listed = [file.read_text(encoding="utf-8")] if name and file.is_file() else []
    return _digest([*read_dependencies(with_tests), *listed])


def set_up(with_tests: bool = False) -> None:
    """Bring the environment up to date. Each step is skipped when it is done already."""
    if is_ready(with_tests):
        return
    started = time.monotonic()
    free = shutil.disk_usage(ROOT).free
    if not _read_notes() and free < NEEDED_BYTES:
        raise SetupError(
            f"EchoGen needs {NEEDED_BYTES / 2**30:.0f} GB for its environment and {free / 2**30:.1f} GB is free on this disk."
        )
    say("Setting up EchoGen. This happens once and takes a few minutes.")
    step(1, "Making a private environment")
    make_environment()
    lock = find_list()
    torch = [name for name in read_dependencies(False) if name.startswith("torch>")]
    locked = [package for package in lock.packages if package.name == "torch"] if lock else []
    state = _digest([*torch, *(package.line() for package in locked)])
    if _read_notes().get("torch") != state:
        step(2, "Installing torch for this machine (the large one)")
        if not locked or not install_listed(locked, "torch", lock.backend if lock else ""):
            install_torch(torch)
        _note("torch", state)
    step(3, "Installing the other packages")
    if lock and install_listed((package for package in lock.packages if package.name != "torch"), "packages"):
        _note("list", lock.name)
    else:
        _note("list", "")
        pip_install(read_dependencies(False))
    if with_tests:
        pip_install(read_dependencies(True))
    step(4, "Looking at what Qt needs from the system")
    check_qt()
    for tests, key in ((False, "packages"), (True, "test packages")):
        if with_tests or not tests:
            _note(key, _wanted_digest(_read_notes()["list"], with_tests=tests))
    say(f"Ready after {time.monotonic() - started:.0f} s.")


def step(number: int, text: str) -> None:
    say(f"[{number}/4] {text} …")


def make_environment() -> None:
    python = environment_python()
    if python.exists() and subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], capture_output=True, text=True)
    if made.returncode:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        if "ensurepip" in made.stdout + made.stderr:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise SetupError(
                f"Python's venv module is missing: install the package python{version}-venv and run this again."
            )
        raise SetupError(f"The environment could not be made: {_last_line(made.stderr or made.stdout)}")


def install_listed(packages: Iterable[Package], name: str, backend: str = "") -> bool:
    """Install exactly the files that a list names, by uv where it is at hand, else by pip.

    Args:
        packages: of the list.
        name: of the file in the environment that holds them for uv and pip.
        backend: of the list: the builds of torch that uv asks PyTorch's own index for; "" for those of the package index.

    Returns:
        False where the index does not have them (as one that builds its packages itself), or cannot be reached.
    """
    from installer.launcher.locks import requirements

    file = ENVIRONMENT / f"{name}.txt"
    file.write_text(requirements(packages), encoding="utf-8")
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(file)]
    builds = ["--torch-backend", backend] if backend else []
    uv = shutil.which("uv")
    if uv and _stream([uv, "pip", "install", "--python", str(environment_python()), *builds, *options]) == 0:
        return True
    if _stream(_pip(options)) == 0:
        return True
    reason = textwrap.shorten(_last_line(_log_path().read_text(encoding="utf-8", errors="replace")), 160)
    say(f"      Not to be had as the list says ({reason}): taking what pyproject.toml allows.")
    return False


def install_torch(torch: list[str]) -> None:
    """Let uv choose the build for this machine's card where uv is at hand, else take pip's."""
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--python", str(environment_python()), "--torch-backend=auto", *torch]
        if _stream(command) == 0:
            return
        say("      uv did not find a build; asking pip instead.")
    pip_install(torch)
    say_unused_card()


def say_unused_card() -> None:
    """pip has one build of torch for each system: for NVIDIA's cards on Linux, for the processor on Windows."""
    from installer.launcher.targets import MAKERS, find_backend

    backend = find_backend()
    if backend in MAKERS and not (backend == "cuda" and sys.platform == "linux"):
        say(
            f"      This build is not for graphics cards by {MAKERS[backend]}: EchoGen draws with the processor. Where PyTorch's own "
            "index can be reached, uv finds the build for them: “pip install uv”, then “bootstrap.py repair”."
        )


def pip_install(requirements: list[str]) -> None:
    if _stream(_pip(requirements)):
        raise SetupError(
            f"The packages could not be installed: {_last_line(_log_path().read_text(encoding='utf-8', errors='replace'))} "
            "What has arrived is kept; check the network and run the same command again."
        )


def _pip(arguments: list[str]) -> list[str]:
    command = [str(environment_python()), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    return [*command, "--progress-bar", "off", *arguments]


def check_qt() -> None:
    """Import Qt once and translate a missing system library into a package name."""
    code = "from PySide6 import QtCore, QtGui, QtWidgets, QtNetwork, QtSvg"
    result = subprocess.run([environment_python(), "-c", code], capture_output=True, text=True)
    if result.returncode == 0:
        return
    raise SetupError(explain_missing_library(result.stderr))


def check_x_server() -> None:
    """Check that all libraries which Qt needs are there, in one go, if an X server will draw the window."""
    plugin, display = os.environ.get("QT_QPA_PLATFORM", ""), os.environ.get("DISPLAY")
    wayland = os.environ.get("WAYLAND_DISPLAY")
    if sys.platform != "linux" or not (plugin.startswith("xcb") or (display and not wayland and not plugin)):
        return
    missing = [library for library in X_LIBRARIES if not can_load(library)]
    if missing:
        raise SetupError(explain_missing(missing))


def can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def explain_missing_library(text: str) -> str:
    """One sentence that names the missing library and the command that installs its package."""
    for library in (*SYSTEM_LIBRARIES, *X_LIBRARIES):
        if library in text:
            return explain_missing([library])
    return f"Qt cannot be loaded: {_last_line(text)}"


def explain_missing(libraries: list[str]) -> str:
    """The same for libraries of the tables."""
    known = SYSTEM_LIBRARIES | X_LIBRARIES
    several = len(libraries) > 1
    needs = f"Qt needs the system librar{'ies' if several else 'y'} {', '.join(libraries)}"
    for manager, (command, column) in PACKAGE_MANAGERS.items():
        if shutil.which(manager):
            packages = dict.fromkeys(known[library][column] for library in libraries)
            return f"{needs}: run “{command} {' '.join(packages)}” and try again."
    packages = dict.fromkeys(known[library][0] for library in libraries)
    names = f"package{'s' if several else ''} {', '.join(packages)} on Debian"
    return f"{needs} ({names}): install {'them' if several else 'it'} and try again."


def has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM"))


def run(arguments: list[str]) -> int:
    """Open the window; where there is no display, draw the example picture and name the file."""
    if has_display():
        check_x_server()
        # Isolated: packages that PYTHONPATH names are other programs', and PYTHONHOME another Python's.
        return subprocess.run([environment_python(), "-I", str(ROOT / "main.py"), *arguments]).returncode
    picture = ROOT / "build" / "example.png"
    picture.parent.mkdir(exist_ok=True)
    say("There is no display here, so the example is drawn without the window.")
    code = subprocess.run([environment_python(), "-m", "engine", "example", "--out", str(picture)], cwd=ROOT).returncode
    if code == 0:
        say(f"The picture is in {picture}")
    return code


def run_checks(arguments: list[str]) -> int:
    """Style, types, import rules, tests; with arguments only the tests that they choose. All are run; one failure is enough.

    ``--coverage`` runs all tests and prints which lines and branches of each package they went through.
    """
    if "--coverage" in arguments:
        return measure_coverage([argument for argument in arguments if argument != "--coverage"])
    python = str(environment_python())
    pytest = [python, "-m", "pytest"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Each worker computes with one core: two that want all cores are slower than one after the other.
    one_core = {**environment, "OMP_NUM_THREADS": environment.get("OMP_NUM_THREADS", "1")}
    if arguments:
        checks = [("the tests", [*pytest, *arguments], environment)]
    else:
        checks = [
            ("style", [python, "-m", "ruff", "check", "."], environment),
            ("format", [python, "-m", "ruff", "format", "--check", "."], environment),
            ("types", [python, "-m", "mypy"], environment),
            ("import rules", [str(Path(python).with_name("lint-imports"))], environment),
            ("the tests", [*pytest, *parallel_options(), "-m", "not long and not serial"], one_core),
            ("the tests that run alone", [*pytest, "-m", "serial and not long"], environment),
        ]
    failures = []
    for name, command, variables in checks:
        say(f"Checking {name} …")
        if subprocess.run(command, cwd=ROOT, env=variables).returncode:
            failures.append(name)
    if failures:
        say(f"Failed: {', '.join(failures)}.")
        return 1
    return 0


def measure_coverage(arguments: list[str]) -> int:
    """Run the tests (those that ``arguments`` choose, or all but the long ones) and print what they went through."""
    python, report = str(environment_python()), ROOT / "build" / "coverage.json"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COVERAGE_FILE": str(report.with_name(".coverage"))}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    environment.setdefault("OMP_NUM_THREADS", "1")
    measuring = ["--cov", "--cov-branch", "--cov-report=", f"--cov-report=json:{report}"]
    # What measures time fails while it is watched, and goes through nothing that others do not.
    chosen = arguments or [*parallel_options(), "-m", "not long and not serial"]
    code = subprocess.run([python, "-m", "pytest", *measuring, *chosen], cwd=ROOT, env=environment).returncode
    if report.is_file():
        subprocess.run([python, "-m", "tests.coverage_table", str(report)], cwd=ROOT, env=environment)
    return code


def parallel_options() -> list[str]:
    """Options that let pytest use the cores there are: a worker holds up to a gigabyte. A module stays with one worker."""
    workers = min(os.cpu_count() or 1, 4)
    return ["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []


def _stream(command: list[str]) -> int:
    """Run a command, show what it is fetching or installing, keep everything in the log."""
    with (
        _log_path().open("a", encoding="utf-8") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
    ):
        log.write(f"\n$ {' '.join(command)}\n")
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            words = line.strip()
            if words.startswith(("Downloading", "Collecting", "Installing", "Building", "Prepared", "Resolved")):
                say(f"      {words[:110]}")
        return process.wait()


def _log_path() -> Path:
    return ENVIRONMENT / "bootstrap.log"


def _notes_path() -> Path:
    return ENVIRONMENT / "bootstrap.json"


def _read_notes() -> dict[str, str]:
    try:
        notes = json.loads(_notes_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def _note(key: str, value: str) -> None:
    notes = {**_read_notes(), key: value}
    temporary = _notes_path().with_suffix(".tmp")
    temporary.write_text(json.dumps(notes, indent=1), encoding="utf-8")
    temporary.replace(_notes_path())


def _digest(lines: list[str]) -> str:
    text = "\n".join([*sorted(lines), f"{sys.version_info[0]}.{sys.version_info[1]}"])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no reason was given."])[-1]


if __name__ == "__main__":
    sys.exit(main())
