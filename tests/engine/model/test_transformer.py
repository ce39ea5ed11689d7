"""The network at a small size: teaching and drawing agree, also with what the published model has not."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest
import torch

from engine.encoders.features import PromptFeatures
from engine.model.block import unit_heads
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.model.rotary import rotary_code, rotate
from engine.model.transformer import Transformer, split_scales
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Conditions, Sampler
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.quantizer import add_scale, next_input
from engine.validation import read_value
from tests.engine.sampling.tiny import CONFIG, SCHEDULE, TOKENIZER, conditions, transformer

ROTARY = replace(CONFIG, content_rotary=True)
GAINS = TokenizerConfig(bits=CONFIG.bits, normalise=True, scale_gains=(0.5, 0.4, 0.3, 0.2))


def taught(net: Transformer, given: Conditions, inputs: torch.Tensor, **options) -> torch.Tensor:
    assert given.subject is not None
    text = given.prompt.features[None]
    with torch.inference_mode():
        return net(
            inputs,
            text,
            torch.ones(text.shape[:2], dtype=torch.bool),
            given.subject.class_token[None],
            given.subject.patches[None],
            given.subject.content[None],
            SCHEDULE,
            **options,
        )


@pytest.mark.parametrize("config", [CONFIG, ROTARY], ids=["published", "rotary-content"])
@pytest.mark.parametrize("tokenizer", [TOKENIZER, GAINS], ids=["published", "gains"])
def test_drawing_is_what_teaching_taught(config: TransformerConfig, tokenizer: TokenizerConfig):
    """Drawn scale by scale with caches, or all at once under a mask: the same logits."""
    net, given = transformer(config), conditions()
    guidance = Guidance.of(len(SCHEDULE.grids), 1.0, 1.0)
    scales = list(Sampler(net, tokenizer).draw(given, guidance, SCHEDULE, 3))
    total, inputs = torch.zeros(1, config.bits, *SCHEDULE.grids[-1]), []
    for drawn, grid in zip(scales, SCHEDULE.grids[1:], strict=False):
        total = add_scale(total, drawn.bits[None], tokenizer, drawn.scale)
        inputs.append(next_input(total, grid))
    logits = taught(net, given, torch.cat(inputs, dim=1))
    for drawn, at_once in zip(scales, split_scales(logits, SCHEDULE), strict=True):
        assert drawn.logits is not None
        assert torch.allclose(drawn.logits, at_once[0], atol=1e-5)


def test_the_rotary_code_of_the_content_matters():
    given, inputs = conditions(), torch.zeros(1, 29, CONFIG.bits)
    net, rotary = transformer(CONFIG), transformer(ROTARY)
    assert not torch.allclose(taught(net, given, inputs), taught(rotary, given, inputs), atol=1e-3)
    # Without it the content tokens are a set.
    assert given.subject is not None
    order = torch.randperm(CONFIG.content_tokens, generator=torch.Generator().manual_seed(0))
    mixed = Conditions(given.prompt, replace(given.subject, content=given.subject.content[order]))
    assert torch.allclose(taught(net, given, inputs), taught(net, mixed, inputs), atol=1e-4)
    assert not torch.allclose(taught(rotary, given, inputs), taught(rotary, mixed, inputs), atol=1e-3)


@pytest.mark.parametrize("name", ["drop_text", "drop_semantic", "drop_content"])
def test_a_dropped_condition_is_the_null_one(name: str):
    net, given, inputs = transformer(), conditions(), torch.randn(1, 29, CONFIG.bits)
    assert given.subject is not None
    null = {
        "drop_text": Conditions(PromptFeatures("null", net.null_text[:5]), given.subject),
        "drop_semantic": Conditions(
            given.prompt,
            replace(given.subject, class_token=net.null_semantic[0], patches=net.null_semantic[1:]),
        ),
        "drop_content": Conditions(given.prompt, replace(given.subject, content=net.null_content)),
    }[name]
    dropped = taught(net, given, inputs, **{name: torch.tensor([True])})
    assert torch.allclose(dropped, taught(net, null, inputs), atol=1e-5)
    assert not torch.allclose(dropped, taught(net, given, inputs), atol=1e-3)
    assert torch.equal(taught(net, given, inputs), taught(net, given, inputs, **{name: torch.tensor([False])}))


def test_later_scales_are_hidden_while_teaching():
    net, given = transformer(), conditions()
    inputs = torch.randn(1, 29, CONFIG.bits)
    changed = inputs.clone()
    changed[:, 4 + 9 :] += 1  # the inputs of the last scale
    before, after = (split_scales(taught(net, given, x), SCHEDULE) for x in (inputs, changed))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(before[:3], after[:3], strict=True))
    assert not torch.allclose(before[3], after[3], atol=1e-3)


def test_every_parameter_learns():
    net = Transformer(CONFIG)
    net.initialise(torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    drop = torch.tensor([True, False])
    logits = net(
        torch.randn(2, 29, CONFIG.bits, generator=generator),
        torch.randn(2, 5, CONFIG.text_width, generator=generator),
        torch.tensor([[True] * 5, [True] * 3 + [False] * 2]),
        torch.randn(2, CONFIG.semantic_width, generator=generator),
        torch.randn(2, CONFIG.semantic_tokens, CONFIG.semantic_width, generator=generator),
        torch.randn(2, CONFIG.content_tokens, CONFIG.content_width, generator=generator),
        SCHEDULE,
        drop_text=drop,
        drop_semantic=drop,
        drop_content=drop,
    )
    assert logits.shape == (2, 30, 2 * CONFIG.bits)
    logits.square().mean().backward()
    still = [name for name, value in net.named_parameters() if value.grad is None or not value.grad.any()]
    assert still == []


def test_padding_of_a_prompt_does_not_matter():
    net, given, inputs = transformer(), conditions(), torch.zeros(1, 29, CONFIG.bits)
    assert given.subject is not None
    subject = given.subject
    text = torch.cat([given.prompt.features, torch.full((3, CONFIG.text_width), 7.0)])[None]
    mask = torch.arange(8)[None] < 5
    with torch.inference_mode():
        padded = net(
            inputs, text, mask, subject.class_token[None], subject.patches[None], subject.content[None], SCHEDULE
        )
    assert torch.allclose(padded, taught(net, given, inputs), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"width": 66}, "multiple of 4"),
        ({"blocks": 3, "chunks": 2}, "do not divide into 2 chunks"),
        ({"text_pool_heads": 7}, "7 text pool heads"),
        ({"width": 32}, "too small"),
    ],
)
def test_sizes_that_cannot_be_are_refused(change: dict, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        replace(CONFIG, **change)


def test_configurations_survive_json():
    assert read_value(ROTARY.to_json(), TransformerConfig) == ROTARY
    assert read_value(SCHEDULE.to_json(), ScaleSchedule) == SCHEDULE


def test_the_codes_of_scales_are_made_once_and_go_with_their_network():
    """They stayed on the card when another model was opened."""
    net = transformer()
    code = net.scale_rotary(SCHEDULE, 2, torch.device("cpu"))
    assert net.scale_rotary(SCHEDULE, 2, torch.device("cpu")) is code
    assert not torch.equal(code[:4], net.scale_rotary(SCHEDULE, 1, torch.device("cpu")))
    gone = weakref.ref(code)
    del net, code
    gc.collect()
    assert gone() is None


def test_rotating_keeps_length_and_turns_by_the_difference_of_places():
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 1, 1, 2, 16, generator=generator)
    rotary = rotary_code([(3, 5), (7, 6), (13, 15), (17, 16)], 16)
    at = [rotate(one, rotary[i : i + 1]) for i in (0, 2)], [rotate(other, rotary[i : i + 1]) for i in (1, 3)]
    assert torch.allclose(at[0][0].norm(dim=-1), one.norm(dim=-1), atol=1e-5)
    products = [(a * b).sum(-1) for a, b in zip(*at, strict=True)]
    assert torch.allclose(products[0], products[1], atol=1e-4)
    assert torch.equal(rotate(one, rotary_code([(0, 0)], 16)), one)


def test_unit_heads():
    x = torch.randn(2, 3, 4, 8)
    assert torch.allclose(unit_heads(x).norm(dim=-1), torch.ones(2, 3, 4))
    factor = torch.tensor([[1.0], [2.0], [3.0], [100.0]])
    assert torch.allclose(unit_heads(x, factor).norm(dim=-1), factor[:, 0].expand(2, 3, 4))
    assert not unit_heads(torch.zeros(1, 1, 1, 8)).any()


def test_half_precision_stays_close():
    given, guidance = conditions(), Guidance.of(len(SCHEDULE.grids), 1.0, 1.0)
    net, half = transformer(), transformer()
    for block in half.blocks:
        block.to(torch.bfloat16)
    exact = next(iter(Sampler(net, TOKENIZER).draw(given, guidance, SCHEDULE)))
    rough = next(iter(Sampler(half, TOKENIZER).draw(given, guidance, SCHEDULE)))
    assert exact.logits is not None
    assert rough.logits is not None
    assert rough.logits.dtype == torch.float32
    assert 0 < (exact.logits - rough.logits).abs().max() < 0.05
