"""Swin2SR as transformers saves it: no seams, smaller tiles where memory is short, and the same from the command line."""

from __future__ import annotations

import json
import queue

import numpy as np
import pytest
import torch
from PIL import Image

from engine.cli import main
from engine.enlarging.swin2sr import Upscaler
from engine.enlarging.tiles import Tiling, by_tiles
from engine.errors import BundleError, Cancelled, ExitCode, NotEnoughMemory
from engine.photo.enlarge import save_larger
from engine.process import Enlarged, EnlargeFile, Enlarging, EnlargingGoesOn, Failed
from engine.weights.catalogue import PARTS
from engine.weights.importing import scan_folder
from engine.weights.inventory import installed_upscaler
from engine.weights.transfer.download import PartDownload
from tests.engine.enlarging.networks import save_upscaler


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_upscaler(tmp_path_factory.mktemp("models") / "swin2sr-x2")


@pytest.fixture(scope="module")
def upscaler(folder):
    return Upscaler.from_folder(folder, 2, "cpu")


def picture(height: int = 120, width: int = 200) -> np.ndarray:
    small = np.random.default_rng(3).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def test_tiles_are_the_whole_where_the_network_sees_no_farther_than_the_context(upscaler):
    whole = by_tiles(picture(), 2, upscaler._tile, Tiling(256))
    tiled = by_tiles(picture(), 2, upscaler._tile, Tiling(96, context=24, blend=8))
    assert whole.shape == (240, 400, 3) and whole.std() > 5
    assert np.abs(whole.astype(int) - tiled).max() <= 1
    # The library's own forward, which pads by itself, is what the whole is.
    pixels = torch.from_numpy(picture().transpose(2, 0, 1).astype(np.float32) / 255)[None]
    with torch.inference_mode():
        plain = upscaler._model(pixel_values=pixels).reconstruction[0].clamp(0, 1).numpy().transpose(1, 2, 0)
    assert np.abs(np.rint(plain * 255) - whole).max() <= 1


def test_smaller_tiles_are_tried_where_memory_is_short(upscaler, monkeypatch):
    sides, real = [], upscaler._tile

    def short(tile):
        sides.append(max(tile.shape))
        if max(tile.shape) > 96:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
            )
        return real(tile)

    monkeypatch.setattr(upscaler, "_tile", short)
    large = upscaler.enlarge(picture(104, 140))
    assert sides[0] == 128 and set(sides[1:]) == {96} and large.shape == (208, 280, 3)
    monkeypatch.setattr(upscaler, "_sides", (128,))
    with pytest.raises(NotEnoughMemory, match="not enough memory to enlarge"):
        upscaler.enlarge(picture(104, 140))


def test_what_cannot_be_opened_is_one_sentence(folder, tmp_path):
    with pytest.raises(BundleError, match="enlarges 2 times, not 4 times"):
        Upscaler.from_folder(folder, 4)
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(BundleError, match="cannot be opened"):
        Upscaler.from_folder(tmp_path, 2)


def test_it_is_found_where_it_is_installed_and_used_by_the_command_line(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path / "models"))
    source, target = tmp_path / "from.png", tmp_path / "to.png"
    rgba = np.dstack([picture(48, 64), np.full((48, 64), 255, np.uint8)])
    rgba[:, :20, 3] = 0
    Image.fromarray(rgba).save(source, dpi=(300, 300))
    command = ["enlarge", str(source), "--out", str(target)]
    assert main([*command, "--by", "swin2sr"]) == ExitCode.BAD_INPUT
    assert "models get enlarging" in capsys.readouterr().err
    assert main(command) == 0 and "by Lanczos" in capsys.readouterr().err

    assert scan_folder(folder.parent).helpers == (("swin2sr-x2", folder),)
    part = tmp_path / "models" / "parts" / "swin2sr-x2"
    part.parent.mkdir(parents=True)
    part.symlink_to(folder)
    PartDownload(PARTS["swin2sr-x2"], part).adopt()
    assert installed_upscaler(2) == part and installed_upscaler(4) is None
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(target), "size": [128, 96], "method": "Swin2SR"}
    with Image.open(target) as large:
        assert [round(number) for number in large.info["dpi"]] == [300, 300] and large.info["srgb"] == 0
        assert large.text["Enlarged"] == "2 times, Swin2SR" and large.mode == "RGBA"
        by_network = np.asarray(large)
    assert not by_network[:, :30, 3].any() and (by_network[:, 46:, 3] == 255).all()
    assert main([*command, "--by", "lanczos"]) == 0
    assert not np.array_equal(np.asarray(Image.open(target)), by_network)


def test_a_child_does_it_tells_how_far_it_is_and_stops_at_once(folder, tmp_path):
    Image.fromarray(picture()).save(tmp_path / "from.png")
    told: queue.Queue = queue.Queue()
    work = EnlargeFile(tmp_path / "from.png", tmp_path / "to.png", 2, folder, "cpu")
    child = Enlarging(work, told.put)
    steps = [told.get(timeout=280)]
    while isinstance(steps[-1], EnlargingGoesOn):
        steps.append(told.get(timeout=280))
    child.close()
    assert steps[-1] == Enlarged(400, 240, "Swin2SR") and len(steps) >= 3
    expected = tmp_path / "expected.png"
    save_larger(work.source, expected, 2, way=lambda rgb, factor: Upscaler.from_folder(folder, 2, "cpu").enlarge(rgb))
    there, here = (np.asarray(Image.open(path)).astype(int) for path in (work.target, expected))
    assert np.abs(there - here).max() <= 1, "another number of threads may round another way"

    work.target.unlink()
    child = Enlarging(work, told.put)
    child.cancel()
    last = told.get(timeout=280)
    child.close()
    assert isinstance(last, Failed) and isinstance(last.error, Cancelled)
    assert [path.name for path in tmp_path.iterdir()] == ["from.png", "expected.png"] or not work.target.exists()
    assert not list(tmp_path.glob(".*.part"))
