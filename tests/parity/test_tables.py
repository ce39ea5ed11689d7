"""Keys, positions, dead weights and the sampling filter against the published tables."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import torch
from safetensors.torch import load_file

from engine.bundle.published import ECHOGEN_2B, ECHOGEN_125M
from engine.model.keys import convert, published_keys
from engine.model.schedules import BUDGETS, axis_positions, grid_positions, published_ratios, published_schedule
from engine.model.transformer import Transformer
from engine.sampling.guidance import bit_probability
from tests.parity.cases import DATA, TRANSFORMERS, name, transformer_case

PUBLISHED = {"echogen_2b": ECHOGEN_2B, "echogen_125m": ECHOGEN_125M}
# One line of parameter_liveness.json each for these cases; the published program was perturbed key by key.
LIVENESS = json.loads((DATA / "parameter_liveness.json").read_text())
POSITIONS = json.loads((DATA / "rope_positions.json").read_text())


@pytest.mark.parametrize("model", PUBLISHED)
def test_manifest_is_covered_one_to_one(model: str):
    """Every published key has its place with the right shape, and every parameter of ours is filled once."""
    manifest = json.loads((DATA / f"manifest_{model}.json").read_text())
    config = PUBLISHED[model]
    with torch.device("meta"):
        shapes = {ours: tuple(value.shape) for ours, value in Transformer(config).state_dict().items()}
    table = published_keys(config)
    assert table.keys() == manifest.keys()
    filled = Counter(key.ours for key in table.values() if key.kind == "live")
    assert filled == Counter(dict.fromkeys(shapes, 1))
    for published, key in table.items():
        if key.kind == "live":
            tensor = torch.empty(manifest[published], device="meta")
            assert tuple(convert(key, tensor, shapes[key.ours]).shape) == shapes[key.ours]


def test_a_published_parameter_of_another_shape_is_refused():
    config = ECHOGEN_125M
    key = published_keys(config)["head.weight"]
    with pytest.raises(ValueError, match=r"head\.weight"):
        convert(key, torch.empty(32, 767, device="meta"), (32, 768))


@pytest.mark.parametrize("folder", [folder for folder in TRANSFORMERS if folder.name in LIVENESS], ids=name)
def test_dead_weights_are_those_that_change_nothing(folder):
    case, found = transformer_case(folder), LIVENESS[folder.name]
    table = published_keys(case.net.config)
    dead = {published for published, key in table.items() if key.kind == "dead"}
    constant = {published for published, key in table.items() if key.kind == "constant"}
    unused = {"cfg_uncond"} if case.has_negative else set()
    assert set(found["dead"]) - constant == dead | unused
    # A bias common to all keys shifts a softmax by nothing: what little effect these had was rounding.
    assert {published for published, _ in found["weak"]} <= constant
    rows = {int(row) for row, effect in found["last_block_control_ada_gss_row_effect"].items() if effect}
    [last] = [key for key in table.values() if key.rows is not None]
    assert set(last.rows or ()) == rows
    assert last.published.startswith(f"block_chunks.{case.net.config.chunks - 1}.")


def test_all_templates_are_there():
    assert set(published_ratios()) == POSITIONS.keys()


@pytest.mark.parametrize("ratio", POSITIONS)
def test_rotary_positions(ratio: str):
    schedule = published_schedule(ratio, "1M")
    assert len(schedule.grids) == len(POSITIONS[ratio])
    for (h, w), golden in zip(schedule.grids, POSITIONS[ratio], strict=True):
        assert (h, w) == (golden["h"], golden["w"])
        assert axis_positions(h, schedule.rotary_grid[0]) == golden["rows"]
        assert axis_positions(w, schedule.rotary_grid[1]) == golden["cols"]
        cells = [(row, column) for row in golden["rows"] for column in golden["cols"]]
        assert grid_positions((h, w), schedule.rotary_grid) == cells


@pytest.mark.parametrize("ratio", POSITIONS)
def test_smaller_budgets_are_the_first_scales_on_the_same_rotary_grid(ratio: str):
    full = published_schedule(ratio, "1M")
    for budget in BUDGETS:
        schedule = published_schedule(ratio, budget)
        assert schedule.grids == full.grids[: len(schedule.grids)]
        assert schedule.rotary_grid == full.grids[-1]
        h, w = schedule.grids[-1]
        assert schedule.size == (16 * w, 16 * h)


@pytest.mark.parametrize(
    ("setting", "top_p"),
    [
        ("top_k0_top_p0.9", 0.9),
        ("top_k0_top_p0.97", 0.97),
        ("top_k900_top_p0.97", 0.97),  # with two classes top-k of two or more keeps both
        ("top_k2_top_p0.5", 0.5),
    ],
)
def test_top_p_drops_the_same_bits(setting: str, top_p: float):
    golden = load_file(DATA / "sampling.safetensors")
    published = golden[f"probs.{setting}"]
    ours = bit_probability(golden["logits"], top_p).reshape(-1)
    assert torch.equal(ours == 0, published[:, 1] == 0)
    assert torch.equal(ours == 1, published[:, 0] == 0)
    assert (ours - published[:, 1]).abs().max() <= 1e-6


def test_without_top_p_both_bits_stay_possible():
    logits = load_file(DATA / "sampling.safetensors")["logits"]
    assert torch.equal(bit_probability(logits, 0.0).reshape(-1), logits.softmax(-1)[:, 1])
