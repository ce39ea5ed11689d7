"""The engine's child process: order, cancelling, failures, sudden death."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import BundleError, Cancelled, DeviceLost, NotEnoughMemory
from engine.events import EngineInfo, Finished, ScalePreview, Started
from engine.process import client, damage, messages
from engine.request import GenerationRequest, ScaleBits

FAKE = "tests.engine.fake_engine:FakeEngine"


@pytest.fixture
def process():
    process = client.EngineProcess(FAKE)
    process.start()
    yield process
    process.close()


def receive(process: client.EngineProcess, *kinds: type, seconds: float = 30.0) -> messages.Message:
    """The next message of one of these kinds; others are passed over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = process.receive(0.1)
        if isinstance(message, kinds):
            return message
    raise AssertionError(f"no {kinds} within {seconds} s")


def opened(process: client.EngineProcess) -> EngineInfo:
    process.send(messages.Open("mini"))
    message = receive(process, messages.Opened)
    assert isinstance(message, messages.Opened)
    return message.info


def events_of(process: client.EngineProcess) -> list:
    events = []
    while not events or not isinstance(events[-1], Finished):
        message = receive(process, messages.JobEvent)
        assert isinstance(message, messages.JobEvent)
        events.append(message.event)
    return events


@pytest.mark.parametrize("installed", [True, False], ids=["by the launcher", "by hand"])
def test_an_engine_that_cannot_be_loaded_says_what_to_do(tmp_path, monkeypatch, installed):
    """As where a virus scanner removed a file of torch."""
    (tmp_path / "broken_package.py").write_text("raise AttributeError('no Tensor.')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv(damage.NOTE, raising=False)
    if installed:
        monkeypatch.setenv(damage.NOTE, str(tmp_path / "note"))
    process = client.EngineProcess("broken_package:Engine")
    process.start()
    try:
        process.send(messages.Open("mini"))
        message = receive(process, messages.Failed)
        assert isinstance(message, messages.Failed)
        error = message.error
        assert error.fact == "A part of the engine cannot be loaded: no Tensor."
        assert "open it again" in error.step if installed else "bootstrap.py repair" in error.step
        assert (tmp_path / "note").exists() == installed
    finally:
        process.close()


def test_a_model_that_is_still_loading_gives_way_to_the_one_that_is_wanted_now(process):
    process.send(messages.Open("slow", number=1))
    receive(process, messages.Loading)
    process.send(messages.Open("mini", number=2))
    answer = receive(process, messages.Opened, messages.Failed)
    assert isinstance(answer, messages.Opened)
    assert (answer.info.bundle, answer.number) == ("mini@000000000000", 2)


def test_a_smaller_plan_is_told_before_what_is_drawn_with_it(process):
    opened(process)
    process.send(messages.Generate(1, GenerationRequest("a smaller plan")))
    receive(process, messages.JobEvent)
    message = receive(process, messages.Replanned, messages.JobEvent)
    assert isinstance(message, messages.Replanned) and message.info.plan == "Balanced"
    events_of(process)


def test_open_and_draw(process):
    process.send(messages.Open("mini"))
    loading = receive(process, messages.Loading)
    assert isinstance(loading, messages.Loading) and loading.fraction == 0.0
    receive(process, messages.Opened)
    process.send(messages.Generate(1, GenerationRequest("a", seed=3)))
    events = events_of(process)
    assert isinstance(events[0], Started)
    assert [e.scale for e in events if isinstance(e, ScalePreview)] == list(range(6))
    assert events[-1].request.seed == 3


def test_cancel_hits_the_meant_job_only(process):
    opened(process)
    process.send(messages.Generate(1, GenerationRequest("slow")))
    process.send(messages.Generate(2, GenerationRequest("quick")))
    receive(process, messages.JobEvent)
    process.cancel(1)
    failed = receive(process, messages.Failed)
    assert isinstance(failed, messages.Failed) and failed.job == 1 and isinstance(failed.error, Cancelled)
    assert isinstance(events_of(process)[-1], Finished)


def test_preparing_gives_way_to_the_next_command(process):
    opened(process)
    process.send(messages.Prepare("wait for ever"))
    process.send(messages.Generate(1, GenerationRequest("quick")))
    assert isinstance(events_of(process)[-1], Finished)


def bits_of(value: int) -> ScaleBits:
    """All zeros, or all ones: those the fake engine paints slowly."""
    return ScaleBits(tuple(np.full((n, n, 4), value, np.uint8) for n in (1, 2, 3)))


QUICK, SLOW = bits_of(0), bits_of(1)
DRAWN = GenerationRequest("a duck")


def painted(process: client.EngineProcess) -> messages.ScalesPainted:
    message = receive(process, messages.ScalesPainted)
    assert isinstance(message, messages.ScalesPainted)
    return message


def test_the_scales_of_an_earlier_picture_are_painted(process):
    info = opened(process)
    process.send(messages.PaintScales(1, QUICK, replace(DRAWN, size=(256, 256), bundle=info.bundle)))
    answer = painted(process)
    assert answer.number == 1 and [int(image[0, 0, 0]) for image in answer.images] == [0, 10, 20]


def test_scales_nobody_can_paint_are_an_empty_answer(process):
    process.send(messages.PaintScales(1, QUICK, DRAWN))
    assert painted(process).images == (), "there is no model yet"
    opened(process)
    process.send(messages.PaintScales(2, QUICK, replace(DRAWN, bundle="other@123456789012")))
    assert painted(process).images == ()
    process.send(messages.PaintScales(3, QUICK, replace(DRAWN, size=(666, 256))))
    answer = painted(process)
    assert answer.number == 3 and answer.images == (), "a fault is no Failed: that would end the window's model"


@pytest.mark.serial
def test_painting_gives_way_to_a_picture_and_comes_later(process):
    opened(process)
    process.send(messages.PaintScales(1, SLOW, DRAWN))
    time.sleep(0.1)  # it is at work
    asked = time.monotonic()
    process.send(messages.Generate(1, GenerationRequest("a")))
    kinds = []
    while messages.ScalesPainted not in kinds:
        message = receive(process, messages.JobEvent, messages.ScalesPainted)
        if not kinds:
            assert time.monotonic() - asked < 0.5, "the picture did not wait for the scales"
        kinds.append(type(message))
    assert kinds == [messages.JobEvent] * 8 + [messages.ScalesPainted]


def test_painting_does_not_stop_a_picture_nor_encoding_ahead(process):
    opened(process)
    process.send(messages.Generate(1, GenerationRequest("slow")))
    receive(process, messages.JobEvent)
    process.send(messages.PaintScales(1, QUICK, DRAWN))
    assert isinstance(events_of(process)[-1], Finished)
    assert painted(process).number == 1
    process.send(messages.Prepare("wait for ever"))
    process.send(messages.PaintScales(2, QUICK, DRAWN))
    assert process.receive(0.3) is None, "preparing goes on, and painting waits"
    process.send(messages.Prepare("quick"))
    receive(process, messages.Prepared)
    assert painted(process).number == 2


def test_only_the_last_wish_to_paint_is_answered(process):
    opened(process)
    process.send(messages.PaintScales(1, SLOW, DRAWN))
    time.sleep(0.1)  # it is at work
    process.send(messages.PaintScales(2, SLOW, DRAWN))
    process.send(messages.PaintScales(3, QUICK, DRAWN))
    assert painted(process).number == 3
    assert process.receive(0.5) is None, "the others are out of date"


@pytest.mark.parametrize(("prompt", "kind"), [("memory", NotEnoughMemory), ("fault", Exception)])
def test_failures_are_messages_and_the_child_lives_on(process, prompt, kind):
    opened(process)
    process.send(messages.Generate(1, GenerationRequest(prompt)))
    failed = receive(process, messages.Failed)
    assert isinstance(failed, messages.Failed) and isinstance(failed.error, kind) and "Traceback" in failed.details
    process.send(messages.Generate(2, GenerationRequest("quick")))
    assert isinstance(events_of(process)[-1], Finished)


def test_a_missing_bundle_is_said(process):
    process.send(messages.Open("missing"))
    failed = receive(process, messages.Failed)
    assert isinstance(failed, messages.Failed) and failed.job is None
    assert isinstance(failed.error, BundleError) and failed.error.step == "Choose another one."


def test_the_libraries_are_imported_before_it_is_known_what_to_open(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    imported = tmp_path / "imported"
    source = (
        f"from pathlib import Path\nfrom {FAKE.partition(':')[0]} import FakeEngine\nPath({str(imported)!r}).touch()\n"
    )
    (tmp_path / "slow_to_import.py").write_text(source, encoding="utf-8")
    process = client.EngineProcess("slow_to_import:FakeEngine")
    process.start()
    try:
        process.send(messages.ImportLibraries())
        end = time.monotonic() + 30
        while not imported.exists():
            assert time.monotonic() < end, "nothing is imported before a bundle is to be opened"
            time.sleep(0.01)
        opened(process)
    finally:
        process.close()


def test_libraries_that_cannot_be_imported_are_said_when_something_is_opened():
    process = client.EngineProcess("tests.engine.no_such_engine:Engine")
    process.start()
    try:
        process.send(messages.ImportLibraries())
        process.send(messages.Open("mini"))
        assert isinstance(receive(process, messages.Message), messages.Loading), "and not before"
        failed = receive(process, messages.Failed)
        assert isinstance(failed, messages.Failed) and "no_such_engine" in str(failed.error)
        assert process.alive
    finally:
        process.close()


def test_sudden_death_is_noticed_and_a_new_child_can_be_started(process):
    opened(process)
    process.send(messages.Generate(1, GenerationRequest("die")))
    ended = receive(process, messages.Ended)
    assert ended == messages.Ended(9)
    with pytest.raises(DeviceLost):
        process.send(messages.Prepare("x"))
    process.start()
    opened(process)


class FromAnotherVersion:
    """Names something that the child's code does not have."""

    def __reduce__(self):
        return getattr, (object, "renamed")


def test_a_command_that_cannot_be_read_ends_the_child(process):
    """Its reading thread ended without a word, and every further command waited for ever."""
    opened(process)
    process.send(FromAnotherVersion())
    assert receive(process, messages.Ended) == messages.Ended(1)


def test_a_child_whose_card_is_lost_says_so_and_ends(process):
    """Nothing it asks of the card is answered any more: every further picture failed in the same way."""
    opened(process)
    process.send(messages.Generate(1, GenerationRequest("lost")))
    failed = receive(process, messages.Failed)
    assert isinstance(failed, messages.Failed) and failed.job == 1 and isinstance(failed.error, DeviceLost)
    assert receive(process, messages.Ended) == messages.Ended()
    process.start()
    process.send(messages.Generate(2, GenerationRequest("no model is open")))
    assert isinstance(receive(process, messages.Failed), messages.Failed) and process.alive


def test_close_while_drawing_is_bounded():
    process = client.EngineProcess(FAKE)
    process.start()
    opened(process)
    process.send(messages.Generate(1, GenerationRequest("slow")))
    receive(process, messages.JobEvent)
    process.close(5.0)
    assert not process.alive


def test_the_child_ends_when_the_window_is_killed(tmp_path):
    code = (
        "import os,sys;from engine.process import client,messages\n"
        "if __name__=='__main__':\n"
        f" p=client.EngineProcess({FAKE!r});p.start();p.send(messages.Open('mini'))\n"
        " while not isinstance(p.receive(1),messages.Opened): pass\n"
        " print(p.pid,flush=True);os.kill(os.getpid(),9)\n"
    )
    script = tmp_path / "window.py"
    script.write_text(code, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, env=_environment()
    )
    child = int(result.stdout)
    end = time.monotonic() + 20
    while _is_running(child):
        assert time.monotonic() < end, "the child outlived its window"
        time.sleep(0.05)


def test_the_client_imports_neither_torch_nor_qt():
    code = "import engine.process.client, sys; print([m for m in ('torch', 'PySide6', 'psutil') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environment())
    assert result.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    import os
    from pathlib import Path

    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}


def _is_running(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
