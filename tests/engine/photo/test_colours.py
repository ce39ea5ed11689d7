"""Colours stay what they were: wide profiles in, sRGB out, and every picture says so. HEIC and RAW where they can be read."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from engine.errors import PhotoError
from engine.photo import load, refusals
from engine.photo.load import load_photo
from engine.photo.picture_file import encode_png, save_plain
from engine.photo.raw import is_raw
from engine.request import GenerationRequest, ScaleBits

# Colorants for D50, as the profiles of Adobe, Apple and HP have them: the XYZ of red, green and blue.
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE_GAMMA = 563 / 256


def profile(colorants, gamma: float | None, name: str) -> bytes:
    """An ICC profile of a display (version 2.1, matrix and curves), byte for byte as the specification lays it out."""

    def fixed(*numbers: float) -> bytes:
        return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)

    steps = np.linspace(0, 1, 1024)
    linear = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    table = struct.pack(">I1024H", 1024, *np.rint(linear * 65535).astype(int))
    curve = b"curv" + bytes(4) + (table if gamma is None else struct.pack(">IH", 1, round(gamma * 256)))
    words = name.encode() + b"\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(words)) + words + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249),
        **{
            key: b"XYZ " + bytes(4) + fixed(*xyz)
            for key, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=True)
        },
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    at, index, body = 128 + 4 + 12 * len(tags), b"", b""
    for key, data in tags.items():
        index += key + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s", at + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ", bytes(12), b"acsp"
    )
    head += bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + index + body


def chart() -> np.ndarray:
    """sRGB colours that all of the spaces hold: 8 × 8 patches of 8 pixels."""
    levels = np.linspace(40, 215, 4).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(8, 8, 3)
    return np.repeat(np.repeat(colours, 8, axis=0), 8, axis=1)


def in_space(rgb: np.ndarray, colorants, gamma: float | None) -> np.ndarray:
    """The numbers that a camera would write for these sRGB colours in another space; computed without LittleCMS."""
    share = rgb / 255.0
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    other = light @ np.array(SRGB) @ np.linalg.inv(np.array(colorants))
    other = other.clip(0, 1)
    if gamma is not None:
        coded = other ** (1 / gamma)
    else:
        coded = np.where(other <= 0.0031308, other * 12.92, 1.055 * other ** (1 / 2.4) - 0.055)
    return np.rint(coded * 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    ("colorants", "gamma", "name"),
    [(ADOBE_RGB, ADOBE_GAMMA, "Adobe RGB (1998)"), (DISPLAY_P3, None, "Display P3")],
)
def test_wide_colours_become_srgb(kind, colorants, gamma, name):
    numbers, out = in_space(chart(), colorants, gamma), io.BytesIO()
    assert np.abs(numbers.astype(int) - chart()).max() > 15, "taken for sRGB they would be other colours"
    icc = profile(colorants, gamma, name)
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip() == name
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}
    options |= {"WEBP": {"lossless": True}}
    Image.fromarray(numbers).save(out, kind, icc_profile=icc, **options.get(kind, {}))
    error = np.abs(load_photo(out.getvalue()).rgb[4::8, 4::8].astype(int) - chart()[4::8, 4::8])
    assert error.mean() < 2 and error.max() <= (12 if kind in ("JPEG", "AVIF") else 3)


def test_transparency_and_orientation_keep_their_colours():
    numbers, out = in_space(chart(), DISPLAY_P3, None), io.BytesIO()
    rgba = np.dstack([numbers, np.full(numbers.shape[:2], 128, np.uint8)])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgba).save(out, "PNG", icc_profile=profile(DISPLAY_P3, None, "Display P3"), exif=exif)
    photo = load_photo(out.getvalue())
    assert photo.alpha is not None and np.abs(np.rot90(photo.rgb).astype(int) - chart()).max() <= 3


def test_every_picture_says_that_it_is_srgb(tmp_path: Path):
    for suffix in (".png", ".webp", ".jpg"):
        file = tmp_path / f"a{suffix}"
        save_plain(file, chart())
        with Image.open(file) as picture:
            if suffix == ".png":
                assert picture.info["srgb"] == 0 and "icc_profile" not in picture.info
            else:
                found = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
                assert "srgb" in ImageCms.getProfileDescription(found).lower()
        first = file.read_bytes()
        save_plain(file, chart())
        assert file.read_bytes() == first, "the same picture is the same file"
    bits = ScaleBits((np.ones((1, 1, 4), np.uint8),))
    with Image.open(io.BytesIO(encode_png(chart(), GenerationRequest("a"), bits))) as picture:
        assert picture.info["srgb"] == 0
    save_plain(tmp_path / "mask.png", chart()[..., 0])
    with Image.open(tmp_path / "mask.png") as picture:
        assert "srgb" not in picture.info, "a mask has no colours"


def test_heic_without_its_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    for module in (load, refusals):
        monkeypatch.setattr(module, "reads_heif", lambda: False)
    with pytest.raises(PhotoError, match="pillow-heif") as caught:
        load_photo(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "IMG_1.HEIC")
    assert "JPEG" in caught.value.step


def test_heic_as_a_phone_writes_it():
    picture = Image.fromarray(in_space(chart(), DISPLAY_P3, None))
    written = pillow_heif.from_pillow(picture)
    written.info["icc_profile"] = profile(DISPLAY_P3, None, "Display P3")
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    written.save(out, quality=-1, chroma=444, exif=exif.tobytes())
    photo = load_photo(out.getvalue(), "IMG_1.HEIC")
    assert np.abs(np.rot90(photo.rgb).astype(int) - chart())[4::8, 4::8].max() <= 6
    with pytest.raises(PhotoError, match="damaged"):
        load_photo(out.getvalue()[:200], "IMG_1.HEIC")


def dng(rgb: tuple[int, int, int]) -> bytes:
    """A raw photo of one colour, 64 × 48: a sensor with a Bayer pattern, 16 bits, as the DNG specification has it."""
    sensor = np.empty((48, 64), np.uint16)
    sensor[0::2, 0::2], sensor[0::2, 1::2], sensor[1::2, 0::2], sensor[1::2, 1::2] = rgb[0], rgb[1], rgb[1], rgb[2]
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    tags[254], tags[256], tags[257], tags[258], tags[259], tags[262] = 0, 64, 48, 16, 1, 32803
    tags[271], tags[272], tags[277], tags[278], tags[279] = "Maker", "Camera", 1, 48, sensor.nbytes
    tags[274] = 6
    rational = TiffImagePlugin.IFDRational
    # A camera that sees in linear sRGB: its matrix is the one from XYZ (D65).
    matrix = (32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570)
    sees = tuple(rational(number, 10000) for number in matrix)
    for tag, kind, value in (
        (33421, 3, (2, 2)),
        (33422, 1, b"\0\1\1\2"),
        (50706, 1, b"\1\4\0\0"),
        (50708, 2, "Maker Camera"),
        (50717, 4, 65535),
        (50721, 10, sees),
        (50728, 5, (rational(1), rational(1), rational(1))),
        (50778, 3, 21),
    ):
        tags.tagtype[tag] = kind
        tags[tag] = value
    tags[273] = 0  # Pillow adds where the tags end
    return b"II*\0" + struct.pack("<I", 8) + tags.tobytes(8) + sensor.tobytes()


def test_raw_without_its_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load, "can_develop", lambda: False)
    with pytest.raises(PhotoError, match="rawpy") as caught:
        load_photo(dng((9000, 9000, 9000)), "DSC_1.DNG")
    assert "JPEG" in caught.value.step
    with pytest.raises(PhotoError, match="rawpy"):
        load_photo(b"FUJIFILMCCD-RAW 0201", "without a suffix")
    out = io.BytesIO()
    Image.fromarray(chart()).save(out, "TIFF")
    assert not is_raw(out.getvalue()[:32], "scan.tif") and load_photo(out.getvalue(), "scan.tif").width == 64


def test_raw_is_developed_upright():
    photo = load_photo(dng((24000, 12000, 6000)), "DSC_1.dng")
    assert (photo.width, photo.height) == (48, 64), "turned as the camera was held"
    red, green, blue = photo.rgb[20:40, 15:30].reshape(-1, 3).mean(axis=0)
    assert red > green + 20 > blue + 40
    with pytest.raises(PhotoError, match="damaged"):
        load_photo(b"II*\0" + bytes(400), "DSC_2.nef")


def with_gamma(number: int) -> bytes:
    """A PNG whose gAMA says this number, in hundred thousandths, and nothing else of its colours."""
    out = io.BytesIO()
    Image.fromarray(chart()).save(out, "PNG")
    data, body = out.getvalue(), b"gAMA" + struct.pack(">I", number)
    return data[:33] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]


@pytest.mark.parametrize("number", [0, 1, 5000, 2**31 - 1])
def test_a_gamma_that_cannot_be_leaves_the_picture_as_it_is(number):
    assert np.array_equal(load_photo(with_gamma(number)).rgb, chart())


def test_a_gamma_alone_is_followed():
    linear = load_photo(with_gamma(100_000)).rgb.astype(float)
    share = chart() / 255
    expected = np.where(share <= 0.0031308, share * 12.92, 1.055 * share ** (1 / 2.4) - 0.055) * 255
    assert np.abs(linear - expected).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_is_turned_once_where_its_boxes_and_its_exif_both_say_so(tmp_path, orientation):
    """As a phone writes it: irot and imir for those that read them, Exif for all others."""
    pixels = chart()
    pixels[:32, 32:], pixels[32:, :32] = (200, 30, 30), (30, 60, 200)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file, plain = tmp_path / "a.heic", io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(file, quality=95, exif=exif.tobytes())
    data = file.read_bytes()
    assert (b"irot" in data or b"imir" in data) == (orientation > 1)
    assert b"\x01\x12\x00\x03\x00\x00\x00\x01\x00" + bytes([orientation]) in data, "Exif says it, too"
    Image.fromarray(pixels).save(plain, "PNG", exif=exif)
    assert np.abs(load_photo(file).rgb.astype(int) - load_photo(plain.getvalue()).rgb).mean() < 4


def test_a_heic_of_ten_bits_in_wide_colours_becomes_srgb(tmp_path):
    numbers = in_space(chart(), DISPLAY_P3, None)
    wide = pillow_heif.from_bytes("RGB;16", (64, 64), (numbers.astype(np.uint16) << 8).tobytes())
    wide.save(tmp_path / "a.heic", quality=100, chroma=444, icc_profile=profile(DISPLAY_P3, None, "Display P3"))
    assert pillow_heif.open_heif(tmp_path / "a.heic", convert_hdr_to_8bit=False).info["bit_depth"] == 10
    assert np.abs(load_photo(tmp_path / "a.heic").rgb.astype(int) - chart()).mean() < 3
