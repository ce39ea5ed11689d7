"""GroundingDINO from a checkpoint in the hub's layout, with random weights: queries, boxes, thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import BundleError
from engine.preflight.networks.grounding import Grounder, query
from tests.engine.preflight.scenes import toy
from tests.engine.preflight.tiny_parts import save_grounding

PHOTO, _ = toy()


@pytest.fixture(scope="module")
def grounder(tmp_path_factory: pytest.TempPathFactory) -> Grounder:
    folder = tmp_path_factory.mktemp("grounding-dino-tiny")
    save_grounding(folder)
    return Grounder.from_folder(folder, box_threshold=0.0, text_threshold=0.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Red Toy", "red toy."),
        ("  cat. ", "cat."),
        ("kid's t-shirt", "kid's t-shirt."),
        ("a. b. c", "a b c."),
        ("Käse\n", "käse."),
        ("", ""),
        (" .,! ", ""),
    ],
)
def test_names_become_queries(name: str, expected: str):
    assert query(name) == expected


def test_the_real_model_answers_with_boxes_inside_the_photo_best_first(grounder: Grounder):
    boxes = grounder.find(PHOTO, "red toy")
    assert 1 <= len(boxes) <= 8
    scores = [box.score for box in boxes]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= PHOTO.width and 0 <= box.y0 < box.y1 <= PHOTO.height
    assert boxes[0].label == "red toy"


def test_the_same_boxes_as_the_publisher_s_own_processing(grounder: Grounder):
    """Scores and corners equal what the library's own post-processing makes of the same output."""
    import torch
    from transformers.models.grounding_dino.processing_grounding_dino import GroundingDinoProcessor

    pixels = grounder.processor(PHOTO.rgb, return_tensors="pt", input_data_format="channels_last")
    tokens = grounder.tokenizer("red toy.", return_tensors="pt")
    with torch.inference_mode():
        output = grounder.model(**pixels, **tokens)
    reference = GroundingDinoProcessor(grounder.processor, grounder.tokenizer)
    expected = reference.post_process_grounded_object_detection(
        output, tokens["input_ids"], threshold=0.0, text_threshold=0.0, target_sizes=[(PHOTO.height, PHOTO.width)]
    )[0]
    best = int(expected["scores"].argmax())
    corners = np.clip(expected["boxes"][best].numpy(), 0, [240, 180, 240, 180])
    first = grounder.find(PHOTO, "red toy")[0]
    np.testing.assert_allclose([first.x0, first.y0, first.x1, first.y1], corners, atol=1e-3)
    assert first.score == pytest.approx(float(expected["scores"][best]), abs=1e-5)


def test_thresholds_and_repetitions():
    class Words:
        all_special_ids = (0,)

        def decode(self, ids):
            return " ".join({1: "red", 2: "toy"}[token] for token in ids)

    probabilities = np.array([[0.9, 0.6, 0.1], [0.9, 0.5, 0.4], [0.9, 0.55, 0.3], [0.9, 0.2, 0.2], [0.9, 0.7, 0.1]])
    probabilities[:, 0] = 0  # what the special token gets
    boxes = np.array(
        [
            [0.5, 0.5, 0.4, 0.4],
            [0.51, 0.5, 0.4, 0.4],  # nearly the first
            [0.2, 0.2, 0.9, 0.3],  # reaches beyond the photo
            [0.8, 0.8, 0.1, 0.1],  # below the threshold
            [0.1, 0.1, 0.0, 0.2],  # has no inside
        ]
    )
    finder = Grounder(None, Words(), None, box_threshold=0.25, text_threshold=0.35)
    found = finder._candidates(probabilities, boxes, [0, 1, 2], PHOTO)
    assert [(round(box.score, 2), box.label) for box in found] == [(0.6, "red"), (0.55, "red")]
    assert (found[1].x0, found[1].y0) == (0, pytest.approx(9)) and found[1].x1 == pytest.approx(156)


def test_no_name_finds_nothing_and_high_thresholds_neither(grounder: Grounder):
    assert grounder.find(PHOTO, " . ") == ()
    strict = Grounder(grounder.model, grounder.tokenizer, grounder.processor, box_threshold=1.0)
    assert strict.find(PHOTO, "red toy") == ()


def test_a_very_long_name_is_cut_to_what_the_model_takes(grounder: Grounder):
    assert isinstance(grounder.find(PHOTO, "red toy " * 200), tuple)


def test_a_missing_folder_is_said(tmp_path: Path):
    with pytest.raises(BundleError, match="GroundingDINO is not in"):
        Grounder.from_folder(tmp_path)
