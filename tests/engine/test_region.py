"""A region of a picture or of a photo is drawn anew, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from engine import CutOut, Engine, Finished, GenerationRequest, ScaleBits, ScalePreview, Started
from engine.bench.random_bundle import make_random_bundle
from engine.encoders.placed import subject_alpha
from engine.errors import PhotoError, RequestError
from engine.painting import codes_around
from engine.photo.in_front import in_front
from engine.photo.load import photo_from_pixels
from engine.photo.place import place_in_region, place_in_window, put_back, region_of_photo, window_around
from engine.placement import Placement
from engine.region import Region, soft_inside
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.decoding import decode_in_strips
from engine.tokenizer.encoder_decoder import Decoder

RANDOM = 200


def cut_out() -> CutOut:
    pixels = np.full((56, 56, 4), 255, np.uint8)
    pixels[..., 3] = 0
    pixels[10:46, 16:40] = (200, 30, 60, 255)
    return CutOut(pixels)


REQUEST = GenerationRequest("a ball in the snow", cut_out(), seed=7)


@pytest.fixture(scope="module")
def engine(tiny_bundle) -> Engine:
    return Engine.open(tiny_bundle, "cpu")


@pytest.fixture(scope="module")
def picture(engine) -> Finished:
    return draw(engine, REQUEST)


def draw(engine: Engine, request: GenerationRequest) -> Finished:
    finished = list(engine.generate(request, previews=False))[-1]
    assert isinstance(finished, Finished)
    return finished


def quarter(finished: Finished, **options) -> Region:
    mask = np.zeros(finished.image.shape[:2], np.uint8)
    mask[32:, 32:] = 255
    return Region(mask, finished.image, **options)


def some_region(chance: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A blob of ellipses and boxes that is neither empty nor everything."""
    while True:
        mask = np.zeros((height, width), np.uint8)
        for _ in range(int(chance.integers(1, 4))):
            x, y = int(chance.integers(width)), int(chance.integers(height))
            a, b = (int(n) for n in chance.integers(2, max(height, width) // 3, 2))
            if chance.random() < 0.5:
                cv2.ellipse(mask, (x, y), (a, b), float(chance.uniform(0, 180)), 0, 360, 255, -1)
            else:
                mask[max(y - a, 0) : y + a, max(x - b, 0) : x + b] = 255
        if 0 < (mask > 0).sum() < mask.size:
            return mask


def test_inside_is_drawn_anew_and_outside_every_bit_stays(engine, picture):
    region = quarter(picture)
    again = draw(engine, replace(REQUEST, seed=99, kept=picture.bits, region=region))
    assert not np.array_equal(again.image[40:, 40:], picture.image[40:, 40:])
    changed = 0
    for old, new in zip(picture.bits.scales, again.bits.scales, strict=True):
        anew = region.tokens(old.shape[:2])
        assert np.array_equal(old[~anew], new[~anew])
        changed += int((old != new).sum())
    assert changed > 0
    assert np.array_equal(again.image[region.mask == 0], picture.image[region.mask == 0])


def test_no_pixel_changes_outside_of_random_regions(engine, picture):
    chance, drawn, changed = np.random.default_rng(5), 0, 0
    for index in range(RANDOM):
        region = Region(some_region(chance, 64, 64), picture.image)
        if index % 20 == 0:  # the engine whole; the rest of the way is the laying in
            try:
                image = draw(engine, replace(REQUEST, seed=index, kept=picture.bits, region=region)).image
                drawn += 1
            except RequestError as error:
                assert "too small" in str(error)
                continue
        else:
            image = region.lay_in(chance.integers(0, 256, (64, 64, 3), np.uint8), float(chance.uniform(1, 16)))
        changed += int((image != picture.image).any(axis=2)[region.mask == 0].sum())
    assert drawn >= 5 and changed == 0


def test_a_token_stays_when_more_than_half_of_it_is_outside():
    mask = np.zeros((64, 64), np.uint8)
    mask[:32, :28] = 255  # of 2 × 2 tokens the first is covered by 7 of 8 parts
    region = Region(mask, np.zeros((64, 64, 3), np.uint8), whole=1)
    assert region.tokens((2, 2)).tolist() == [[True, False], [False, False]]
    assert not region.tokens((1, 1)).any()
    half = Region(np.where(np.arange(64) < 32, 255, 0).astype(np.uint8)[None].repeat(64, 0), region.picture)
    assert half.tokens((1, 1)).all(), "exactly half outside is not more than half"
    assert not half.scales(((1, 1),))[0].any() or half.whole == 0


def test_region_and_scales_combine(engine, picture):
    grids = tuple(bits.shape[:2] for bits in picture.bits.scales)
    region = quarter(picture, whole=len(grids) - 1)
    again = draw(engine, replace(REQUEST, seed=5, kept=picture.bits, region=region))
    assert again.bits.first(len(grids) - 1) == picture.bits.first(len(grids) - 1)
    assert again.bits != picture.bits


def test_the_same_request_draws_the_same_bits_again_also_from_json(engine, picture):
    request = replace(REQUEST, seed=3, kept=picture.bits, region=quarter(picture))
    first, read = draw(engine, request), GenerationRequest.loads(request.dumps())
    assert read == request and read.region == request.region
    second = draw(engine, read)
    assert first.bits == second.bits and np.array_equal(first.image, second.image)
    assert request.group_key() == REQUEST.group_key()


def test_a_photo_becomes_bits_and_stays_outside(engine):
    chance = np.random.default_rng(1)
    photo = photo_from_pixels(chance.integers(0, 256, (480, 640, 3), np.uint8))
    mask = np.zeros((480, 640), np.uint8)
    mask[200:400, 300:500] = 255
    region = region_of_photo(photo, mask, ((64, 64),))
    assert region.window is not None and region.size == (64, 64)
    finished = draw(engine, replace(REQUEST, region=region))
    assert finished.request.kept is not None and len(finished.request.kept) == len(finished.bits)
    whole = put_back(photo.rgb, finished.image, region, 4)
    assert whole.shape == photo.rgb.shape
    assert not (whole != photo.rgb).any(axis=2)[mask == 0].any()
    assert (whole != photo.rgb).any(axis=2)[mask > 0].mean() > 0.8


def test_every_scale_of_a_picture_in_a_photo_is_shown_also_those_that_stay(engine):
    chance = np.random.default_rng(2)
    photo = photo_from_pixels(chance.integers(0, 256, (64, 64, 3), np.uint8))
    mask = np.zeros((64, 64), np.uint8)
    mask[40:56, 40:56] = 255  # too small for the tokens of the first scales
    events = list(engine.generate(replace(REQUEST, region=region_of_photo(photo, mask, ((64, 64),)))))
    started, *previews = (event for event in events if isinstance(event, Started | ScalePreview))
    assert started.first_scale > 1
    assert [event.scale for event in previews] == list(range(len(started.grids)))
    assert len({event.image.tobytes() for event in previews[: started.first_scale]}) > 1, "each its own picture"


def placed_in(photo, mask, subject) -> GenerationRequest:
    region = region_of_photo(photo, mask, ((64, 64),))
    return replace(REQUEST, region=region, placement=place_in_region(subject, region))


def test_a_photo_goes_on_behind_a_placed_subject(tmp_path):
    make_random_bundle(tmp_path / "placed", "tiny-placed")
    chance = np.random.default_rng(3)
    photo = photo_from_pixels(chance.integers(90, 166, (200, 260, 3), np.uint8))
    mask = np.zeros((200, 260), np.uint8)
    mask[40:180, 60:220] = 255
    request = placed_in(photo, mask, cut_out())
    with Engine.open(tmp_path / "placed", "cpu") as placing:
        finished = draw(placing, request)
        read = GenerationRequest.loads(finished.request.dumps())
        assert read.region is not None and read.region.behind
        assert np.array_equal(draw(placing, read).image, finished.image), "its PNG draws it again"
        *_, preview, _ = [event.image for event in placing.generate(request) if isinstance(event, ScalePreview)]
    alpha = subject_alpha(request, request.placement, (64, 64))
    assert alpha is not None
    place, beside = request.region.picture.astype(int), alpha == 0
    assert (finished.image[beside] <= place[beside]).all(), "a shadow, and no light"
    assert np.array_equal(preview[beside], request.region.picture[beside])
    solid = (alpha > 0.99) & (cv2.erode(request.region.mask, np.ones((17, 17))) > 0)
    assert (finished.image[solid] != place[solid]).any(axis=-1).mean() > 0.8
    whole = put_back(photo.rgb, preview, request.region, 4, alpha)
    window = request.region.window
    near = cv2.dilate(alpha, np.ones((5, 5)))  # made large by cubic curves, alpha reaches two pixels further
    large = cv2.resize(near, (window.width, window.height), interpolation=cv2.INTER_LINEAR)
    changed = (whole != photo.rgb).any(axis=2)
    changed[window.y : window.y + window.height, window.x : window.x + window.width] &= large == 0
    assert not changed.any(), "at full resolution it is the photo itself, not one that was made small and large again"


def test_a_subject_in_front_only_takes_light_away():
    region = Region(np.pad(np.full((40, 40), 255, np.uint8), 12), np.full((64, 64, 3), 120, np.uint8), behind=True)
    alpha = np.zeros((64, 64), np.float32)
    alpha[24:40, 24:40] = 1
    without = np.full((64, 64, 3), 100, np.uint8)
    lighter, darker = np.full_like(without, 140), np.full_like(without, 60)
    beside = alpha == 0
    assert (in_front(region, lighter, alpha, 4, without)[beside] == 120).all()
    shaded = in_front(region, darker, alpha, 4, without)
    assert (shaded[32, 32] == 60).all() and shaded[beside].min() < 90
    assert (shaded[region.mask == 0] == 120).all()
    assert (in_front(region, darker, alpha, 4)[beside] == 120).all(), "without the photo's own bits no shadow"


def test_a_window_of_codes_is_decoded_as_the_whole_is(engine):
    decoder = engine.bundle.tokenizer.decoder
    codes = torch.randn(1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    whole = decode_in_strips(decoder, codes)
    assert torch.equal(decode_in_strips(decoder, codes, window=(slice(0, 8), slice(0, 8))), whole)
    part = decode_in_strips(decoder, codes, window=(slice(1, 7), slice(2, 8)))
    assert part.shape == (1, 3, 48, 48)
    there = whole[:, :, 8:56, 16:64]
    assert (part - there)[:, :, 8:-8, 8:-8].abs().mean() < 0.25 * (there - there.mean()).abs().mean()


def test_a_window_is_decoded_as_the_whole_is_where_a_code_has_many_cells():
    """Finer levels run in less and less of the picture: what is given up of each is too far away to be seen."""
    config = TokenizerConfig(bits=8, base_channels=8, multipliers=(1, 1, 1, 1, 1), blocks_per_level=1, norm_groups=4)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        decoder = Decoder(config).eval().requires_grad_(False)
    codes = torch.randn(1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    whole = decode_in_strips(decoder, codes)
    assert torch.equal(decode_in_strips(decoder, codes, window=(slice(0, 8), slice(0, 8))), whole)
    part = decode_in_strips(decoder, codes, window=(slice(2, 6), slice(3, 8)))
    assert part.shape == (1, 3, 64, 80)
    there = whole[:, :, 32:96, 48:128]
    assert (part - there)[:, :, 16:-16, 16:].abs().mean() < 0.3 * (there - there.mean()).abs().mean()


def test_a_small_region_of_a_picture_is_painted_around_itself():
    grid = (16, 16)
    picture = np.zeros((256, 256, 3), np.uint8)
    mask = np.zeros((256, 256), np.uint8)
    mask[128:, 100:140] = 255
    assert codes_around(Region(mask, picture), grid, 16) == (slice(7, 16), slice(5, 10))
    mask[:] = 255
    mask[:40] = 0
    assert codes_around(Region(mask, picture), grid, 16) is None


def test_random_windows_of_photos_never_touch_what_is_outside():
    chance = np.random.default_rng(2)
    for _ in range(30):
        height, width = (int(n) for n in chance.integers(40, 400, 2))
        photo = photo_from_pixels(chance.integers(0, 256, (height, width, 3), np.uint8))
        mask = some_region(chance, height, width)
        try:
            region = region_of_photo(photo, mask, ((64, 64), (96, 64)))
        except RequestError as error:
            assert "too small" in str(error) or "whole picture" in str(error)
            continue
        drawn = chance.integers(0, 256, (*region.mask.shape, 3), np.uint8)
        out = put_back(photo.rgb, region.lay_in(drawn, 4), region, 4) if region.window else region.lay_in(drawn, 4)
        assert not (out != photo.rgb).any(axis=2)[mask == 0].any()


def test_the_window_holds_the_region_and_has_the_shape_of_the_model():
    x, y, width, height = window_around((2900, 1000, 3400, 1600), (6000, 4000), (256, 256))
    assert width == height == 900 and x <= 2900 and x + width >= 3400 and y <= 1000 and y + height >= 1600
    assert window_around((10, 10, 20, 20), (256, 256), (256, 256)) == (0, 0, 256, 256)
    x, y, width, height = window_around((0, 40, 900, 60), (900, 100), (64, 64))
    assert (x, width) == (0, 900) and y == -400


def test_a_subject_fits_into_a_region_and_a_place_follows_the_window():
    photo = photo_from_pixels(np.zeros((400, 400, 3), np.uint8))
    mask = np.zeros((400, 400), np.uint8)
    mask[200:300, 100:220] = 255
    region = region_of_photo(photo, mask, ((64, 64),))
    place = place_in_region(cut_out(), region)
    rows, columns = np.nonzero(region.mask)
    assert columns.min() < place.x * 64 < columns.max() and rows.min() < place.y * 64 < rows.max()
    moved = place_in_window(Placement(0.4, 0.6, 0.2), region.window)
    assert region.window is not None
    assert abs(moved.x * region.window.width + region.window.x - 160) < 1e-6
    with pytest.raises(RequestError, match="outside of the region"):
        place_in_window(Placement(0.9, 0.05, 0.2), region.window)


def test_a_photo_of_the_models_own_size_is_the_picture_itself():
    photo = photo_from_pixels(np.random.default_rng(4).integers(0, 256, (64, 64, 3), np.uint8))
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    region = region_of_photo(photo, mask, ((64, 64),))
    assert region.window is None and np.array_equal(region.picture, photo.rgb)
    place = Placement(0.9, 0.05, 0.2)
    assert place_in_window(place, region.window) == place
    drawn = region.lay_in(np.full_like(photo.rgb, 9), 4)
    assert np.array_equal(put_back(photo.rgb, drawn, region, 4), drawn)


def test_what_does_not_fit_is_said(engine, picture):
    image = picture.image
    with pytest.raises(RequestError, match="empty"):
        Region(np.zeros((64, 64), np.uint8), image)
    with pytest.raises(RequestError, match="whole picture"):
        Region(np.full((64, 64), 255, np.uint8), image)
    with pytest.raises(RequestError, match="region is 32 × 32 pixels"):
        Region(np.eye(32, dtype=np.uint8) * 255, image)
    region = quarter(picture)
    with pytest.raises(RequestError, match="bits of all 5 scales"):
        engine.generate(replace(REQUEST, kept=picture.bits.first(2), region=region))
    wrong = ScaleBits(tuple(bits[..., :4] for bits in picture.bits.scales))
    with pytest.raises(RequestError, match="not those of this model"):
        engine.generate(replace(REQUEST, kept=wrong, region=region))
    with pytest.raises(RequestError, match="is open"):
        engine.generate(replace(REQUEST, kept=picture.bits, region=region, bundle="other@0"))
    with pytest.raises(RequestError, match="drawn through all scales"):
        engine.generate(replace(REQUEST, kept=picture.bits, region=region), until_scale=3)
    smaller = Region(region.mask[16:, 16:], image[16:, 16:])
    with pytest.raises(RequestError, match="region is 48 × 48 pixels and the picture 64 × 64"):
        engine.generate(replace(REQUEST, kept=picture.bits, region=smaller))
    tiny = np.zeros((64, 64), np.uint8)
    tiny[0, 0] = 255
    with pytest.raises(RequestError, match="too small"):
        engine.generate(replace(REQUEST, kept=picture.bits, region=Region(tiny, image)))
    with pytest.raises(RequestError, match="All 5 scales are kept"):
        engine.generate(replace(REQUEST, kept=picture.bits, region=quarter(picture, whole=5)))
    with pytest.raises(RequestError, match="from 0 to 32"):
        quarter(picture, whole=99)
    with pytest.raises(RequestError, match="damaged"):
        Region.from_json({"mask": "AAAA", "picture": "AAAA"})


def test_a_photo_that_does_not_fit_is_said():
    photo, mask = photo_from_pixels(np.zeros((40, 60, 3), np.uint8)), np.zeros((40, 60), np.uint8)
    with pytest.raises(RequestError, match="empty"):
        region_of_photo(photo, mask, ((64, 64),))
    with pytest.raises(RequestError, match="region is 50 × 50 pixels and the photo 60 × 40"):
        region_of_photo(photo, np.full((50, 50), 255, np.uint8), ((64, 64),))
    small = photo_from_pixels(np.zeros((12, 60, 3), np.uint8))
    with pytest.raises(PhotoError, match="only 60 × 12 pixels, too small") as refused:
        region_of_photo(small, np.eye(12, 60, dtype=np.uint8) * 255, ((64, 64),))
    assert refused.value.title == "The photo is too small"  # it is a picture, and may be a good one
    mask[8:30, 8:40] = 255
    region = region_of_photo(photo, mask, ((64, 64),))
    with pytest.raises(RequestError, match="photo is 61 × 40 pixels, and the region is of one of 60 × 40"):
        put_back(np.zeros((40, 61, 3), np.uint8), region.picture, region, 4)
    large = photo_from_pixels(np.zeros((400, 400, 3), np.uint8))
    hair = np.eye(400, dtype=np.uint8) * 255  # nothing of it is left in the 64 pixels of the model
    with pytest.raises(RequestError, match="region is too small"):
        region_of_photo(large, hair, ((64, 64),))


def test_the_edge_comes_in_within_the_feather():
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    weight = soft_inside(mask, 4)
    assert (weight[mask == 0] == 0).all() and (weight[20:44, 20:44] == 1).all() and 0 < weight[16, 30] < 1
