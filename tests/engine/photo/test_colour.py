"""Colours by profile, by numbers and by marks: what a viewer that manages colours shows."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, features

from engine.photo import foreign, load_photo
from engine.photo.colour import ADOBE, SRGB, by_space, space_of_codes

PIXELS = np.random.default_rng(3).integers(0, 256, (6, 7, 3), dtype=np.uint8)


def png(pixels: np.ndarray, *chunks: tuple[bytes, bytes], **options) -> bytes:
    """A PNG as Pillow writes it, with chunks put behind its header."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", **options)
    data = out.getvalue()
    extra = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    return data[:33] + extra + data[33:]


def linear_profile() -> bytes:
    """A linear RGB space whose description says sRGB, as some programs name theirs: the curves are changed in the bytes."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    for n in range(count):
        name, at, size = struct.unpack(">4sII", profile[132 + 12 * n : 144 + 12 * n])
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            # "curv" with one entry: a gamma of 1.0 as u8Fixed8
            profile[at : at + size] = (b"curv\0\0\0\0" + struct.pack(">IH", 1, 256)).ljust(size, b"\0")
    return bytes(profile)


def as_srgb(levels: np.ndarray) -> np.ndarray:
    """Linear values 0 … 255 in sRGB."""
    share = levels / 255
    return np.rint(255 * np.where(share <= 0.0031308, share * 12.92, 1.055 * share ** (1 / 2.4) - 0.055))


def test_srgb_stays_to_the_bit():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(load_photo(png(PIXELS, icc_profile=srgb)).rgb, PIXELS)


def test_a_profile_is_judged_by_what_it_does_and_not_by_its_name():
    profile = linear_profile()
    name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    assert "srgb" in name.lower()
    found = load_photo(png(PIXELS, icc_profile=profile)).rgb
    assert np.abs(found - as_srgb(PIXELS)).max() <= 2


@pytest.mark.parametrize("alpha", [False, True])
def test_grey_with_alpha_and_sixteen_bits_keep_their_profile(alpha: bool):
    grey = np.array([[60, 128, 200]], np.uint8)
    curve = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.dstack([grey, np.full_like(grey, 90)]) if alpha else grey.astype(np.uint16) * 257
    # An RGB profile on grey is refused by the colour library, and the grey stays as it is: nothing is lost by it.
    photo = load_photo(png(pixels, icc_profile=curve))
    assert photo.rgb[0, :, 0].tolist() == [60, 128, 200]
    assert (photo.alpha is not None) == alpha


def test_png_says_display_p3_by_code_points():
    p3 = load_photo(png(np.full((2, 2, 3), (234, 51, 35), np.uint8), (b"cICP", bytes([12, 13, 0, 1])))).rgb[0, 0]
    assert np.abs(p3.astype(int) - (255, 0, 0)).max() <= 12, "the red of Display P3 that is nearest to the red of sRGB"
    assert space_of_codes(1, 13) is None and space_of_codes(9, 16) is None


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_says_display_p3_by_code_points():
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (234, 51, 35)).save(out, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(out.getvalue())
    usual, at = load_photo(bytes(data)).rgb[0, 0], data.index(b"colrnclx") + 8
    assert np.abs(usual.astype(int) - (234, 51, 35)).max() <= 4
    data[at : at + 4] = struct.pack(">HH", 12, 13)
    p3 = load_photo(bytes(data)).rgb[0, 0]
    assert np.abs(p3.astype(int) - (255, 0, 0)).max() <= 12


def test_png_says_linear_by_its_gamma():
    found = load_photo(png(PIXELS, (b"gAMA", struct.pack(">I", 100_000)))).rgb
    assert np.abs(found - as_srgb(PIXELS)).max() <= 1
    usual = load_photo(png(PIXELS, (b"gAMA", struct.pack(">I", 45_455)))).rgb
    assert np.array_equal(usual, PIXELS)


def test_png_says_display_p3_by_its_primaries():
    def primaries(*values: float) -> tuple[bytes, bytes]:
        return b"cHRM", struct.pack(">8I", *(round(100_000 * value) for value in values))

    white, green, blue = (0.3127, 0.329), (0.265, 0.69), (0.15, 0.06)
    p3 = load_photo(png(np.full((2, 2, 3), (234, 51, 35), np.uint8), primaries(*white, 0.68, 0.32, *green, *blue)))
    assert np.abs(p3.rgb[0, 0].astype(int) - (255, 0, 0)).max() <= 12
    same = load_photo(png(PIXELS, primaries(*white, 0.64, 0.33, 0.3, 0.6, *blue)))
    assert np.array_equal(same.rgb, PIXELS)
    none = load_photo(png(PIXELS, primaries(*[0.0] * 8)))
    assert np.array_equal(none.rgb, PIXELS), "numbers that are no colours"


def test_code_points_behind_endless_chunks_are_not_looked_for():
    chunks = [(b"tEXt", b"a\0b")] * 70
    behind = load_photo(png(PIXELS, *chunks, (b"cICP", bytes([12, 13, 0, 1]))))
    before = load_photo(png(PIXELS, (b"cICP", bytes([12, 13, 0, 1])), *chunks))
    assert np.array_equal(behind.rgb, PIXELS) and not np.array_equal(before.rgb, PIXELS)


def test_a_camera_says_adobe_rgb_by_its_mark():
    # Exif as a camera writes it: the first folder points to the second, that to the third, which says "R03".
    exif = b"Exif\0\0II*\0\x08\0\0\0"
    for entry in ((0x8769, 4, 1, 26), (0xA005, 4, 1, 44), (1, 2, 4, int.from_bytes(b"R03\0", "little"))):
        exif += struct.pack("<HHHIII", 1, *entry, 0)
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (100, 200, 100)).save(out, "JPEG", quality=100, exif=exif)
    found = load_photo(out.getvalue()).rgb[8, 8].astype(int)
    wanted = by_space(np.array([[[100, 200, 100]]], np.uint8), ADOBE)[0, 0].astype(int)
    assert wanted[0] < 40 and np.abs(found - wanted).max() <= 3


def test_white_stays_white_in_every_space():
    white = np.full((1, 1, 3), 255, np.uint8)
    for space in (ADOBE, SRGB, space_of_codes(9, 13), space_of_codes(12, 13)):
        assert by_space(white, space).min() >= 254


# Metadata that a reader refuses


def _text(name: bytes, size: int) -> tuple[bytes, bytes]:
    return name, b"note\0\0" + zlib.compress(b"x" * size)


@pytest.mark.parametrize(
    "chunk",
    [
        _text(b"zTXt", 3 * 2**20),
        (b"iTXt", b"note\0\1\0\0\0" + zlib.compress(b"x" * 3 * 2**20)),
        (b"iCCP", b"name\0\7" + zlib.compress(b"x" * 100)),
        (b"iCCP", b"name\0\0" + zlib.compress(b"x" * 2 * 2**20)),
    ],
    ids=["zTXt", "iTXt", "iCCP method", "iCCP size"],
)
def test_metadata_in_the_way_is_no_damage(chunk: tuple[bytes, bytes]):
    assert np.array_equal(load_photo(png(PIXELS, chunk)).rgb, PIXELS)


def test_a_wrong_checksum_of_a_text_is_no_damage_of_the_picture():
    info = PngImagePlugin.PngInfo()
    info.add_text("note", "some words")
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, "PNG", pnginfo=info)
    data = bytearray(out.getvalue())
    data[data.index(b"some words")] ^= 1
    assert np.array_equal(load_photo(bytes(data)).rgb, PIXELS)


def test_of_the_extras_that_say_how_a_picture_looks_only_the_damaged_one_is_left_out():
    extras = ((b"tRNS", struct.pack(">3H", *PIXELS[2, 3])), (b"gAMA", struct.pack(">I", 45455)))
    data = bytearray(png(PIXELS, *extras))
    data[data.index(b"gAMA") + 4] ^= 1
    photo = load_photo(bytes(data))
    assert np.array_equal(photo.rgb, PIXELS)
    assert photo.alpha is not None and np.array_equal(photo.alpha == 0, (PIXELS[2, 3] == PIXELS).all(axis=2))


def test_chunks_without_end_are_not_read_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(foreign, "_MAX_CHUNKS", 10)
    stream = io.BytesIO(png(PIXELS, *[(b"tEXt", b"")] * 1000))
    kept, profile = foreign.png_without_metadata(stream)
    assert stream.tell() < 33 + 10 * 12 and len(kept.getvalue()) == 33 and profile is None
