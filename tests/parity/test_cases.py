"""The golden cases themselves."""

from __future__ import annotations

from tests.parity.cases import ROOT, TOKENIZERS, TRANSFORMERS


def test_there_are_cases():
    assert TRANSFORMERS + TOKENIZERS, f"no golden case below {ROOT}"
