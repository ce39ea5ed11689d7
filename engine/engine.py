"""The engine: encodes what is new, draws scale after scale, tells it as a stream of events.

One picture is drawn at a time. What it computes is kept: the same subject and prompt with another seed encodes nothing and
runs no content stream.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from engine.bundle.library import resolve_bundle
from engine.bundle.loader import Bundle, PartPlacement, Progress, load_bundle, load_tokenizer_encoder
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.device.devices import Device, choose_device, keep_memory
from engine.encoders.features import Features, PromptFeatures, SubjectFeatures
from engine.encoders.likeness import similarity
from engine.encoders.placed import place_cut_out
from engine.errors import Cancel, Cancelled, Outdone
from engine.events import EngineInfo, Event, Finished, ScalePreview, Started, Timing
from engine.model.streaming import stream_layers
from engine.photo.hints import Box, Click, Hint, Stroke, SubjectProposal
from engine.photo.load import Photo
from engine.placement import Placement
from engine.planning.faults import fault_of, faults_in_words, in_words
from engine.planning.job import Job, make_job
from engine.planning.plans import MemoryPlan, plan_for, step_down
from engine.planning.time_estimate import Task, TimeEstimate, about, guess_seconds, multiply_rate
from engine.preflight.segmenter import Segmenter
from engine.region import Region, mixed, soft_inside
from engine.request import CutOut, GenerationRequest, ScaleBits
from engine.sampling.contest import Contest
from engine.sampling.region_tokens import RegionTokens
from engine.sampling.sampler import Conditions, Sampler
from engine.tokenizer.autoencoder import to_uint8
from engine.tokenizer.decoding import decode_in_strips
from engine.tokenizer.preview import MAX_SIDE, Preview
from engine.tokenizer.quantizer import MultiScaleQuantizer
from engine.weights.inventory import installed_helpers

log = logging.getLogger(__name__)


class Engine:
    """An open bundle on a device. Made by ``open``; a context manager.

    Attributes:
        bundle: its parts and its manifest.
        info: what was opened, in words.
    """

    def __init__(self, bundle: Bundle, device: Device, plan: MemoryPlan) -> None:
        self._device, self._plan = device, plan
        self._segmenter: Segmenter | None = None
        self._expectation = TimeEstimate(bundle.manifest.transformer)
        self._use(bundle, plan)

    @classmethod
    def open(
        cls, bundle: str | Path, device: str = "auto", memory: str = "auto", *, on_progress: Progress | None = None
    ) -> Engine:
        """Open a bundle.

        Args:
            bundle: its name ("mini") or its folder.
            device: "auto", "cpu", "cuda", "cuda:1" or "mps".
            memory: "auto" or a memory plan: "resident", "balanced", "low", "int8", "streamed".
            on_progress: called with 0 … 1 and what is being done, in words.

        Raises:
            BundleError: it is missing, incomplete, damaged or of another version.
            NotEnoughMemory: the device is far too small for it.
            InputError: there is no such device or plan.
        """
        folder = resolve_bundle(bundle)
        manifest = read_manifest(folder)
        chosen = choose_device(device)
        plan = plan_for(manifest, chosen, memory)
        if chosen.kind == "cpu":
            keep_memory()
        if device == "auto" and chosen.kind == "cpu":
            plan = replace(plan, notes=(*plan.notes, _without_a_card(manifest)))
        with faults_in_words(plan, chosen):
            return cls(load_bundle(folder, placements(plan, chosen), on_progress=on_progress), chosen, plan)

    def _use(self, bundle: Bundle, plan: MemoryPlan) -> None:
        device = torch.device(self._device.torch_name)
        self.bundle, self._plan = bundle, plan
        self._features = Features(bundle.text, bundle.semantic, bundle.content, device, offload_text=plan.offload_text)
        if plan.stream_content or plan.stream_image or plan.eight_bits:
            stream_layers(
                bundle.transformer,
                device,
                content=plan.stream_content or plan.eight_bits,
                image=plan.stream_image or plan.eight_bits,
                rounded=bundle.rounded,
            )
        self._sampler = Sampler(
            bundle.transformer,
            bundle.manifest.tokenizer,
            cache_bytes=plan.cache_bytes,
            branches=plan.branches,
            offload_content=plan.offload_content,
            offload_states=plan.offload_states,
        )
        self._preview = Preview.of_bundle(bundle.tokenizer, bundle.folder)
        self.info = EngineInfo(bundle.manifest.identity, str(bundle.folder), self._device.words, plan.words, plan.notes)

    @property
    def features(self) -> Features:
        """The encoders of the open bundle, with what they have made so far."""
        return self._features

    # Pre-flight

    def find_subject(self, photo: Photo, hint: Hint | None = None) -> SubjectProposal:
        """Where the subject is. Raises ``SubjectNotFound``."""
        return self._preflight().find_subject(photo, hint or Hint())

    def refine_mask(
        self,
        photo: Photo,
        clicks: Sequence[Click] = (),
        box: Box | None = None,
        strokes: Sequence[Stroke] = (),
    ) -> np.ndarray:
        """A mask, uint8 (H, W), from corrections. May be called from another thread than ``generate``."""
        return self._preflight().refine_mask(photo, clicks, box, strokes)

    def _preflight(self) -> Segmenter:
        if self._segmenter is None:
            self._segmenter = Segmenter.with_models(installed_helpers(), self._device.torch_name)
        return self._segmenter

    # Drawing

    def prepare(
        self, subject: CutOut | None, prompt: str, negative_prompt: str = "", *, cancel: Cancel | None = None
    ) -> tuple[str, ...]:
        """Do now what a picture of this subject and prompt needs before its first scale.

        An empty prompt prepares the subject alone. Where the subject's place is an input, what depends on it waits for the
        picture, which knows its place. Running out of memory here is left to ``generate`` to say.

        Returns:
            Notes for the user, for example the words a prompt limit cuts off.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        try:
            placed = self.bundle.manifest.placed_content is not None
            if subject is not None and placed:
                self._features.semantic_tokens(subject, cancel)
            if not prompt.strip():
                if subject is not None and not placed:
                    self._features.subject(subject, cancel)
                return ()
            request = GenerationRequest(prompt, subject, negative_prompt, **self.bundle.manifest.request_defaults())
            job = make_job(request, self.bundle.manifest)
            if placed:
                self._features.prompt(prompt, cancel)
            else:
                self._sampler.prepare(self._conditions(request, cancel), job.guidance, job.schedule, cancel)
            return self._notes(request)
        except Exception as error:
            if fault_of(error) is None:
                raise
            log.warning("preparing was given up: %s", error)
            self._forget()
            return ()

    def generate(
        self,
        request: GenerationRequest,
        *,
        cancel: Cancel | None = None,
        until_scale: int | None = None,
        previews: bool = True,
        contest: Contest | None = None,
    ) -> Iterator[Event]:
        """Draw one picture: ``Started``, a ``ScalePreview`` after every scale, ``Finished``.

        When memory runs out, it is tried once more with a smaller plan: a second ``Started`` says so in its notes.

        Args:
            cancel: looked at between two blocks of the network.
            until_scale: stop after that many scales; the picture is what they show.
            previews: without, no ``ScalePreview`` comes. The bits are the same.
            contest: the pictures it competes with, where only the most alike is wanted.

        Raises:
            PromptError: the prompt is empty.
            RequestError: the bundle does not draw this size, the kept scales do not fit it, or the request was made for
                another bundle. These are raised at once, before the first event is asked for.
            Outdone: another picture of the contest is clearly more alike.
            Cancelled, NotEnoughMemory, DeviceLost: while drawing.
        """
        job = make_job(request, self.bundle.manifest, until_scale)
        return self._generate(job, cancel, previews, contest)

    def _generate(self, job: Job, cancel: Cancel | None, previews: bool, contest: Contest | None) -> Iterator[Event]:
        try:
            yield from self._draw(job, cancel, previews, contest)
            return
        except Exception as error:
            smaller = None
            if fault_of(error) == "memory":
                smaller = step_down(self.bundle.manifest, self._device, self._plan, job.schedule)
            if smaller is None:
                self._raise_in_words(error)
                raise
            log.warning("out of memory: going on with the plan %s", smaller.key, exc_info=True)
        # Outside of the handler: the traceback holds on to the memory of the failed attempt.
        try:
            self._reload(smaller)
            yield from self._draw(job, cancel, previews, contest, smaller.notes[-1:])
        except Exception as error:
            self._raise_in_words(error)
            raise

    def _draw(
        self,
        job: Job,
        cancel: Cancel | None,
        previews: bool,
        contest: Contest | None = None,
        notes: tuple[str, ...] = (),
    ) -> Iterator[Event]:
        watch = _Stopwatch()
        job = self._with_bits(job)
        request, schedule, region = job.request, job.schedule, job.request.region
        cached, task = self._cached(request), self._task(job)
        if not task.streams:
            cached += ("content", "start")
        notes += self._notes(request)
        yield Started(
            request,
            schedule.grids[: job.scales],
            _shares(self._expectation.costs(task)[: job.scales]),
            job.kept,
            notes,
            self._expectation.seconds(task) if job.scales == len(schedule.grids) and region is None else None,
        )
        self._features.seconds = {}
        if contest is not None:
            contest.begin()
        conditions = self._conditions(request, cancel)
        watch.lap()
        with torch.inference_mode():
            self._sampler.prepare(conditions, job.guidance, schedule, cancel)
            self._wait()
        content_stream = watch.lap()

        kept = [torch.tensor(bits) for bits in request.kept.scales] if request.kept is not None else []
        before = max(job.kept - 1, 0)
        bits: list[np.ndarray] = [scale.numpy() for scale in kept[:before]]
        seconds, preview_seconds = [0.0] * before, 0.0
        canvas, summed = self._canvas(request, schedule.size), None
        tokens = RegionTokens([torch.from_numpy(places) for places in job.anew]) if job.anew else None
        drawing = self._sampler.draw(
            conditions, job.guidance, schedule, request.seed, kept=kept, region=tokens, cancel=cancel
        )
        for drawn in drawing:
            summed = drawn.summed
            bits.append(drawn.bits.cpu().numpy())
            lap = watch.lap()
            seconds.append(lap if drawn.scale >= job.kept else 0.0)
            if len(bits) >= job.scales:
                break
            watched = contest is not None and contest.watches(drawn.scale, len(schedule.grids))
            if previews or watched:
                if region is None:
                    image = self._preview(summed, drawn.scale, schedule.size, canvas)
                else:
                    image = self._region_preview(summed, drawn.scale, region, canvas)
                preview_seconds += watch.lap()
            if contest is not None and watched:
                likeness = self._likeness(request, image)
                if likeness is not None and contest.is_lost(drawn.scale, likeness):
                    raise Outdone()
            if previews:
                yield self._event(len(bits) - 1, job, image, watch.total)
                watch.lap()  # what the receiver does in between is not ours
        del drawing, drawn  # the caches make room for the decoder
        assert summed is not None
        picture = self._decode(summed, canvas, cancel)
        if region is not None:
            picture = region.lay_in(picture, self.bundle.manifest.tokenizer.feather)
        decode = watch.lap()
        likeness = self._likeness(request, picture) if len(bits) == len(schedule.grids) else None
        if contest is not None and likeness is not None:
            contest.finish(likeness)
        watch.lap()
        if previews:
            # The last preview is the picture itself, made small: it costs nothing.
            yield self._event(len(bits) - 1, job, _at_most(picture, MAX_SIDE), watch.total)
        timing = Timing(
            text=self._features.seconds.get("text", 0.0),
            semantic=self._features.seconds.get("semantic", 0.0),
            content=self._features.seconds.get("content", 0.0),
            content_stream=content_stream,
            scales=tuple(seconds),
            previews=preview_seconds,
            decode=decode,
            total=watch.total,
            cached=cached,
        )
        if len(bits) == len(schedule.grids) and not kept:
            self._expectation.learn(task, seconds, content_stream, decode + preview_seconds)
        yield Finished(request, picture, ScaleBits(tuple(bits)), timing, notes, likeness)

    def _likeness(self, request: GenerationRequest, picture: np.ndarray) -> float | None:
        """How alike the subject of a picture is to its cut-out, 0 … 1; None where the bundle's encoder cannot tell."""
        scale = self.bundle.manifest.likeness
        if scale is None or not scale.tells or request.subject is None:
            return None
        try:
            return scale.share(similarity(self._features, request.subject, picture, self._place(request), scale.blocks))
        except Exception as error:
            if fault_of(error) is None:
                raise
            log.warning("the likeness of a picture was given up: %s", error)  # the picture itself is done
            return None

    def previews(
        self, bits: ScaleBits, request: GenerationRequest, *, cancel: Cancel | None = None
    ) -> tuple[np.ndarray, ...]:
        """What an earlier picture looked like after each scale. The network is not asked, so it takes milliseconds.

        Args:
            bits: bit labels of all its scales or of the first ones.
            request: what it was drawn from: its size, and for a decoder that looks at it the subject at its place.
            cancel: looked at between two scales.

        Returns:
            RGB uint8 (H, W, 3) for every scale of ``bits``, no side over 512; nothing when they do not fit this bundle
            and size, or when there is no memory for it.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        manifest = self.bundle.manifest
        schedule = manifest.schedule(request.size)
        if schedule is None or not manifest.fits(bits, request.size):
            return ()
        try:
            images = self._preview.after_each_scale(
                bits.scales,
                manifest.tokenizer,
                schedule.grids[-1],
                schedule.size,
                lambda: _raise_if_cancelled(cancel),
                self._canvas(request, schedule.size),
            )
            region = request.region
            if region is None or region.size != schedule.size:
                return images
            return tuple(_laid_in(image, region, self.bundle.manifest.tokenizer.feather) for image in images)
        except Exception as error:
            if fault_of(error) is None:
                raise
            log.warning("the scales of an earlier picture were given up: %s", error)
            self._release()
            return ()

    # The place: an earlier picture, or a photo

    def _with_bits(self, job: Job) -> Job:
        """A photo as the place has no bits yet: the visual tokenizer's encoder gives them."""
        region = job.request.region
        if region is None or job.request.kept is not None:
            return job
        return replace(job, request=replace(job.request, kept=self._encode(region.picture, job.schedule.grids)))

    @torch.inference_mode()
    def _encode(self, picture: np.ndarray, grids: Sequence[tuple[int, int]]) -> ScaleBits:
        """Bit labels of a picture, RGB uint8 (H, W, 3). The encoder is loaded for it alone: most pictures need none."""
        encoder = load_tokenizer_encoder(self.bundle)
        weight = self.bundle.tokenizer.decoder.input.weight
        pixels = torch.from_numpy(picture.copy()).to(weight.device, weight.dtype).permute(2, 0, 1)[None] / 127.5 - 1
        labels = (
            MultiScaleQuantizer(self.bundle.manifest.tokenizer).to(weight.device).encode(encoder(pixels).float(), grids)
        )
        return ScaleBits(tuple(bits[0].cpu().numpy() for bits in labels))

    def _region_preview(
        self, summed: torch.Tensor, scale: int, region: Region, canvas: torch.Tensor | None
    ) -> np.ndarray:
        """The earlier picture with a preview of its region. Only what lies around the region is painted."""
        stride, near = self.bundle.manifest.tokenizer.stride, 2
        rows, columns = np.nonzero(region.mask)
        top, left = (max(int(low) // stride - near, 0) for low in (rows.min(), columns.min()))
        bottom, right = (int(high) // stride + 1 + near for high in (rows.max(), columns.max()))
        codes = summed[:, :, top:bottom, left:right]
        there = np.s_[top * stride : bottom * stride, left * stride : right * stride]
        below = region.picture.copy()
        height, width = below[there].shape[:2]
        part = None if canvas is None else canvas[:, :, there[0], there[1]]
        image = self._preview(codes, scale, (width, height), part)
        below[there] = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        return _at_most(region.lay_in(below, self.bundle.manifest.tokenizer.feather), MAX_SIDE)

    def _event(self, scale: int, job: Job, image: np.ndarray, seconds: float) -> ScalePreview:
        return ScalePreview(scale, job.scales, job.schedule.grids[scale], image, seconds)

    def _notes(self, request: GenerationRequest) -> tuple[str, ...]:
        notes = []
        for what, text in (("prompt", request.prompt), ("negative prompt", request.negative_prompt)):
            dropped, unknown = self._features.text.fit(text) if text else ("", ())
            if dropped:
                notes.append(f"The {what} is longer than this model reads; it stops before “{_short(dropped)}”.")
            # The subject's own name need not be known: the photo says what it is.
            named = request.subject_name.lower().split()
            words = [word for word in unknown if word.lower() not in named]
            if words:
                listed = ", ".join(f"“{word}”" for word in words)
                notes.append(f"This model does not know {listed}; {'it' if len(words) == 1 else 'they'} will not show.")
        return tuple(notes)

    def _cached(self, request: GenerationRequest) -> tuple[str, ...]:
        """Which features are there already."""
        cached = []
        if self._features.has_prompt(request.prompt):
            cached.append("text")
        if request.negative_prompt and self._features.has_prompt(request.negative_prompt):
            cached.append("negative")
        if request.subject is not None and self._features.has_subject(request.subject, self._place(request)):
            cached.append("subject")
        return tuple(cached)

    def _task(self, job: Job) -> Task:
        """What is to be done, told without encoding anything: in the sampler's cache only keys and lengths count."""
        request = job.request
        tokens = self._features.text.count(request.prompt)
        blank = torch.empty(tokens, 0)
        conditions = Conditions(
            PromptFeatures(request.prompt, blank),
            SubjectFeatures(Features.subject_key(request.subject, self._place(request)), blank, blank, blank)
            if request.subject is not None
            else None,
            PromptFeatures(request.negative_prompt, blank) if request.negative_prompt else None,
            tuple(
                SubjectFeatures(Features.subject_key(view, self._place(request)), blank, blank, blank)
                for view in self._views(request)
            ),
        )
        streams = self._sampler.missing(conditions, job.guidance, job.schedule)
        return Task(job.schedule, len(job.guidance.branches(request.subject is not None)), len(streams), tokens)

    def _conditions(self, request: GenerationRequest, cancel: Cancel | None) -> Conditions:
        features = self._features
        return Conditions(
            features.prompt(request.prompt, cancel),
            features.subject(request.subject, cancel, placement=self._place(request))
            if request.subject is not None
            else None,
            features.prompt(request.negative_prompt, cancel) if request.negative_prompt else None,
            tuple(features.subject(view, cancel, placement=self._place(request)) for view in self._views(request)),
        )

    @staticmethod
    def _views(request: GenerationRequest) -> tuple[CutOut, ...]:
        return request.views if request.subject is not None else ()

    def _place(self, request: GenerationRequest) -> Placement | None:
        return self.bundle.manifest.place(request)

    def _canvas(self, request: GenerationRequest, size: tuple[int, int]) -> torch.Tensor | None:
        """The placed cut-out for a decoder that looks at it, (1, 4, H, W); None where it does not."""
        placement = self._place(request)
        if request.subject is None or placement is None or self.bundle.tokenizer.decoder.reference is None:
            return None
        canvas = torch.from_numpy(place_cut_out(request.subject, placement, *size))
        return canvas.permute(2, 0, 1)[None].to(self._device.torch_name)

    def _decode(self, summed: torch.Tensor, canvas: torch.Tensor | None, cancel: Cancel | None) -> np.ndarray:
        decoder = self.bundle.tokenizer.decoder
        pixels = decode_in_strips(decoder, summed, canvas, self._plan.strip_bytes, lambda: _raise_if_cancelled(cancel))
        return to_uint8(pixels)[0].cpu().numpy()

    def _wait(self) -> None:
        if self._device.kind == "cuda":
            torch.cuda.synchronize()

    # Memory

    def _raise_in_words(self, error: Exception) -> None:
        """Raise an error of the libraries in the user's words; do nothing where it is another one."""
        fault = fault_of(error)
        if fault == "memory":
            self._forget()
        said = in_words(fault, self._plan, self._device)
        if said is not None:
            raise said from error

    def _reload(self, plan: MemoryPlan) -> None:
        """The same bundle under a smaller plan; everything kept so far is given up first."""
        folder = self.bundle.folder
        del self.bundle, self._features, self._sampler, self._preview
        self._release()
        self._use(load_bundle(folder, placements(plan, self._device)), plan)

    def _forget(self) -> None:
        self._features.cache.clear()
        self._sampler.cache.clear()
        self._release()

    def _release(self) -> None:
        gc.collect()
        if self._device.kind == "cuda":
            torch.cuda.empty_cache()

    def close(self) -> None:
        """Give back all memory. The engine cannot be used afterwards."""
        if hasattr(self, "bundle"):
            del self.bundle, self._features, self._sampler, self._preview
        self._release()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Stopwatch:
    """Seconds since the start, and since the last look."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()

    @property
    def total(self) -> float:
        return time.perf_counter() - self._started

    def lap(self) -> float:
        last, self._last = self._last, time.perf_counter()
        return self._last - last


def _raise_if_cancelled(cancel: Cancel | None) -> None:
    if cancel is not None and cancel.is_set():
        raise Cancelled()


def placements(plan: MemoryPlan, device: Device) -> dict[str, PartPlacement]:
    """Where a memory plan wants the weights of every part."""
    torch_device = torch.device(device.torch_name)
    dtype, text_dtype = getattr(torch, plan.dtype), getattr(torch, plan.text_dtype)
    elsewhere = ""
    if plan.stream_image:
        elsewhere = r"blocks\."
    elif plan.offload_content or plan.stream_content:
        elsewhere = r"blocks\.\d+\.content\."
    return {
        "text": PartPlacement("cpu" if plan.offload_text else torch_device, text_dtype),
        "semantic": PartPlacement(torch_device),
        "content": PartPlacement(torch_device),
        "transformer": PartPlacement(torch_device, dtype, elsewhere, plan.eight_bits),
        "tokenizer": PartPlacement(torch_device, dtype),
    }


def _without_a_card(manifest: BundleManifest) -> str:
    """What will draw, and for how long."""
    task = Task(manifest.schedules[0], branches=2, streams=2, text_tokens=16)
    seconds = guess_seconds(manifest.transformer, manifest.tokenizer, task, multiply_rate())
    return f"There is no graphics card that can be used: the processor draws, about {about(seconds)} a picture."


def _shares(costs: Sequence[float]) -> tuple[float, ...]:
    total = sum(costs)
    return tuple(cost / total for cost in costs)


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def _laid_in(preview: np.ndarray, region: Region, feather: float) -> np.ndarray:
    """A preview, RGB uint8, with the earlier picture outside of the region."""
    height, width = preview.shape[:2]
    weight = cv2.resize(soft_inside(region.mask, feather), (width, height), interpolation=cv2.INTER_AREA)
    below = region.picture
    if below.shape != preview.shape:
        below = cv2.resize(below, (width, height), interpolation=cv2.INTER_AREA)
    return mixed(below, preview, weight)


def _at_most(picture: np.ndarray, side: int) -> np.ndarray:
    """RGB uint8, made smaller where a side is longer than ``side``."""
    height, width = picture.shape[:2]
    if max(height, width) <= side:
        return picture
    from PIL import Image

    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
