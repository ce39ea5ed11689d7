"""The model card's figures: of photos where they were measured, else of drawn cut-outs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.training.model_card import _figures, read_evaluation

PHOTOS = {
    "photos_top1": 0.85,
    "photos_margin": 0.06,
    "photos_of": 20,
    "photos_pictures": 140,
    "photos_chance": 0.05,
    "photos_ceiling": 0.98,
    "photos_ceiling_bits": 0.9,
    "scene_accuracy": 0.96,
    "scene_margin": 0.03,
    "scene_ceiling": 1.0,
    "scene_ceiling_tokenizer": 0.99,
    "scene_chance": 0.048,
    "placement_iou": None,
    "look_accuracy": 0.39,
    "look_ceiling": 0.64,
    "pasted_share": 0.31,
    "seconds_per_picture": 0.9,
    "by_scene": {"white_rug": 0.5},
    "without_content": {"photos_top1": 0.2, "scene_accuracy": 0.9},
    "without_semantic": {"retrieval_top1": 0.5, "scene_accuracy": 0.8},
}


def test_photos_come_first(tmp_path: Path):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps({**PHOTOS, "retrieval_top1": 0.7, "psnr_db": 25.25, "ssim": 0.8}), encoding="utf-8")
    card = _figures(read_evaluation(path))
    assert "On 140 pictures of 20 real things" in card
    assert "| **this model** | **85%** ± 6% | **96%** ± 3% |" in card
    assert "| content path off | 20% | 90% |" in card
    assert "semantic path off" not in card, "it was not measured on photos"
    assert "| ceiling: true pictures after the tokenizer | 90% | 99% |" in card
    assert "error left of pasting, from true bits | 31% |" in card
    assert "the look is there | 39%; true pictures 64% |" in card
    assert "overlap" not in card, "a figure that this bundle cannot have is left out"
    assert "told apart by a judge of our own | 70% |" in card
    assert "PSNR 25.2 dB" in card and "often misses: white rug" in card


def test_an_evaluation_that_lacks_a_figure_or_has_something_else_is_refused(tmp_path: Path):
    path = tmp_path / "evaluation.json"
    wrong: tuple[dict[str, object], ...] = (
        {"photos_top1": "most"},
        {"by_scene": {"white_rug": "often"}},
        {"without_content": [1]},
        {"look_accuracy": "0.4"},
    )
    lacking = {key: value for key, value in PHOTOS.items() if key != "photos_ceiling"}
    for content in ([], {}, lacking, *({**PHOTOS, **one} for one in wrong)):
        path.write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(InputError, match="no evaluation"):
            read_evaluation(path)
