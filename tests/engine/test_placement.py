"""Where the subject stands: read from anywhere, chosen by a seed, drawn onto a canvas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.bench.random_bundle import make_random_bundle
from engine.bundle.manifest import BundleManifest
from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import PlacedContent
from engine.encoders.placed import on_white, place_cut_out
from engine.engine import Engine
from engine.errors import BundleError, RequestError
from engine.events import Finished, ScalePreview
from engine.placement import Placement
from engine.request import CutOut, GenerationRequest
from engine.validation import Damage, read_value


def square(side: int = 64, margin: int = 4, colour: tuple[int, int, int] = (200, 30, 30)) -> CutOut:
    """A red square with a green left half, on white."""
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[..., :3] = 255
    pixels[margin:-margin, margin:-margin, :3] = colour
    pixels[margin:-margin, margin : side // 2, :3] = (20, 180, 20)
    pixels[margin:-margin, margin:-margin, 3] = 255
    return CutOut(pixels)


@pytest.mark.parametrize(
    "values",
    [
        {"x": -0.1},
        {"y": 1.2},
        {"size": 0},
        {"size": 3},
        {"turn": math.nan},
        {"turn": 200},
        {"x": math.inf},
        {"x": "0.5"},
        {"x": True},
        {"mirrored": 1},
    ],
)
def test_a_placement_that_cannot_be_is_refused(values):
    with pytest.raises(RequestError):
        Placement(**({"x": 0.5, "y": 0.5, "size": 0.5} | values))


def test_the_form_of_the_command_line():
    assert Placement.parse("0.5, 0.6,0.4") == Placement(0.5, 0.6, 0.4)
    assert Placement.parse("0.5,0.6,0.4,-12,mirrored") == Placement(0.5, 0.6, 0.4, -12, True)
    assert Placement.parse("0.5,0.6,0.4,mirrored").mirrored
    for text in ("", "0.5,0.5", "a,b,c", "0.5,0.5,0.5,1,2", "mirrored", "0.5,0.5,nan"):
        with pytest.raises(RequestError):
            Placement.parse(text)


def test_a_request_keeps_its_placement_and_older_ones_their_groups():
    plain = GenerationRequest("a ball")
    assert "placement" not in plain.to_json(), "the groups of pictures made before stay together"
    placed = replace(plain, placement=Placement(0.4, 0.6, 0.5, 10, True))
    assert GenerationRequest.loads(placed.dumps()) == placed
    assert placed.group_key() != plain.group_key()
    for damaged in ({"x": 0.5}, [0.5, 0.5, 0.5], {"x": 0.5, "y": 0.5, "size": 1e9}, {"x": None, "y": 0, "size": 1}):
        with pytest.raises(RequestError):
            GenerationRequest.from_json(plain.to_json() | {"placement": damaged})


def test_the_cut_out_lies_where_it_was_put():
    canvas = place_cut_out(square(), Placement(0.25, 0.5, 0.5), 128, 128)
    assert canvas.shape == (128, 128, 4) and canvas.dtype == np.float32
    rows, columns = np.nonzero(canvas[..., 3] > 0.5)
    assert (columns.min(), columns.max()) == (4, 59) and (rows.min(), rows.max()) == (36, 91)
    assert canvas[64, 20, 1] > 0.6 and canvas[64, 45, 0] > 0.7, "green left, red right"
    assert np.all(canvas[..., :3] <= canvas[..., 3:] + 1e-6), "premultiplied: no white comes along"
    mirrored = place_cut_out(square(), Placement(0.25, 0.5, 0.5, mirrored=True), 128, 128)
    assert np.allclose(mirrored[:, :64], canvas[:, 63::-1], atol=1e-3)
    assert (on_white(canvas)[0, 0] == 255).all()


def test_turning_is_clockwise():
    canvas = place_cut_out(square(), Placement(0.5, 0.5, 0.5, 90), 128, 128)
    assert canvas[40, 64, 1] > 0.6 and canvas[88, 64, 0] > 0.7, "what was left is on top now"


def test_what_is_made_small_is_averaged():
    stripes = np.full((256, 256, 4), 255, np.uint8)
    stripes[:, ::2, :3] = 0
    canvas = place_cut_out(CutOut(stripes), Placement(0.5, 0.5, 0.5), 64, 64)
    inside = canvas[20:44, 20:44, 0]
    assert abs(inside.mean() - 0.5) < 0.02 and inside.std() < 0.05


def test_automatic_stands_on_the_ground_and_differs_by_seed():
    ranges, subject = PlacementRanges(), square()
    chosen = [ranges.automatic(subject, seed) for seed in range(40)]
    assert chosen == [ranges.automatic(subject, seed) for seed in range(40)]
    assert len({place.x for place in chosen}) == 40 and {place.turn for place in chosen} == {0.0}, (
        "upright, as photographed"
    )
    assert PlacementRanges(turn=(2.0, 9.0)).automatic(subject, 1).turn == 2.0, "a model that knows no other"
    for place in chosen:
        foot = place.y + (subject.lowest_point - 0.5) * place.size
        assert ranges.foot[0] - 1e-9 <= foot <= ranges.foot[1] + 1e-9 and not place.mirrored
    assert CutOut(np.zeros((8, 8, 4), np.uint8)).lowest_point == 1.0


def test_what_its_photo_cut_off_below_is_cut_off_by_the_picture():
    plain, ranges = square(), PlacementRanges()
    cut = replace(plain, cut_below=True)
    for seed in range(20):
        standing, placed = ranges.automatic(plain, seed), ranges.automatic(cut, seed)
        lowest = placed.y + (cut.lowest_point - 0.5) * placed.size
        assert 1.0 < lowest < 1.02 and placed.turn == 0.0
        assert placed.x == standing.x and standing.size <= placed.size <= ranges.size[1]
    middle = ranges.middle(cut)
    assert middle.y + (cut.lowest_point - 0.5) * middle.size == pytest.approx(ranges.ground(cut)) and middle.turn == 0.0
    assert ranges.ground(plain) < 0.95


@pytest.mark.parametrize("picture", [(256, 256), (512, 256), (256, 384)])
@pytest.mark.parametrize("side", ["left", "right"])
def test_what_its_photo_cut_off_at_a_side_is_cut_off_by_that_side_of_the_picture(side: str, picture: tuple[int, int]):
    plain, ranges = square(), PlacementRanges()
    cut = replace(plain, cut_beside=side)
    width, height = picture
    for placed in (*(ranges.automatic(cut, seed, picture) for seed in range(20)), ranges.middle(cut, picture)):
        alpha = place_cut_out(cut, placed, width, height)[..., 3]
        assert alpha[:, 0 if side == "left" else -1].max() > 0.9, "it goes on beyond the edge"
        shown = np.flatnonzero((alpha > 0.5).any(axis=0))
        other = width - 1 - shown[-1] if side == "left" else shown[0]
        assert other > 0.1 * width, "and ends in the picture at its other side"
        assert placed.turn == 0.0 and not placed.mirrored and placed.size >= sum(ranges.size) / 2
        low, high = ranges.foot
        assert low - 0.01 <= (np.flatnonzero((alpha > 0.5).any(axis=1))[-1] + 1) / height <= high + 0.01
    corner = replace(cut, cut_below=True)
    alpha = place_cut_out(corner, ranges.automatic(corner, 1, picture), width, height)[..., 3]
    assert alpha[-1].max() > 0.9 and alpha[:, 0 if side == "left" else -1].max() > 0.9


@pytest.mark.parametrize("ranges", [{"x": [0.9, 0.1]}, {"size": [0, 0.5]}, {"turn": [-999, 0]}])
def test_ranges_that_cannot_be(ranges):
    with pytest.raises(Damage):
        read_value(ranges, PlacementRanges)


# With a model that knows placement


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("placed")
    make_random_bundle(folder / "placed", "tiny-placed")
    with Engine.open(folder / "placed", "cpu") as opened:
        yield opened


REQUEST = GenerationRequest("a ball in the snow", square(), seed=3, subject_strength=2.0)


def drawn(engine: Engine, request: GenerationRequest) -> Finished:
    *_, last = engine.generate(request)
    assert isinstance(last, Finished)
    return last


def test_the_manifest_says_what_it_knows(engine):
    manifest = engine.bundle.manifest
    assert BundleManifest.from_json(manifest.to_json()) == manifest
    assert manifest.placed_content == PlacedContent(PlacementRanges(), 2)
    assert manifest.place(REQUEST) == PlacementRanges().automatic(REQUEST.subject, 3)
    assert manifest.place(replace(REQUEST, subject=None)) is None
    with pytest.raises(BundleError, match="decoder looks at the placed cut-out"):
        BundleManifest.from_json(manifest.to_json() | {"placed_content": None})
    with pytest.raises(BundleError):
        BundleManifest.from_json(manifest.to_json() | {"placed_content": {"ranges": {"x": [2, 3]}, "fold": 2}})
    with pytest.raises(BundleError, match=r"placed_content\.ranges\.y is not known"):
        BundleManifest.from_json(manifest.to_json() | {"placed_content": {"ranges": {"y": [0, 1]}, "fold": 2}})


def test_the_place_changes_the_picture_and_automatic_is_the_seed_s(engine):
    automatic = drawn(engine, REQUEST)
    place = engine.bundle.manifest.place(REQUEST)
    same = drawn(engine, replace(REQUEST, placement=place))
    assert np.array_equal(automatic.image, same.image) and same.bits == automatic.bits
    moved = drawn(engine, replace(REQUEST, placement=replace(place, x=0.2)))
    assert not np.array_equal(moved.image, automatic.image)
    assert automatic.request.placement is None, "what was left open stays open for the next seed"


def test_what_is_kept_between_pictures_is_kept_by_place(engine):
    place = Placement(0.5, 0.5, 0.6)
    first = drawn(engine, replace(REQUEST, placement=place))
    again = drawn(engine, replace(REQUEST, placement=place, seed=9))
    assert {"subject", "content"} <= set(again.timing.cached)
    moved = drawn(engine, replace(REQUEST, placement=replace(place, x=0.4), seed=9))
    assert "content" not in moved.timing.cached
    assert drawn(engine, replace(REQUEST, placement=place)).bits == first.bits


def test_where_memory_is_short_the_last_canvas_goes_too(engine):
    first = drawn(engine, REQUEST)
    assert engine._painter._last_canvas is not None
    engine._forget()
    assert engine._painter._last_canvas is None
    assert np.array_equal(drawn(engine, REQUEST).image, first.image)


def test_previews_go_through_the_same_decoder(engine):
    events = list(engine.generate(REQUEST))
    shown = [event.image for event in events if isinstance(event, ScalePreview)]
    bits = events[-1].bits
    painted = engine.previews(bits, REQUEST)
    assert all(np.array_equal(one, other) for one, other in zip(painted[:-1], shown[:-1], strict=True))
    assert not np.array_equal(
        engine.previews(bits, replace(REQUEST, placement=Placement(0.2, 0.3, 0.4)))[0], painted[0]
    )


def test_the_decoder_in_strips_is_the_plain_one(engine):
    decoder = engine.bundle.tokenizer.decoder
    torch.manual_seed(0)
    for layer in (decoder.reference.detail, decoder.reference.light, *decoder.reference.joins):
        torch.nn.init.normal_(layer.weight, std=0.1)
    codes = torch.randn(1, 8, 8, 8)
    canvas = torch.from_numpy(place_cut_out(square(), Placement(0.5, 0.5, 0.7), 64, 64)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        for given in (canvas, None):
            plain = decoder(codes, given).clamp(-1, 1)
            assert torch.allclose(engine.bundle.tokenizer.decode(codes, given, relight=False), plain, atol=1e-5)
        assert not torch.allclose(decoder(codes, canvas), decoder(codes))


@torch.inference_mode()
def test_behind_the_edge_of_the_picture_a_subject_goes_on(engine):
    """Zeros there would be its end: a rim and a shadow along the edge that cuts it off."""
    branch = engine.bundle.tokenizer.decoder.reference
    colour = torch.tensor([0.7, 0.4, 0.2, 1.0])[None, :, None, None].expand(1, 4, 64, 64)
    for features in branch.features(colour):
        assert (features - features[..., :1, :1]).abs().max() < 1e-4


def test_a_fresh_branch_shows_the_cut_out_as_it_is(engine, tmp_path):
    make_random_bundle(tmp_path / "fresh", "tiny-placed")
    from engine.tokenizer.autoencoder import Autoencoder

    autoencoder = Autoencoder(engine.bundle.manifest.tokenizer)
    canvas = torch.from_numpy(place_cut_out(square(), Placement(0.5, 0.5, 0.7), 64, 64)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        made = (autoencoder.decoder(torch.zeros(1, 8, 8, 8), canvas) + 1) / 2
    inside = canvas[:, 3:] > 0.99
    error = ((made - canvas[:, :3]).abs() * inside).sum() / inside.sum() / 3
    assert error < 0.05


def test_a_model_without_placement_refuses_one(tmp_path):
    manifest = make_random_bundle(tmp_path / "plain", "tiny")
    assert manifest.placed_content is None and "reference_channels" not in manifest.tokenizer.to_json()
    with Engine.open(tmp_path / "plain", "cpu") as plain, pytest.raises(RequestError, match="chooses itself"):
        plain.generate(replace(REQUEST, placement=Placement(0.5, 0.5, 0.5)))


def test_the_usual_place_is_the_middle_of_the_ranges():
    ranges = PlacementRanges((0.3, 0.5), (0.8, 0.9), (0.4, 0.6), (-4.0, 2.0))
    place = ranges.middle(square())
    assert (place.x, place.size, place.turn) == pytest.approx((0.4, 0.5, 0.0)), "but upright"
    assert place.y + (square().lowest_point - 0.5) * place.size == pytest.approx(0.85)
