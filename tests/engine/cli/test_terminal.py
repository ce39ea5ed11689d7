"""What every command shares: help with defaults and an example that works, one line of progress, exit codes, names."""

from __future__ import annotations

import argparse
import io
import os
import select
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from engine.cli import COMMANDS, main, make_parser
from engine.cli.terminal import PROGRAM, ProgressLine
from engine.errors import ExitCode

ROOT = Path(__file__).resolve().parents[3]


def _sub(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def _commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for name in COMMANDS:
        command = _sub(make_parser(name))[name]
        yield name, command
        for action, parser in _sub(command).items():
            yield f"{name} {action}", parser


ALL = dict(_commands())


@pytest.mark.parametrize("name", ALL)
def test_help_says_every_default_and_has_an_example_that_parses(name):
    command = ALL[name]
    text = " ".join(command.format_help().split())
    for action in command._actions:
        plain = action.default is False or action.default in (None, "", argparse.SUPPRESS) or action.default == []
        if action.option_strings and not plain:
            assert f"default: {action.default}" in text, action.option_strings
    lines = command.format_help().splitlines()
    example = lines[lines.index("Example:") + 1].strip()
    assert example.startswith(f"{PROGRAM} {name.split()[0]}")
    words = shlex.split(example.removeprefix(PROGRAM))
    assert make_parser(words[0]).parse_args(words).command == name.split()[0]


def test_the_dials_say_their_ranges():
    text = " ".join(ALL["generate"].format_help().split())
    for dial, limits in {"--prompt-strength": "0 to 20", "--temperature": "0.01 to 10", "--top-p": "0 to 1;"}.items():
        help_of_dial = next(action.help for action in ALL["generate"]._actions if dial in action.option_strings)
        assert limits in help_of_dial and "if not given" in help_of_dial and limits in text, dial
    assert "0 done" in " ".join(make_parser().format_help().split()) and "130 stopped" in make_parser().format_help()


# Progress


def test_progress_rewrites_one_line_on_a_terminal():
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        line = ProgressLine(stream)
        line.show("Scale 1 of 3")
        line.show("Scale 2 of 3, about 4 s left")
        line.note("A word of the bundle.")
        line.show("x" * 500)
        line.clear()
        text = ""
        while not text.endswith("…\x1b[K\r\x1b[K"):
            assert select.select([ours], [], [], 5)[0], text
            text += os.read(ours, 65536).decode()
    os.close(ours)
    assert text.startswith("\rScale 1 of 3\x1b[K\rScale 2 of 3, about 4 s left\x1b[K\r\x1b[KA word of the bundle.\r\n")
    assert text.count("\n") == 1 and text.endswith("\r\x1b[K")
    assert max(len(piece) for piece in text.split("\r")) < 300, "it never wraps: a wrapped line cannot be rewritten"


def test_progress_is_silent_in_a_file_and_notes_are_not():
    stream = io.StringIO()
    line = ProgressLine(stream)
    line.show("Scale 1 of 3")
    line.note("Seed 7")
    line.clear()
    assert stream.getvalue() == "Seed 7\n"


# Exit codes and names


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["generate", "--prompt", "a\udcf0", "--out", "x.png"], ExitCode.BAD_INPUT),
        (["generate", "--prompt", "a", "--negative-prompt", "b\udcf0", "--out", "x.png"], ExitCode.BAD_INPUT),
        (["generate", "--prompt", "a", "--out", f"{'y' * 300}/x.png"], ExitCode.CANNOT_WRITE),
        (["generate", "--prompt", "a", "--out", "x.png", "--bundle", "b" * 300], ExitCode.BUNDLE),
        (["segment", "--photo", "p" * 5000, "--out", "x.png"], ExitCode.BAD_INPUT),
        (["segment", "--photo", "p.png", "--out", f"{'y' * 300}/x.png"], ExitCode.CANNOT_WRITE),
    ],
)
def test_names_and_texts_that_cannot_be_are_sentences(tmp_path, monkeypatch, capsys, arguments, code):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    text = capsys.readouterr().err
    assert "Traceback" not in text and text.strip().endswith(".") and len(text) < 6000


@pytest.mark.parametrize("command", ["generate", "example", "segment"])
def test_a_name_that_no_file_can_have_is_refused_before_the_work(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 64)).save("p.png")
    given = {"generate": ["--prompt", "a"], "example": [], "segment": ["--photo", "p.png"]}
    assert main([command, *given[command], "--out", f"{'x' * 300}.png"]) == ExitCode.CANNOT_WRITE
    told = "".join(capsys.readouterr())
    assert "name" in told and "Seed" not in told and "Found" not in told


def test_an_unknown_level_of_the_log_is_no_error(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("ECHOGEN_LOG", "nonsense")
    monkeypatch.chdir(tmp_path)
    assert main(["generate", "--prompt", "a", "--out", "nowhere/x.png"]) == ExitCode.CANNOT_WRITE


def test_an_error_of_the_disk_that_nobody_expected_is_a_sentence(monkeypatch, capsys):
    def closed(*_: object) -> int:
        raise PermissionError(13, "Permission denied", "/closed/home")

    monkeypatch.setattr("engine.cli.doctor.run", closed)
    assert main(["doctor"]) == ExitCode.BAD_INPUT
    assert "/closed/home: Permission denied." in capsys.readouterr().err


@pytest.mark.parametrize(("encoding", "name"), [("cp1252", "田中.png"), ("utf-8", "inv\udcf0.png"), ("ascii", "ü.png")])
def test_any_name_can_be_printed(encoding, name):
    lines = f"from engine.cli.terminal import let_names_through; let_names_through(); print({name!r})"
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=ROOT, capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(b".png")
    if encoding == "utf-8":
        assert done.stdout.strip() == b"inv\xf0.png", "the bytes of the name, so that a script finds the file"


@pytest.mark.parametrize("number", ["0", "-3", "1.5", "nan", "9" * 40, "9" * 5000])
@pytest.mark.parametrize(
    "command",
    ["batch --out job --threads", "batch --out job --workers", "evaluate --threads", "bench --rounds", "train --steps"],
)
def test_a_number_that_cannot_be_is_refused_with_its_range(command: str, number: str, capsys):
    """A thread count of -3 and a huge one went to torch, and came back as a traceback."""
    with pytest.raises(SystemExit) as left:
        main([*command.split(), number])
    assert left.value.code == ExitCode.BAD_INPUT
    assert "is no whole number from 1 to 1" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "nan", "inf", "1e9", "soon"])
@pytest.mark.parametrize(
    "command", ["evaluate --train-judges --minutes", "train --minutes", "train all --scale", "train all --slice"]
)
def test_a_time_that_cannot_be_is_refused(command: str, number: str, capsys):
    """Judges were trained for -1 minutes without end, with one second left all the while."""
    with pytest.raises(SystemExit) as left:
        main([*command.split(), number])
    assert left.value.code == ExitCode.BAD_INPUT
    assert "is no number above 0 and up to 1" in capsys.readouterr().err


def test_a_seed_of_random_weights_is_one_that_torch_takes(capsys):
    with pytest.raises(SystemExit):
        main(["make-bundle", "x", "--seed", "9" * 25])
    assert "is no whole number from 0" in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.skipif(sys.platform == "win32", reason="a shell's way to close a stream")
def test_closed_streams_are_no_fault(closed: str, tmp_path: Path):
    """Of a service, perhaps. What asks a question ended in a traceback."""
    command = f"{shlex.quote(sys.executable)} -m engine models get cut-out {closed}"
    environment = {**os.environ, "ECHOGEN_MODELS": str(tmp_path)}
    done = subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == ExitCode.BAD_INPUT and "Traceback" not in done.stderr
    if "2>" not in closed:
        assert "--accept-licences" in done.stderr


def test_a_stop_while_a_command_is_imported_is_no_traceback(monkeypatch, capsys):
    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.cli.make_parser", stopped)
    assert main(["doctor"]) == ExitCode.CANCELLED
    assert capsys.readouterr().err == "Stopped.\n"
