"""The report: what is good enough, what is said of it, and that nothing in it is taken for markup."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from engine.errors import CannotWrite
from engine.evaluation.report import report, write_report
from engine.training.figures import TARGETS, verdict

BY_KEY = {target.key: target for target in TARGETS}


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("photos_top1", 0.91, "aim"),
        ("photos_top1", 0.83, "must"),
        ("photos_top1", 0.82, "missed"),
        ("pasted_share", 0.2, "aim"),
        ("pasted_share", 0.36, "missed"),
        ("edge_energy", 1.2, "must"),
        ("edge_energy", 1.3, "missed"),
        ("seed_distance", 1.5, "aim"),
        ("photos_ceiling", 0.1, ""),
    ],
)
def test_verdicts(key: str, value: float, wanted: str):
    assert verdict(BY_KEY[key], value) == wanted


def test_a_page_of_figures_and_sheets():
    figures = {
        "bundle": "<mini>",
        "photos_top1": 0.85,
        "photos_of": 20,
        "photos_chance": 0.05,
        "scene_accuracy": 1.0,
        "placement_iou": None,
        "bundle_mb": 27.2,
        "without_content": {"photos_top1": 0.2, "photos_similarity": 0.3, "scene_accuracy": 0.9},
    }
    page = report(figures, [("a & b", Image.new("RGB", (8, 8)))])
    assert "&lt;mini&gt;" in page and "<mini>" not in page and "a &amp; b" in page
    assert "<b>85%</b></td><td>≥ 83%</td><td>≥ 90%</td><td>must</td><td>of subjects 20, chance 5%</td>" in page
    assert "<b>not for this bundle</b>" in page
    assert "<b>27.20 MB</b></td><td>≤ 40.00 MB</td>" in page
    assert "<td>content path off</td><td>20%</td><td>0.30</td><td>90%</td>" in page
    assert "pasting" not in page, "a figure that was not taken is left out"
    assert page.count("data:image/jpeg;base64,") == 1


def test_a_page_that_cannot_be_written(tmp_path: Path):
    write_report({"photos_top1": 0.1}, [], tmp_path / "report.html")
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(CannotWrite):
        write_report({}, [], tmp_path / "report.html" / "report.html")
