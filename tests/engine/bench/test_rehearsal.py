"""The rehearsal of EchoGen 2B: the real names and shapes, the whole way, and that it fails when a step goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.bench import rehearsal
from engine.bench.published_set import real_tokenizer_shapes, real_transformer_shapes
from engine.bundle import published, published_names
from engine.cli import main
from engine.errors import DoesNotFit, InputError
from engine.weights.settings import settings_file

DATA = Path(__file__).parents[2] / "parity" / "data"


@pytest.mark.parametrize(
    ("found", "manifest"),
    [
        (lambda: real_transformer_shapes(published.ECHOGEN_2B), "echogen_2b"),
        (lambda: real_transformer_shapes(published.ECHOGEN_125M), "echogen_125m"),
        (lambda: real_tokenizer_shapes(published.TOKENIZER_D32), "infinity_vae_d32"),
        (lambda: real_tokenizer_shapes(published.TOKENIZER_D16), "infinity_vae_d16"),
    ],
)
def test_names_and_shapes_are_those_the_reference_makes(found, manifest):
    recorded = json.loads((DATA / f"manifest_{manifest}.json").read_text(encoding="utf-8"))
    assert found() == {name: tuple(shape) for name, shape in recorded.items()}


def test_real_names_and_shapes_fit_to_the_byte(tmp_path):
    lines: list[str] = []
    rehearsal.rehearse_names(tmp_path, lines.append)
    text = "\n".join(lines)
    assert "1513 weights, 4,844,242,752 numbers fit" in text
    assert "346,345,912 bytes as published" in text and "167,666,902 bytes as published" in text
    assert "1,223,527,424 numbers fit" in text


def test_names_that_are_copied_as_they_are_would_be_noticed(tmp_path, monkeypatch):
    """How DINOv2 was converted before: its file's names, which its class does not have."""
    monkeypatch.setattr(published_names, "own_name", lambda part, name: name)
    with pytest.raises(DoesNotFit, match="lacks"):
        rehearsal._rehearse_encoder(tmp_path, "semantic", print)


def test_a_file_of_another_size_would_be_noticed(tmp_path, monkeypatch):
    monkeypatch.setitem(rehearsal.KNOWN_BYTES, "semantic", 346_345_168)  # what the names in memory would give
    with pytest.raises(rehearsal.RehearsalFailed, match="346345912 bytes, and it has 346345168"):
        rehearsal._rehearse_encoder(tmp_path, "semantic", print)


def test_there_is_a_rehearsal_for_one_model():
    with pytest.raises(InputError, match="no rehearsal for naming"):
        rehearsal.rehearse("naming")
    assert main(["models", "rehearse", "nothing"]) == 2


@pytest.mark.long
def test_the_whole_way_by_one_command(capsys):
    settings = settings_file().read_bytes() if settings_file().exists() else None
    assert main(["models", "rehearse", "echogen-2b"]) == 0
    printed = capsys.readouterr().out
    for line in (
        "account  ",
        "size  ",
        "fetched  ",
        "0 bytes thrown away",
        "verified  ",
        "opened  ",
        "drawn  ",
        "All is well",
    ):
        assert line in printed, line
    assert (settings_file().read_bytes() if settings_file().exists() else None) == settings, (
        "the user's are not touched"
    )
