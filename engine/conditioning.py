"""A request as the network is conditioned on it: its prompt as the model reads it, its photos, where the subject stands."""

from __future__ import annotations

import torch

from engine.bundle.loader import Bundle
from engine.encoders.features import Features, PromptFeatures, SubjectFeatures
from engine.errors import Cancel
from engine.planning.job import Job
from engine.planning.picture_notes import prompt_notes
from engine.planning.time_estimate import Task
from engine.request import CutOut, GenerationRequest
from engine.sampling.sampler import Conditions, Sampler


class Conditioning:
    """The way from a request to the encoders of an open bundle.

    Args:
        bundle: its manifest says how prompts are read and subjects placed.
        features: its encoders, with what they have made so far.
    """

    def __init__(self, bundle: Bundle, features: Features) -> None:
        self._bundle, self._features = bundle, features

    def read(self, request: GenerationRequest, text: str | None = None) -> str:
        """The prompt, or another text of the request, as the model reads it with the request's seed."""
        return self._bundle.manifest.read_as(request.prompt if text is None else text, request.seed)

    def conditions(self, request: GenerationRequest, cancel: Cancel | None) -> Conditions:
        """Encode what is not encoded yet. Raises ``Cancelled``."""
        features, place = self._features, self._bundle.manifest.place(request)
        return Conditions(
            features.prompt(self.read(request), cancel),
            features.subject(request.subject, cancel, placement=place) if request.subject is not None else None,
            features.prompt(request.negative_prompt, cancel) if request.negative_prompt else None,
            tuple(features.subject(view, cancel, placement=place) for view in _views(request)),
        )

    def cached(self, request: GenerationRequest) -> tuple[str, ...]:
        """Those of "text", "negative" and "subject" that are encoded already."""
        cached = []
        if self._features.has_prompt(self.read(request)):
            cached.append("text")
        if request.negative_prompt and self._features.has_prompt(request.negative_prompt):
            cached.append("negative")
        if request.subject is not None and self._features.has_subject(
            request.subject, self._bundle.manifest.place(request)
        ):
            cached.append("subject")
        return tuple(cached)

    def task(self, job: Job, sampler: Sampler) -> Task:
        """The sampler's task of a job, without encoding anything: in its cache only keys and lengths count."""
        request = job.request
        prompt, place = self.read(request), self._bundle.manifest.place(request)
        tokens = self._features.text.count(prompt)
        blank = torch.empty(tokens, 0)

        def unseen(photo: CutOut) -> SubjectFeatures:
            return SubjectFeatures(Features.subject_key(photo, place), blank, blank, blank)

        conditions = Conditions(
            PromptFeatures(prompt, blank),
            unseen(request.subject) if request.subject is not None else None,
            PromptFeatures(request.negative_prompt, blank) if request.negative_prompt else None,
            tuple(map(unseen, _views(request))),
        )
        streams = sampler.missing(conditions, job.guidance, job.schedule)
        return Task(job.schedule, len(job.guidance.branches(request.subject is not None)), len(streams), tokens)

    def notes(self, request: GenerationRequest) -> tuple[str, ...]:
        """Sentences on the words of a request that the model does not read, or does not know."""
        return prompt_notes(request, lambda text: self._features.text.fit(self.read(request, text)))


def _views(request: GenerationRequest) -> tuple[CutOut, ...]:
    return request.views if request.subject is not None else ()
