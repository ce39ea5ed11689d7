"""Requests for regions, without window and queue."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.session.region_requests import RegionRequests
from app.session.state import Result, SessionState
from app.store.assets import GRACE_SECONDS, AssetStore
from app.store.history_store import HistoryStore
from app.store.unused_assets import remove_unused
from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import PlacedContent
from engine.errors import EchoGenError
from engine.events import EngineInfo, Finished, Timing
from engine.photo.load import load_photo, photo_from_pixels
from engine.photo.place import place_in_region
from engine.placement import Placement
from engine.request import CutOut, GenerationRequest
from tests.app.fake_bundle import GRIDS, bits, cut_out, fake_bundle
from tests.engine.photo.test_colours import DISPLAY_P3, profile


@pytest.fixture
def state(qapp, tmp_path: Path) -> SessionState:
    state = SessionState()
    manifest = fake_bundle(tmp_path)
    info = EngineInfo(manifest.identity, "fake", "CPU")
    state.update_engine(phase="ready", manifest=manifest, folder=tmp_path, info=info)
    state.add_subject(cut_out=cut_out(), name="box")
    state.update_values(prompt="a robot in the snow", seed=5, seed_locked=True)
    return state


def half(height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[: height // 2, : width // 2] = 255
    return mask


def result(state: SessionState, bundle: str = "") -> Result:
    manifest = state.engine.manifest
    assert manifest is not None
    request = GenerationRequest("a cat", cut_out(), seed=1, bundle=bundle or manifest.identity)
    return Result(request, np.full((64, 64, 3), 90, np.uint8), bits(), grids=GRIDS)


def test_a_picture_of_this_model_keeps_its_bits_and_another_one_is_a_photo(state):
    regions = RegionRequests(state, list)
    own = regions.in_picture(result(state), half(64, 64), 2)
    assert own.kept == bits() and own.region is not None and own.region.whole == 2 and own.region.window is None
    assert (own.prompt, own.seed) == ("a robot in the snow", 5)
    other = regions.in_picture(result(state, "other@0"), half(64, 64), 0)
    assert other.kept is None and other.region is not None


def test_another_subject_than_the_pictures_goes_into_the_region(state):
    state.update_engine(manifest=replace(state.engine.manifest, placed_content=PlacedContent(PlacementRanges(), 1)))
    regions, own, by_hand = RegionRequests(state, list), result(state), Placement(0.3, 0.2, 0.3)
    assert not regions.goes_into(own) and regions.goes_into(result(state, "other@0")), "of another model it is a photo"
    assert regions.in_picture(own, half(64, 64), 0).placement == state.engine.manifest.place(own.request)

    # The same thing cut out otherwise, or seen in another photo of it, is the same subject.
    other = CutOut(255 - cut_out().pixels, photo="one")
    same = replace(own, request=replace(own.request, subject=replace(other, pixels=cut_out().pixels[::-1])))
    state.update_subject(state.subject.key, cut_out=other)
    assert not regions.goes_into(same)
    assert not regions.goes_into(replace(own, request=replace(own.request, views=(other,))))

    assert regions.goes_into(own) and regions.goes_into(replace(own, request=replace(own.request, subject=None)))
    state.update_values(placement=by_hand)
    drawn = regions.in_picture(own, half(64, 64), 0)
    assert drawn.placement == place_in_region(other, drawn.region), "the place of the last picture is not this one's"
    state.set_moved_over(own.request)
    assert regions.in_picture(own, half(64, 64), 0).placement == by_hand, "it was put there over this very picture"
    state.update_values(placement=Placement(0.9, 0.9, 0.3))
    assert regions.in_picture(own, half(64, 64), 0).placement == place_in_region(other, drawn.region), (
        "nothing is drawn there"
    )


def test_two_things_of_one_photo_are_two_subjects(state):
    state.update_engine(manifest=replace(state.engine.manifest, placed_content=PlacedContent(PlacementRanges(), 1)))
    regions, own = RegionRequests(state, list), result(state)
    dog, cat = (replace(cut_out(), photo="one", mask=mask) for mask in ("dog's", "cat's"))
    cat = replace(cat, pixels=255 - cat.pixels)
    picture = replace(own, request=replace(own.request, subject=dog))
    state.update_subject(state.subject.key, cut_out=dog)
    assert not regions.goes_into(picture)
    state.add_subject(cut_out=cat, name="cat")
    assert regions.goes_into(picture), "the picture shows that of another card"
    pixels = dog.pixels.copy()
    pixels[:4, :4] = 0
    state.update_subject(state.subjects[0].key, cut_out=replace(dog, pixels=pixels, mask="dog's with its tail"))
    assert regions.goes_into(picture), "cut out anew since, the dog is still not the cat"
    state.select_subject(0)
    assert not regions.goes_into(picture)


def test_the_subject_stays_where_the_picture_has_it_unless_it_was_moved_into_the_region(state):
    """It was looked for where it was put by hand for another picture, or outside of the region: 0 % alike."""
    state.update_engine(manifest=replace(state.engine.manifest, placed_content=PlacedContent(PlacementRanges(), 1)))
    regions, own, inside = RegionRequests(state, list), result(state), Placement(0.25, 0.25, 0.3)
    there = state.engine.manifest.place(own.request)
    state.update_values(placement=inside)
    assert regions.in_picture(own, half(64, 64), 0).placement == there, "it was put there for another picture"
    state.set_moved_over(own.request)
    assert regions.in_picture(own, half(64, 64), 0).placement == inside
    state.update_values(placement=Placement(0.8, 0.8, 0.3))
    assert regions.in_picture(own, half(64, 64), 0).placement == there, "no token of it is drawn there"


def test_what_is_drawn_for_a_part_goes_back_into_its_photo_and_only_into_that(state):
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    request = RegionRequests(state, list).in_photo(photo_from_pixels(pixels), half(300, 400))
    width, height = request.region.size
    image = request.region.lay_in(np.full((height, width, 3), 120, np.uint8), 4)
    finished = Finished(request, image, bits(), Timing(total=1.0))
    assert RegionRequests(state, list).way_back(finished) is None, "a photo that was never at hand"
    regions = RegionRequests(state, list)
    regions.in_photo(photo_from_pixels(pixels), half(300, 400))
    put_back = regions.way_back(finished)
    assert put_back is not None
    whole = put_back()
    assert whole.image.shape == pixels.shape
    assert np.array_equal(whole.image[200:], pixels[200:])
    assert regions.way_back(replace(finished, request=result(state).request)) is None, "it was not drawn for a photo"


def test_photos_of_pictures_that_wait_are_not_forgotten(state):
    waiting: list[GenerationRequest] = []
    regions = RegionRequests(state, lambda: waiting)
    photos = [photo_from_pixels(np.full((300, 400, 3), value, np.uint8)) for value in (10, 20, 30)]
    first, second = (regions.in_photo(photo, half(300, 400)) for photo in photos[:2])
    blank = np.zeros((*first.region.size[::-1], 3), np.uint8)
    assert regions.way_back(Finished(first, blank, bits(), Timing(total=1.0))) is None, "nobody waits for it any more"
    waiting.append(second)
    regions.in_photo(photos[2], half(300, 400))
    way = regions.way_back(Finished(second, blank, bits(), Timing(total=1.0)))
    assert way is not None and (way().image[250:] == 20).all()


def test_a_photo_is_there_for_pictures_that_are_drawn_after_the_next_start(state, qtbot, tmp_path):
    pixels = np.random.default_rng(2).integers(0, 256, (300, 400, 3), np.uint8)
    assets = AssetStore(tmp_path / "assets")
    file, wide = tmp_path / "phone.png", profile(DISPLAY_P3, None, "Display P3")
    Image.fromarray(pixels).save(file, icc_profile=wide)
    photo = load_photo(file)
    first = RegionRequests(state, list)
    first.set_assets(assets)
    request = first.in_photo(photo, half(300, 400), file=file)
    digest = request.region.window.photo
    qtbot.waitUntil(lambda: assets.own_colours(digest) is not None)
    file.unlink()

    later = RegionRequests(state, list)
    later.set_assets(assets)
    image = request.region.lay_in(np.full((*request.region.mask.shape, 3), 120, np.uint8), 4)
    finished = Finished(request, image, bits(), Timing(total=1.0))
    way = later.way_back(finished)
    assert way is not None
    whole = way()
    assert np.array_equal(whole.image[200:], photo.rgb[200:]) and whole.image.shape == pixels.shape
    assert whole.own.profile == wide and np.array_equal(whole.own.rgb[200:], pixels[200:])

    # It stays while the picture waits, and goes with it.
    history = HistoryStore(None, tmp_path / "pictures")
    keys = history.queue.add([request])
    assert remove_unused(history, assets, ()) == 0
    later_still = time.time() - 2 * GRACE_SECONDS
    for file in assets.folder.iterdir():
        os.utime(file, (later_still, later_still))
    assert remove_unused(history, assets, ()) == 0 and assets.has_photo(digest)
    history.queue.remove(keys)
    remove_unused(history, assets, ())
    assert not list(assets.folder.iterdir()) and later.way_back(finished) is None


def test_an_empty_region_is_an_error_in_words(state):
    with pytest.raises(EchoGenError, match="empty"):
        RegionRequests(state, list).in_photo(
            photo_from_pixels(np.zeros((80, 80, 3), np.uint8)), np.zeros((80, 80), np.uint8)
        )
