"""A PNG gives back what made it, and a hostile one does no harm."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.errors import CannotWrite, EchoGenError, InputError, PhotoError
from engine.photo import picture_file
from engine.photo.picture_file import (
    PictureFile,
    carries_request,
    encode_png,
    read_picture_file,
    save_picture,
    save_plain,
)
from engine.request import CutOut, GenerationRequest, ScaleBits


def some_bits(seed: int = 0) -> ScaleBits:
    random = np.random.default_rng(seed)
    return ScaleBits(tuple(random.integers(0, 2, (n, n, 8), dtype=np.uint8) for n in (1, 2, 4)))


def some_request(side: int = 64) -> GenerationRequest:
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 4), dtype=np.uint8)
    return GenerationRequest(
        "a toy robot\nin the “snow”",
        subject=CutOut(pixels, photo="ab" * 32),
        negative_prompt="blurry",
        subject_name="toy robot",
        seed=7,
        look_strength=(1.0, 2.0, 3.0),
        kept=some_bits(3).first(2),
        bundle="mini@1234",
    )


IMAGE = np.random.default_rng(2).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def test_a_png_gives_back_request_bits_and_pixels(tmp_path: Path):
    path = tmp_path / "picture.png"
    save_picture(path, IMAGE, some_request(), some_bits())
    assert read_picture_file(path) == PictureFile(some_request(), some_bits())
    assert read_picture_file(path.read_bytes()).bits == some_bits()
    assert carries_request(path)
    with Image.open(path) as picture:
        assert np.array_equal(np.asarray(picture), IMAGE)
        assert picture.text["Software"].startswith("EchoGen ")
        first, second, third = picture.text["parameters"].split("\n")
    assert first == "a toy robot in the “snow”"
    assert second == "Negative prompt: blurry"
    assert "Steps: 3" in third and "Seed: 7" in third and "Size: 48x32" in third and "Model: mini," in third
    assert [file.name for file in tmp_path.iterdir()] == ["picture.png"]


def test_the_largest_cut_out_of_noise_is_still_a_picture_for_others(tmp_path: Path):
    path = tmp_path / "large.png"
    save_picture(path, IMAGE, some_request(512), some_bits())
    with Image.open(path) as picture:
        picture.load()
        assert "EchoGen 2" in picture.text
    assert read_picture_file(path).request == some_request(512)


def test_metadata_can_be_left_out(tmp_path: Path):
    path = tmp_path / "plain.png"
    save_picture(path, IMAGE, some_request(), some_bits(), metadata=False)
    with Image.open(path) as picture:
        assert picture.text == {}
    assert not carries_request(path)
    with pytest.raises(InputError) as caught:
        read_picture_file(path)
    assert caught.value.title == "No settings in this picture"


@pytest.mark.parametrize("suffix", [".webp", ".jpg", ".JPEG"])
def test_other_formats_are_plain_and_close(tmp_path: Path, suffix: str):
    path = tmp_path / f"picture{suffix}"
    smooth = np.broadcast_to(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (64, 64, 3))
    save_picture(path, smooth, some_request(), some_bits())
    with Image.open(path) as picture:
        assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - smooth).mean() < 3
    assert b"robot" not in path.read_bytes()
    with pytest.raises(PhotoError, match="is no PNG"):
        read_picture_file(path)


def test_an_unknown_suffix_is_said(tmp_path: Path):
    with pytest.raises(CannotWrite, match="no kind of picture"):
        save_plain(tmp_path / "picture.txt", IMAGE)


def test_a_missing_folder_and_a_folder_in_the_way_are_said(tmp_path: Path):
    with pytest.raises(CannotWrite, match="there is no such folder"):
        save_plain(tmp_path / "nowhere" / "picture.png", IMAGE)
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(CannotWrite):
        save_plain(tmp_path / "taken.png", IMAGE)
    assert [file.name for file in tmp_path.iterdir()] == ["taken.png"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EACCES, "may not be written"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_a_failing_disk_keeps_the_old_picture_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch, code: int, words: str
):
    path = tmp_path / "picture.png"
    save_plain(path, IMAGE)
    before = path.read_bytes()

    def fail(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("engine.files.os.fsync", fail)
    with pytest.raises(CannotWrite, match=words) as caught:
        save_picture(path, IMAGE[::-1], some_request(), some_bits())
    assert caught.value.exit_code == 6
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["picture.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions work differently there")
def test_a_picture_has_the_permissions_of_any_new_file(tmp_path: Path):
    save_plain(tmp_path / "picture.png", IMAGE)
    (tmp_path / "other").write_bytes(b"")
    assert stat.S_IMODE((tmp_path / "picture.png").stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def png_with(*texts: tuple[str, bytes, bool]) -> bytes:
    """A PNG with iTXt chunks of our making: (keyword, text, compressed)."""
    info = PngInfo()
    for keyword, text, packed in texts:
        data = keyword.encode("latin-1") + (b"\0\1\0\0\0" if packed else b"\0\0\0\0\0")
        info.add(b"iTXt", data + (zlib.compress(text) if packed else text))
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def carried(**changes) -> bytes:
    data = {"format": 1, "request": some_request().to_json(), "bits": some_bits().to_json()}
    return json.dumps(data | changes).encode()


def test_what_is_written_by_hand_is_read():
    assert read_picture_file(png_with(("EchoGen", carried(), True))).request == some_request()
    text = carried()
    assert (
        read_picture_file(png_with(("EchoGen 2", text[500:], True), ("EchoGen", text[:500], False))).bits == some_bits()
    )


def test_settings_without_bits_are_read():
    """Another program saved the settings again and left the bits out: prompt, subject and seed are not lost with them."""
    data = json.loads(carried())
    del data["bits"]
    assert read_picture_file(png_with(("EchoGen", json.dumps(data).encode(), True))) == PictureFile(
        some_request(), None
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format":1}',
        carried(request=5),
        carried(request={"format": 1}),
        carried(bits=[{"shape": [1e999, 1, 1], "bits": ""}]),
        carried(bits=[{"shape": [10**9, 10**9, 8], "bits": ""}]),
        carried(format=99),
        carried(request=some_request().to_json() | {"subject": {"png": "AAAA"}}),
        carried(request=some_request().to_json() | {"seed": -1}),
        carried(request=some_request().to_json() | {"prompt": "x" * 100_000}),
        carried(request=some_request().to_json() | {"temperature": float("nan")}),
    ],
)
def test_damaged_contents_are_an_error_with_a_sentence(text: bytes):
    with pytest.raises(InputError) as caught:
        read_picture_file(png_with(("EchoGen", text, True)))
    assert caught.value.fact.endswith(".")


def test_a_bomb_is_not_unpacked():
    """17 MB of spaces in a few kilobytes, and more of them in further pieces."""
    bomb = b" " * (17 * 2**20)
    with pytest.raises(InputError, match="too large"):
        read_picture_file(png_with(("EchoGen", bomb, True)))
    pieces = [(f"EchoGen {n}" if n > 1 else "EchoGen", b" " * (6 * 2**20), True) for n in range(1, 5)]
    with pytest.raises(InputError, match="too large"):
        read_picture_file(png_with(*pieces))


def test_a_picture_inside_larger_than_a_cut_out_is_refused():
    out = io.BytesIO()
    Image.new("RGBA", (513, 513)).save(out, "PNG")
    import base64

    subject = some_request().to_json()["subject"] | {"png": base64.b64encode(out.getvalue()).decode()}
    with pytest.raises(InputError, match="wrong size"):
        read_picture_file(png_with(("EchoGen", carried(request=some_request().to_json() | {"subject": subject}), True)))


@pytest.mark.parametrize(
    "rest",
    [
        b"\0\0\0" + carried(),  # a field is missing
        b"\2\0\0\0" + carried(),  # no flag that there is
        b"\1\1\0\0" + zlib.compress(carried()),  # packed in another way
        b"\1\0\0\0" + zlib.compress(carried())[:-9],  # cut off
        b"\1\0\0\0" + carried(),  # not packed at all
    ],
)
def test_a_chunk_that_is_none_is_damage(rest: bytes):
    info = PngInfo()
    info.add(b"iTXt", b"EchoGen\0" + rest)
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG", pnginfo=info)
    with pytest.raises(InputError, match="damaged"):
        read_picture_file(out.getvalue())


def test_so_many_pieces_and_chunks_are_read_and_no_more(monkeypatch: pytest.MonkeyPatch):
    text = carried()
    file = png_with(("EchoGen", text[:300], True), ("EchoGen 2", text[300:], True))
    monkeypatch.setattr(picture_file, "_MAX_PIECES", 2)
    assert read_picture_file(file).request == some_request()
    monkeypatch.setattr(picture_file, "_MAX_PIECES", 1)
    with pytest.raises(InputError, match="damaged"):
        read_picture_file(file)
    monkeypatch.setattr(picture_file, "_MAX_CHUNKS", 1)  # the header
    with pytest.raises(InputError, match="carries no settings"):
        read_picture_file(file)


def test_the_likeness_comes_back():
    assert read_picture_file(encode_png(IMAGE, some_request(16), some_bits(), likeness=0.12345)).likeness == 0.1235
    assert read_picture_file(GOOD).likeness is None


GOOD = encode_png(IMAGE, some_request(16), some_bits())


def reads_or_says(data: bytes) -> None:
    try:
        found = read_picture_file(data)
    except EchoGenError as error:
        assert error.fact.endswith(".")
    else:
        assert isinstance(found.request, GenerationRequest)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_cut_or_changed_file_is_read_or_refused(data):
    changed = bytearray(GOOD)
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    reads_or_says(bytes(changed[: data.draw(st.integers(0, len(changed)))]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(sorted(some_request().to_json()))
SHAPE = st.lists(st.integers(-2, 300) | st.floats(), max_size=4)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(FIELDS, JSON, max_size=3),
    st.none()
    | JSON
    | st.lists(st.fixed_dictionaries({"shape": SHAPE, "bits": st.text("AB/=", max_size=12)}), max_size=3),
)
def test_any_json_is_read_or_refused(changes, bits):
    request = some_request(16).to_json() | changes
    reads_or_says(png_with(("EchoGen", carried(request=request, bits=bits), False)))
