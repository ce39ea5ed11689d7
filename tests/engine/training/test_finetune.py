"""Fine-tuning of a converted bundle: data in both forms, one process and two, stopped and gone on with, out as a bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.bundle.converter import convert_bundle
from engine.bundle.loader import load_bundle
from engine.cli import main
from engine.errors import CannotWrite, InputError
from engine.training.examples import Examples, Order, cover
from engine.training.finetune import DEFAULT, Finetuning, read_settings
from engine.training.team import ALONE
from tests.engine.bundle.published_files import SCHEDULE, write_published
from tests.engine.conftest import draw_sprite
from tests.engine.training.processes import together
from tests.engine.training.worker import finetune_losses

HALF = 10
COUNT = 7


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle converted from files as they are published, at a tiny size."""
    folder = tmp_path_factory.mktemp("out") / "tiny"
    convert_bundle(
        write_published(tmp_path_factory.mktemp("published")), folder, name="tiny", title="Tiny", schedules=[SCHEDULE]
    )
    return folder


def picture(index: int, size: tuple[int, int] = (150, 130)) -> Image.Image:
    pixels = np.random.default_rng(index).integers(0, 255, (6, 6, 3), np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cut-outs of both kinds, and where the subject is in some targets."""
    folder = tmp_path_factory.mktemp("data")
    lines = []
    for index in range(COUNT):
        row = {"image": f"{index}.png", "caption": f"shape {index} in the snow", "target": f"target{index}.jpg"}
        sprite = draw_sprite(index, 64)
        if index % 2:
            sprite.getchannel("A").save(folder / f"mask{index}.png")
            row["mask"] = f"mask{index}.png"
            sprite = sprite.convert("RGB")
        sprite.save(folder / f"{index}.png")
        picture(index).save(folder / f"target{index}.jpg")
        if index % 3 == 0:
            box = np.zeros((130, 150), np.uint8)
            box[40:90, 30 : 50 + 10 * index] = 255
            Image.fromarray(box).save(folder / f"where{index}.png")
            row["target_mask"] = f"where{index}.png"
        lines.append(json.dumps(row))
    (folder / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return {**read_settings(), "batch": 4, "learning_rate": 1e-3, "warmup": 3, "average": 0.9, "save_every": 5}


@pytest.fixture(scope="module")
def common(bundle: Path, data: Path, settings: dict[str, Any]) -> dict[str, Any]:
    return {"bundle": str(bundle), "data": str(data), "settings": settings, "all_steps": 2 * HALF, "steps": HALF}


@pytest.fixture(scope="module")
def alone(common: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Losses of one process in one pass, and its checkpoint after half of them."""
    out = tmp_path_factory.mktemp("alone")
    return {"out": out, **finetune_losses({**common, "out": str(out), "save": True}, ALONE)}


@pytest.fixture(scope="module")
def two(common: dict[str, Any], alone: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same by two processes with a shard of the weights each, in two passes; and gone on with from one's checkpoint."""
    folder = tmp_path_factory.mktemp("two")
    shutil.copytree(alone["out"], folder / "resumed")
    jobs = [
        {**common, "kind": "finetune", "out": str(folder / "fresh"), "save": True, "passes": 2},
        {**common, "kind": "finetune", "out": str(folder / "resumed"), "bundle_out": str(folder / "bundle")},
    ]
    fresh, resumed = together(jobs, folder)
    return {"folder": folder, "fresh": fresh, "resumed": resumed}


def test_two_processes_with_sharded_weights_have_the_losses_of_one(alone: dict[str, Any], two: dict[str, Any]):
    assert two["fresh"]["losses"] == pytest.approx(alone["losses"], abs=1e-5)
    assert len(alone["losses"]) == 2 * HALF
    assert sum(alone["losses"][-5:]) < 0.98 * sum(alone["losses"][:5])
    assert two["fresh"]["sharded"] > 0
    assert two["fresh"]["mean"] == pytest.approx(alone["mean"], rel=1e-5)


def test_a_stopped_training_goes_on_with_more_or_fewer_processes(
    common: dict[str, Any], alone: dict[str, Any], two: dict[str, Any]
):
    assert two["resumed"]["losses"] == pytest.approx(alone["losses"][HALF:], abs=1e-5)
    fewer = finetune_losses({**common, "out": str(two["folder"] / "fresh")}, ALONE)
    assert fewer["losses"] == pytest.approx(alone["losses"][HALF:], abs=1e-5)
    assert fewer["mean"] == pytest.approx(alone["mean"], rel=1e-5)


@pytest.mark.long
@pytest.mark.parametrize(("precision", "apart"), [("no", 1e-5), ("bf16", 0.05)])
def test_accelerates_own_sharding_has_the_losses_of_one_process(
    precision: str, apart: float, common: dict[str, Any], alone: dict[str, Any], tmp_path: Path
):
    job = {
        **common,
        "kind": "finetune",
        "out": str(tmp_path / "out"),
        "precision": precision,
        "save": True,
        "passes": 2,
    }
    (found,) = together([job], tmp_path)
    assert found["losses"] == pytest.approx(alone["losses"], abs=apart)
    assert found["sharded"] > 0
    again = finetune_losses({**common, "out": str(tmp_path / "out")}, ALONE)
    assert again["losses"] == pytest.approx(alone["losses"][HALF:], abs=apart)


def test_the_result_is_a_bundle_with_only_the_transformer_changed(bundle: Path, two: dict[str, Any]):
    before, after = load_bundle(bundle), load_bundle(two["folder"] / "bundle", tokenizer_encoder=True)
    assert after.manifest.name == "tiny-finetuned"
    assert after.manifest.identity != before.manifest.identity
    for name, entry in before.manifest.files.items():
        if not name.startswith("transformer/"):
            assert after.manifest.files[name] == entry
    changed = {
        name
        for name, value in after.transformer.state_dict().items()
        if not value.equal(before.transformer.state_dict()[name])
    }
    assert len(changed) > 0.8 * len(before.transformer.state_dict())
    size = {
        file: (two["folder"] / "bundle" / file).stat().st_size for file in after.manifest.weight_files("transformer")
    }
    assert sum(size.values()) == pytest.approx(
        sum((bundle / file).stat().st_size for file in before.manifest.weight_files("transformer")), rel=0.05
    )


def test_the_command_trains_goes_on_and_leaves_a_bundle_that_draws(
    bundle: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["train", "finetune", "--bundle", str(bundle), "--data", str(data), "--out", str(tmp_path / "run")]
    config = tmp_path / "my.toml"
    text = DEFAULT.read_text(encoding="utf-8")
    config.write_text(text.replace("batch = 32", "batch = 2"), encoding="utf-8")
    words += ["--config", str(config)]
    assert main([*words, "--steps", "2"]) == 0
    assert main([*words, "--steps", "3"]) == 0
    assert "Going on after 2 steps" in capsys.readouterr().err
    rows = (tmp_path / "run" / "log.csv").read_text(encoding="utf-8").splitlines()
    assert [row.partition(",")[0] for row in rows] == ["step", "1", "2", "3"]
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-0000003"]
    made, cut_out = tmp_path / "made.png", tmp_path / "cut.png"
    draw_sprite(0, 64).save(cut_out)
    drawn = main(
        [
            "generate",
            "--bundle",
            str(tmp_path / "run" / "bundle"),
            "--subject",
            str(cut_out),
            "--prompt",
            "a shape",
            "--out",
            str(made),
        ]
    )
    assert drawn == 0
    with Image.open(made) as picture_made:
        assert picture_made.size == SCHEDULE.size


def test_a_caption_may_hold_any_letter_that_json_allows(data: Path, tmp_path: Path):
    """Letters that end a line in some scripts, and none of the file's: such rows were skipped."""
    caption = "a cat \u2028 in\x85 the snow"
    row = {"image": str(data / "0.png"), "caption": caption, "target": str(data / "target0.jpg")}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\r\n", encoding="utf-8")
    examples = Examples(tmp_path, (128, 128), 56)
    assert len(examples) == 1 and not examples.skipped and examples[0].caption == caption


def test_parquet_as_datasets_writes_it_holds_the_same_examples_as_a_folder(data: Path, tmp_path: Path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [json.loads(line) for line in (data / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]

    def struct(name: str | None) -> dict[str, Any] | None:
        return None if name is None else {"bytes": (data / name).read_bytes(), "path": name}

    for shard, part in enumerate((rows[:3], rows[3:])):
        table = pa.table(
            {
                "image": [struct(row["image"]) for row in part],
                "mask": [struct(row.get("mask")) for row in part],
                "prompt": [row["caption"] for row in part],
                "target": [(data / row["target"]).read_bytes() for row in part],
                "target_mask": [struct(row.get("target_mask")) for row in part],
            }
        )
        pq.write_table(table, tmp_path / f"train-{shard:05d}.parquet", row_group_size=2)
    folder, shards = Examples(data, (128, 128), 56), Examples(tmp_path, (128, 128), 56)
    assert len(shards) == len(folder) == COUNT
    for index in (6, 0, 3, 1, 5, 2, 4):
        one, other = folder[index], shards[index]
        assert one.caption == other.caption
        assert np.array_equal(one.subject.pixels, other.subject.pixels)
        assert np.array_equal(one.target, other.target)
        assert np.array_equal(one.inside, other.inside)
    assert folder[0].inside.max() == 1
    assert not folder[1].inside.any()


def test_broken_lines_and_pictures_are_named_and_skipped(
    bundle: Path, data: Path, settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    with (folder / "metadata.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"image": "0.png"}\n{broken\n\n')
    (folder / "target2.jpg").write_bytes(b"no picture")
    training = Finetuning(bundle, folder, tmp_path / "out", 4, {**settings, "batch": COUNT})
    assert len(training.examples) == COUNT
    assert training.step()["loss"] > 0
    output = capsys.readouterr().err
    assert "Line 8 of metadata.jsonl is skipped: “target” is missing." in output
    assert "Line 9" in output
    assert output.count("Example 3 cannot be used") == 1


def test_what_cannot_be_trained_is_said(bundle: Path, data: Path, settings: dict[str, Any], tmp_path: Path):
    with pytest.raises(InputError, match=r"no examples.*metadata\.jsonl or Parquet"):
        Finetuning(bundle, tmp_path, tmp_path, 4, settings)
    with pytest.raises(InputError, match=r"does not draw this size. Its sizes are 128x128"):
        Finetuning(bundle, data, tmp_path, 4, settings, size=(99, 99))
    with pytest.raises(InputError, match="4 examples of a process do not divide into 3 passes"):
        Finetuning(bundle, data, tmp_path, 4, settings, passes=3)
    for line, words in (("batch = 0\n", "proper batch"), ("speed = 1\n", "unknown number speed")):
        path = tmp_path / "bad.toml"
        text = DEFAULT.read_text(encoding="utf-8")
        path.write_text(text.replace("batch = 32", "") + line if "batch" in line else text + line, encoding="utf-8")
        with pytest.raises(InputError, match=words):
            read_settings(path)


def test_a_full_disk_leaves_the_checkpoint_before(
    bundle: Path, data: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    training = Finetuning(bundle, data, tmp_path, 4, settings)
    training.step()
    training.save()
    training.step()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torch.distributed.checkpoint.save", full)
    with pytest.raises(CannotWrite, match="step-0000002 could not be written"):
        training.save()
    newest = training.checkpoints.newest()
    assert newest is not None
    assert newest.name == "step-0000001"
    assert Finetuning(bundle, data, tmp_path, 4, settings).step_number == 1


def test_the_order_is_every_example_once_then_all_again_otherwise():
    order = Order(5, seed=3)
    first = [order.next(2) for _ in range(5)]
    flat = [item for batch in first for item in batch]
    assert sorted(flat) == [(epoch, index) for epoch in range(2) for index in range(5)]
    assert [index for _, index in flat[:5]] != [index for _, index in flat[5:]]
    again = Order(5, seed=3)
    again.next(4)
    other = Order(5, seed=3)
    other.load_state(again.state())
    assert other.next(6) == flat[4:10]
    with pytest.raises(InputError, match="began with 5 examples, and now there are 6"):
        Order(6, seed=3).load_state(again.state())


def test_targets_are_scaled_to_cover_and_cropped_in_the_middle():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    assert cover(wide, (20, 20)).shape == (20, 20, 3)
    assert cover(wide, (20, 20)).min() > 200
