"""How alike a picture is to its cut-out: in the engine, in files, from the command line, and the best of several."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.bundle.manifest import BundleManifest, read_manifest
from engine.bundle.records import LikenessScale
from engine.bundle.writer import rewrite_manifest
from engine.cli import main
from engine.engine import Engine
from engine.errors import BundleError, Outdone
from engine.evaluation.likeness_scale import DrawnThing, best_scale, scale_of, similarities
from engine.evaluation.measures import area_under_curve
from engine.events import Finished
from engine.photo.framing import cut_out
from engine.photo.load import load_photo
from engine.photo.picture_file import read_picture_file, save_picture
from engine.request import CutOut, GenerationRequest
from engine.sampling.contest import Contest

SCALE = LikenessScale(1, 0.9, 0.05, -0.5, 0.1, 0.97)


@pytest.fixture(scope="module")
def measured_bundle(tiny_bundle, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("measured") / "tiny"
    shutil.copytree(tiny_bundle, folder)
    manifest = read_manifest(folder)
    rewrite_manifest(folder, replace(manifest, likeness=SCALE))
    again = read_manifest(folder)
    assert again.likeness == SCALE and again.identity == manifest.identity, "a scale changes no picture"
    return folder


@pytest.fixture(scope="module")
def ball(tiny_bundle) -> CutOut:
    photo = load_photo(tiny_bundle / "examples" / "ball.png")
    mask = photo.alpha if photo.alpha is not None else np.full(photo.rgb.shape[:2], 255, np.uint8)
    mask = mask.copy()
    mask[:4] = mask[-4:] = 0
    return cut_out(photo, mask, 56)


def test_a_picture_knows_how_alike_it_is_and_its_file_too(measured_bundle, ball, tmp_path):
    request = GenerationRequest("a ball in the snow", ball, seed=3)
    with Engine.open(measured_bundle, "cpu") as engine:
        *_, finished = engine.generate(request)
        assert isinstance(finished, Finished) and finished.likeness is not None and 0 <= finished.likeness <= 1
        *_, plain = engine.generate(replace(request, subject=None))
        *_, idea = engine.generate(request, until_scale=2)
        assert plain.likeness is None and idea.likeness is None

        ahead = Contest()
        ahead.is_lost(2, 2.0)
        ahead.is_lost(3, 2.0)
        ahead.finish(2.0)
        with pytest.raises(Outdone):
            list(engine.generate(request, previews=False, contest=ahead))
        alone = Contest()
        *_, again = engine.generate(request, contest=alone)
        assert again.bits == finished.bits and alone.given_up == 0, "watching changes nothing"

        weak = replace(SCALE, area=0.9)
        engine._use(replace(engine.bundle, manifest=replace(engine.bundle.manifest, likeness=weak)), engine._plan)
        *_, unsure = engine.generate(request)
        assert unsure.likeness is None, "a number that misleads is not shown"

        same, other = similarities(
            engine.features,
            [
                DrawnThing(ball, finished.image, engine.bundle.manifest.place(request)),
                DrawnThing(CutOut(255 - ball.pixels), 255 - finished.image, None),
            ],
            1,
        )
        assert len(same) == 2 and len(other) == 2
    file = tmp_path / "ball.png"
    save_picture(file, finished.image, finished.request, finished.bits, likeness=finished.likeness)
    assert read_picture_file(file).likeness == pytest.approx(finished.likeness, abs=1e-4)
    assert b"Likeness: " in file.read_bytes()
    save_picture(file, finished.image, finished.request, finished.bits)
    assert read_picture_file(file).likeness is None and b"Likeness" not in file.read_bytes()


def test_the_best_of_several_comes_first(measured_bundle, tiny_bundle, tmp_path, capsys):
    photo = measured_bundle / "examples" / "ball.png"
    words = ["generate", "--subject", str(photo), "--prompt", "a ball", "--seed", "3", "--device", "cpu"]
    words += ["--out", str(tmp_path / "b.png"), "--best-of", "3"]
    assert main([*words, "--bundle", str(measured_bundle), "--json"]) == 0
    out, err = capsys.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["likeness"] for one in found] == sorted((one["likeness"] for one in found), reverse=True)
    assert {one["seed"] for one in found} <= {3, 4, 5} and err.count("likeness ") + err.count("given up") == 3
    best = read_picture_file(tmp_path / "b-1.png")
    assert best.request.seed == found[0]["seed"] and best.likeness == found[0]["likeness"]

    for wrong, message in (
        (["--bundle", str(tiny_bundle)], "cannot tell how alike"),
        (["--bundle", str(measured_bundle), "--best-of", "1"], "2 to 100"),
        (["--bundle", str(measured_bundle), "--count", "2"], "exclude each other"),
    ):
        assert main([*words, *wrong]) == 2
        assert message in capsys.readouterr().err


def test_the_scale_for_people():
    assert SCALE.tells and not replace(SCALE, area=0.94).tells
    assert (SCALE.share(-0.5), SCALE.share(1.0), SCALE.share(-0.9)) == (0, 1, 0)
    assert SCALE.share(0.25) == pytest.approx(0.5)
    made = scale_of(np.array([0.9, 0.8, 1.0]), np.array([0.1, 0.3, 0.85]), 1)
    assert (made.same, made.other) == (0.9, 0.4167) and made.area == pytest.approx(8 / 9, abs=1e-4)
    assert area_under_curve([1, 2], [1, 1]) == 0.75


@pytest.mark.parametrize("better", [0, 1])
def test_it_is_read_where_the_encoder_tells_things_apart_best(monkeypatch, better):
    def told(features, things, blocks, seed=0):
        return np.array([0.9, 0.8]), np.array([0.1, 0.2] if blocks == better else [0.85, 0.2])

    monkeypatch.setattr("engine.evaluation.likeness_scale.similarities", told)
    scale = best_scale(None, ())
    assert (scale.blocks, scale.area) == (better, 1.0)


@pytest.mark.parametrize(
    "damage",
    [
        {"same": 2.0},
        {"other": 0.95},
        {"area": float("nan")},
        {"blocks": -1},
        {"blocks": 1.5},
        {"what": 1},
        {"same": "x"},
    ],
)
def test_a_damaged_scale_is_refused(measured_bundle, damage):
    data = json.loads((measured_bundle / "bundle.json").read_text())
    data["likeness"] |= damage
    with pytest.raises(BundleError, match="damaged"):
        BundleManifest.from_json(data)


def test_the_shipped_model_tells_things_apart():
    from engine.bundle.library import resolve_bundle

    scale = read_manifest(resolve_bundle("mini")).likeness
    assert scale is not None and scale.tells and scale.same > scale.other + scale.other_spread
