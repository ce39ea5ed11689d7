"""A request that fits the open bundle: checked, and with everything filled in that it left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.bundle.manifest import BundleManifest
from engine.errors import PromptError, RequestError
from engine.model.config import ScaleSchedule
from engine.request import GenerationRequest, ScaleBits
from engine.sampling.guidance import Guidance


@dataclass(frozen=True)
class Job:
    """What is to be drawn.

    Attributes:
        request: with size and bundle filled in.
        schedule: the token grids of its size.
        guidance: its dials, one per scale.
        scales: how many scales are drawn.
    """

    request: GenerationRequest
    schedule: ScaleSchedule
    guidance: Guidance
    scales: int

    @property
    def kept(self) -> int:
        """How many of the scales are kept from an earlier picture."""
        return len(self.request.kept) if self.request.kept is not None else 0


def make_job(request: GenerationRequest, manifest: BundleManifest, until_scale: int | None = None) -> Job:
    """Check a request against a bundle and fill in what it leaves open.

    Raises:
        PromptError: the prompt is empty.
        RequestError: another bundle, a size that is not offered, a placement it does not know, kept scales or a stop that do
            not fit.
    """
    if not request.prompt.strip():
        raise PromptError("The prompt is empty.", "Say where the subject should be, for example “in the snow”.")
    if request.bundle not in ("", manifest.identity):
        raise RequestError(
            f"This was made with {request.bundle}, and {manifest.identity} is open.",
            "Open that model, or draw it anew with this one.",
        )
    schedule = manifest.schedule(request.size)
    if schedule is None:
        assert request.size is not None
        raise RequestError(
            f"{manifest.title} does not draw {_by(request.size)}.",
            f"It draws {', '.join(_by(size) for size in manifest.sizes)}.",
        )
    if request.placement is not None and manifest.placed_content is None:
        raise RequestError(
            f"{manifest.title} chooses itself where the subject stands.",
            "Leave the placement out, or open another model.",
        )
    count = len(schedule.grids)
    kept = len(request.kept) if request.kept is not None else 0
    if request.kept is not None:
        check_kept(request.kept, schedule, manifest)
    if until_scale is not None and not max(1, kept) <= until_scale <= count:
        raise RequestError(f"Drawing can stop after {max(1, kept)} to {count} scales, not after {until_scale}.")
    guidance = Guidance.of(
        count,
        request.prompt_strength,
        request.subject_strength,
        request.look_strength,
        request.temperature,
        request.top_p,
    )
    request = replace(request, size=schedule.size, bundle=manifest.identity)
    return Job(request, schedule, guidance, until_scale or count)


def check_kept(kept: ScaleBits, schedule: ScaleSchedule, manifest: BundleManifest) -> None:
    if len(kept) >= len(schedule.grids):
        raise RequestError(f"All {len(schedule.grids)} scales are kept: nothing is left to draw.", "Keep fewer.")
    for scale, (bits, grid) in enumerate(zip(kept.scales, schedule.grids, strict=False)):
        if bits.shape != (*grid, manifest.transformer.bits):
            raise RequestError(
                f"The kept scale {scale + 1} has {_shape(bits.shape)}, and this picture has "
                f"{_shape((*grid, manifest.transformer.bits))}.",
                "Scales can be kept from a picture of the same model and size.",
            )


def _shape(shape: Sequence[int]) -> str:
    rows, columns, bits = shape
    return f"{columns} × {rows} tokens of {bits} bits"


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
