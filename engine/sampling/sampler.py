"""The loop over scales. Exact: nothing here approximates the published network, it only never computes a thing twice.

- The text-only branch cancels where text and subject strength are equal; unused branches are not run.
- The content stream runs once per prompt and subject, the null branch once per prompt length; both are cached, and so is
  scale 0, which depends on neither seed nor strengths.
- The first scales of the pictures drawn last are kept by their bits, for whoever goes on from there (``FirstScales``).
- The dead half of the last content layer does not exist; the last scale's keys are not stored; there are no masks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from engine.device.cache import ByteBudgetCache
from engine.device.streamed_unit import StreamedUnit, may_pin
from engine.device.to_device import moved
from engine.encoders.features import PromptFeatures, SubjectFeatures
from engine.errors import Cancel, RequestError
from engine.model.config import ScaleSchedule
from engine.model.transformer import Transformer
from engine.sampling.first_scales import FirstScales, ScaleRecord
from engine.sampling.guidance import Branch, BranchOrder, Guidance, bit_probability, draw_bits, mix
from engine.sampling.kept_scales import check_kept_scales
from engine.sampling.pace import Pace
from engine.sampling.parallel_branches import run_side_by_side
from engine.sampling.region_tokens import RegionTokens
from engine.sampling.states import (
    BranchState,
    ScaleCache,
    SubjectState,
    TextState,
    branch_state,
    joined_state,
    subject_state,
    text_state,
)
from engine.sentence import Sentence
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.quantizer import add_scale, next_input

NULL_SUBJECT = "null subject"

MEETING_TOKENS = 16
"""Up to so many tokens, branches that run side by side go through a scale together: a product of so few rows takes as long
as reading its weights, and together they are read once."""


_FIRST_SCALES = 8
"""One part in so many of what is kept are the first scales of earlier pictures."""


@dataclass(frozen=True, eq=False)
class Conditions:
    """The inputs of a picture.

    Attributes:
        prompt: the encoded prompt.
        subject: the encoded cut-out, or None. views: further photos of the same subject, encoded.
        negative: the encoded negative prompt, or None for the model's own null text.
    """

    prompt: PromptFeatures
    subject: SubjectFeatures | None = None
    negative: PromptFeatures | None = None
    views: tuple[SubjectFeatures, ...] = ()

    def photos(self) -> list[Conditions]:
        """The same with each photo of the subject alone."""
        return [replace(self, subject=photo, views=()) for photo in (self.subject, *self.views)]


@dataclass(frozen=True, eq=False)
class DrawnScale:
    """One finished scale.

    Attributes:
        scale: its index, 0-based.
        bits: bit labels uint8 (h, w, d).
        summed: the sum F of all codes so far, (1, d, Hf, Wf).
        seconds: time this scale took; 0 for scale 0, which comes from the start state.
        logits: mixed logits (n, 2d) after temperature, before any filter, of the tokens that were drawn; None for kept
            scales.
        remembered: nothing was computed for it: an earlier picture had left it behind.
    """

    scale: int
    bits: Tensor
    summed: Tensor
    seconds: float
    logits: Tensor | None
    remembered: bool = False


class Sampler:
    """Draws pictures' bits with one transformer.

    Args:
        net: the transformer, on its device.
        tokenizer: how bits become codes.
        cache_bytes: budget of everything kept between pictures.
        branches: how they go through the network. Not side by side where layers come and go as they run.
        offload_content: keep the content layers' weights on the CPU except while the content stream runs.
        offload_states: keep keys, values and caches on the CPU except those of the block at work.
    """

    def __init__(
        self,
        net: Transformer,
        tokenizer: TokenizerConfig,
        *,
        cache_bytes: int = 2**30,
        branches: BranchOrder = "together",
        offload_content: bool = False,
        offload_states: bool = False,
    ) -> None:
        self.net, self.tokenizer = net.eval(), tokenizer
        self.branches, self.offload_states = branches, offload_states
        self._first_scales = FirstScales(cache_bytes // _FIRST_SCALES)
        self.cache = ByteBudgetCache(cache_bytes - cache_bytes // _FIRST_SCALES)
        self.device = net.null_content.device
        self._rest = torch.device("cpu") if offload_states else self.device
        leaving = [[*block.content.parameters()] for block in net.blocks] if offload_content else []
        pinned = may_pin(self.device, sum(parameter.nbytes for layer in leaving for parameter in layer))
        self._content_units = [StreamedUnit(layer, self.device, pinned) for layer in leaving]

    # Conditions

    @torch.inference_mode()
    def prepare(
        self, conditions: Conditions, guidance: Guidance, schedule: ScaleSchedule, cancel: Cancel | None = None
    ) -> dict[Branch, BranchState]:
        """Bring every branch the guidance needs to the end of scale 0. What was prepared before is not done again."""
        branches = guidance.branches(conditions.subject is not None)
        with self._content_weights(self.missing(conditions, guidance, schedule)):
            return {branch: self._branch(branch, conditions, schedule, cancel) for branch in branches}

    def missing(self, conditions: Conditions, guidance: Guidance, schedule: ScaleSchedule) -> tuple[Branch, ...]:
        """The branches that ``prepare`` would have to run, because they are not in the cache."""
        return tuple(
            branch
            for branch in guidance.branches(conditions.subject is not None)
            if self._branch_key(branch, conditions, schedule) not in self.cache
        )

    def _branch_key(self, branch: Branch, conditions: Conditions, schedule: ScaleSchedule) -> Hashable:
        frame = schedule.rotary_grid if self.net.config.content_rotary else None
        return ("branch", self._text_key(branch, conditions), self._subject_key(branch, conditions), frame)

    def _text_key(self, branch: Branch, conditions: Conditions) -> Hashable:
        if branch != "null":
            return ("prompt", conditions.prompt.key)
        if conditions.negative is not None:
            return ("prompt", conditions.negative.key)
        # The null text depends on the prompt through its length only.
        return ("null", len(conditions.prompt.features))

    def _subject_key(self, branch: Branch, conditions: Conditions) -> Hashable:
        if branch in ("text", "null") or conditions.subject is None:
            return NULL_SUBJECT
        if conditions.views:
            return (branch, conditions.subject.key, *(view.key for view in conditions.views))
        return (branch, conditions.subject.key)

    def _branch(
        self, branch: Branch, conditions: Conditions, schedule: ScaleSchedule, cancel: Cancel | None
    ) -> BranchState:
        def make() -> BranchState:
            text = moved(self._text(branch, conditions), self.device)
            if conditions.views and self._subject_key(branch, conditions) != NULL_SUBJECT:
                photos = conditions.photos()
                subjects = [moved(self._subject(branch, photo), self.device) for photo in photos]
                states = [moved(self._branch(branch, photo, schedule, cancel), self.device) for photo in photos]
                return moved(joined_state(self.net, text, subjects, states, content=branch != "identity"), self._rest)
            subject = moved(self._subject(branch, conditions), self.device)
            state = branch_state(self.net, text, subject, schedule, Pace(self.device, cancel))
            return moved(state, self._rest)

        return self.cache.get(self._branch_key(branch, conditions, schedule), make)

    def _text(self, branch: Branch, conditions: Conditions) -> TextState:
        if branch != "null":
            features = conditions.prompt.features
        elif conditions.negative is not None:
            features = conditions.negative.features
        else:
            features = self.net.null_text[: len(conditions.prompt.features)]

        def make() -> TextState:
            return moved(text_state(self.net, features.to(self.device)), self._rest)

        return self.cache.get(("text", self._text_key(branch, conditions)), make)

    def _subject(self, branch: Branch, conditions: Conditions) -> SubjectState:
        null_class, null_patches, null_content = (value[0] for value in self.net.null_subject())
        given = conditions.subject
        if branch in ("text", "null") or given is None:
            parts = null_class, null_patches, null_content
        elif branch == "identity":
            parts = given.class_token, given.patches, null_content
        else:
            parts = given.class_token, given.patches, given.content
        key = ("subject", self._subject_key(branch, conditions))

        def make() -> SubjectState:
            return moved(subject_state(self.net, *(part.to(self.device) for part in parts)), self._rest)

        return self.cache.get(key, make)

    # Drawing

    @torch.inference_mode()
    def draw(
        self,
        conditions: Conditions,
        guidance: Guidance,
        schedule: ScaleSchedule,
        seed: int = 0,
        *,
        kept: Sequence[Tensor] = (),
        region: RegionTokens | None = None,
        greedy: bool = False,
        cancel: Cancel | None = None,
    ) -> Iterator[DrawnScale]:
        """Draw one picture's bits, scale after scale.

        Args:
            kept: bit labels (h, w, d) of the first scales, taken as they are; of all scales where there is a region.
            region: where the kept bits are drawn anew. Of its large scales only the neighbourhood goes through the network.
            greedy: take the likelier bit instead of drawing (ties give 0).
            cancel: looked at between two blocks.

        Raises:
            Cancelled: ``cancel`` was set; the caches stay valid.
            RequestError: the kept bits do not fit the schedule.
        """
        if region is not None and len(kept) != len(schedule.grids):
            raise RequestError(Sentence("A region needs the bits of all scales of its picture."))
        first = len(kept) if region is None else region.first
        check_kept_scales([bits.shape for bits in kept], schedule, self.tokenizer.bits, first)
        states = self.prepare(conditions, guidance, schedule, cancel)
        has_subject = conditions.subject is not None
        order = list(states)
        scales = range(len(schedule.grids))
        parts = None if region is None else [region.run(scale, len(self.net.blocks)) for scale in scales]
        tokens = schedule.tokens if parts is None else [len(part.places) for part in parts]
        run = _Run(self.net, [*states.values()], 2 + sum(tokens[1:-1]), self.offload_states)
        pace = Pace(self.device, cancel)
        keys = tuple(self._branch_key(branch, conditions, schedule) for branch in order)
        beginning = self._first_scales.begin((keys, schedule.grids), schedule.tokens, run.token_bytes)

        summed = torch.zeros(1, self.tokenizer.bits, *schedule.grids[-1], device=self.device)
        for scale, grid in enumerate(schedule.grids):
            started = time.perf_counter()
            drawn = region.drawn(scale) if region is not None else None
            small = scale <= beginning.scales  # with all its tokens, whatever of it is drawn
            logits: Tensor | None = None
            record = beginning.found() if small and scale > 0 else None
            if scale == 0:
                branch_logits = torch.cat([state.logits for state in states.values()]).to(self.device)
            elif record is not None:
                branch_logits = run.restore(record)
            else:
                inputs, rotary = next_input(summed, grid), self.net.scale_rotary(schedule, scale, self.device)
                going: Sequence[int] | None = None
                if parts is not None and not small:
                    places, going = parts[scale].places.to(self.device), parts[scale].going
                    inputs, rotary = inputs[:, places], rotary[places]
                elif scale < first and not small:  # nothing is drawn: of the last block only keys and values are wanted
                    going = (*tokens[scale : scale + 1] * (len(self.net.blocks) - 1), 0)
                branch_logits = self._run(run, inputs, scale, rotary, pace, going)
                if small:
                    beginning.keep(run.record(schedule.tokens[scale], branch_logits))
            if scale < first or (drawn is not None and not len(drawn)):
                bits = kept[scale].to(self.device)
            else:
                if drawn is not None and small:
                    branch_logits = branch_logits[:, drawn.to(self.device)]
                weights = guidance.coefficients(scale, has_subject)
                logits = mix(branch_logits, [weights[branch] / guidance.temperature[scale] for branch in order])
                bits = self._choose(logits, guidance.top_p, seed, scale, greedy, schedule.tokens[scale], drawn)
                if drawn is not None:
                    around = kept[scale].to(self.device).flatten(0, 1).clone()
                    around[drawn.to(self.device)] = bits.to(around.dtype)
                    bits = around
                bits = bits.view(*grid, -1)
            bits = bits.to(torch.uint8)
            summed = add_scale(summed, bits[None], self.tokenizer, scale)
            if scale < beginning.scales:
                beginning.follow(bits)
            if scale >= first - 1:
                yield DrawnScale(scale, bits, summed, time.perf_counter() - started, logits, record is not None)

    def _run(
        self,
        run: _Run,
        inputs: Tensor,
        scale: int,
        rotary: Tensor,
        pace: Pace,
        going: Sequence[int] | None,
    ) -> Tensor:
        """Logits of all branches at one scale, (B, m, 2d); see ``_Run.scale``."""
        tokens = inputs.shape[1]
        groups = self._groups(len(run.vector), tokens)
        tasks = [partial(run.scale, group, inputs, scale, rotary, pace, going) for group in groups]
        at_once = self.branches == "side-by-side" and len(tasks) > 1
        logits = torch.cat(run_side_by_side(tasks) if at_once else [task() for task in tasks])
        run.advance(tokens)
        return logits

    def _groups(self, branches: int, tokens: int) -> list[slice]:
        """The branches that go through a scale of so many tokens together."""
        apart = self.branches == "in-turn"
        if self.branches == "side-by-side":
            # With more branches than cores, a core would have two of them to do while another has none.
            apart = 1 < branches <= torch.get_num_threads() and tokens > MEETING_TOKENS
        return [slice(index, index + 1) for index in range(branches)] if apart else [slice(0, branches)]

    def _choose(
        self, logits: Tensor, top_p: float, seed: int, scale: int, greedy: bool, tokens: int, places: Tensor | None
    ) -> Tensor:
        if greedy:
            pairs = logits.unflatten(-1, (-1, 2))
            return pairs[..., 1] > pairs[..., 0]
        return draw_bits(bit_probability(logits, top_p), seed, scale, tokens=tokens, places=places)

    # Memory

    def forget(self) -> None:
        """Give up everything that is kept between pictures."""
        self.cache.clear()
        self._first_scales.clear()

    @contextlib.contextmanager
    def _content_weights(self, missing: Sequence[Branch]) -> Iterator[None]:
        """Have the content layers on the device if some branch's content stream has to run."""
        units = self._content_units if missing else []
        try:
            for unit in units:
                unit.enter()
            yield
        finally:
            for unit in units:
                unit.leave()


class _Run:
    """Branches on their way through the scales, with their caches."""

    def __init__(self, net: Transformer, states: list[BranchState], stored: int, resting: bool) -> None:
        self.net, self.device = net, net.null_content.device
        self.resting = resting
        self.vector = torch.cat([state.vector for state in states]).to(self.device)
        shared = torch.cat([state.modulation for state in states]).to(self.device)
        self.prepared = [block.image.prepared(shared) for block in net.blocks]
        blocks = range(len(net.blocks))
        self.content = [[state.content[index] for state in states] for index in blocks]
        self.cross = [[state.cross[index] for state in states] for index in blocks]
        self.caches = [ScaleCache([state.start[index] for state in states], stored) for index in blocks]

    def scale(
        self,
        branches: slice,
        inputs: Tensor,
        scale: int,
        rotary: Tensor,
        pace: Pace,
        going: Sequence[int] | None = None,
    ) -> Tensor:
        """Logits of some branches at one scale, (B, m, 2d), of the m tokens that go through all blocks.

        Args:
            inputs: (1, n, d), the same for all branches.
            going: of every block, how many tokens go on through it, the first ones; the others stay what they were before it,
                and give its keys and values. None for all.
        """
        vector = self.vector[branches]
        x = self.net.embed(inputs, scale).expand(len(vector), -1, -1)
        last = len(self.net.blocks) - 1
        for index, block in enumerate(self.net.blocks):
            pace.step()
            content, cross = self.content[index][branches], self.cross[index][branches]
            if self.resting:  # on the CPU, they visit the device for this block only
                content, cross = moved(content, self.device), moved(cross, self.device)
            wanted = None if going is None else going[index]
            cache = self.caches[index].of(branches)
            deeper = block.image(x, self.prepared[index].of(branches), rotary, content, cross, cache, wanted=wanted)
            behind = x.shape[1] - deeper.shape[1] if index < last else 0
            x = torch.cat([deeper, x[:, -behind:]], dim=1) if behind else deeper
        return self.net.logits(x, vector)

    def advance(self, tokens: int) -> None:
        """All branches have done a scale of so many tokens."""
        for cache in self.caches:
            cache.advance(tokens)

    @property
    def token_bytes(self) -> int:
        """The bytes that one token leaves behind in all branches and blocks."""
        return sum(cache.token_bytes for cache in self.caches) + 8 * len(self.vector) * self.net.config.bits

    def record(self, tokens: int, logits: Tensor) -> ScaleRecord:
        """The scale that was just done."""
        return ScaleRecord(tuple(cache.newest(tokens) for cache in self.caches), logits)

    def restore(self, record: ScaleRecord) -> Tensor:
        """Have a scale's keys and values in place of computing them; returns its logits."""
        for cache, pair in zip(self.caches, record.pairs, strict=True):
            cache.restore(pair)
        return record.logits
