"""The mask thread with parts in a child of their own: answers, the child's death, another child. What counts is who answered:
the real networks have their tests in ``tests/engine/process/test_cutout_child.py``."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from app.mask.worker import Find, MaskService, Refine, hosted_segmenter
from app.store.settings import Settings
from engine.photo.hints import Box, Click, Hint
from engine.photo.load import photo_from_pixels
from engine.preflight.segmenter import Segmenter
from engine.process import cutout_client
from engine.process.cutout_client import LOST, HostedParts
from engine.process.messages import Setup
from tests.engine.process import children


@pytest.fixture(scope="module")
def thing():
    rgb = np.full((160, 200, 3), 70, np.uint8)
    rgb[40:120, 60:140] = (220, 60, 40)
    return photo_from_pixels(rgb)


def ask(qtbot, service, job):
    with qtbot.waitSignal(service.answered, timeout=120_000) as answer:
        service.ask(job)
    return answer.args[0]


def test_sam_answers_from_a_child_that_may_die(qtbot, monkeypatch, tmp_path: Path, thing):
    monkeypatch.setattr(cutout_client, "cutout_main", children.cutouts)
    now = [0.0]
    parts = HostedParts(lambda: Setup((("segmentation", tmp_path),), "cpu"), clock=lambda: now[0])
    service = MaskService(lambda: Segmenter(parts))
    assert parts.pid is None
    box = Box(50, 30, 150, 130)
    plain = Segmenter().refine_mask(thing, box=box)
    first = ask(qtbot, service, Refine(thing, box=box))
    assert first.notes == () and not np.array_equal(first.mask, plain)  # GrabCut finds the thing in the box
    child = parts.pid
    assert child is not None and child != os.getpid()
    found = ask(qtbot, service, Find(thing, Hint("thing", box)))
    assert found.proposal.method == "sam" and parts.pid == child

    os.kill(child, 9)
    second = ask(qtbot, service, Refine(thing, box=box))
    assert second.notes == (LOST,) and np.array_equal(second.mask, plain)
    third = ask(qtbot, service, Refine(thing, (Click(100, 80),), start=plain))
    assert third.notes == () and parts.pid is None  # said once; GrabCut goes on meanwhile

    now[0] += 60
    fourth = ask(qtbot, service, Refine(thing, box=box))
    assert fourth.notes == () and np.array_equal(fourth.mask, first.mask)
    assert parts.pid not in (None, child)
    parts.close()
    service.close()
    assert parts.pid is None


def test_without_networks_the_window_s_segmenter_has_no_child(qtbot, thing):
    segmenter = hosted_segmenter(Settings)
    service = MaskService(lambda: segmenter)
    found = ask(qtbot, service, Find(thing)).proposal
    assert found.method != "sam" and found.mask[80, 100] == 255 and found.mask[10, 10] == 0
    assert segmenter._parts.pid is None
    service.close()


def test_the_window_s_segmenter_comes_warm(monkeypatch):
    read = []
    monkeypatch.setattr("engine.preflight.Segmenter.warm_up", lambda segmenter: read.append(segmenter))
    assert read == [hosted_segmenter(Settings)]


def test_what_is_fetched_while_the_window_is_open_counts_at_once(tmp_path, monkeypatch):
    installed: dict[str, Path] = {}
    monkeypatch.setattr("engine.weights.installed_helpers", lambda: dict(installed))
    settings = [Settings()]
    segmenter = hosted_segmenter(lambda: settings[0])
    assert segmenter._parts.roles == ()
    installed["segmentation"] = tmp_path
    assert segmenter._parts.roles == ("segmentation",)
    settings[0] = Settings(device="cpu", box_threshold=0.4)
    assert segmenter._parts.roles == ("segmentation",)
    assert segmenter._parts._setup == Setup((("segmentation", tmp_path),), "cpu", 0.4, 0.25)
    assert segmenter._parts.pid is None  # asked, but not used
