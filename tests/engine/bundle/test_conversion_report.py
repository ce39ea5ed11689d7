"""What was found when published files did not fit: kept, told by the doctor, and free of values."""

from __future__ import annotations

import asyncio

import pytest
import torch

from engine.bench.published_set import NARROW_2B, pickled, transformer_weights
from engine.bundle.conversion_report import find_reports, read_report, report_file, summary, write_report
from engine.errors import DoesNotFit
from engine.planning.diagnosis import diagnose
from engine.weights.store import ModelStore
from tests.engine.weights.conftest import hub, pauses, policy  # noqa: F401 - fixtures
from tests.engine.weights.published_set import expect_small_vae, repositories


def test_names_are_counted_and_their_numbers_left_out():
    names = (
        [f"blocks.{n}.fc1.weight" for n in range(32)] + ["args", "a\nb"] + [f"w{chr(0x4E00 + n)}" for n in range(200)]
    )
    lines = summary(names)
    assert lines[:3] == ["blocks.*.fc*.weight (32 times)", "args", "a?b"]
    assert len(lines) == 151 and lines[-1] == "… and 53 more"


def test_a_report_comes_back(tmp_path):
    path = report_file(tmp_path, "echogen-2b")
    assert read_report(path) is None and find_reports(tmp_path) == []
    write_report(path, DoesNotFit("It holds “a”.", "Look for a newer version.", found=["a", "b"]))
    (report,) = find_reports(tmp_path)
    assert (report.model, report.fact, report.found) == ("echogen-2b", "It holds “a”.", ("a", "b"))
    assert report.error.found == ("a", "b") and report.error.exit_code == 3


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"fact": 1, "step": 2, "found": 3}'])
def test_a_damaged_report_is_none(tmp_path, content):
    path = report_file(tmp_path, "x")
    path.parent.mkdir()
    path.write_text(content)
    assert read_report(path) is None


def test_from_the_converters_process_to_the_doctor(hub, policy, tmp_path, monkeypatch):  # noqa: F811
    """Infinity in the place of EchoGen: all is fetched, nothing is thrown away, and what was found is told until it is removed."""
    models = tmp_path / "models"
    monkeypatch.setenv("ECHOGEN_MODELS", str(models))
    expect_small_vae(monkeypatch)
    hub.repositories.update(repositories())
    weights = {name: tensor for name, tensor in transformer_weights(NARROW_2B).items() if "control" not in name}
    secret = torch.full_like(weights["head.weight"], 123.456)
    content = pickled({"trainer": {"gpt_fsdp": weights | {"head.weight": secret}}})
    hub.repositories["UmiSonoda16/EchoGen"].files["echogen_2b.pth"] = content
    store = ModelStore(policy=policy)
    store.accept_licences("echogen-2b")
    with pytest.raises(
        DoesNotFit, match=r"^echogen_2b\.pth does not hold the weights of an EchoGen transformer\."
    ) as caught:
        asyncio.run(store.get("echogen-2b"))
    assert caught.value.title == "The published files do not fit" and "newer version" in caught.value.step
    state = ModelStore(policy=policy).state("echogen-2b")
    assert isinstance(state.error, DoesNotFit) and state.done == state.total, "what arrived stays"
    text = report_file(models, "echogen-2b").read_text()
    assert "block_chunks.*.module.*.ffn.fc*.weight (64 times)" in text and "123.45" not in text
    findings = [finding for finding in diagnose() if "echogen-2b was fetched" in finding.fact]
    assert len(findings) == 1 and not findings[0].good and "text_proj_for_sos" in findings[0].fact and findings[0].step
    # The right files replace it, and then there is nothing to report.
    hub.repositories["UmiSonoda16/EchoGen"].files["echogen_2b.pth"] = pickled(transformer_weights(NARROW_2B))
    asyncio.run(store.remove("echogen-2b"))
    assert find_reports(models) == []
    assert asyncio.run(store.get("echogen-2b")).installed
