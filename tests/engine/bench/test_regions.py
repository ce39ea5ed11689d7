"""What redrawing a region costs: the figures, at sizes that take no time."""

from __future__ import annotations

import json

import pytest
import torch

from engine import Engine
from engine.bench import regions
from engine.bench.comparison import Comparer
from engine.bench.random_models import CONFIGS
from engine.bench.regions import RegionCost, measure_random_regions, measure_regions
from engine.bundle import BundleManifest
from engine.cli import main


def check(found: RegionCost) -> None:
    assert min(found.whole_seconds, found.new_seconds, found.corner_seconds, found.middle_seconds) > 0
    assert found.corner_share > 0 and found.middle_share_of_new > 0 and found.rounds == 1


def test_a_bundle_and_a_configuration_have_the_same_figures(tiny_bundle):
    with Engine.open(tiny_bundle, "cpu") as engine:
        check(measure_regions(engine, 1))
    found = measure_random_regions(Comparer(CONFIGS["tiny"], torch.device("cpu")), 1)
    check(found)
    assert found.new_seconds == found.whole_seconds, "random weights have neither places nor layouts"


def test_each_picture_has_a_seed_of_its_own_also_where_seeds_of_one_layout_are_taken(tiny_bundle, monkeypatch):
    drawn, draw = [], regions._drawn
    monkeypatch.setattr(BundleManifest, "layouts", 4)
    monkeypatch.setattr(regions, "_drawn", lambda engine, request: drawn.append(request) or draw(engine, request))
    with Engine.open(tiny_bundle, "cpu") as engine:
        measure_regions(engine, 2)
    first, *others = drawn
    seeds = [
        request.seed for request in others if request.seed != first.seed
    ]  # the canvas is looked at by the first one's
    assert len(seeds) == len(set(seeds)) == 3 * len(regions._NAMES)


def test_the_command_measures_regions_of_a_configuration(capsys: pytest.CaptureFixture[str]):
    told = ["bench", "--config", "tiny", "--random", "--of", "regions", "--device", "cpu", "--rounds", "1"]
    assert main([*told, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["middle_share"] > 0
    assert main(told) == 0
    assert "A quarter in the middle" in capsys.readouterr().out
