"""Regions drawn anew: the request for one, and the way back of the drawn part into a large photo."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Slot

from app.session.state import Result, SessionState
from app.session.subject_shelf import Subject
from app.session.values import can_redraw, compose, for_next_picture
from app.store.assets import AssetStore
from app.system import background
from engine import (
    CutOut,
    Finished,
    GenerationRequest,
    PhotoAtHand,
    PhotoError,
    Placement,
    Region,
    ScaleBits,
    Sentence,
    into_its_photo,
)
from engine.bundle import BundleManifest
from engine.encoders import place_cut_out
from engine.photo import Photo, photo_from_pixels, place_in_region, place_in_window, read_own_colours, region_of_photo

log = logging.getLogger(__name__)


class RegionRequests(QObject):
    """Composes requests for regions from the state, and remembers the photos that are drawn into.

    Args:
        waiting: what is drawn and what waits: photos of these are not forgotten.
    """

    def __init__(
        self,
        state: SessionState,
        waiting: Callable[[], Iterable[GenerationRequest]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._waiting = state, waiting
        self._photos: list[PhotoAtHand] = []
        self._assets: AssetStore | None = None
        state.resultChanged.connect(self._remember_shown)

    def set_assets(self, assets: AssetStore) -> None:
        """Set where photos are kept for pictures that are drawn after the next start."""
        self._assets = assets

    def in_picture(self, result: Result, mask: np.ndarray, whole: int) -> GenerationRequest:
        """A region of a finished picture, with subject, prompt and seed as the panel has them. Another subject than the
        picture's goes into the region as it goes into a photo. A picture whose bits are gone, or another model's, is a photo as any
        other.

        Args:
            mask: uint8 (H, W) as large as the picture.
            whole: so many scales are kept inside of it, too.

        Raises:
            EchoGenError: the region is empty, too small or too large.
        """
        manifest, subject = self._ready()
        earlier, bits = result.request, result.bits
        if bits is None or _is_photo(result, manifest):
            photo = photo_from_pixels(result.image, dpi=earlier.resolution)
            return self.in_photo(photo, mask, whole, file=result.file)
        region = Region(mask, result.image, whole, dpi=earlier.resolution)
        self._remember(PhotoAtHand(result.image, file=result.file))
        request = self._request(manifest, subject, region, bits)
        request = replace(request, placement=self._place(request, region, result, manifest))
        if self._state.values.seed_locked:
            return request
        return request.with_seed(manifest.with_layout_of(request.seed, earlier.seed))

    def goes_into(self, result: Result) -> bool:
        """Return True if a region of a picture is where the subject goes, because the picture shows another one, or is a photo as
        any other."""
        manifest, cut_outs = self._state.engine.manifest, self._state.cut_outs
        if manifest is None or manifest.placed_content is None or not cut_outs:
            return False
        if _is_photo(result, manifest) or self._is_another_thing(result.request.subject):
            return True
        now = GenerationRequest("", cut_outs[0], views=cut_outs[1:])
        return not now.shows_subject_of(result.request)

    def _is_another_thing(self, cut_out: CutOut | None) -> bool:
        """Return True for the cut-out of another card: a photo may show several things, each of them a subject. One that was
        cut out anew since is the one that looks most like it."""
        if cut_out is None or not cut_out.mask:
            return False
        mine, subjects = self._state.card, self._state.subjects
        cuts = [(one.card, one.cut_out) for one in subjects if one.cut_out is not None]
        same = [card for card, other in cuts if other.mask == cut_out.mask]
        of_photo = [(_difference(other, cut_out), card) for card, other in cuts if other.photo == cut_out.photo]
        if not same and mine in {card for _, card in of_photo}:
            same = [min(of_photo)[1]]
        return bool(same) and mine not in same

    def _place(
        self, request: GenerationRequest, region: Region, result: Result, manifest: BundleManifest
    ) -> Placement | None:
        """The subject's place when a region of an earlier picture is drawn anew. Where it was put by hand that is meant for
        this picture only if it was moved over it, and for this region only if it is there that it would be drawn."""
        chosen, subject = self._state.values.placement, request.subject
        moved = self._state.was_moved_over(result.request)
        if subject is not None and chosen is not None and moved and _is_in(region, subject, chosen):
            return chosen
        if subject is not None and self.goes_into(result):
            # At the place of the picture's own subject a region would cut it off, or hold nothing of it.
            return place_in_region(subject, region)
        return manifest.place(result.request)

    def in_photo(
        self,
        photo: Photo,
        mask: np.ndarray,
        whole: int = 0,
        placement: Placement | None = None,
        file: Path | None = None,
    ) -> GenerationRequest:
        """A region of a photo, in which the subject is to stand; ``mask`` is as large as the photo.

        Args:
            placement: where it stands, in shares of the photo; None puts it at the bottom of the region.
            file: where the photo lies; what is drawn keeps its own colours.

        Raises:
            EchoGenError: the region is empty, too small or too large.
        """
        manifest, subject = self._ready()
        region = replace(region_of_photo(photo, mask, manifest.sizes), whole=whole)
        self._remember(PhotoAtHand(photo.rgb, photo.digest, file))
        if self._assets is not None and region.window is not None:
            background.run(_keep, self._assets, photo, file, failed=self._not_kept)
        request = self._request(manifest, subject, region, None)
        if manifest.placed_content is None or request.subject is None:
            return replace(request, placement=None)
        if placement is not None:
            return replace(request, placement=place_in_window(placement, region.window))
        return replace(request, placement=place_in_region(request.subject, region))

    def way_back(self, event: Finished) -> Callable[[], Finished] | None:
        """Lay a picture drawn into a region into the photo or the picture that the region is of, at full resolution.

        Returns:
            the work for any thread; None when the photo is not at hand, and for every other picture.
        """
        region, manifest = event.request.region, self._state.engine.manifest
        if region is None or manifest is None:
            return None
        photo = next((photo for photo in self._photos if photo.holds(region)), None)
        if photo is not None:
            return partial(into_its_photo, event, photo, manifest)
        if region.window is not None and self._assets is not None and self._assets.has_photo(region.window.photo):
            return partial(_from_kept, event, self._assets, region.window.photo, manifest)
        return None

    def _ready(self) -> tuple[BundleManifest, Subject]:
        manifest, subject = self._state.engine.manifest, self._state.subject
        assert manifest is not None and subject is not None, "the controller asks only when a picture can be drawn"
        return manifest, subject

    def _request(
        self, manifest: BundleManifest, subject: Subject, region: Region, kept: ScaleBits | None
    ) -> GenerationRequest:
        values = replace(for_next_picture(self._state.values), kept=None, region=None)
        first, *further = self._state.cut_outs
        request = compose(values, first, subject.name, further)
        schedule = manifest.schedule(region.size)
        if schedule is not None:
            region.scales(schedule.grids)  # a region of no token is refused while it can still be marked
        return replace(request, size=region.size, kept=kept, region=region)

    @Slot()
    def _remember_shown(self) -> None:
        """A picture that was drawn into a large photo is that photo outside of its region: enough to draw into it again."""
        result = self._state.result
        region = result.request.region if result is not None else None
        if result is None or region is None or region.window is None:
            return
        window = region.window
        known = any(photo.holds(region) for photo in self._photos)
        if not known and result.image.shape[:2] == (window.photo_height, window.photo_width):
            self._remember(PhotoAtHand(result.image, window.photo, result.file))

    @Slot(object)
    def _not_kept(self, error: Exception) -> None:
        log.warning("a photo could not be kept for the next start: %s", error)

    def _remember(self, photo: PhotoAtHand) -> None:
        """Keep a photo, and of the others those that pictures which wait are drawn into."""
        waiting = [request.region for request in self._waiting() if request.region is not None]
        self._photos = [photo, *(other for other in self._photos if any(other.holds(region) for region in waiting))]


def _is_in(region: Region, subject: CutOut, placement: Placement) -> bool:
    """Return True if half or more of a placed subject lies in a region."""
    alpha = place_cut_out(subject, placement, *region.size)[..., 3]
    return bool(alpha.any() and alpha[region.mask > 0].sum() >= alpha.sum() / 2)


def _difference(one: CutOut, other: CutOut) -> float:
    """Distance of the pixels of two cut-outs, 0 … 255; the largest for those of another size."""
    if one.pixels.shape != other.pixels.shape:
        return 255.0
    return float(np.abs(one.pixels.astype(np.int16) - other.pixels).mean())


def _is_photo(result: Result, manifest: BundleManifest) -> bool:
    """Return True for a picture that nothing is kept of but its pixels: its bits are gone, another model's, or of a part of it."""
    request, bits = result.request, result.bits
    windowed = request.region is not None and request.region.window is not None
    return windowed or bits is None or not can_redraw(bits, manifest, request.size, request.bundle)


def _keep(assets: AssetStore, photo: Photo, file: Path | None) -> None:
    assets.save_photo(photo)
    own = None if file is None else read_own_colours(file, photo.rgb)
    if own is not None:
        assets.save_own_colours(photo.digest, own)


def _from_kept(event: Finished, assets: AssetStore, digest: str, manifest: BundleManifest) -> Finished:
    """The same with a photo that was kept since an earlier start. Raises ``PhotoError`` where it is damaged."""
    photo = assets.load_photo(digest)
    if photo is None:
        raise PhotoError(Sentence("The photo it goes into is not there any more."))
    return into_its_photo(event, PhotoAtHand(photo.rgb, digest, assets.own_colours(digest)), manifest)
