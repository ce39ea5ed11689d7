"""Any photo a person may own becomes upright 8-bit RGB; anything else gets one sentence that says why not."""

from __future__ import annotations

import errno
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.errors import ExitCode, PhotoError
from engine.photo import load
from engine.photo.load import load_photo, photo_from_pixels
from engine.photo.refusals import MAX_PIXELS

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def smooth() -> np.ndarray:
    """A picture that JPEG hardly changes."""
    ramp = np.linspace(20, 230, 40).astype(np.uint8)
    return np.dstack([np.tile(ramp, (24, 1)), np.full((24, 40), 90, np.uint8), np.tile(ramp[::-1], (24, 1))])


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is this large and has hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


# What works


def test_a_file_its_bytes_and_a_stream_give_the_same_photo(tmp_path: Path):
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(Image.fromarray(PIXELS)))
    photo = load_photo(path)
    np.testing.assert_array_equal(photo.rgb, PIXELS)
    assert (photo.width, photo.height, photo.alpha, photo.notes, photo.name) == (20, 12, None, (), "photo.png")
    assert load_photo(str(path)).digest == load_photo(path.read_bytes()).digest == photo.digest
    stream = io.BytesIO(b"before" + path.read_bytes())
    stream.seek(6)
    assert load_photo(stream).digest == photo.digest
    assert not stream.closed


def test_a_photo_cannot_be_written_and_does_not_share_memory():
    pixels = PIXELS.copy()
    photo = photo_from_pixels(pixels)
    pixels[0, 0] = 0
    np.testing.assert_array_equal(photo.rgb, PIXELS)
    with pytest.raises(ValueError, match="read-only"):
        photo.rgb[0, 0] = 1


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "BMP", "PPM", "TGA", "JPEG2000"])
def test_common_formats_are_read(kind: str):
    photo = load_photo(encoded(Image.fromarray(smooth()), kind))
    assert np.abs(photo.rgb.astype(int) - smooth()).mean() < 3


def test_the_digest_is_of_the_pixels_not_of_the_file():
    png = load_photo(encoded(Image.fromarray(PIXELS)))
    assert load_photo(encoded(Image.fromarray(PIXELS), "BMP")).digest == png.digest
    turned = photo_from_pixels(PIXELS.reshape(20, 12, 3))
    assert turned.digest != png.digest
    other = PIXELS.copy()
    other[3, 3, 0] ^= 1
    assert photo_from_pixels(other).digest != png.digest
    alpha = np.full(PIXELS.shape[:2], 255, np.uint8)
    alpha[0, 0] = 0
    assert photo_from_pixels(PIXELS, alpha).digest != png.digest


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int):
    upright = smooth()
    upright[:6, :10] = (255, 0, 0)  # a mark in the upper left corner
    undo = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo(upright)))
    photo = load_photo(encoded(stored, "PNG", exif=exif))
    np.testing.assert_array_equal(photo.rgb, upright)


def test_transparency_is_kept_apart_and_turned_with_the_photo():
    rgba = np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255, np.uint8)])
    rgba[:4, :, 3] = 7
    exif = Image.Exif()
    exif[0x0112] = 3
    photo = load_photo(encoded(Image.fromarray(rgba), exif=exif))
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, rgba[::-1, ::-1, 3])
    np.testing.assert_array_equal(photo.rgb, PIXELS[::-1, ::-1])


def test_an_alpha_channel_that_hides_nothing_is_none():
    rgba = np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255, np.uint8)])
    assert load_photo(encoded(Image.fromarray(rgba))).alpha is None


def test_a_palette_with_a_transparent_colour_has_alpha():
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0, 0, 255, 0] + [0] * 762)
    picture.paste(1, (0, 0, 4, 8))
    photo = load_photo(encoded(picture, transparency=1))
    assert photo.alpha is not None
    assert (photo.alpha[:, :4] == 0).all() and (photo.alpha[:, 4:] == 255).all()
    assert (photo.rgb[:, 4:] == (255, 0, 0)).all()


def test_cmyk_becomes_rgb():
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # red ink
    red, green, blue = load_photo(encoded(cmyk, "JPEG", quality=95)).rgb.reshape(-1, 3).mean(0)
    assert red > 200 and green < 80 and blue < 80


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(kind: str):
    values = np.array([[0, 257, 32896, 65535]], np.uint16).repeat(3, 0)
    photo = load_photo(encoded(Image.fromarray(values), kind))
    assert photo.rgb[0, :, 0].tolist() == [0, 1, 128, 255]
    assert (photo.rgb[..., 0] == photo.rgb[..., 2]).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 128.0, 255.0]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, np.inf, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[0, 65535]], np.int32), [0, 255]),
        (np.array([[-5, 131070]], np.int32), [0, 255]),
    ],
)
def test_other_numbers_of_grey_become_eight_bit(values: np.ndarray, expected: list[int]):
    assert load._to_8_bit(values)[0].tolist() == expected


def test_one_bit_grey_and_grey_with_alpha_are_read():
    assert load_photo(encoded(Image.new("1", (4, 4), 1))).rgb.min() == 255
    assert load_photo(encoded(Image.new("L", (4, 4), 77))).rgb.tolist() == np.full((4, 4, 3), 77).tolist()
    assert load_photo(encoded(Image.new("LA", (4, 4), (77, 9)))).alpha.tolist() == np.full((4, 4), 9).tolist()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_the_first_frame_of_a_moving_picture_is_used_and_said(kind: str):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = load_photo(encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert photo.rgb[8, 8].tolist() == [255, 0, 0]
    assert photo.notes == ("The picture moves; its first frame is used.",)


def test_colours_are_read_by_the_embedded_profile():
    # A profile with red and blue exchanged is a harsh but exact check that it is obeyed.
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    picture = ImageCms.profileToProfile(
        Image.new("RGB", (8, 8), (200, 40, 40)), ImageCms.createProfile("sRGB"), lab, outputMode="LAB"
    )
    photo = load_photo(encoded(picture, "TIFF", icc_profile=lab.tobytes()))
    assert np.abs(photo.rgb.astype(int) - (200, 40, 40)).max() <= 6


def test_lab_without_a_profile_is_read_as_lab():
    lab = ImageCms.profileToProfile(
        Image.new("RGB", (8, 8), (200, 40, 40)),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    lab.info.clear()  # the conversion left its profile
    assert np.abs(load_photo(encoded(lab, "TIFF")).rgb.astype(int) - (200, 40, 40)).max() <= 6


def test_memory_that_does_not_do_is_said(monkeypatch: pytest.MonkeyPatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(load, "_to_srgb", full)
    with pytest.raises(PhotoError, match="does not fit into memory"):
        load_photo(encoded(Image.fromarray(PIXELS)), "large.png")


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 5000])
def test_a_broken_profile_is_no_reason_to_refuse_a_photo(profile: bytes):
    np.testing.assert_array_equal(load_photo(encoded(Image.fromarray(PIXELS), icc_profile=profile)).rgb, PIXELS)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0MM\0\x2a\xff\xff\xff\xff", b"Exif\0\0II\x2a\0\x08\0\0\0\xff\xff" + b"\x41" * 99]
)
def test_hostile_metadata_is_ignored(exif: bytes):
    photo = load_photo(encoded(Image.fromarray(smooth()), "JPEG", exif=exif))
    assert photo.rgb.shape == (24, 40, 3)


# What does not


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_photo_is_said_to_be_damaged(kind: str, share: float):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    whole = encoded(noise, kind)
    with pytest.raises(PhotoError) as caught:
        load_photo(whole[: int(len(whole) * share)], "cut.img")
    assert caught.value.title in ("The photo is damaged", "This is not a picture")
    assert "cut.img" in caught.value.fact
    assert caught.value.exit_code == ExitCode.BAD_INPUT


def test_zero_bytes(tmp_path: Path):
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(PhotoError, match=r"empty\.jpg is empty: it has zero bytes\.") as caught:
        load_photo(path)
    assert caught.value.title == "The file is empty"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_over_a_hundred_megapixels_is_refused_by_the_header_alone():
    with pytest.raises(PhotoError, match=r"big\.png has 121 megapixels; 100 are the limit\.") as caught:
        load_photo(png_header(11000, 11000), "big.png")
    assert caught.value.title == "The photo is too large"
    with pytest.raises(PhotoError, match="the limit"):
        load_photo(png_header(2**31 - 1, 2**31 - 1))
    # Just below, it is the missing data that is the matter, not the size.
    with pytest.raises(PhotoError) as caught:
        load_photo(png_header(MAX_PIXELS // 1000, 1000))
    assert caught.value.title == "The photo is damaged"


def test_too_many_bytes_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load, "MAX_FILE_BYTES", 100)
    path = tmp_path / "huge.png"
    path.write_bytes(b"\0" * 101)
    for source in (path, b"\0" * 101, io.BytesIO(b"\0" * 101)):
        with pytest.raises(PhotoError) as caught:
            load_photo(source)
        assert caught.value.title == "The photo is too large"


@pytest.mark.skipif(sys.platform == "win32" or getattr(os, "geteuid", lambda: 1)() == 0, reason="root may read all")
def test_no_permission_by_mode(tmp_path: Path):
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(Image.fromarray(PIXELS)))
    path.chmod(0)
    with pytest.raises(PhotoError, match=r"secret\.png may not be read"):
        load_photo(path)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(Image.fromarray(PIXELS)))

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PhotoError, match=r"secret\.png may not be read") as caught:
        load_photo(path)
    assert caught.value.title == "No permission"


def test_missing_files_folders_and_bad_names(tmp_path: Path):
    with pytest.raises(PhotoError, match=r"gone\.png is not there"):
        load_photo(tmp_path / "gone.png")
    with pytest.raises(PhotoError, match="is a folder"):
        load_photo(tmp_path)
    with pytest.raises(PhotoError, match="cannot be opened: the name is not valid"):
        load_photo("a\0b.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PhotoError, match="no ordinary file"):
        load_photo(tmp_path / "pipe.png")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"just some text, nothing else", "holds no image"),
        (b"%PDF-1.7 \n", "is a PDF document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "a drawing"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "holds no image"),
        (b"MZ\x90\0" + b"\0" * 200, "holds no image"),
    ],
)
def test_what_is_no_photo_is_named(data: bytes, words: str):
    with pytest.raises(PhotoError, match=words):
        load_photo(data, "thing")


def test_a_disk_that_fails_is_not_called_a_damaged_photo():
    class Failing(io.RawIOBase):
        def read(self, *_):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(PhotoError, match=r"cannot be read: Input/output error\.") as caught:
        load._decode(Failing(), "card.jpg")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_disk_that_fails_while_pixels_are_unpacked_is_said(monkeypatch: pytest.MonkeyPatch):
    def gone(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(load, "_to_srgb", gone)
    with pytest.raises(PhotoError, match=r"cannot be read: Input/output error\."):
        load_photo(encoded(Image.fromarray(PIXELS)), "card.png")


def test_a_raw_photo_without_a_pixel_is_damaged():
    with pytest.raises(PhotoError, match="damaged"):
        load._check_size((6, 0), "none.nef")


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_raises_anything_else(seed: int):
    random = np.random.default_rng(seed)
    kind = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "TGA", "JPEG2000", "ICO")[seed % 8]
    data = bytearray(encoded(Image.fromarray(random.integers(0, 256, (24, 24, 3), dtype=np.uint8)), kind))
    for place in random.integers(0, len(data), 6):
        data[place] = int(random.integers(0, 256))
    try:
        photo = load_photo(bytes(data))
    except PhotoError as error:
        assert error.fact.endswith(".")
    else:
        assert photo.rgb.dtype == np.uint8 and photo.rgb.shape[2] == 3


@pytest.mark.parametrize(
    ("values", "brightest"),
    [
        (np.r_[np.linspace(0, 1, 4000), 3.0].astype(np.float32), 255),
        (np.linspace(0, 1000, 4000).astype(np.float32), 255),
        (np.linspace(250, 550, 4000).astype(np.float32), 255),
        (np.linspace(0, 255, 4000).astype(np.int32), 255),
        (np.linspace(0, 1000, 4000).astype(np.int32), 255),
        (np.linspace(0, 2**32 - 1, 4000).astype(np.uint32), 255),
    ],
)
def test_no_range_of_numbers_is_a_black_sheet(values: np.ndarray, brightest: int):
    grey = load._to_8_bit(values.reshape(1, -1))[0]
    assert grey.max() == brightest and 100 < grey.mean() < 220
    assert (np.diff(grey[:4000].astype(int)) >= 0).all(), "what is brighter in the file is not darker in the photo"


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in KB")
@pytest.mark.parametrize("mode", ["F", "RGBA"])
def test_a_photo_of_the_limit_takes_less_than_two_gigabytes(tmp_path, mode):
    """20 bytes a pixel: 2 GB for the hundred megapixels that are the limit."""
    side = 3000
    Image.new(mode, (side, side), 7 if mode == "F" else (200, 60, 60, 128)).save(tmp_path / "large.tif")
    code = (
        "import resource, sys; from pathlib import Path; from engine.photo.load import load_photo\n"
        "Path(sys.argv[1]).stat(); peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "load_photo(Path(sys.argv[2])); before = peak(); load_photo(Path(sys.argv[1])); print(peak() - before)"
    )
    Image.new(mode, (8, 8)).save(tmp_path / "small.tif")
    files = (str(tmp_path / "large.tif"), str(tmp_path / "small.tif"))
    told = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
    assert int(told.stdout) * 1024 < 20 * side * side


def test_whole_numbers_of_32_bits_do_not_wrap(tmp_path: Path):
    values = np.linspace(0, 2**32 - 1, 64).astype(np.uint32).reshape(8, 8)
    data = bytearray(encoded(Image.fromarray(values.view(np.int32)), "TIFF"))
    data[data.index(struct.pack("<HHI", 339, 3, 1)) + 8] = 1  # numbers without a sign, as other programs write them
    photo = load_photo(bytes(data))
    assert photo.rgb[0, 0, 0] == 0 and photo.rgb[-1, -1, 0] == 255 and (np.diff(photo.rgb[..., 0].ravel()) >= 0).all()


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"gimp xcf v011", "a GIMP document"),
        (b"v/1\x01", "an OpenEXR picture"),
        (b"II*\0\x08\0\0\0", "a TIFF"),
    ],
)
def test_what_cannot_be_read_here_is_not_called_no_picture(start: bytes, words: str):
    with pytest.raises(PhotoError, match=words) as caught:
        load_photo(start + b"\0" * 500, "thing")
    assert "holds no image" not in str(caught.value)


def test_the_preview_of_a_raw_photo_is_not_taken_for_the_photo(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load, "can_develop", lambda: False)
    with pytest.raises(PhotoError, match="is a RAW photo"):
        load_photo(encoded(Image.new("RGB", (16, 12)), "TIFF", tiffinfo={254: 1, 50706: bytes([1, 4, 0, 0])}))


def test_a_picture_without_a_file_has_the_same_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load, "MAX_PIXELS", 100)
    with pytest.raises(PhotoError, match="megapixels"):
        load.photo_from_pixels(np.zeros((11, 10, 3), np.uint8), name="Pasted picture")


def test_a_name_in_another_encoding_can_be_shown(tmp_path: Path):
    file = tmp_path / "inv\udcf0alid.png"
    try:
        Image.fromarray(PIXELS).save(file)
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    assert load_photo(file).name == "inv\ufffdalid.png"
