"""Whole pictures with a bundle."""

from __future__ import annotations

import json

from engine.cli import main


def test_the_command_measures_a_bundle(tiny_bundle, capsys):
    assert main(["bench", "--bundle", str(tiny_bundle), "--device", "cpu", "--rounds", "1", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert 0 < printed["first_preview_seconds"] < printed["first_run_seconds"]
    assert 0 < printed["previews_share"] < 1
    assert printed["reroll_seconds"] > 0
    assert printed["stages"]["scales"] > 0
    assert printed["bundle"].startswith("random-tiny@")


def test_the_figures_are_told_in_words(tiny_bundle, capsys):
    assert main(["bench", "--bundle", str(tiny_bundle), "--device", "cpu", "--rounds", "1"]) == 0
    assert "first preview after" in capsys.readouterr().out
