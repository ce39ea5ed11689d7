"""States that can be kept between pictures, from the encoders' features to the keys of the content stream.

| kept | depends on |
|---|---|
| ``TextState`` | a prompt, or the length of the null text |
| ``SubjectState`` | a cut-out, or nothing for the null subject |
| ``BranchState`` | a prompt and a subject: content keys and values of every block, and the finished scale 0 |
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.model.block import KeyValue, KeyValueCache, join
from engine.model.config import ScaleSchedule
from engine.model.transformer import SubjectCondition, TextCondition, Transformer
from engine.sampling.pace import Pace


@dataclass(frozen=True, eq=False)
class TextState:
    """A text, projected: its condition, and its keys and values in every block (the last content layer has none)."""

    condition: TextCondition
    image_keys: tuple[KeyValue, ...]
    content_keys: tuple[KeyValue | None, ...]


@dataclass(frozen=True, eq=False)
class SubjectState:
    """A subject, projected: its condition, and its semantic keys and values in every block."""

    condition: SubjectCondition
    keys: tuple[KeyValue, ...]


@dataclass(frozen=True, eq=False)
class BranchState:
    """Everything of one branch that does not depend on the seed.

    Attributes:
        vector: global text vector (1, C), for the head.
        modulation: (1, 6, C).
        content: content keys and values of every block.
        cross: text and semantic keys and values of every block, joined.
        start: keys and values of the two start tokens in every block.
        logits: of scale 0, (1, 1, 2d).
    """

    vector: Tensor
    modulation: Tensor
    content: tuple[KeyValue, ...]
    cross: tuple[KeyValue, ...]
    start: tuple[KeyValue, ...]
    logits: Tensor


def text_state(net: Transformer, features: Tensor) -> TextState:
    """Project text features (T, W_t)."""
    condition = net.condition_text(features[None])
    return TextState(
        condition,
        tuple(block.image.text_keys(condition.tokens) for block in net.blocks),
        tuple(
            None if block.content.update is None else block.content.update.text_keys(condition.tokens)
            for block in net.blocks
        ),
    )


def subject_state(net: Transformer, class_token: Tensor, patches: Tensor, content: Tensor) -> SubjectState:
    """Project a subject's features; each without a batch axis."""
    condition = net.condition_subject(class_token[None], patches[None], content[None])
    return SubjectState(condition, tuple(block.image.semantic_keys(condition.semantic) for block in net.blocks))


def branch_state(
    net: Transformer, text: TextState, subject: SubjectState, schedule: ScaleSchedule, pace: Pace
) -> BranchState:
    """Run the content stream and scale 0 of one branch."""
    text_condition, subject_condition = text.condition, subject.condition
    device = text_condition.vector.device
    modulation = net.image_modulation(text_condition.vector, subject_condition.vector)
    content_modulation = net.content_modulation(text_condition.vector, subject_condition.vector)
    rotary, content_rotary = net.start_rotary(device), net.content_rotary(schedule, device)

    x, y = net.start_tokens(text_condition.vector, subject_condition.vector), subject_condition.content
    content, cross, start = [], [], []
    for index, block in enumerate(net.blocks):
        pace.step()
        pair, y = block.content(y, content_modulation, text.content_keys[index], content_rotary)
        both = join(text.image_keys[index], subject.keys[index])
        recorder = Recorder()
        x = block.image(x, block.image.prepared(modulation), rotary, [pair], [both], cache=recorder)
        content.append(pair)
        cross.append(both)
        start.append(recorder.pair)
    # The subject's start token stays in the caches; its output is not used.
    return BranchState(
        text_condition.vector,
        modulation,
        tuple(content),
        tuple(cross),
        tuple(start),
        net.logits(x[:, 1:], text_condition.vector),
    )


def joined_state(
    net: Transformer, text: TextState, subjects: Sequence[SubjectState], states: Sequence[BranchState], *, content: bool
) -> BranchState:
    """Several photos of one subject in one branch: their tokens side by side, their global vectors averaged.

    All photos together weigh against the text what one photo does: equal photos draw the picture that one of them draws.

    Args:
        subjects, states: of each photo alone; nothing of them is computed again.
        content: the photos' content keys count, all of them; otherwise those of the first, which are the null subject's.
    """
    words = text.condition.tokens.shape[1]
    vector = torch.stack([subject.condition.vector for subject in subjects]).mean(0)
    modulation = net.image_modulation(text.condition.vector, vector)
    x = net.start_tokens(text.condition.vector, vector)
    rotary = net.start_rotary(vector.device)
    pairs, cross, start = [], [], []
    for index, block in enumerate(net.blocks):
        content_pairs = [state.content[index] for state in (states if content else states[:1])]
        further = [after(state.cross[index], words) for state in states[1:]]
        pair, both = side_by_side(content_pairs), side_by_side([states[0].cross[index], *further])
        weight = both.keys.new_zeros(1, 1, 1, both.keys.shape[2])
        weight[..., words:] = -math.log(len(states))
        both = replace(both, mask=weight)
        recorder = Recorder()
        x = block.image(x, block.image.prepared(modulation), rotary, [pair], [both], cache=recorder)
        pairs.append(pair)
        cross.append(both)
        start.append(recorder.pair)
    vector = text.condition.vector
    return BranchState(vector, modulation, tuple(pairs), tuple(cross), tuple(start), net.logits(x[:, 1:], vector))


def side_by_side(pairs: Sequence[KeyValue]) -> KeyValue:
    """Keys and values (1, H, n, c) of several token lists as one list."""
    if len(pairs) == 1:
        return pairs[0]
    return KeyValue(torch.cat([pair.keys for pair in pairs], dim=2), torch.cat([pair.values for pair in pairs], dim=2))


def after(pair: KeyValue, tokens: int) -> KeyValue:
    """Keys and values without those of the first tokens."""
    return KeyValue(pair.keys[:, :, tokens:], pair.values[:, :, tokens:])


class Recorder:
    """A key-value cache that only remembers what it was given: the start tokens have no past."""

    pair: KeyValue

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        self.pair = KeyValue(keys, values)
        return keys, values


class ScaleCache:
    """Keys and values of one block for all scales but the last, in one buffer each.

    The buffers are (B, L, H, c), so that a scale's tokens lie behind each other as the layer made them; what is handed out
    is the (B, H, L, c) view that attention wants. They lie where ``start`` lies, and are handed out where new tokens are.
    """

    def __init__(self, start: list[KeyValue], length: int) -> None:
        heads, self._used, size = start[0].keys.shape[1:]
        shape = (len(start), length, heads, size)
        pinned = start[0].keys.is_pinned()  # states that rest beside a graphics card
        self._keys = start[0].keys.new_empty(shape, pin_memory=pinned)
        self._values = start[0].values.new_empty(shape, pin_memory=pinned)
        for row, pair in enumerate(start):
            self._keys[row, : self._used] = pair.keys[0].transpose(0, 1)
            self._values[row, : self._used] = pair.values[0].transpose(0, 1)

    @property
    def length(self) -> int:
        """Tokens there is room for."""
        return self._keys.shape[1]

    @property
    def token_bytes(self) -> int:
        """Keys and values of one token, of all branches."""
        return 2 * self._keys[:, :1].nbytes

    def advance(self, tokens: int) -> None:
        """One scale, of so many tokens, is done: what comes next lies behind it."""
        self._used += tokens

    def newest(self, tokens: int) -> KeyValue:
        """A copy of what the last tokens left, (B, n, H, c) each."""
        there = slice(self._used - tokens, self._used)
        return KeyValue(self._keys[:, there].clone(), self._values[:, there].clone())

    def restore(self, pair: KeyValue) -> None:
        """One scale as ``newest`` gave it, in place of computing it."""
        tokens = pair.keys.shape[1]
        self._keys[:, self._used : self._used + tokens] = pair.keys
        self._values[:, self._used : self._used + tokens] = pair.values
        self.advance(tokens)

    def of(self, branches: slice) -> KeyValueCache:
        """The part of the cache that these branches see, and extend."""
        return _CacheRows(self, branches)

    def extend(self, rows: slice, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store one scale's keys and values of some branches; the last scale's do not fit any more and are only joined."""
        device = keys.device
        keys, values = keys.transpose(1, 2), values.transpose(1, 2)
        end = self._used + keys.shape[1]
        if end > self.length:
            keys = torch.cat([self._keys[rows, : self._used].to(device), keys], dim=1)
            values = torch.cat([self._values[rows, : self._used].to(device), values], dim=1)
        else:
            self._keys[rows, self._used : end] = keys
            self._values[rows, self._used : end] = values
            keys, values = self._keys[rows, :end].to(device), self._values[rows, :end].to(device)
        return keys.transpose(1, 2), values.transpose(1, 2)


@dataclass(frozen=True, eq=False)
class _CacheRows:
    cache: ScaleCache
    rows: slice

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        return self.cache.extend(self.rows, keys, values)
