"""The composition: what is installed is used in order, what is missing or fails is replaced and said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import BundleError
from engine.photo.hints import Box, Click, Hint, Stroke
from engine.photo.load import photo_from_pixels
from engine.preflight.networks.learned import LearnedParts
from engine.preflight.networks.naming import Name
from engine.preflight.segmenter import Segmenter
from tests.engine.preflight.scenes import ellipse, overlap, toy

PHOTO, TRUTH = toy()
LEFT = ellipse(180, 240, 50, 60, 20, 20)


class FakeParts(LearnedParts):
    """Parts that answer what they are told, and remember what they were asked."""

    def __init__(self, **parts: Callable[..., Any]) -> None:
        super().__init__({role: Path(role) for role in parts})
        self.asked: list[tuple[Any, ...]] = []
        self.loads: list[str] = []
        self._answers = parts

    def _load(self, role: str, folder: Path) -> Any:
        self.loads.append(role)
        parts = self

        class Part:
            def __getattr__(self, method: str) -> Callable[..., Any]:
                def answer(*arguments: Any) -> Any:
                    parts.asked.append((method, *arguments))
                    return parts._answers[role](*arguments)

                return answer

        return Part()


def logits_of(shape: np.ndarray) -> np.ndarray:
    small = np.asarray(shape[:: shape.shape[0] // 60, :: shape.shape[1] // 60], np.float32)
    return small * 8 - 4


def test_name_then_boxes_then_mask():
    box = Box(66, 24, 178, 156, 0.7, "toy")
    parts = FakeParts(
        naming=lambda photo: Name("red toy", 0.8),
        grounding=lambda photo, name: (box, Box(0, 0, 20, 20, 0.4)),
        segmentation=lambda photo, box, clicks, start: (logits_of(TRUTH), 0.9),
    )
    found = Segmenter(parts, network=None).find_subject(PHOTO)
    assert (found.name, found.name_score, found.method, found.score) == ("red toy", 0.8, "sam", 0.9)
    assert found.boxes == (box, Box(0, 0, 20, 20, 0.4)) and found.notes == ()
    assert overlap(found.mask, TRUTH) > 0.9
    assert [call[0] for call in parts.asked] == ["name", "find", "cut"]
    assert parts.asked[1][2] == "red toy" and parts.asked[2][2] == box


def test_what_the_user_said_is_not_asked_again():
    parts = FakeParts(
        naming=lambda photo: pytest.fail("the user typed the name"),
        grounding=lambda photo, name: pytest.fail("the user drew the box"),
        segmentation=lambda photo, box, clicks, start: (logits_of(TRUTH), 0.9),
    )
    box = Box(60, 20, 180, 160)
    found = Segmenter(parts, network=None).find_subject(PHOTO, Hint(name="robot", box=box, clicks=(Click(130, 100),)))
    assert (found.name, found.name_score, found.boxes[0]) == ("robot", 1.0, box)
    assert parts.asked == [("cut", PHOTO, box, (Click(130, 100),), None)]


def test_without_sam_grabcut_cuts_the_grounded_box():
    box = Box(64, 22, 182, 160, 0.6)
    found = Segmenter(FakeParts(grounding=lambda photo, name: (box,)), network=None).find_subject(
        PHOTO, Hint(name="toy")
    )
    assert found.method == "grabcut" and found.boxes[0] == box
    assert overlap(found.mask, TRUTH) > 0.9


def test_a_name_that_is_not_found_is_said_and_what_stands_out_is_taken():
    found = Segmenter(FakeParts(grounding=lambda photo, name: ()), network=None).find_subject(PHOTO, Hint(name="mug"))
    assert found.notes == ("No “mug” was found by name; what stands out most was taken.",)
    assert overlap(found.mask, TRUTH) > 0.9


def test_an_unusable_name_leaves_the_name_empty():
    parts = FakeParts(naming=lambda photo: None, grounding=lambda photo, name: pytest.fail("there is no name"))
    found = Segmenter(parts, network=None).find_subject(PHOTO)
    assert (found.name, found.name_score) == ("", 0.0)


def test_transparency_is_used_before_any_cutter():
    alpha = (TRUTH * 255).astype(np.uint8)
    parts = FakeParts(naming=lambda photo: Name("toy", 0.5), segmentation=lambda *_: pytest.fail("no need to cut"))
    found = Segmenter(parts, network=None).find_subject(photo_from_pixels(PHOTO.rgb, alpha))
    assert (found.name, found.method) == ("toy", "alpha")
    np.testing.assert_array_equal(found.mask, alpha)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("CUDA out of memory"), "there was not enough memory for it"),
        (MemoryError(), "there was not enough memory for it"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: not enough memory"),
            "enough memory for it",
        ),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "it failed"),
        (RuntimeError("shape mismatch"), "it failed"),
        (ValueError("absolute aspect ratio must be smaller than 200"), "it failed"),
        (BundleError("The part is damaged."), "The part is damaged. The photo was read without it."),
    ],
)
def test_a_failing_part_is_replaced_said_and_not_tried_again(error: Exception, words: str):
    def fail(*_: Any) -> Any:
        raise error

    parts = FakeParts(segmentation=fail)
    segmenter = Segmenter(parts, network=None)
    found = segmenter.find_subject(PHOTO)
    assert found.method == "grabcut" and overlap(found.mask, TRUTH) > 0.9
    assert len(found.notes) == 1 and words in found.notes[0]
    assert segmenter.find_subject(PHOTO).notes == ()
    assert parts.loads == ["segmentation"] and parts.roles == ()


def test_parts_are_loaded_when_needed_once_and_given_back():
    parts = FakeParts(
        naming=lambda photo: Name("toy", 0.5),
        segmentation=lambda photo, box, clicks, start: (logits_of(TRUTH), 0.9),
    )
    segmenter = Segmenter(parts, network=None)
    assert parts.loads == []
    segmenter.find_subject(PHOTO)
    segmenter.find_subject(PHOTO)
    assert parts.loads == ["naming", "segmentation"]
    segmenter.unload("naming")
    segmenter.find_subject(PHOTO)
    assert parts.loads == ["naming", "segmentation", "naming"]
    segmenter.unload()
    segmenter.find_subject(PHOTO)
    assert parts.loads[3:] == ["naming", "segmentation"]


def test_sam_corrects_only_what_hangs_together_with_a_click():
    """SAM changes its mind about the far left as well; the click was on the subject."""
    lacking = (TRUTH * 255).astype(np.uint8)
    lacking[:, :104] = 0
    parts = FakeParts(segmentation=lambda photo, box, clicks, start: (logits_of(TRUTH | LEFT), 0.9))
    better = Segmenter(parts, network=None).refine_mask(PHOTO, [Click(90, 99)], start=lacking)
    assert overlap(better, TRUTH) > overlap(lacking, TRUTH) + 0.03
    assert not better[40:80, 30:66].any()
    method, _, box, clicks, start = parts.asked[0]
    assert (method, box, clicks) == ("cut", None, (Click(90, 99),))
    np.testing.assert_array_equal(start, lacking)


def test_strokes_reach_sam_as_points_and_decide_what_they_cover():
    parts = FakeParts(segmentation=lambda photo, box, clicks, start: (logits_of(TRUTH), 0.9))
    start = (TRUTH * 255).astype(np.uint8)
    stroke = Stroke(tuple((float(x), 20.0) for x in range(20, 60)), 5)
    better = Segmenter(parts, network=None).refine_mask(PHOTO, strokes=[stroke], start=start)
    assert (better[18:22, 24:56] >= 128).all()
    points = parts.asked[0][3]
    assert len(points) == 6 and points[0] == Click(20, 20) and points[-1] == Click(59, 20)


def test_a_box_with_sam_cuts_anew():
    parts = FakeParts(segmentation=lambda photo, box, clicks, start: (logits_of(TRUTH), 0.9))
    box = Box(60, 20, 180, 160)
    mask = Segmenter(parts, network=None).refine_mask(PHOTO, box=box, start=np.zeros(TRUTH.shape, np.uint8))
    assert overlap(mask, TRUTH) > 0.9 and parts.asked[0][2] == box


def test_only_known_roles_count_and_nothing_is_loaded_early(tmp_path: Path):
    parts = LearnedParts({"segmentation": tmp_path, "juggling": tmp_path})
    assert parts.roles == ("segmentation",)
    segmenter = Segmenter.with_models({"segmentation": tmp_path / "missing"}, "cpu", box_threshold=0.3)
    found = segmenter.find_subject(PHOTO)
    assert found.method in ("grabcut", "network")
    assert len(found.notes) == 1 and "SAM 2.1 is not in" in found.notes[0]


def test_making_a_segmenter_with_models_imports_no_model_library():
    code = (
        "import sys; from engine.preflight.segmenter import Segmenter;"
        "Segmenter.with_models({'segmentation': 'nowhere'}); import engine.preflight.networks.sam, engine.preflight.networks.naming;"
        "import engine.preflight.networks.grounding; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "[]", result.stderr


def test_the_real_parts_work_together(tmp_path: Path):
    """Random weights find nothing sensible; what counts is that every part runs and the answer is whole."""
    from tests.engine.preflight.tiny_parts import save_grounding, save_naming, save_sam_video

    folders = {role: tmp_path / role for role in ("naming", "grounding", "segmentation")}
    save_naming(folders["naming"])
    save_grounding(folders["grounding"])
    save_sam_video(folders["segmentation"])
    segmenter = Segmenter.with_models(folders, "cpu", box_threshold=0.0, text_threshold=0.0)
    notes: list[str] = []
    boxes = segmenter._parts.use("grounding", lambda part: part.find(PHOTO, "red toy"), notes)
    assert boxes and notes == []
    mask = segmenter.refine_mask(PHOTO, [Click(130, 100)], box=Box(60, 20, 180, 160))
    assert mask.shape == TRUTH.shape and mask.dtype == np.uint8
    assert set(segmenter._parts._loaded) == {"grounding", "segmentation"}
    hint, score = segmenter._named(PHOTO, Hint(), notes)
    assert notes == [] and (hint.name == "") == (score == 0.0)
    segmenter.unload()
    assert segmenter._parts._loaded == {} and segmenter._parts.roles == ("naming", "grounding", "segmentation")
