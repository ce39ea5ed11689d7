"""What people give that cannot be used (design, section 8): one clear sentence, a next step, the right exit code.

Everything goes through the command line, in this process, on a bundle with random weights. Photos that look odd but are
fine are here too: they have to work.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.bundle.manifest import MANIFEST
from engine.cli import main
from engine.errors import ExitCode
from engine.photo.picture_file import read_picture_file, save_picture
from engine.sampling.sampler import Sampler


class Cli:
    """Runs ``generate`` with something changed and returns (exit code, what was said)."""

    def __init__(self, bundle: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.bundle, self.folder, self.capsys = bundle, folder, capsys
        self.out = folder / "out.png"

    def __call__(self, photo: Path | None = None, prompt: str = "a ball in the snow", *more: str) -> tuple[int, str]:
        words = ["generate", "--bundle", str(self.bundle), "--device", "cpu", "--prompt", prompt, "--seed", "1"]
        words += ["--out", str(self.out), *(["--subject", str(photo)] if photo is not None else []), *more]
        code = main(words)
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        assert self.out.exists() == (code == 0), "a picture is there when, and only when, it went well"
        assert bool(out) == (code == 0)
        return code, (err.strip().splitlines() or [""])[-1]


@pytest.fixture
def cli(tiny_bundle, tmp_path, capsys) -> Cli:
    return Cli(tiny_bundle, tmp_path, capsys)


def ball(side: int = 96) -> np.ndarray:
    """A red ball on a green ground, RGB."""
    y, x = np.mgrid[:side, :side] / side - 0.5
    return np.where(np.hypot(x, y)[..., None] < 0.3, (220, 30, 40), (40, 140, 60)).astype(np.uint8)


def saved(path: Path, picture: Image.Image, **options) -> Path:
    picture.save(path, **options)
    return path


# Photos


@pytest.mark.parametrize(
    ("heif", "raw", "last"),
    [
        (True, True, ", AVIF, HEIC and RAW"),
        (True, False, ", AVIF and HEIC"),
        (False, True, ", AVIF and RAW"),
        (False, False, " and AVIF"),
    ],
)
def test_not_an_image(cli, tmp_path, monkeypatch, heif, raw, last):
    """What works is said, and nothing else: photos of phones and cameras need optional parts."""
    monkeypatch.setattr("engine.photo.refusals.reads_heif", lambda: heif)
    monkeypatch.setattr("engine.photo.refusals.can_develop", lambda: raw)
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam")
    assert cli(tmp_path / "letter.jpg") == (
        ExitCode.BAD_INPUT,
        f"This is not a picture. letter.jpg holds no image. PNG, JPEG, WebP, TIFF, GIF, BMP{last} work.",
    )


def test_zero_bytes(cli, tmp_path):
    (tmp_path / "nothing.png").touch()
    assert cli(tmp_path / "nothing.png") == (
        ExitCode.BAD_INPUT,
        "The file is empty. nothing.png is empty: it has zero bytes. Copy it again from where it came from.",
    )


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_truncated_image(cli, tmp_path, suffix):
    path = saved(tmp_path / f"cut{suffix}", Image.fromarray(ball(256)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert cli(path) == (
        ExitCode.BAD_INPUT,
        f"The photo is damaged. cut{suffix} is damaged or incomplete. Copy it again from where it came from.",
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_more_than_100_megapixels(cli, tmp_path):
    """The size stands in the header: nothing is unpacked to find it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 12_000, 9_000, 8, 2, 0, 0, 0))
    path = tmp_path / "huge.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))
    code, message = cli(path)
    assert code == ExitCode.BAD_INPUT
    assert message.startswith("The photo is too large. huge.png has 108 megapixels; 100 are the limit.")


def test_no_permission(cli, tmp_path, monkeypatch):
    path = saved(tmp_path / "private.png", Image.fromarray(ball()))
    original = Path.open

    def refusing(self, *args, **kwargs):
        if self.name == "private.png":
            raise PermissionError(13, "Permission denied", str(self))
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refusing)  # root may read everything, so that chmod would prove nothing
    assert cli(path) == (
        ExitCode.BAD_INPUT,
        "No permission. private.png may not be read. Change its permissions, or copy it somewhere else.",
    )


def test_a_photo_that_is_not_there(cli, tmp_path):
    assert cli(tmp_path / "gone.jpg") == (
        ExitCode.BAD_INPUT,
        "The file is missing. gone.jpg is not there. It may have been moved or renamed.",
    )


def test_a_folder(cli, tmp_path):
    code, message = cli(tmp_path)
    assert code == ExitCode.BAD_INPUT and message.endswith("is a folder. Choose a photo inside it.")


def odd_photos(folder: Path) -> dict[str, Path]:
    rgb = ball()
    picture = Image.fromarray(rgb)
    frames = [picture, Image.fromarray(255 - rgb)]
    exif = Image.Exif()
    exif[0x0112] = 6
    alpha = np.dstack([rgb, np.where(rgb[..., 0] > 100, 255, 0).astype(np.uint8)])
    sixteen = Image.fromarray(rgb[..., 0].astype(np.uint16) * 257)
    return {
        "animated": saved(folder / "animated.gif", frames[0], save_all=True, append_images=frames[1:]),
        "CMYK": saved(folder / "cmyk.jpg", picture.convert("CMYK")),
        "16 bit": saved(folder / "deep.png", sixteen),
        "alpha": saved(folder / "alpha.png", Image.fromarray(alpha, "RGBA")),
        "EXIF": saved(folder / "turned.jpg", picture, exif=exif),
        "grey": saved(folder / "grey.png", picture.convert("L")),
        "palette": saved(folder / "palette.png", picture.quantize(16)),
    }


@pytest.mark.parametrize("kind", ["animated", "CMYK", "16 bit", "alpha", "EXIF", "grey", "palette"])
def test_odd_photos_work(cli, tmp_path, kind):
    assert cli(odd_photos(tmp_path)[kind])[0] == ExitCode.DONE
    subject = read_picture_file(cli.out).request.subject
    assert subject is not None and 0.1 < (subject.alpha > 127).mean() < 0.95


# Masks


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (np.zeros((96, 96)), "The cut-out is empty. Draw a box around the subject, or click it."),
        (np.full((96, 96), 255), "The cut-out covers the whole photo. Paint away the background."),
        (
            np.pad(np.full((2, 3), 255), ((40, 54), (40, 53))),
            "The cut-out is only 3 × 2 pixels, too small to show anything. "
            "Click the subject in the photo, or take a closer photo.",
        ),
        (
            np.full((50, 96), 255),
            "The mask mask.png is 96 × 50 pixels and the photo 96 × 96. Use a mask that was made for this photo.",
        ),
    ],
)
def test_masks_that_cannot_be_used(cli, tmp_path, mask, sentence):
    photo = saved(tmp_path / "photo.png", Image.fromarray(ball()))
    path = saved(tmp_path / "mask.png", Image.fromarray(mask.astype(np.uint8)))
    assert cli(photo, "a ball", "--mask", str(path)) == (
        ExitCode.BAD_INPUT,
        f"The cut-out cannot be used. {sentence}",
    )


def test_a_mask_that_is_no_image(cli, tmp_path):
    photo = saved(tmp_path / "photo.png", Image.fromarray(ball()))
    (tmp_path / "mask.png").write_text("x")
    code, message = cli(photo, "a ball", "--mask", str(tmp_path / "mask.png"))
    assert code == ExitCode.BAD_INPUT and "mask.png holds no image" in message


def test_no_subject(cli, tmp_path):
    photo = saved(tmp_path / "wall.png", Image.fromarray(np.full((96, 96, 3), 180, np.uint8)))
    code, message = cli(photo)
    assert code == ExitCode.BAD_INPUT and message.startswith("Nothing found.")


# Prompts


@pytest.mark.parametrize("prompt", ["", "   "])
def test_an_empty_prompt(cli, prompt):
    assert cli(None, prompt) == (
        ExitCode.BAD_INPUT,
        "Write a prompt first. The prompt is empty. Say where the subject should be, for example “in the snow”.",
    )


def test_no_prompt_at_all(tiny_bundle, tmp_path, capsys):
    assert main(["generate", "--bundle", str(tiny_bundle), "--out", str(tmp_path / "x.png")]) == ExitCode.BAD_INPUT
    assert "There is no prompt." in capsys.readouterr().err


def test_a_prompt_beyond_the_limit_is_drawn_and_what_was_cut_is_said(cli, capsys):
    prompt = "a red ball " * 9 + "on the beach"
    words = ["generate", "--bundle", str(cli.bundle), "--prompt", prompt, "--seed", "1", "--out", str(cli.out)]
    assert main(words) == ExitCode.DONE
    message = next(line for line in capsys.readouterr().err.splitlines() if "longer" in line)
    assert message == "The prompt is longer than this model reads; it stops before “ball a red ball on the beach”."


def test_a_prompt_that_is_a_book(cli):
    code, message = cli(None, "a ball " * 1000)
    assert code == ExitCode.BAD_INPUT and "has 7000 characters; 4000 are the limit" in message


# Bundles


@pytest.fixture
def broken(cli, tmp_path) -> Cli:
    """With a copy of the bundle, to be broken."""
    cli.bundle = Path(shutil.copytree(cli.bundle, tmp_path / "copy"))
    return cli


WEIGHTS = "transformer/weights.safetensors"


def test_a_missing_bundle(cli, tmp_path):
    cli.bundle = tmp_path / "nowhere"
    code, message = cli()
    assert code == ExitCode.BUNDLE
    assert message.startswith(f"The model cannot be opened. There is no model in {tmp_path / 'nowhere'}")


def test_an_incomplete_bundle(broken):
    (broken.bundle / WEIGHTS).unlink()
    assert broken() == (
        ExitCode.BUNDLE,
        f"The model cannot be opened. The model “Random weights, for tests” is incomplete: {WEIGHTS} is missing. "
        "Get the model again, or verify it under Models.",
    )


def test_a_truncated_weights_file(broken):
    size = (broken.bundle / WEIGHTS).stat().st_size
    os.truncate(broken.bundle / WEIGHTS, size - 100)
    code, message = broken()
    assert code == ExitCode.BUNDLE and f"damaged: {WEIGHTS} has {size - 100} bytes instead of {size}." in message


def test_a_wrong_hash(broken):
    data = json.loads((broken.bundle / MANIFEST).read_text(encoding="utf-8"))
    data["files"][WEIGHTS]["sha256"] = "0" * 64
    (broken.bundle / MANIFEST).write_text(json.dumps(data), encoding="utf-8")
    code, message = broken()
    assert code == ExitCode.BUNDLE and f"the content of {WEIGHTS} is not what it was" in message


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 99}, "This model has format 99, and this program reads formats up to 2. Update the program"),
        ({"name": "../../etc"}, "The model's description (bundle.json) is damaged"),
        ({"files": {"/etc/passwd": {"size": 1, "sha256": "0" * 64}}}, "the file name '/etc/passwd' is not allowed"),
        ({"files": {"../x": {"size": 1, "sha256": "0" * 64}}}, "the file name '../x' leads out of the folder"),
        ({"schedules": []}, "is damaged"),
    ],
)
def test_descriptions_that_are_refused(broken, change, sentence):
    data = json.loads((broken.bundle / MANIFEST).read_text(encoding="utf-8"))
    (broken.bundle / MANIFEST).write_text(json.dumps({**data, **change}), encoding="utf-8")
    code, message = broken()
    assert code == ExitCode.BUNDLE and sentence in message


def test_a_pickle_in_the_place_of_weights_is_not_run(broken, tmp_path):
    """Even one that the manifest vouches for."""
    from engine.bundle.records import BundleFile

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"x": Bomb()}, broken.bundle / WEIGHTS)
    entry = BundleFile.of(broken.bundle / WEIGHTS)
    data = json.loads((broken.bundle / MANIFEST).read_text(encoding="utf-8"))
    data["files"][WEIGHTS] = {"size": entry.size, "sha256": entry.sha256}
    (broken.bundle / MANIFEST).write_text(json.dumps(data), encoding="utf-8")
    code, message = broken()
    assert code == ExitCode.BUNDLE and f"{WEIGHTS} is no sound weights file" in message
    assert not (tmp_path / "ran").exists()


# Pictures of ours


def test_a_picture_whose_scales_do_not_fit(cli, tmp_path, tiny_bundle):
    assert cli(tiny_bundle / "examples" / "ball.png")[0] == ExitCode.DONE
    carried = read_picture_file(cli.out)
    wrong = replace(carried.bits, scales=carried.bits.scales[:1] + carried.bits.scales[2:])
    source = tmp_path / "wrong.png"
    save_picture(source, np.zeros((64, 64, 3), np.uint8), carried.request, wrong)
    cli.out.unlink()
    code, message = cli(None, "a ball", "--from", str(source), "--keep-scales", "2")
    assert code == ExitCode.BAD_INPUT and "The kept scale 2 has 3 × 3 tokens of 8 bits" in message
    code, message = cli(None, "a ball", "--from", str(source), "--keep-scales", "9")
    assert code == ExitCode.BAD_INPUT and "9 scales cannot be kept: the picture has 4." in message


def test_a_picture_that_carries_nothing(cli, tmp_path):
    path = saved(tmp_path / "plain.png", Image.fromarray(ball()))
    code, message = cli(None, "a ball", "--from", str(path))
    assert code == ExitCode.BAD_INPUT and message.startswith(
        "No settings in this picture. plain.png carries no settings."
    )


# Memory and disk


def test_not_enough_memory(cli, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(Sampler, "draw", full)
    code, message = cli()
    assert code == ExitCode.MEMORY
    assert (
        message.startswith("Not enough memory. This picture needs about ")
        and "is free. Close other programs" in message
    )


def test_a_computer_that_is_far_too_small(cli, monkeypatch):
    from engine.device.devices import Device

    small = Device("cpu", "CPU", 2**26, 2**25, 2)
    monkeypatch.setattr("engine.engine.choose_device", lambda _: small)
    code, message = cli()
    assert code == ExitCode.MEMORY and "needs at least" in message and "Choose a smaller model." in message


def test_a_full_disk(cli, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, message = cli()
    assert code == ExitCode.CANNOT_WRITE and message.startswith("The disk is full. out.png needs")
    assert not list(cli.folder.glob("*.part")) and not list(cli.folder.glob(".*"))


def test_a_picture_is_never_half_written(cli, monkeypatch):
    cli.out.write_bytes(b"the old one")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "denied")))
    words = ["generate", "--bundle", str(cli.bundle), "--prompt", "a ball", "--seed", "1", "--out", str(cli.out)]
    assert main(words) == ExitCode.CANNOT_WRITE
    assert cli.out.read_bytes() == b"the old one"


def test_a_reader_that_goes_away(cli, monkeypatch, capsys):
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return os.open(os.devnull, os.O_WRONLY)

    monkeypatch.setattr("sys.stdout", Closed())
    words = ["generate", "--bundle", str(cli.bundle), "--prompt", "a ball", "--seed", "1", "--out", str(cli.out)]
    assert main(words) == ExitCode.DONE
