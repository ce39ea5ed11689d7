"""A conversion that was stopped goes on after the last complete file, and the result is the same, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.bundle import converter, writer
from engine.bundle.converter import convert_bundle
from engine.errors import BundleError, Cancelled, CannotWrite
from engine.files import aside_of
from tests.engine.bundle.published_files import SCHEDULE, write_published

SMALL_FILE = 200_000


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write_published(tmp_path_factory.mktemp("published"))


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    """Several files a part, as the large model has them."""
    monkeypatch.setattr(converter, "SHARD_BYTES", SMALL_FILE)
    real = writer.BundleWriter.add_weights
    monkeypatch.setattr(
        writer.BundleWriter, "add_weights", lambda self, part, tensors: real(self, part, tensors, SMALL_FILE)
    )


class After:
    """Says stop after so many tensors."""

    def __init__(self, count: int) -> None:
        self.left = count

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def run(published, out: Path, **options):
    return convert_bundle(published, out, schedules=[SCHEDULE], **options)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def begun(out: Path) -> list[Path]:
    return list(out.parent.glob(f".{out.name}.*.part"))


@pytest.fixture(scope="module")
def whole(published, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    patch = pytest.MonkeyPatch()
    with patch.context() as p:
        p.setattr(converter, "SHARD_BYTES", SMALL_FILE)
        real = writer.BundleWriter.add_weights
        p.setattr(writer.BundleWriter, "add_weights", lambda self, part, tensors: real(self, part, tensors, SMALL_FILE))
        run(published, out)
    return content(out)


def test_wherever_it_was_stopped_the_result_is_the_same(published, whole, tmp_path):
    out = tmp_path / "out"
    stops = 0
    for count in (60, 90, 120, 150, 10_000):
        try:
            run(published, out, cancel=After(count))
            break
        except Cancelled:
            stops += 1
            assert not out.exists()
    assert stops >= 2
    assert content(out) == whole
    assert begun(out) == []
    assert len([name for name in whole if name.startswith("transformer/")]) > 2


def test_what_is_complete_is_not_read_again(published, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with pytest.raises(Cancelled):
        run(published, out, cancel=After(100))
    stored = {name for path in begun(out)[0].glob("transformer/*.safetensors") for name in _names(path)}
    assert stored
    written = []
    real = writer.BundleWriter.add_weights

    def watch(self, part, tensors, *size):
        def watched():
            for name, tensor in tensors:
                written.append((part, name))
                yield name, tensor

        real(self, part, watched(), *size)

    monkeypatch.setattr(writer.BundleWriter, "add_weights", watch)
    run(published, out)
    assert not stored & {name for part, name in written if part == "transformer"}


def test_a_half_written_file_is_written_again(published, whole, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Cancelled):
        run(published, out, cancel=After(100))
    (begun(out)[0] / "transformer" / "weights-00099.safetensors.tmp").write_bytes(b"half")
    run(published, out)
    assert content(out) == whole


def test_work_begun_on_other_files_is_not_gone_on_with(published, whole, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Cancelled):
        run(published, out, cancel=After(100))
    state = torch.load(published.transformer, weights_only=True)
    torch.save(state, published.transformer)  # the same weights, but nobody can know that
    run(published, out)
    assert content(out) == whole
    assert len(begun(out)) == 1


def test_a_full_disk_keeps_what_is_complete(published, whole, tmp_path, monkeypatch):
    out = tmp_path / "out"
    real = writer.save_file
    written = []

    def full(shard, path, metadata):
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        real(shard, path, metadata)

    with monkeypatch.context() as patch:
        patch.setattr(writer, "save_file", full)
        with pytest.raises(CannotWrite, match="is full"):
            run(published, out)
    assert len(list(begun(out)[0].rglob("*.safetensors"))) == 3
    run(published, out)
    assert content(out) == whole


def test_an_end_while_the_bundle_took_its_place_is_no_obstacle(published, whole, tmp_path):
    """The bundle that was there before still lies beside, under the name that the next one wants."""
    out = tmp_path / "out"
    run(published, out)
    for count in (60, 10_000):
        try:
            run(published, out, cancel=After(count))
        except Cancelled:
            old = aside_of(out)
            old.mkdir()
            (old / "bundle.json").write_text("{}", encoding="utf-8")
    assert content(out) == whole
    assert [folder.name for folder in tmp_path.iterdir()] == ["out"]


def test_damaged_files_leave_nothing(published, tmp_path, monkeypatch):
    def lies(*_):
        raise BundleError("The weight is damaged.")
        yield

    monkeypatch.setattr(converter, "_tokenizer", lies)
    with pytest.raises(BundleError):
        run(published, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def _names(path: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return list(file.keys())
