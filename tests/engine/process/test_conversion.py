"""The conversion's child as its parent sees it: progress, errors of their own kinds, sudden death, cancelling."""

from __future__ import annotations

import asyncio
import json
from multiprocessing import Pipe

import pytest

from engine.errors import BundleError, Cancelled, CannotWrite, DoesNotFit, EchoGenError
from engine.process import conversion, conversion_child
from engine.process.messages import Converting, Failed, Originals, Shutdown
from tests.engine.process import children


@pytest.fixture
def convert(tmp_path, monkeypatch):
    """Runs a conversion by its name in a real child; its progress is left in ``convert.told``."""
    monkeypatch.setattr(conversion, "conversion_main", children.conversion)
    originals = Originals(*[tmp_path / part for part in ("transformer", "tokenizer", "text", "semantic", "content")])

    async def convert(name, on_progress=None):
        told = []
        convert.told = told
        report = tmp_path / "reports" / "model.json"
        await conversion.convert(
            originals, tmp_path / "out", on_progress or (lambda *step: told.append(step)), name, report
        )

    return convert


def test_progress_is_told_as_it_was_sent_and_the_bundle_is_there(convert, tmp_path):
    asyncio.run(convert("done"))
    assert convert.told == [(0.25, "Converting, in halves")] and (tmp_path / "out").is_dir()


def test_an_error_keeps_its_kind_and_its_words(convert):
    with pytest.raises(CannotWrite) as caught:
        asyncio.run(convert("full"))
    assert (caught.value.title, caught.value.fact, caught.value.step) == ("No room", "The disk is full.", "Make room.")


def test_what_does_not_fit_is_written_down(convert, tmp_path):
    with pytest.raises(DoesNotFit, match="It does not fit") as caught:
        asyncio.run(convert("unknown"))
    assert caught.value.found == ("block.1.weight", "block.2.weight")
    report = json.loads((tmp_path / "reports" / "model.json").read_text())
    assert report["found"] == ["block.*.weight (2 times)"]
    with pytest.raises(CannotWrite):
        asyncio.run(convert("full"))
    assert not (tmp_path / "reports" / "model.json").exists(), "an old report is out of date"


@pytest.mark.parametrize(
    ("name", "words"), [("killed", "ended by the system"), ("crash", "ended with code 3")], ids=["killed", "crash"]
)
def test_a_child_that_dies_is_an_error_in_words(convert, name, words):
    with pytest.raises(EchoGenError, match=words):
        asyncio.run(convert(name))


def test_cancelling_lets_the_child_complete_its_file(convert, tmp_path):
    async def cancel_when_it_works():
        task = asyncio.ensure_future(convert("slow", lambda *step: task.cancel()))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (tmp_path / "out").is_dir()

    asyncio.run(cancel_when_it_works())


# The child's side, in this process


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Runs the child's function here; what it sent."""
    monkeypatch.setattr(conversion_child, "give_way", lambda: None)
    bad = tmp_path / "echogen.pth"
    bad.write_bytes(b"no weights")

    def run(ask=()):
        ours, theirs = Pipe()
        for message in ask:
            ours.send(message)
        conversion_child.conversion_main(
            theirs, Originals(bad, bad, tmp_path, tmp_path, tmp_path), tmp_path / "out", "name"
        )
        ours.send(Shutdown())  # lets the thread that listens end
        sent = []
        while ours.poll():
            sent.append(ours.recv())
        return sent

    return run


def test_what_the_converter_says_is_sent_as_it_is(child, tmp_path):
    (failed,) = child()
    assert isinstance(failed, Failed) and isinstance(failed.error, BundleError)
    assert "echogen.pth" in failed.error.fact and "Traceback" in failed.details
    assert not (tmp_path / "out").exists()


def test_percents_are_sent_once_and_faults_become_words(child, monkeypatch):
    from engine.bundle import converter

    def convert(parts, out, *, name, on_progress, cancel):
        for step in range(500):
            on_progress(step / 1000, "Converting")
        raise ZeroDivisionError("by design")

    monkeypatch.setattr(converter, "convert_bundle", convert)
    *told, failed = child()
    assert [type(message) for message in told] == [Converting] * len(told) and 40 < len(told) < 60
    assert failed.error.fact == "The conversion failed: by design."


def test_shutdown_stops_the_converter(child, monkeypatch):
    from engine.bundle import converter

    def convert(parts, out, *, name, on_progress, cancel):
        assert cancel.wait(30)
        raise Cancelled()

    monkeypatch.setattr(converter, "convert_bundle", convert)
    (failed,) = child([Shutdown()])
    assert isinstance(failed.error, Cancelled)
