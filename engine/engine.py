"""The engine: an open bundle on a device, under a memory plan; it draws, and goes on with less where memory runs out.

One picture is drawn at a time. What it computes is kept: the same subject and prompt with another seed encodes nothing and
runs no content stream.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from engine.bundle.library import resolve_bundle
from engine.bundle.loader import Bundle, Progress, load_bundle
from engine.bundle.manifest import read_manifest
from engine.conditioning import Conditioning
from engine.device.devices import Device, choose_device, keep_memory, release_memory
from engine.drawing import Drawing
from engine.encoders.features import Features
from engine.errors import Cancel
from engine.events import EngineInfo, Event
from engine.model.streaming import stream_layers
from engine.painting import Painter
from engine.photo.hints import Box, Click, Hint, Stroke, SubjectProposal
from engine.photo.load import Photo
from engine.planning.faults import fault_of, faults_in_words, in_words
from engine.planning.job import Job, make_job
from engine.planning.part_placement import placements
from engine.planning.picture_notes import without_a_card
from engine.planning.plans import MemoryPlan, plan_for, step_down
from engine.planning.time_estimate import TimeEstimate
from engine.preflight.segmenter import Segmenter
from engine.request import CutOut, GenerationRequest, ScaleBits
from engine.sampling.contest import Contest
from engine.sampling.sampler import Sampler
from engine.weights.inventory import installed_helpers

log = logging.getLogger(__name__)


class Engine:
    """An open bundle on a device. Made by ``open``; a context manager.

    Attributes:
        bundle: its parts and its manifest.
        info: what was opened, in words.
    """

    def __init__(self, bundle: Bundle, device: Device, plan: MemoryPlan) -> None:
        self._device, self._folder = device, bundle.folder
        self._segmenter: Segmenter | None = None
        self._making_segmenter = threading.Lock()
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
            plan = replace(plan, notes=(*plan.notes, without_a_card(manifest)))
        with faults_in_words(plan, chosen):
            return cls(load_bundle(folder, placements(plan, chosen), on_progress=on_progress), chosen, plan)

    def _use(self, bundle: Bundle, plan: MemoryPlan) -> None:
        device = torch.device(self._device.torch_name)
        self.bundle, self._plan = bundle, plan
        self._features = Features(bundle.text, bundle.semantic, bundle.content, device, offload_text=plan.offload_text)
        self._conditioning = Conditioning(bundle, self._features)
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
        self._painter = Painter(bundle, self._device, plan.strip_bytes)
        self._drawing = Drawing(
            bundle, self._features, self._conditioning, self._sampler, self._painter, self._expectation
        )
        self.info = EngineInfo(bundle.manifest.identity, str(bundle.folder), self._device.words, plan.words, plan.notes)

    @property
    def features(self) -> Features:
        """The encoders of the open bundle, with what they have made so far."""
        return self._features

    # Pre-flight

    def find_subject(self, photo: Photo, hint: Hint | None = None) -> SubjectProposal:
        """Find the subject of a photo. Raises ``SubjectNotFound``."""
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
        with self._making_segmenter:  # two would load each network twice
            if self._segmenter is None:
                self._segmenter = Segmenter.with_models(installed_helpers(), self._device.torch_name)
            return self._segmenter

    # Drawing

    def prepare(
        self,
        subject: CutOut | None,
        prompt: str,
        negative_prompt: str = "",
        *,
        views: tuple[CutOut, ...] = (),
        cancel: Cancel | None = None,
    ) -> tuple[str, ...]:
        """Do now what a picture of this subject and prompt needs before its first scale. ``views``: further photos of the subject.

        An empty prompt prepares the subject alone. Where the subject's place is an input, what depends on it waits for the
        picture, which knows its place. Running out of memory here is left to ``generate`` to say.

        Returns:
            Notes for the user, for example the words a prompt limit cuts off.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        if not self._is_open:
            return ()
        try:
            placed = self.bundle.manifest.placed_content is not None
            for photo in (subject, *views) if subject is not None else ():
                if placed:
                    self._features.semantic_tokens(photo, cancel)
                elif not prompt.strip():
                    self._features.subject(photo, cancel)
            if not prompt.strip():
                return ()
            defaults = self.bundle.manifest.request_defaults()
            request = GenerationRequest(prompt, subject, negative_prompt, views=views, **defaults)
            job = make_job(request, self.bundle.manifest)
            # The seed is not known yet: every layout it may ask for is read, which takes milliseconds.
            for seed in range(max(1, self.bundle.manifest.layouts)):
                self._features.prompt(self._conditioning.read(request.with_seed(seed)), cancel)
            if not placed:
                self._sampler.prepare(
                    self._conditioning.conditions(request, cancel), job.guidance, job.schedule, cancel
                )
            return self._conditioning.notes(request)
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
        if not self._is_open:
            with faults_in_words(self._plan, self._device):
                self._reopen()
        job = make_job(request, self.bundle.manifest, until_scale)
        return self._generate(job, cancel, previews, contest)

    def _generate(self, job: Job, cancel: Cancel | None, previews: bool, contest: Contest | None) -> Iterator[Event]:
        try:
            yield from self._drawing.events(job, cancel, previews, contest)
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
            self._let_go()
            self._plan = smaller
            self._reopen()
            yield from self._drawing.events(job, cancel, previews, contest, smaller.notes[-1:])
        except Exception as error:
            self._raise_in_words(error)
            raise

    def previews(
        self, bits: ScaleBits, request: GenerationRequest, *, cancel: Cancel | None = None
    ) -> tuple[np.ndarray, ...]:
        """Paint an earlier picture after each of its scales. The network is not asked, so it takes milliseconds.

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
        if not self._is_open:
            return ()
        try:
            return self._painter.after_each_scale(bits, request, cancel)
        except Exception as error:
            if fault_of(error) is None:
                raise
            log.warning("the scales of an earlier picture were given up: %s", error)
            release_memory()
            return ()

    # Memory

    def _raise_in_words(self, error: Exception) -> None:
        """Raise an error of the libraries in the user's words; do nothing where it is another one."""
        fault = fault_of(error)
        if fault == "memory":
            self._forget()
        in_ours = in_words(fault, self._plan, self._device)
        if in_ours is not None:
            raise in_ours from error

    @property
    def _is_open(self) -> bool:
        return hasattr(self, "bundle")

    def _reopen(self) -> None:
        """Load the bundle under the plan. Where that fails nothing is open, and the next picture tries it again."""
        try:
            self._use(load_bundle(self._folder, placements(self._plan, self._device)), self._plan)
        except Exception:
            self._let_go()
            raise

    def _let_go(self) -> None:
        """Give up the bundle and everything kept so far."""
        for part in ("bundle", "_features", "_conditioning", "_sampler", "_painter", "_drawing"):
            self.__dict__.pop(part, None)
        release_memory()

    def _forget(self) -> None:
        if self._is_open:
            self._features.cache.clear()
            self._sampler.forget()
            self._painter.forget()
        release_memory()

    def close(self) -> None:
        """Give back all memory. A picture that is asked for afterwards loads the bundle again."""
        self._segmenter = None
        self._let_go()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
