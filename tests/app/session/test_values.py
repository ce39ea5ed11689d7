"""What the panel shows becomes a request, and a request fills the panel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.session.values import (
    PanelValues,
    Readiness,
    compose,
    for_next_picture,
    help_line,
    kept_sentence,
    recall,
    redraw,
    shape_name,
    with_new_seed,
)
from engine.bundle.manifest import BundleManifest
from engine.errors import RequestError
from engine.placement import Placement
from engine.region import Region
from engine.request import MAX_SEED, CutOut, GenerationRequest, ScaleBits
from tests.app.fake_bundle import fake_bundle

SUBJECT = CutOut(np.full((8, 8, 4), 255, np.uint8))
VALUES = PanelValues(
    prompt="  a robot in the snow\n",
    negative_prompt=" blurry ",
    prompt_strength=2.5,
    subject_strength=(1.0, 2.0),
    look_strength=4.0,
    temperature=0.8,
    top_p=0.9,
    size=(64, 48),
    count=3,
    seed=MAX_SEED - 1,
    seed_locked=True,
)


def test_every_value_reaches_the_request():
    request = compose(VALUES, SUBJECT, " robot ")
    assert request == GenerationRequest(
        "a robot in the snow",
        subject=SUBJECT,
        negative_prompt="blurry",
        subject_name="robot",
        seed=MAX_SEED - 1,
        size=(64, 48),
        prompt_strength=2.5,
        subject_strength=(1.0, 2.0),
        look_strength=4.0,
        temperature=0.8,
        top_p=0.9,
    )


def test_several_pictures_take_seeds_that_follow_each_other_and_wrap():
    assert [request.seed for request in compose(VALUES, SUBJECT).several(VALUES.count)] == [MAX_SEED - 1, MAX_SEED, 0]


def test_a_request_fills_the_panel_so_that_it_composes_to_itself():
    request = compose(VALUES, SUBJECT, "robot")
    values, note = recall(request, PanelValues(count=2), "all")
    assert note == ""
    assert values.count == 2
    assert values.seed_locked
    assert compose(values, SUBJECT, "robot") == request


def test_recalling_only_the_seed_or_only_the_prompt_leaves_the_rest():
    request = compose(VALUES, SUBJECT)
    before = PanelValues(prompt="other", temperature=2.0, seed=5)
    assert recall(request, before, "seed")[0] == replace(before, seed=MAX_SEED - 1, seed_locked=True)
    words, _ = recall(request, before, "prompt")
    assert words == replace(before, prompt="a robot in the snow", negative_prompt="blurry")


@pytest.fixture
def manifest(tmp_path) -> BundleManifest:
    return fake_bundle(tmp_path)


def kept_of(manifest: BundleManifest, count: int) -> ScaleBits:
    grids = manifest.schedules[0].grids[:count]
    return ScaleBits(tuple(np.ones((*grid, manifest.transformer.bits), np.uint8) for grid in grids))


def test_a_size_the_model_does_not_draw_is_said_and_left_alone(manifest):
    values, note = recall(compose(VALUES, SUBJECT), PanelValues(size=(72, 48)), "all", manifest)
    assert values.size == (72, 48)
    assert "64 × 48" in note


def test_kept_scales_come_back_with_everything_else(manifest):
    square = replace(VALUES, size=(64, 64))
    request = replace(compose(square, SUBJECT), kept=kept_of(manifest, 2), bundle=manifest.identity)
    values, note = recall(request, PanelValues(), "all", manifest)
    assert note == ""
    assert replace(compose(values, SUBJECT), bundle=manifest.identity) == request
    assert recall(request, PanelValues(), "seed")[0].kept is None
    assert recall(request, PanelValues(), "prompt")[0].kept is None
    assert recall(replace(request, kept=None), values, "all", manifest)[0].kept is None, "those of before are let go"


def test_kept_scales_the_open_model_cannot_take_up_are_said(manifest):
    fits = compose(replace(VALUES, size=(64, 64)), SUBJECT)
    for request in (
        replace(fits, kept=kept_of(manifest, 2), bundle="other@123456789012"),
        replace(fits, kept=kept_of(manifest, 3), size=(72, 48)),
        replace(fits, kept=ScaleBits((np.zeros((1, 1, 4), np.uint8),))),
        replace(fits, kept=kept_of(manifest, 5)),
    ):
        values, note = recall(request, PanelValues(), "all", manifest)
        assert values.kept is None
        assert f"{len(request.kept)} kept scales" in note


def test_a_picture_of_another_model_says_whose_it_is(manifest):
    request = replace(compose(replace(VALUES, size=(64, 64)), SUBJECT), bundle=manifest.identity)
    assert recall(request, PanelValues(), "all", manifest)[1] == ""
    assert recall(request, PanelValues(), "all")[1] == "", "no model is open yet"
    assert (
        "made with large; the open model"
        in recall(replace(request, bundle="large@12"), PanelValues(), "all", manifest)[1]
    )
    name = manifest.identity.partition("@")[0]
    older = recall(replace(request, bundle=f"{name}@12"), PanelValues(), "all", manifest)[1]
    assert f"another version of {name}" in older


def a_region(whole: int = 0) -> Region:
    mask = np.zeros((64, 64), np.uint8)
    mask[:32] = 255
    return Region(mask, np.zeros((64, 64, 3), np.uint8), whole)


def test_a_region_comes_back_with_its_bits_or_the_open_model_says_that_it_cannot_take_it_up(manifest):
    square = compose(replace(VALUES, size=(64, 64)), SUBJECT)
    request = replace(square, kept=kept_of(manifest, 5), region=a_region(), bundle=manifest.identity)
    values, note = recall(request, PanelValues(), "all", manifest)
    assert (note, values.region, values.kept) == ("", request.region, request.kept)
    values, note = recall(replace(request, bundle="other@123456789012"), PanelValues(), "all", manifest)
    assert "cannot take up the region" in note and values.region is None and values.kept is None


def test_a_place_that_the_open_model_does_not_know_is_said(manifest):
    request = replace(compose(replace(VALUES, size=(64, 64)), SUBJECT), placement=Placement(0.3, 0.6, 0.4))
    assert "its place is not used" in recall(request, PanelValues(), "all", manifest)[1]
    assert recall(request, PanelValues(), "all")[1] == "", "no model is open yet"


def test_a_redraw_of_a_picture_with_a_region_stays_in_the_region():
    bits = ScaleBits(tuple(np.zeros((n, n, 4), np.uint8) for n in (1, 2, 4)))
    request = replace(compose(replace(VALUES, size=(64, 64)), SUBJECT), region=a_region(), kept=bits)
    again = redraw(request, bits, 2, seed=9)
    assert again.region is not None and again.region.whole == 2 and again.kept == bits and again.seed == 9


def test_what_the_line_above_generate_says(manifest):
    sentences = [kept_sentence(bits) for bits in (None, kept_of(manifest, 1), kept_of(manifest, 3))]
    assert sentences == ["", "Keeps the first scale", "Keeps the first 3 scales"]
    assert kept_sentence(kept_of(manifest, 5), a_region()) == "Draws only its region anew"


def test_a_redraw_keeps_the_first_scales_and_nothing_else_changes():
    bits = ScaleBits(tuple(np.zeros((n, n, 4), np.uint8) for n in (1, 2, 4)))
    request = compose(VALUES, SUBJECT)
    again = redraw(request, bits, 2, seed=9)
    assert again == replace(request, kept=bits.first(2), seed=9)
    with pytest.raises(RequestError):
        redraw(request, bits, 4, seed=9)


def test_the_seed_is_new_each_time_unless_it_is_locked():
    assert for_next_picture(VALUES) == VALUES
    free = replace(VALUES, seed_locked=False)
    seeds = {for_next_picture(free).seed for _ in range(8)}
    assert len(seeds) > 1
    assert all(0 <= seed < 1_000_000 for seed in seeds)
    assert with_new_seed(VALUES).seed_locked, "a roll keeps the lock"


def test_count_is_one_to_eight():
    with pytest.raises(ValueError):
        PanelValues(count=9)
    with pytest.raises(ValueError):
        PanelValues(count=0)
    with pytest.raises(ValueError, match="locked"):
        PanelValues(seed_locked=1)


READY = Readiness(has_photo=True, has_subject=True, has_prompt=True, seconds=4.2)


@pytest.mark.parametrize(
    ("ready", "possible", "text"),
    [
        (Readiness(starting=True), False, "Starting…"),
        (Readiness(), False, "Add a photo first"),
        (Readiness(reading=True), False, "Opening the photo…"),
        (Readiness(has_photo=True, has_prompt=True), False, "The cut-out is not ready yet"),
        (Readiness(has_photo=True, finding=True), False, "Write a prompt first"),
        (Readiness(has_photo=True, problem="The cut-out is empty."), False, "The cut-out is empty."),
        (Readiness(has_photo=True, has_subject=True), False, "Write a prompt first"),
        (replace(READY, loading=True), True, "Starts as soon as the model is loaded"),
        (replace(READY, failed=True), True, "Loads the model again first"),
        (READY, True, "About 4\u00a0s on this computer"),
        (replace(READY, prepared=True), True, "About 4\u00a0s · subject and prompt are ready"),
        (replace(READY, prepared=True, seconds=None), True, "Subject and prompt are ready"),
        (replace(READY, seconds=None), True, "Press Generate and watch the picture form"),
    ],
)
def test_the_help_line_says_what_is_missing_or_how_long_it_takes(ready: Readiness, possible: bool, text: str):
    assert help_line(ready) == (possible, text)


def test_the_help_line_counts_all_pictures():
    assert help_line(READY, 4)[1] == "About 17\u00a0s on this computer"


@pytest.mark.parametrize(
    ("size", "name"),
    [
        ((256, 256), "Square 1:1"),
        ((1248, 832), "Landscape 3:2"),
        ((832, 1248), "Portrait 2:3"),
        ((1360, 768), "Landscape 16:9"),
        ((704, 1408), "Portrait 1:2"),
    ],
)
def test_shapes_have_names(size: tuple[int, int], name: str):
    assert shape_name(size) == name
