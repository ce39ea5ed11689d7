"""Checkpoints: exact, refused where they do not belong, and never lost to a full disk."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

from engine.errors import CannotWrite, InputError
from engine.training import checkpoint


def test_a_full_checkpoint_comes_back_exactly(tmp_path: Path):
    state = {"weights": torch.randn(5), "steps": 7, "chance": (3, (1, 2), None)}
    checkpoint.save_full(tmp_path / "full.pt", state, "abc")
    found = checkpoint.load_full(tmp_path / "full.pt", "abc")
    assert torch.equal(found["weights"], state["weights"])
    assert found["steps"] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["full.pt"]


def test_another_config_and_a_damaged_file_are_refused(tmp_path: Path):
    path = tmp_path / "full.pt"
    checkpoint.save_full(path, {"weights": torch.zeros(2)}, "abc")
    with pytest.raises(InputError, match="other sizes"):
        checkpoint.load_full(path, "another")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="damaged"):
        checkpoint.load_full(path, "abc")
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="no checkpoint"):
        checkpoint.load_full(path, "abc")
    with pytest.raises(InputError, match="cannot be read"):
        checkpoint.load_full(tmp_path / "missing.pt", "abc")


def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "full.pt"
    checkpoint.save_full(path, {"steps": 1}, "abc")

    def full_disk(state, file):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(CannotWrite, match="previous one is still there"):
        checkpoint.save_full(path, {"steps": 2}, "abc")
    assert checkpoint.load_full(path, "abc")["steps"] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["full.pt"]


def test_what_a_kill_left_goes_with_the_next_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def killed(part: Path, target: Path) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "full.pt"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        patched.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save_full(path, {"steps": 1}, "abc")
    (tmp_path / ".other.pt.0123.part").touch()
    assert len(list(tmp_path.glob(".full.pt.*.part"))) == 1
    checkpoint.save_full(path, {"steps": 2}, "abc")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".other.pt.0123.part", "full.pt"]


def test_travel_rounds_little_keeps_whole_numbers_and_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "TRAVEL_SHARD_BYTES", 10_000)
    torch.manual_seed(0)
    weights = {f"layer{index}.weight": torch.randn(40, 40) for index in range(6)}
    weights["count"] = torch.tensor(12345)
    average = {
        name: value + 1e-3 * torch.randn(value.shape) if value.is_floating_point() else value
        for name, value in weights.items()
    }
    paths = checkpoint.save_travel(tmp_path, weights, average, "abc", 99)
    assert len(paths) > 2
    assert all(path.stat().st_size < 14_000 for path in paths)
    found, mean, steps = checkpoint.load_travel(tmp_path, "abc")
    assert steps == 99
    assert int(found["count"]) == 12345
    for name, value in weights.items():
        assert torch.allclose(found[name], value, rtol=2**-8, atol=0)
        # The average is its difference to the rounded weights: as exact as that difference is small.
        if value.is_floating_point():
            assert float((mean[name] - average[name]).abs().max()) < 2e-4 * float(value.abs().max())


def test_travel_files_stay_under_the_limit_of_24_mebibytes(tmp_path: Path):
    weights = {f"layer{index}": torch.zeros(1_200_000) for index in range(4)}
    paths = checkpoint.save_travel(tmp_path, weights, weights, "abc", 1)
    assert len(paths) == 2
    assert max(path.stat().st_size for path in paths) <= 24 * 2**20


def test_missing_and_stale_travel_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "TRAVEL_SHARD_BYTES", 1000)
    many = {f"layer{index}": torch.zeros(300) for index in range(5)}
    paths = checkpoint.save_travel(tmp_path, many, many, "abc", 1)
    paths[1].unlink()
    with pytest.raises(InputError, match="incomplete"):
        checkpoint.load_travel(tmp_path, "abc")
    checkpoint.save_travel(tmp_path, many, many, "abc", 1)
    first = paths[0].read_bytes()
    checkpoint.save_travel(tmp_path, many, many, "abc", 7)
    paths[0].write_bytes(first)
    with pytest.raises(InputError, match="incomplete"):
        checkpoint.load_travel(tmp_path, "abc")  # one file of it is of an earlier day
    few = {"layer0": torch.ones(10)}
    assert len(checkpoint.save_travel(tmp_path, few, few, "abc", 2)) == 1
    assert checkpoint.load_travel(tmp_path, "abc")[2] == 2
    with pytest.raises(InputError, match="incomplete"):
        checkpoint.load_travel(tmp_path / "nowhere", "abc")
