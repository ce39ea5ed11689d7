"""The stand-ins: no child without parts, a crash costs one answer, then a rest, then another child."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.photo.hints import Click
from engine.preflight.segmenter import Segmenter
from engine.process.cutout_client import LOST, ChildLost, HostedParts
from engine.process.messages import Reply, Setup
from tests.engine.preflight.scenes import toy

PHOTO, TRUTH = toy()
SAM = Setup((("segmentation", Path("sam")),))
BOTH = Setup((("grounding", Path("dino")), ("segmentation", Path("sam"))))


class FakeProcess:
    """A child that answers with what it was asked, until it is ``dead``."""

    started: list[FakeProcess]

    def __init__(self, setup):
        self.setup, self.asked, self.dead, self.closed, self.pid = setup, [], False, False, len(self.started) + 1
        self.usable, self.notes = True, ()
        self.started.append(self)

    def ask(self, role, method, photo, *arguments):
        self.asked.append((method, *arguments))
        if self.dead:
            raise ChildLost
        return Reply(0, "answer", self.notes, self.usable)

    def close(self):
        self.closed = True


class Rig:
    """Parts with a clock and a setup that the test moves."""

    def __init__(self):
        self.now, self.setup = 100.0, SAM
        self.parts = HostedParts(lambda: self.setup, FakeProcess, lambda: self.now)
        self.notes: list[str] = []

    def cut(self, start=None):
        return self.parts.use("segmentation", lambda sam: sam.cut(PHOTO, None, [Click(1, 2)], start), self.notes)


@pytest.fixture
def rig():
    FakeProcess.started = []
    return Rig()


def test_nothing_installed_starts_nothing(rig):
    rig.setup = Setup()
    assert rig.parts.roles == () and rig.cut() is None
    assert FakeProcess.started == [] and rig.notes == [] and rig.parts.pid is None


def test_one_child_is_started_at_the_first_use(rig):
    assert rig.parts.roles == ("segmentation",) and FakeProcess.started == []
    assert rig.cut() == rig.cut() == "answer"
    assert len(FakeProcess.started) == 1 and FakeProcess.started[0].asked[0] == (
        "cut",
        None,
        (Click(1, 2),),
        None,
    )
    assert rig.parts.pid == 1


def test_a_large_mask_is_sent_small(rig):
    rig.cut(np.full((3000, 4000), 255, np.uint8))
    assert FakeProcess.started[0].asked[0][-1].shape == (768, 1024)


def test_a_crash_is_said_once_then_nothing_counts_as_installed_then_it_starts_again(rig):
    rig.cut()
    FakeProcess.started[0].dead = True
    assert rig.cut() is None and rig.notes == [LOST]
    assert rig.parts.roles == () and rig.cut() is None and rig.notes == [LOST]
    rig.now += 9
    assert rig.parts.roles == ()
    rig.now += 2
    assert rig.cut() == "answer" and len(FakeProcess.started) == 2
    # It answered: the next crash rests as short as the first.
    FakeProcess.started[1].dead = True
    rig.cut()
    rig.now += 11
    assert rig.parts.roles == ("segmentation",)


def test_who_crashes_again_and_again_rests_longer(rig):
    for pause in (10, 20, 40):
        rig.parts.use("segmentation", lambda sam: _die(sam), rig.notes)
        rig.now += pause - 1
        assert rig.parts.roles == ()
        rig.now += 2
        assert rig.parts.roles == ("segmentation",)
    assert rig.notes == [LOST] * 3


def _die(sam):
    FakeProcess.started[-1].dead = True
    return sam.cut(PHOTO)


def test_a_part_that_failed_is_left_out_until_something_changes(rig):
    rig.setup = BOTH
    assert rig.parts.roles == ("grounding", "segmentation")
    rig.cut()
    process = FakeProcess.started[0]
    process.usable, process.notes = False, ("SAM 2.1 cannot be opened.",)
    rig.cut()
    assert rig.notes == ["SAM 2.1 cannot be opened."] and rig.parts.roles == ("grounding",)
    rig.setup = SAM  # one was removed: another child, and all is tried anew
    assert rig.parts.roles == ("segmentation",) and process.closed and rig.parts.pid is None
    assert rig.cut() == "answer" and FakeProcess.started[1].setup == SAM


def test_giving_back_memory_is_no_crash_and_closing_is_for_good(rig):
    rig.cut()
    rig.parts.unload()
    assert FakeProcess.started[0].closed and rig.parts.pid is None
    assert rig.cut() == "answer" and len(FakeProcess.started) == 2
    process = FakeProcess.started[1]

    def closed_meanwhile(sam):
        rig.parts.close()
        process.dead = True
        return sam.cut(PHOTO)

    assert rig.parts.use("segmentation", closed_meanwhile, rig.notes) is None
    assert process.closed and rig.notes == [] and rig.parts.roles == () and rig.cut() is None


def test_a_photo_is_embedded_ahead(rig):
    segmenter = Segmenter(rig.parts)
    assert segmenter.prepare(PHOTO) == ()
    assert FakeProcess.started[0].asked == [("embed",)]
    FakeProcess.started[0].dead = True
    assert segmenter.prepare(PHOTO) == (LOST,)
    rig.setup = Setup()
    rig.now += 100
    assert segmenter.prepare(PHOTO) == ()
    assert len(FakeProcess.started) == 1
