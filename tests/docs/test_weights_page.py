"""The page on models and cards: its figures are those of the catalogue and of the memory plans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.bundle.published import published_manifest
from engine.device.devices import GIB, Device, gigabytes
from engine.files import readable
from engine.planning.plans import all_plans, plan_for
from engine.weights.catalogue import MODELS, PARTS, chosen_parts

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "weights.md").read_text(encoding="utf-8")
LARGE = published_manifest("echogen-2b")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
CARDS = [row for row in ROWS if re.fullmatch(r"\d+ GB", row[0])]
"""Rows of the table of cards: card, plan, on the card, of the computer's memory, meaning."""


def card(total: int) -> Device:
    """A card of so many GB, of which what the desktop takes is gone."""
    return Device("cuda", "Card", total * GIB, int(total * GIB * 0.94), half=True)


def test_the_table_is_there():
    assert [row[0] for row in CARDS] == ["24 GB", "16 GB", "12 GB", "8 GB", "8 GB"]


@pytest.mark.parametrize("row", CARDS, ids=lambda row: f"{row[0]} {row[1]}")
def test_the_figures_of_a_card_are_those_of_its_plan(row):
    total = int(row[0].split()[0])
    plan = next(plan for plan in all_plans(LARGE, card(total)) if plan.title == row[1])
    assert row[2] == gigabytes(plan.needed)
    beside = re.match(r"([\d.]+) GB", row[3])
    assert (float(beside.group(1)) if beside else 0.0) == pytest.approx(plan.beside / GIB, abs=0.5)
    assert plan.fits


@pytest.mark.parametrize("total", [24, 16, 12, 8])
def test_the_plan_taken_by_itself_on_a_card_is_the_last_exact_one_of_its_row(total):
    exact = [row[1] for row in CARDS if row[0] == f"{total} GB" and row[1] != "Compact"]
    assert plan_for(LARGE, card(total)).title == exact[-1]


def test_what_is_said_of_the_processor_and_of_different_strengths_is_so():
    computer = Device("cpu", "CPU", 64 * GIB, 60 * GIB, 8)
    needed = {plan.title: plan.needed / GIB for plan in all_plans(LARGE, computer)}
    assert "38 GB, or 20 GB in bfloat16" in PAGE and "*Compact* needs 16 GB" in PAGE
    assert [round(needed[title]) for title in ("Fast", "Low memory", "Compact")] == [38, 20, 16]
    plans = {plan.title: plan for plan in all_plans(LARGE, card(24))}
    assert all(gigabytes(plans[title].unequal) == "3.7 GB" for title in ("Fast", "Balanced"))
    assert all(plans[title].unequal < GIB // 10 for title in ("Low memory", "Compact", "Smallest"))
    assert gigabytes(plans["Fast"].needed + plans["Fast"].unequal) == "24.2 GB" and "need 24.2 GB" in PAGE.replace(
        "\n", " "
    )
    sizes = [next(iter(all_plans(LARGE, card(24), schedule))).needed for schedule in LARGE.schedules]
    assert max(sizes) - min(sizes) < 0.4 * GIB


def test_parts_and_downloads_are_those_of_the_catalogue():
    parts = chosen_parts(MODELS["echogen-2b"])
    table = {row[1]: (row[2], row[3]) for row in ROWS if len(row) == 4 and "/" in row[1]}
    for part in parts:
        licence, size = table[part.repository]
        assert licence == part.licence.name
        assert float(size.split()[0]) == pytest.approx(part.expected_bytes / 1e9, abs=0.06), part.title
    total = sum(part.expected_bytes for part in parts)
    assert f"about {round((total + MODELS['echogen-2b'].bundle_bytes) / 1e9 + 0.5)} GB of disk" in PAGE
    helpers = sum(part.expected_bytes for part in chosen_parts(MODELS["cut-out"]))
    assert f"SAM 2.1, {helpers / 1e9:.1f} GB" in PAGE
    assert f"Qwen2.5-VL, {readable(PARTS['qwen2.5-vl-7b'].expected_bytes)}" in PAGE
