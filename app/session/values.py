"""From the panel's values to requests and back. Free of Qt."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from app.language.amounts import rough_seconds
from app.language.say import say
from app.language.sentences import translated
from engine import Seed, Share, Size, Strength, Temperature, read_fields

if TYPE_CHECKING:
    from engine import CutOut, GenerationRequest, Placement, Preset, Region, ScaleBits
    from engine.bundle import BundleManifest

log = logging.getLogger(__name__)

MAX_COUNT = 8
STRENGTHS = (0.0, 8.0)
"""Range of the sliders. A request allows more (0 … 20); a recalled value outside widens nothing and is kept."""
TEMPERATURES = (0.1, 4.0)

ROLLED_SEEDS = 1_000_000

Recall = Literal["all", "seed", "prompt"]


@dataclass(frozen=True)
class Controls:
    """The values that the panel shows beside its texts, as JSON has them.

    Attributes:
        prompt_strength, subject_strength, temperature, top_p: as in ``GenerationRequest``. A recalled request may carry
            one number per scale; it is kept until the user moves the slider.
        look_strength: the second dial when identity and look are set apart, else None.
        size: (width, height) in pixels, or None for the bundle's first size.
        count: pictures to draw, 1 … 8, with seeds that follow each other.
        best_first: of several pictures the most alike is shown at the end, and what is clearly behind is given up.
        seed: of the first picture.
        seed_locked: keep this seed; otherwise every press of Generate draws with a new one.
    """

    prompt_strength: Strength = 3.0
    subject_strength: Strength = 3.0
    look_strength: Strength | None = None
    temperature: Temperature = 1.0
    top_p: Share = 0.97
    size: Size | None = None
    count: Annotated[int, Meta(ge=1, le=MAX_COUNT)] = 1
    best_first: bool = False
    seed: Seed = 0
    seed_locked: bool = False

    def __post_init__(self) -> None:
        if type(self.count) is not int or not 1 <= self.count <= MAX_COUNT:
            raise ValueError(f"{self.count} pictures: 1 … {MAX_COUNT} are possible")
        if type(self.seed_locked) is not bool:
            raise ValueError("a seed is locked or it is not")


@dataclass(frozen=True, kw_only=True)
class PanelValues(Controls):
    """Everything the panel shows, as plain values.

    Attributes:
        prompt, negative_prompt: as typed.
        kept: bit labels of the first scales of a recalled picture, which the next picture begins with; None for none.
        placement: where the subject stands, as the user placed it; None: every seed chooses a place.
        region: the part of a recalled picture or photo that the next picture draws anew; ``kept`` has all its scales then.
    """

    prompt: str = ""
    negative_prompt: str = ""
    kept: ScaleBits | None = None
    placement: Placement | None = None
    region: Region | None = None


def with_controls(values: PanelValues, controls: Mapping[str, Any]) -> PanelValues:
    """Take over what a session has kept of the controls, one by one: a value that cannot be stays as it is.

    Args:
        controls: values by the name of the field, as JSON has them; texts and what is packed are not read here.
    """
    good, bad = read_fields({name: controls[name] for name in _CONTROLS & controls.keys()}, Controls)
    if bad:
        log.warning("%s of the last session cannot be used", ", ".join(sorted(bad)))
    return replace(values, **good)


_CONTROLS = {entry.name for entry in fields(Controls)}


def default_dials(manifest: BundleManifest) -> dict[str, Any]:
    """Return the model's own settings of the dials that draw a picture, by the names of ``PanelValues``."""
    defaults = manifest.request_defaults()
    return {name: defaults[name] for name in ("prompt_strength", "subject_strength", "temperature", "top_p")}


def compose(
    values: PanelValues, subject: CutOut | None, subject_name: str = "", views: Sequence[CutOut] = ()
) -> GenerationRequest:
    """The request of the first picture. ``views``: cut-outs of the subject's further photos.

    Raises:
        RequestError: a number is out of range (the panel's own controls never let that happen).
    """
    from engine import GenerationRequest

    return GenerationRequest(
        prompt=values.prompt.strip(),
        subject=subject,
        negative_prompt=values.negative_prompt.strip(),
        subject_name=subject_name.strip(),
        seed=values.seed,
        size=values.size,
        prompt_strength=values.prompt_strength,
        subject_strength=values.subject_strength,
        look_strength=values.look_strength,
        temperature=values.temperature,
        top_p=values.top_p,
        kept=values.kept,
        placement=values.placement,
        region=values.region,
        views=tuple(views),
    )


def is_same_picture(request: GenerationRequest, other: GenerationRequest) -> bool:
    """Return True if two requests draw the same picture with one model, whatever their subject is called."""
    return replace(request, subject_name="", bundle="") == replace(other, subject_name="", bundle="")


def with_new_seed(values: PanelValues) -> PanelValues:
    """Another seed, whether it is locked or not: of six digits, which can be read out and remembered."""
    import secrets

    return replace(values, seed=secrets.randbelow(ROLLED_SEEDS))


def for_next_picture(values: PanelValues) -> PanelValues:
    """The values for the next picture: with a new seed, unless it is locked."""
    return values if values.seed_locked else with_new_seed(values)


def redraw(
    request: GenerationRequest, bits: ScaleBits, keep: int, seed: int, placement: Placement | None = None
) -> GenerationRequest:
    """The same picture with its first ``keep`` scales kept and another seed for the rest.

    Args:
        placement: where the subject stands from now on. The new seed would choose another place than the kept scales have.
    """
    if request.region is not None:
        # What was drawn into a region is drawn again there, and nowhere else.
        region = replace(request.region, whole=keep)
        return replace(request, kept=bits, region=region, seed=seed, placement=placement)
    return replace(request, kept=bits.first(keep), seed=seed, placement=placement)


def recall(
    request: GenerationRequest, values: PanelValues, what: Recall, manifest: BundleManifest | None = None
) -> tuple[PanelValues, str]:
    """Panel values taken from an earlier request.

    Args:
        what: "all" (everything but the count), "seed" or "prompt" (with what to avoid).
        manifest: the open bundle, when it is known. A size that it does not draw stays as it was, and kept scales that
            it cannot take up are left out; the sentence says so.

    Returns:
        the values, and a sentence for the user or "".
    """
    if what == "seed":
        return replace(values, seed=request.seed, seed_locked=True), ""
    words = replace(values, prompt=request.prompt, negative_prompt=request.negative_prompt)
    if what == "prompt":
        return words, ""
    size, kept, region, note = request.size, request.kept, request.region, ""
    if manifest is not None and request.bundle not in ("", manifest.identity):
        made_with = request.bundle.partition("@")[0]
        if made_with == manifest.identity.partition("@")[0]:
            note = say(
                "This picture was made with another version of {0}; the open one draws it in its own way.", made_with
            )
        else:
            note = say("This picture was made with {0}; the open model draws it in its own way.", made_with)
    if request.placement is not None and manifest is not None and manifest.placed_content is None:
        note = say("The open model cannot be told where the subject stands; its place is not used.")
    if region is not None and kept is not None and manifest is not None:
        if not can_redraw(kept, manifest, size, request.bundle):
            note = say("The open model cannot take up the region of this picture; Generate draws a whole one.")
            kept = region = None
    elif kept is not None and manifest is not None and not can_keep(kept, manifest, size, request.bundle):
        note = say("The open model cannot take up its {0} kept scales; Generate begins with the first.", len(kept))
        kept = None
    if size is not None and manifest is not None and size not in manifest.sizes:
        note = say("The open model does not draw {0} × {1}; the shape stays as it is.", *size)
        size = values.size
    return (
        replace(
            words,
            prompt_strength=request.prompt_strength,
            subject_strength=request.subject_strength,
            look_strength=request.look_strength,
            temperature=request.temperature,
            top_p=request.top_p,
            size=size,
            seed=request.seed,
            seed_locked=True,
            kept=kept,
            placement=request.placement,
            region=region,
        ),
        note,
    )


def with_preset(preset: Preset, values: PanelValues, manifest: BundleManifest | None = None) -> tuple[PanelValues, str]:
    """Panel values with the settings of a preset. What the open model does not have stays as it was.

    Returns:
        the values, and a sentence for the user or "".
    """
    settings, note = preset.settings(), ""
    if preset.size is not None and manifest is not None and preset.size not in manifest.sizes:
        note = say("The open model does not draw {0} × {1}; the shape stays as it is.", *preset.size)
        settings["size"] = values.size
    if preset.placement is not None and manifest is not None and manifest.placed_content is None:
        note = say("The open model cannot be told where the subject stands; its place is not used.")
        settings["placement"] = values.placement
    if settings["size"] != values.size:
        settings |= {"kept": None, "region": None}  # scales belong to a shape
    return replace(values, **settings), note


def preset_of(name: str, values: PanelValues) -> Preset:
    """The settings of the panel under a name. Raises ``InputError`` for a name that is empty or too long."""
    from engine import Preset

    return Preset(name, **{entry.name: getattr(values, entry.name) for entry in fields(Preset) if entry.name != "name"})


def can_keep(kept: ScaleBits, manifest: BundleManifest, size: tuple[int, int] | None, bundle: str = "") -> bool:
    """Return True if a bundle can begin a picture of this size with these scales. ``bundle``: identity of the one they
    come from."""
    return len(kept) < _scale_count(manifest, size) and _fits(kept, manifest, size, bundle)


def can_redraw(bits: ScaleBits, manifest: BundleManifest, size: tuple[int, int] | None, bundle: str = "") -> bool:
    """Return True if a bundle can draw a region of the picture with these bits anew."""
    return len(bits) == _scale_count(manifest, size) and _fits(bits, manifest, size, bundle)


def _scale_count(manifest: BundleManifest, size: tuple[int, int] | None) -> int:
    schedule = manifest.schedule(size)
    return len(schedule.grids) if schedule is not None else 0


def _fits(bits: ScaleBits, manifest: BundleManifest, size: tuple[int, int] | None, bundle: str) -> bool:
    return (not bundle or bundle == manifest.identity) and manifest.fits(bits, size)


def kept_sentence(kept: ScaleBits | None, region: Region | None = None) -> str:
    """The line above Generate about a region and kept scales; "" for neither."""
    if region is not None:
        return say("Draws only its region anew") if region.window is None else say("Draws into a photo")
    if kept is None:
        return ""
    count = len(kept)
    return say("Keeps the first scale") if count == 1 else say("Keeps the first {0} scales", count)


@dataclass(frozen=True)
class Readiness:
    """The values that the help line under Generate is made from.

    Attributes:
        starting: the program has not come to its model yet.
        loading: a bundle is still opening; failed: it could not be opened, or its engine is gone.
        reading: a photo is being read.
        has_photo: there is a photo; finding: its subject is looked for; has_subject: its cut-out can be used.
        problem: why the cut-out cannot be used, in words, or "".
        has_prompt: the prompt is not empty.
        prepared: subject and prompt are encoded.
        seconds: what one picture will take, or None when nothing is known yet.
    """

    starting: bool = False
    loading: bool = False
    failed: bool = False
    reading: bool = False
    has_photo: bool = False
    finding: bool = False
    has_subject: bool = False
    problem: str = ""
    has_prompt: bool = False
    prepared: bool = False
    seconds: float | None = None

    @property
    def is_coming(self) -> bool:
        """True while all that is missing comes by itself: a press of Generate waits for it. A prompt does so only at a start."""
        return self.starting or (self.has_prompt and not self.has_subject and (self.reading or self.finding))


def help_line(ready: Readiness, count: int = 1) -> tuple[bool, str]:
    """Return True if Generate can be pressed, and the sentence under it: what is missing, or how long it will take.

    A model that is still loading does not block: the request waits for it; one that failed is loaded again.
    """
    if ready.starting:
        return False, say("Starting…")
    if not ready.has_photo and ready.reading:
        return False, say("Opening the photo…")
    if not ready.has_photo:
        return False, say("Add a photo first")
    if not ready.has_subject and ready.problem:
        return False, translated(ready.problem)
    if not ready.has_prompt:  # said before the cut-out is there, which comes by itself
        return False, say("Write a prompt first")
    if not ready.has_subject:
        return False, say("Opening the photo…") if ready.reading else say("The cut-out is not ready yet")
    if ready.loading:
        return True, say("Starts as soon as the model is loaded")
    if ready.failed:
        return True, say("Loads the model again first")
    time = rough_seconds(ready.seconds * count) if ready.seconds else ""
    if time and ready.prepared:
        return True, say("About {0} · subject and prompt are ready", time)
    if time:
        return True, say("About {0} on this computer", time)
    if ready.prepared:
        return True, say("Subject and prompt are ready")
    return True, say("Press Generate and watch the picture form")


def shape_name(size: tuple[int, int]) -> str:
    """ "Square 1:1", "Landscape 3:2", "Portrait 2:3": the nearest ratio of small numbers."""
    width, height = size
    ratio = _nearest_ratio(width / height)
    if ratio == (1, 1):
        return say("Square {0}:{1}", *ratio)
    return say("Landscape {0}:{1}", *ratio) if width > height else say("Portrait {0}:{1}", *ratio)


_RATIOS = ((1, 1), (5, 4), (4, 3), (3, 2), (16, 10), (16, 9), (2, 1), (5, 2), (3, 1))


def _nearest_ratio(ratio: float) -> tuple[int, int]:
    upright = ratio < 1
    wide = 1 / ratio if upright else ratio
    a, b = min(_RATIOS, key=lambda pair: abs(pair[0] / pair[1] / wide - 1))
    return (b, a) if upright else (a, b)
