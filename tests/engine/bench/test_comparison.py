"""The bench command, at a size that takes no time."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import pytest
import torch

from engine.bench.comparison import _PRODUCT_SIDE, Comparer
from engine.bench.memory import PeakMemory, process_peak
from engine.bench.random_models import CONFIGS
from engine.cli import main
from engine.cli.bench import describe
from engine.errors import ExitCode

RATIOS = ("first_run_ratio", "first_run_new_length_ratio", "reroll_ratio", "reroll_ratio_unequal", "matmul_fraction")


@pytest.fixture
def small_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bare matrix product in no time."""
    monkeypatch.setattr("engine.bench.comparison._PRODUCT_SECONDS", 0.001)
    monkeypatch.setitem(_PRODUCT_SIDE, "cpu", 64)


def test_the_comparison_has_its_figures(small_product: None):
    rounds = []
    found = asdict(Comparer(CONFIGS["tiny"], torch.device("cpu")).compare(2, rounds.append))
    assert rounds == [0, 1]
    assert all(found[name] > 0 for name in RATIOS)
    assert found["peak_bytes"] > 10**8
    work, seconds = found["multiply_adds"], found["seconds"]
    assert work["reroll"] < work["first_run"] < work["first_run_new_length"] < work["baseline"]
    assert work["reroll_unequal"] == pytest.approx(1.5 * work["reroll"], rel=1e-3)
    assert len(seconds["scales"]) == len(CONFIGS["tiny"].schedule.grids)
    assert set(work) <= set(seconds)
    text = "\n".join(describe(found | {"config": "tiny", "device": "CPU", "dtype": "float32"}))
    assert f"{found['reroll_ratio']:.2f}" in text


def test_the_command_prints_one_object(small_product: None, capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "--config", "tiny", "--random", "--device", "cpu", "--rounds", "1", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert all(printed[name] > 0 for name in RATIOS)
    assert (printed["config"], printed["dtype"], printed["rounds"]) == ("tiny", "float32", 1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "nothing to measure"),
        (["--config", "tiny", "--bundle", "mini"], "nothing to measure"),
        (["--config", "tiny"], "no weights of its own"),
        (["--config", "huge", "--random"], "no configuration “huge”"),
    ],
)
def test_wrong_arguments_are_said(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    assert main(["bench", *arguments]) == ExitCode.BAD_INPUT
    assert sentence in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="measured by other means there")
def test_the_peak_stays_when_memory_is_given_back():
    with PeakMemory(torch.device("cpu")) as peak:
        held = torch.ones(2**25)
        held_peak = process_peak()
        del held
    assert peak.bytes >= held_peak > 2**27
