"""One picture from its job to its events: conditions, scale after scale with its preview, the picture and its likeness."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from engine.bundle.loader import Bundle
from engine.conditioning import Conditioning
from engine.device.devices import wait_for
from engine.encoders.features import Features
from engine.encoders.likeness import similarity
from engine.errors import Cancel, Outdone
from engine.events import Event, Finished, ScalePreview, Started, Timing
from engine.painting import Painter, at_most
from engine.planning.faults import fault_of
from engine.planning.job import Job
from engine.planning.time_estimate import Task, TimeEstimate
from engine.request import GenerationRequest, ScaleBits
from engine.sampling.contest import Contest
from engine.sampling.region_tokens import RegionTokens
from engine.sampling.sampler import Sampler
from engine.tokenizer.preview import MAX_SIDE

log = logging.getLogger(__name__)


class Drawing:
    """Draws with the parts of an open bundle, one picture at a time.

    Args:
        features, conditioning: the encoders, and the way from a request to them.
        sampler, painter: draw bits, and paint them.
        time: learns from every picture how long the next one takes.
    """

    def __init__(
        self,
        bundle: Bundle,
        features: Features,
        conditioning: Conditioning,
        sampler: Sampler,
        painter: Painter,
        time: TimeEstimate,
    ) -> None:
        self._bundle, self._features, self._conditioning = bundle, features, conditioning
        self._sampler, self._painter, self._time = sampler, painter, time

    def events(
        self,
        job: Job,
        cancel: Cancel | None,
        previews: bool,
        contest: Contest | None = None,
        notes: tuple[str, ...] = (),
    ) -> Iterator[Event]:
        """Draw a picture; what each argument does says ``Engine.generate``. ``notes`` go before those on the prompt.

        Raises:
            Outdone: another picture of the contest is clearly more alike.
            Cancelled: ``cancel`` was set.
        """
        watch = _Stopwatch()
        given, job = job, self._with_bits(job, cancel)
        request, schedule = job.request, job.schedule
        cached, task = self._conditioning.cached(request), self._conditioning.task(job, self._sampler)
        if not task.streams:
            cached += ("content", "start")
        notes += self._conditioning.notes(request)
        yield self._started(job, task, notes)
        self._features.seconds = {}
        if contest is not None:
            contest.begin()
        conditions = self._conditioning.conditions(request, cancel)
        watch.lap()
        with torch.inference_mode():
            self._sampler.prepare(conditions, job.guidance, schedule, cancel)
            wait_for(self._features.device)
        content_stream = watch.lap()

        kept = [torch.tensor(bits) for bits in request.kept.scales] if request.kept is not None else []
        before = max(job.kept - 1, 0)
        bits: list[np.ndarray] = [scale.numpy() for scale in kept[:before]]
        seconds, preview_seconds, remembered = [0.0] * before, 0.0, 0
        canvas, summed = self._painter.canvas(request, schedule.size), None
        if previews and job is not given:
            # The bits of the photo are known since just now: nobody has seen its first scales yet.
            for scale, image in enumerate(self._painter.first_scales(request, before, schedule, canvas)):
                yield self._event(scale, job, image, watch.total)
            preview_seconds += watch.lap()
        tokens = RegionTokens([torch.from_numpy(places) for places in job.anew]) if job.anew else None
        drawing = self._sampler.draw(
            conditions, job.guidance, schedule, request.seed, kept=kept, region=tokens, cancel=cancel
        )
        for drawn in drawing:
            summed = drawn.summed
            bits.append(drawn.bits.cpu().numpy())
            lap = watch.lap()
            remembered = drawn.scale + 1 if drawn.remembered else remembered
            seconds.append(lap if drawn.scale >= job.kept else 0.0)
            if len(bits) >= job.scales:
                break
            watched = contest is not None and contest.watches(drawn.scale, len(schedule.grids))
            if previews or watched:
                image = self._painter.preview(summed, drawn.scale, schedule.size, request, canvas)
                preview_seconds += watch.lap()
            if contest is not None and watched:
                self._compete(contest, drawn.scale, request, image)
            if previews:
                yield self._event(len(bits) - 1, job, image, watch.total, remembered)
                watch.lap()  # what the receiver does in between is not ours
        del drawing, drawn  # the caches make room for the decoder
        assert summed is not None
        picture = self._painter.picture(summed, canvas, cancel, request)
        decode = watch.lap()
        likeness = self._likeness(request, picture) if len(bits) == len(schedule.grids) else None
        if contest is not None and likeness is not None:
            contest.finish(likeness)
        watch.lap()
        if previews:
            # The last preview is the picture itself, made small: it costs nothing.
            yield self._event(len(bits) - 1, job, at_most(picture, MAX_SIDE), watch.total, remembered)
        spent = {stage: self._features.seconds.get(stage, 0.0) for stage in ("text", "semantic", "content")}
        timing = Timing(
            **spent,
            content_stream=content_stream,
            scales=tuple(seconds),
            previews=preview_seconds,
            decode=decode,
            total=watch.total,
            cached=cached,
            remembered=remembered,
        )
        if len(bits) == len(schedule.grids) and not kept:
            self._time.learn(task, seconds, content_stream, decode + preview_seconds, remembered)
        yield Finished(request, picture, ScaleBits(tuple(bits)), timing, notes, likeness)

    def _started(self, job: Job, task: Task, notes: tuple[str, ...]) -> Started:
        grids = job.schedule.grids
        whole = job.scales == len(grids) and job.request.region is None
        costs = self._time.costs(task)[: job.scales]
        seconds = self._time.seconds(task) if whole else None
        return Started(job.request, grids[: job.scales], _shares(costs), job.kept, notes, seconds)

    def _compete(self, contest: Contest, scale: int, request: GenerationRequest, image: np.ndarray) -> None:
        """Raise ``Outdone`` where the picture so far is clearly less alike than the best one was after this scale."""
        likeness = self._likeness(request, image)
        if likeness is not None and contest.is_lost(scale, likeness):
            raise Outdone()

    def _likeness(self, request: GenerationRequest, picture: np.ndarray) -> float | None:
        """Return the likeness of a picture's subject to its cut-out, 0 … 1; None where the bundle's encoder cannot tell."""
        scale = self._bundle.manifest.likeness
        if scale is None or not scale.tells or request.subject is None:
            return None
        try:
            return scale.share(
                similarity(self._features, request.subject, picture, self._bundle.manifest.place(request), scale.blocks)
            )
        except Exception as error:
            if fault_of(error) is None:
                raise
            log.warning("the likeness of a picture was given up: %s", error)  # the picture itself is done
            return None

    def _with_bits(self, job: Job, cancel: Cancel | None) -> Job:
        """A photo as the place has no bits yet: the visual tokenizer's encoder gives them."""
        region = job.request.region
        if region is None or job.request.kept is not None:
            return job
        bits = self._painter.bits_of(region.picture, job.schedule.grids, cancel)
        return replace(job, request=replace(job.request, kept=bits))

    def _event(self, scale: int, job: Job, image: np.ndarray, seconds: float, remembered: int = 0) -> ScalePreview:
        return ScalePreview(scale, job.scales, job.schedule.grids[scale], image, seconds, remembered)


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


def _shares(costs: Sequence[float]) -> tuple[float, ...]:
    total = sum(costs)
    return tuple(cost / total for cost in costs)
