"""The transformer and the loop over scales against the published network, on the golden cases."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.sampling.guidance import BranchOrder, Guidance
from engine.sampling.sampler import Conditions, DrawnScale, Sampler
from engine.sampling.states import subject_state, text_state
from engine.tokenizer.autoencoder import to_uint8
from engine.tokenizer.quantizer import next_input
from tests.parity.cases import (
    DATA,
    TOKENIZERS,
    TRANSFORMERS,
    TokenizerCase,
    TransformerCase,
    difference,
    name,
    tokenizer_case,
    transformer_case,
)

LOGITS = 1e-4
SUMS = 1e-6


@pytest.fixture(params=TRANSFORMERS, ids=name)
def case(request) -> TransformerCase:
    return transformer_case(request.param)


def sampler(case: TransformerCase, branches: BranchOrder = "together") -> Sampler:
    return Sampler(case.net, case.tokenizer, branches=branches)


def draw(case: TransformerCase, row: int, branches: BranchOrder = "together") -> list[DrawnScale]:
    return list(sampler(case, branches).draw(case.rows[row], case.guidance, case.schedule, greedy=True))


@pytest.mark.parametrize("branches", ["together", "side-by-side", "in-turn"])
def test_drawing_the_likelier_bit(case: TransformerCase, branches: BranchOrder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.sampling.sampler.MEETING_TOKENS", 4)  # so that the small cases' branches part, too
    golden = case.golden("expected")
    for row in range(len(case.rows)):
        scales = draw(case, row, branches)
        assert len(scales) == len(case.schedule.grids)
        for drawn in scales:
            k = drawn.scale
            assert drawn.logits is not None
            assert difference(drawn.logits, golden[f"logits.{k}"][row]) <= LOGITS, f"row {row} scale {k}"
            assert torch.equal(drawn.bits.int(), golden[f"bits.{k}"][row]), f"row {row} scale {k}"
            assert difference(drawn.summed[0], golden[f"summed_codes.{k}"][row]) <= SUMS
            if k + 1 < len(scales):
                ours = next_input(drawn.summed, case.schedule.grids[k + 1])
                assert difference(ours[0], golden[f"next_input.{k}"][row]) <= SUMS


def forced(case: TransformerCase, conditions: Conditions, guidance: Guidance, bits: list[Tensor]) -> list[DrawnScale]:
    """Every scale as it is drawn when the given bits stand in all scales before it, by keeping those."""
    sampling = sampler(case)
    scales = []
    for k in range(len(case.schedule.grids)):
        drawing = sampling.draw(conditions, guidance, case.schedule, kept=bits[:k], greedy=True)
        scales.append(next(drawn for drawn in drawing if drawn.scale == k))
    return scales


def forced_bits(golden: dict[str, Tensor], row: int, count: int) -> list[Tensor]:
    return [golden[f"forced_bits.{k}"][row].to(torch.uint8) for k in range(count)]


def test_given_bits(case: TransformerCase):
    if not case.has("expected_forced"):
        pytest.skip("this case gives no bits")
    golden = case.golden("expected_forced")
    for row, conditions in enumerate(case.rows):
        bits = forced_bits(golden, row, len(case.schedule.grids))
        for drawn in forced(case, conditions, case.guidance, bits):
            assert drawn.logits is not None
            assert difference(drawn.logits, golden[f"logits.{drawn.scale}"][row]) <= LOGITS
        kept = next(sampler(case).draw(conditions, case.guidance, case.schedule, kept=bits[:-1]))
        assert difference(kept.summed[0], golden[f"summed_codes.{kept.scale}"][row]) <= SUMS


@pytest.mark.parametrize("branch", ["full", "text", "null"])
def test_single_branches(case: TransformerCase, branch: str):
    """Strengths that leave one branch alone give that branch's own logits."""
    if not case.has("expected_forced"):
        pytest.skip("this case gives no bits")
    golden = case.golden("expected_forced")
    strengths = {"full": (1.0, 1.0), "text": (1.0, 0.0), "null": (0.0, 0.0)}[branch]
    guidance = Guidance.of(len(case.schedule.grids), *strengths, temperature=case.guidance.temperature)
    assert guidance.branches(has_subject=True) == (branch,)
    batch = len(case.rows)
    at = {"full": 0, "text": batch, "null": 2 * batch}[branch]
    for row, conditions in enumerate(case.rows):
        bits = forced_bits(golden, row, len(case.schedule.grids))
        for drawn in forced(case, conditions, guidance, bits):
            assert drawn.logits is not None
            assert difference(drawn.logits, golden[f"branch_logits.{drawn.scale}"][at + row]) <= LOGITS


def padded(texts: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Texts of different lengths as one batch, and which tokens count."""
    lengths = torch.tensor([len(text) for text in texts])
    batch = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)
    return batch, torch.arange(batch.shape[1]) < lengths[:, None]


@torch.inference_mode()
def teach(case: TransformerCase, inputs: Tensor, drop_text: bool = False, drop_subject: bool = False) -> Tensor:
    texts = [row.prompt.features for row in case.rows]
    if drop_text and case.has_negative:
        texts = [row.negative.features for row in case.rows if row.negative is not None]
        drop_text = False
    text, mask = padded(texts)
    subjects = [row.subject for row in case.rows if row.subject is not None]
    everyone = torch.full((len(case.rows),), True)
    return case.net(
        inputs,
        text,
        mask,
        torch.stack([subject.class_token for subject in subjects]),
        torch.stack([subject.patches for subject in subjects]),
        torch.stack([subject.content for subject in subjects]),
        case.schedule,
        drop_text=everyone if drop_text else None,
        drop_semantic=everyone if drop_subject else None,
        drop_content=everyone if drop_subject else None,
    )


def test_teacher_forcing(case: TransformerCase):
    if not case.has("train_forward"):
        pytest.skip("this case has no teacher forcing")
    golden = case.golden("train_forward")
    inputs = golden["x_BLC_wo_prefix"]
    assert difference(teach(case, inputs), golden["logits"]) <= LOGITS
    assert difference(teach(case, inputs, drop_subject=True), golden["logits_image_dropped"]) <= LOGITS
    nothing = teach(case, inputs, drop_text=True, drop_subject=True)
    assert difference(nothing, golden["logits_text_and_image_dropped"]) <= LOGITS
    if "forced_logits" in golden:
        assert difference(teach(case, golden["forced_x_BLC_wo_prefix"]), golden["forced_logits"]) <= LOGITS


@torch.inference_mode()
def test_block_by_block(case: TransformerCase):
    """The inside of the network, for finding the first difference when something above fails."""
    if not case.has("debug"):
        pytest.skip("this case does not show its inside")
    golden = case.golden("debug")
    net = case.net
    null = net.null_subject()
    texts, subjects = [], []
    for row in case.rows:
        given = row.subject
        assert given is not None
        length = len(row.prompt.features)
        text_condition = text_state(net, row.prompt.features)
        nothing = text_state(net, net.null_text[:length] if row.negative is None else row.negative.features)
        state = subject_state(net, given.class_token, given.patches, given.content)
        unseen = subject_state(net, *(part[0] for part in null))
        texts.append((text_condition, text_condition, nothing))
        subjects.append((state, unseen, unseen))
    # Branch by branch, as the published program orders its batch.
    branches = [(texts[row][branch], subjects[row][branch]) for branch in range(3) for row in range(len(case.rows))]
    packed = []
    for index, (text, subject) in enumerate(branches):
        text_condition, state = text.condition, subject.condition
        packed.append(text_condition.tokens[0])
        assert difference(text_condition.vector[0], golden["cond_BD"][index]) <= LOGITS
        assert difference(state.vector[0], golden["cond_BD_semantic"][index]) <= LOGITS
        assert difference(state.semantic[0], golden["kv_semantic"][index]) <= LOGITS
        assert difference(state.content[0], golden["content_in"][index]) <= LOGITS
        assert difference(net.image_modulation(text_condition.vector, state.vector), golden["gss"][index]) <= LOGITS
        modulation = net.content_modulation(text_condition.vector, state.vector)
        assert difference(modulation, golden["gss_content"][index]) <= LOGITS
        start = net.start_tokens(text_condition.vector, state.vector) - net.level_embedding[0]
        assert difference(start[0], golden["first_tokens"][index]) <= LOGITS
        y = state.content
        for block_index, block in enumerate(net.blocks):
            pair, y = block.content(y, modulation, text.content_keys[block_index])
            assert difference(pair.keys[0], golden[f"content_k.{block_index}"][index]) <= LOGITS
            assert difference(pair.values[0], golden[f"content_v.{block_index}"][index]) <= LOGITS
            if block.content.update is not None:  # nothing follows from the last block's
                assert difference(y[0], golden[f"content_out.{block_index}"][index]) <= LOGITS
    assert difference(torch.cat(packed), golden["kv_text"]) <= LOGITS


def test_image_stream_block_by_block(case: TransformerCase):
    if not case.has("debug"):
        pytest.skip("this case does not show its inside")
    golden = case.golden("debug")
    scales = sorted({int(key.split(".")[1]) for key in golden if key.startswith("x.")})
    assert len(case.guidance.branches(has_subject=True)) == 3
    for row in range(len(case.rows)):
        state: dict[int, list[Tensor]] = defaultdict(list)
        hooks = [
            block.image.register_forward_hook(lambda _module, _inputs, out, into=state[index]: into.append(out))
            for index, block in enumerate(case.net.blocks)
        ]
        try:
            draw(case, row)
        finally:
            for hook in hooks:
                hook.remove()
        rows = [branch * len(case.rows) + row for branch in range(3)]
        for index, outputs in state.items():
            # Scale 0 runs once per branch, the others for all branches together.
            by_scale = [torch.cat(outputs[:3]), *outputs[3:]]
            assert len(by_scale) == len(case.schedule.grids)
            for scale in scales:
                assert difference(by_scale[scale], golden[f"x.{scale}.{index}"][rows]) <= LOGITS


@pytest.mark.parametrize(
    "folder", [folder for folder in TRANSFORMERS if (folder / "e2e_image.safetensors").is_file()], ids=name
)
def test_to_the_picture(folder: Path):
    """Bits through the visual tokenizer: floats within rounding, 8-bit pixels within one step."""
    case = transformer_case(folder)
    golden = case.golden("e2e_image")
    autoencoder = fitting_tokenizer(case).autoencoder
    for row in range(len(case.rows)):
        decoded = autoencoder.decode(draw(case, row)[-1].summed)
        assert difference(decoded[0], golden["decoded"][row]) <= LOGITS
        ours, published = to_uint8(decoded)[0].int(), golden["image_uint8_bgr"][row].flip(-1).int()
        assert (ours - published).abs().max() <= 1


def fitting_tokenizer(case: TransformerCase) -> TokenizerCase:
    """The golden tokenizer with as many bits and the same scales."""
    here = [folder for folder in TOKENIZERS if folder.parent == case.folder.parent]
    candidates = (tokenizer_case(folder) for folder in [*here, *TOKENIZERS, DATA / "tiny_vae"])
    return next(
        found
        for found in candidates
        if found.config.bits == case.tokenizer.bits and tuple(found.grids) == case.schedule.grids
    )
