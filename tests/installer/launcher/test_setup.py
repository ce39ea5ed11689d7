"""The set-up with a real uv and an index on this computer: whole, cut off anywhere, damaged, refused."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from uv import find_uv_bin

from installer.launcher import __main__ as entry
from installer.launcher import opening
from installer.launcher import setup as module
from installer.launcher.errors import SetupFailed, Stopped
from installer.launcher.fetch import Control
from installer.launcher.folders import choose_folder, left_folders, synced_by
from installer.launcher.removal import remove
from installer.launcher.setup import Progress, Setup, only_one

ROOT = Path(__file__).parents[3]


def works(setup: Setup) -> bool:
    code = "import shiboken6, thing, thing; assert thing.value == 1"
    return subprocess.run([setup.python, "-I", "-c", code], capture_output=True).returncode == 0


def test_from_nothing_to_a_whole_environment_and_away_again(program, index):
    told: list[Progress] = []
    setup = Setup(program, told.append)
    setup.run(("window",))
    assert setup.is_done("window") and not setup.is_done("program")
    assert not any("thing" in path for path, _ in index.asked), "the window's packages come first"
    setup.run()
    assert setup.is_done("program") and works(setup)
    steps = list(dict.fromkeys((progress.step, progress.doing) for progress in told))
    assert steps.index(("window", "done")) < steps.index(("program", "fetch")) < steps.index(("program", "done"))
    assert not program.wheels.exists() and not program.cache.exists()
    asked = len(index.asked)
    Setup(program).run()
    assert len(index.asked) == asked, "what is done is not looked up again"
    assert (program.folder / "python-path").read_text(encoding="utf-8").strip() == str(setup.python)
    (program.folder.parent / "history.sqlite").touch()
    assert remove(program) == 0
    assert not program.folder.exists() and (program.folder.parent / "history.sqlite").exists()


@pytest.mark.parametrize(
    ("backend", "name", "maker"),
    [
        ("rocm", "linux-x86_64-cpu", "AMD"),
        ("xpu", "linux-x86_64-cpu", "Intel"),
        ("cuda", "windows-x86_64-cpu", "NVIDIA"),
        ("rocm", "linux-x86_64-rocm", ""),
        ("cuda", "linux-x86_64-cuda", ""),
        ("cuda", "linux-arm64-cpu", ""),
        ("cpu", "linux-x86_64-cpu", ""),
        ("mps", "macos-arm64-mps", ""),
    ],
)
def test_a_card_that_the_list_has_nothing_for_is_said_and_everything_works(program, monkeypatch, backend, name, maker):
    """Not silently slower: in the window, on the terminal, in the log."""
    locks = program.root / "installer/locks"
    shutil.copy(locks / "test.txt", locks / f"{name}.txt")
    if name == "linux-arm64-cpu":  # its torch is the one for NVIDIA
        made = f"nvidia-cublas==1 --hash=sha256:{'0' * 64}\n"
        (locks / f"{name}.txt").write_text(made, encoding="utf-8")
    monkeypatch.setattr(module, "choose_lock", lambda folder, wanted: folder / f"{name}.txt")
    monkeypatch.setenv("ECHOGEN_BACKEND", backend)
    setup = Setup(program)
    sentence = f"no packages for graphics cards by {maker}: it draws with the processor"
    assert sentence in setup.unused_card if maker else setup.unused_card == ""
    if maker == "AMD":
        setup.run(("window",))
        Setup(program).run()
        assert works(setup) and program.log.read_text(encoding="utf-8").count(sentence) == 1
        monkeypatch.setenv("ECHOGEN_BACKEND", "xpu")
        setup._notes.unlink()
        Setup(program).run()
        assert "cards by Intel" in program.log.read_text(encoding="utf-8"), "another card is another sentence"


def test_files_that_something_removed_come_back(program):
    setup = Setup(program)
    setup.run()
    assert setup.repair() == []
    (lost,) = setup.environment.glob("**/thing.py")
    lost.unlink()
    assert setup.repair() == ["thing"]
    assert setup.is_done("window") and not setup.is_done("program") and not works(setup)
    setup.run()
    assert works(setup)


@pytest.mark.skipif(sys.platform == "win32", reason="a script for sh")
def test_a_python_that_broke_is_replaced_and_its_packages_are_kept(program, index):
    setup = Setup(program)
    setup.run()
    index.files.clear()
    setup.python.unlink()
    setup.python.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    setup.python.chmod(0o755)
    assert not setup.is_done("window") and not setup.is_done("program")
    setup.run()
    assert works(setup) and setup.is_done("program")


def test_an_environment_that_cannot_be_kept_is_made_anew(program):
    setup = Setup(program)
    setup.run()
    shutil.rmtree(setup.python.parent)
    setup.python.parent.write_text("a file is in the way", encoding="utf-8")
    setup.run()
    assert works(setup) and setup.is_done("program")


def test_an_environment_is_kept_while_there_is_no_network(program, monkeypatch):
    setup = Setup(program)
    setup.run()
    setup.python.unlink()
    ways = []

    def run(uv, *arguments):
        ways.append(arguments[3])
        raise SetupFailed("The server cannot be reached.", "", "network")

    monkeypatch.setattr(module.Uv, "run", run)
    with pytest.raises(SetupFailed, match="cannot be reached"):
        setup.run()
    assert ways == ["--allow-existing"]


def test_what_python_compiled_anew_is_no_damage(program):
    """PySide6 brings compiled files along, of another size than those that Python writes at the first import."""
    setup = Setup(program)
    setup.run()
    (record,) = setup.environment.glob("**/thing-1.0.dist-info/RECORD")
    with record.open("a", encoding="utf-8") as stream:
        stream.write("__pycache__/thing.cpython-311.pyc,sha256=x,1\n")
    assert works(setup) and setup.repair() == []


def test_another_file_than_the_list_has_is_refused(program, index):
    index.files["thing-1.0-py3-none-any.whl"] += b"more"
    with pytest.raises(SetupFailed, match=r"no file of thing 1\.0|cannot be reached|could not be installed"):
        Setup(program).run()
    assert Setup(program).is_done("window") and not Setup(program).is_done("program")


def test_too_little_room_is_said_before_anything_is_fetched(program, index, monkeypatch):
    monkeypatch.setattr(module, "free_bytes", lambda folder: 1000)
    with pytest.raises(SetupFailed, match="are needed for the set-up") as failure:
        Setup(program).run()
    assert failure.value.kind == "disk"
    assert not program.wheels.exists()


def test_a_stop_ends_it_and_the_next_start_goes_on(program):
    control = Control()
    setup = Setup(program, lambda progress: control.stop() if progress.step == "program" else None, control)
    with pytest.raises(Stopped):
        setup.run()
    assert setup.is_done("window")
    Setup(program).run()
    assert works(setup)


@pytest.mark.parametrize(("system", "last"), [("win32", "PySide6"), ("linux", "bin")])
def test_torch_finds_the_runtime_that_qt_brings_on_a_bare_windows(program, monkeypatch, system, last):
    setup = Setup(program)
    monkeypatch.setattr(opening.sys, "platform", system)
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", "/bin"]))
    places = opening.environment(setup)["PATH"].split(os.pathsep)
    assert places[0] == "/usr/bin" and Path(places[-1]).name == last, "the system's own goes first"
    assert system == "linux" or Path(places[-1]).is_relative_to(setup.environment)


def test_two_at_once(program):
    program.prepare()
    with only_one(program), pytest.raises(SetupFailed, match="already"):
        Setup(program).run()


def test_a_folder_that_cannot_be_written_and_another_one(program, tmp_path):
    program.folder.parent.mkdir(parents=True)
    program.folder.write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(SetupFailed, match="Files cannot be written") as failure:
        Setup(program).run()
    assert failure.value.kind == "disk"
    assert choose_folder(tmp_path / "other disk") == "", "nothing was begun there"
    other = type(program).standard(program.root)
    assert other.folder == tmp_path / "other disk" / "EchoGen"
    Setup(other).run()
    assert works(Setup(other))


@pytest.mark.parametrize(
    ("folder", "service"),
    [
        ("OneDrive/Documents", "OneDrive"),
        ("OneDrive - Contoso Ltd/x", "OneDrive"),
        ("Library/CloudStorage/GoogleDrive-me/My Drive", "Google Drive"),
        ("Library/Mobile Documents/com~apple~CloudDocs", "iCloud Drive"),
        ("Dropbox (Personal)", "Dropbox"),
        ("my onedrive pictures", ""),
        ("Documents", ""),
    ],
)
def test_a_folder_that_is_kept_in_the_cloud_is_refused(program, tmp_path, folder, service):
    assert synced_by(tmp_path / folder) == service
    if service:
        with pytest.raises(SetupFailed, match=rf"is kept in {service}") as failure:
            choose_folder(tmp_path / folder)
        assert failure.value.kind == "disk", "another one is offered"
        assert type(program).standard(program.root).folder == program.folder
    else:
        choose_folder(tmp_path / folder)


def test_the_folder_that_windows_names_as_onedrive_counts_under_any_name(tmp_path, monkeypatch):
    monkeypatch.setenv("OneDriveCommercial", str(tmp_path / "Firma"))
    assert synced_by(tmp_path / "Firma" / "Desktop") == "OneDrive" and synced_by(tmp_path / "Firmament") == ""


def test_a_folder_that_is_refused_is_asked_for_again(program, tmp_path, monkeypatch):
    answers = [str(tmp_path / "OneDrive"), str(tmp_path / "other disk"), None]
    said = []
    monkeypatch.setattr(entry, "ask_folder", lambda why: said.append(why) or answers.pop(0))
    failure = SetupFailed("The disk is full.", "", "disk")
    monkeypatch.setattr(entry, "main", lambda arguments: 0)
    assert entry._failed(failure, []) == 0 and len(said) == 2 and "OneDrive" in said[1]
    assert type(program).standard(program.root).folder == tmp_path / "other disk" / "EchoGen"


def test_what_was_begun_in_another_folder_goes_when_the_program_has_opened(program, tmp_path, monkeypatch):
    Setup(program).run(("window",))
    (program.folder / "mine.txt").touch()
    assert choose_folder(tmp_path / "large") == str(program.folder) and left_folders() == [program.folder]
    other = type(program).standard(program.root)
    Setup(other).run()
    opened: list[Path] = []
    monkeypatch.setattr(entry, "_replace_by_program", lambda setup, _: opened.append(setup.places.folder) or 0)
    versions = entry.Versions(other)
    monkeypatch.setattr(entry, "open_program", lambda *_: entry.SHOWN)
    assert entry._open(other, versions, []) == 0 and (program.folder / "environments").exists()
    assert entry._open(other, versions, []) == 0 and opened == [other.folder]
    assert [path.name for path in program.folder.iterdir()] == ["mine.txt"], "a file of somebody else stays"
    assert left_folders() == [] and works(Setup(other))


@pytest.mark.parametrize(
    ("note", "lost", "outcome"),
    [
        ("engine", "thing", "set up"),
        ("window", "thing", "set up"),
        ("window", "shiboken6", "set up"),  # of the set-up window's own packages
        ("engine", "", "opened"),  # a driver of a card, say: nothing that a set-up would mend
        ("window", "", "does not open"),
        ("", "", "opened"),
    ],
)
def test_what_could_not_be_loaded_is_repaired_at_the_next_start(program, monkeypatch, note, lost, outcome):
    setup = Setup(program)
    setup.run()
    versions = entry.Versions(program)
    versions.note_opened(program.root)
    did: list[str] = []
    monkeypatch.setattr(entry, "_set_up", lambda setup, _: did.append("set up") or 0)
    monkeypatch.setattr(entry, "_replace_by_program", lambda *_: did.append("opened") or 0)
    if note:
        program.damaged.write_text(f"{note}\n", encoding="utf-8")
    if lost:
        next(setup.environment.glob(f"**/{lost}.py")).unlink()
    try:
        entry._open(program, versions, [])
    except SetupFailed as failure:
        did.append(str(failure))
    assert len(did) == 1 and outcome in did[0] and not program.damaged.exists()
    assert setup.is_done("program") == (lost != "thing") and setup.is_done("window") == (lost != "shiboken6")


def test_a_folder_of_pictures_is_neither_filled_nor_removed(program, tmp_path):
    """The folder of finished pictures has the name that the set-up's has in a folder that is chosen."""
    picture = tmp_path / "Pictures" / "EchoGen" / "a duck.png"
    picture.parent.mkdir(parents=True)
    picture.touch()
    choose_folder(tmp_path / "Pictures")
    other = type(program).standard(program.root)
    assert other.folder == tmp_path / "Pictures" / "EchoGen program"
    Setup(other).run()
    later = other.folder / "a shoe.png"
    later.touch()
    assert remove(other) == 0
    assert picture.exists() and [path.name for path in other.folder.iterdir()] == [later.name]


def _killed_and_repaired(program, times: int, seed: int) -> None:
    """Kill the set-up with everything it started at random moments; the last start has to repair it."""
    chance = random.Random(seed)
    code = (
        "import sys; from pathlib import Path; import installer.launcher.setup as s; from installer.launcher.places import Places;"
        "s.choose_lock = lambda folder, backend: folder / 'test.txt'; s.Setup(Places.standard(Path(sys.argv[1]))).run()"
    )
    for _ in range(times):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(program.root)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.05, 1.6))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    setup = Setup(program)
    setup.run()
    assert works(setup) and setup.repair() == []


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
def test_killed_at_three_moments(program):
    _killed_and_repaired(program, 3, 1)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_twenty_moments(program, seed):
    _killed_and_repaired(program, 1, 100 + seed)


def test_an_archive_with_the_files_needs_no_network(program, index, tmp_path, monkeypatch):
    """As ``make_offline.py`` makes it: the files beside the program, and the name of their list."""
    monkeypatch.undo()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("ECHOGEN_UV", find_uv_bin())
    monkeypatch.setenv("ECHOGEN_PACKAGES", "http://127.0.0.1:9/simple")
    (program.root / "wheels").mkdir()
    for name, data in index.files.items():
        (program.root / "wheels" / name).write_bytes(data)
    (program.root / "wheels" / "list").write_text("test\n", encoding="utf-8")
    setup = Setup(type(program).standard(program.root))
    setup.run()
    assert works(setup) and not index.asked
