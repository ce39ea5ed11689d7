"""A request that fits the open bundle: checked, and with everything filled in that it left open."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.bundle.manifest import BundleManifest
from engine.errors import PromptError, RegionError, RequestError
from engine.model.config import ScaleSchedule
from engine.request import GenerationRequest
from engine.sampling.guidance import Guidance
from engine.sampling.kept_scales import check_kept_scales
from engine.sentence import Sentence


@dataclass(frozen=True)
class Job:
    """A request with all that drawing it depends on.

    Attributes:
        request: with size and bundle filled in.
        schedule: the token grids of its size.
        guidance: its dials, one per scale.
        scales: how many scales are drawn.
        anew: where every scale is drawn anew, bool (h, w); empty without a region.
    """

    request: GenerationRequest
    schedule: ScaleSchedule
    guidance: Guidance
    scales: int
    anew: tuple[np.ndarray, ...] = ()

    @property
    def kept(self) -> int:
        """The number of first scales that are kept from an earlier picture as they are."""
        if self.anew:
            return next((scale for scale, places in enumerate(self.anew) if places.any()), len(self.anew))
        return len(self.request.kept) if self.request.kept is not None else 0


def make_job(request: GenerationRequest, manifest: BundleManifest, until_scale: int | None = None) -> Job:
    """Check a request against a bundle and fill in what it leaves open.

    Raises:
        PromptError: the prompt is empty.
        RequestError: another bundle, a size that is not offered, a placement it does not know, kept scales or a stop that do
            not fit.
    """
    if not request.prompt.strip():
        raise PromptError(
            Sentence("The prompt is empty."), Sentence("Say where the subject should be, for example “in the snow”.")
        )
    if request.bundle not in ("", manifest.identity):
        raise RequestError(
            Sentence(
                "This was made with {bundle}, and {identity} is open.",
                bundle=request.bundle,
                identity=manifest.identity,
            ),
            Sentence("Open that model, or draw it anew with this one."),
        )
    schedule = manifest.schedule(request.size)
    if schedule is None:
        assert request.size is not None
        raise RequestError(
            Sentence("{manifest} does not draw {request}.", manifest=manifest.title, request=_by(request.size)),
            Sentence("It draws {sizes}.", sizes=", ".join(_by(size) for size in manifest.sizes)),
        )
    if request.placement is not None and manifest.placed_content is None:
        raise RequestError(
            Sentence("{manifest} chooses itself where the subject stands.", manifest=manifest.title),
            Sentence("Leave the placement out, or open another model."),
        )
    count = len(schedule.grids)
    kept = len(request.kept) if request.kept is not None else 0
    anew: tuple[np.ndarray, ...] = ()
    if request.region is not None:
        anew = check_region(request, schedule, manifest)
        if until_scale is not None:
            raise RegionError(Sentence("A region is drawn through all scales."), Sentence("Leave out where to stop."))
    elif request.kept is not None:
        shapes = [bits.shape for bits in request.kept.scales]
        check_kept_scales(shapes, schedule, manifest.transformer.bits, first=len(shapes))
    if until_scale is not None and not max(1, kept) <= until_scale <= count:
        raise RequestError(
            Sentence(
                "Drawing can stop after {max} to {count} scales, not after {until_scale}.",
                max=max(1, kept),
                count=count,
                until_scale=until_scale,
            )
        )
    guidance = Guidance.of(
        count,
        request.prompt_strength,
        request.subject_strength,
        request.look_strength,
        request.temperature,
        request.top_p,
    )
    request = replace(request, size=schedule.size, bundle=manifest.identity)
    return Job(request, schedule, guidance, until_scale or count, anew)


def check_region(
    request: GenerationRequest, schedule: ScaleSchedule, manifest: BundleManifest
) -> tuple[np.ndarray, ...]:
    """Return the tokens of each scale that a request with a region draws anew. Raises ``RegionError`` where it does
    not fit."""
    region, grids = request.region, schedule.grids
    assert region is not None
    if region.size != schedule.size:
        raise RegionError(
            Sentence(
                "The region is {region} pixels and the picture {schedule}.",
                region=_by(region.size),
                schedule=_by(schedule.size),
            ),
            Sentence("Use a region that was made for this picture."),
        )
    check_kept_scales((), schedule, manifest.transformer.bits, first=region.whole)
    if request.kept is not None and len(request.kept) != len(grids):
        raise RegionError(
            Sentence(
                "The region needs the bits of all {count} scales of its picture, and there are {given}.",
                count=len(grids),
                given=len(request.kept),
            ),
            Sentence("Use the picture as a photo instead."),
        )
    if request.kept is not None and not manifest.fits(request.kept, schedule.size):
        raise RegionError(
            Sentence("The bits of the region's picture are not those of this model."),
            Sentence("Use the picture as a photo instead."),
        )
    return region.scales(grids)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
