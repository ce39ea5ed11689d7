"""What is put into a photo leaves the photo what it was: its pixels, its resolution, its own colours."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from engine import Finished, GenerationRequest, PhotoAtHand, ScaleBits, Timing, into_its_photo, save_finished
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.errors import RequestError
from engine.photo.load import load_photo
from engine.photo.own_colours import read_own_colours
from engine.photo.picture_file import read_picture_file
from engine.photo.place import as_place, place_in_region, region_of_photo
from engine.region import Region
from tests.engine.photo.test_colours import ADOBE_GAMMA, ADOBE_RGB, DISPLAY_P3, profile
from tests.engine.test_region import cut_out, some_region

P3, ADOBE = profile(DISPLAY_P3, None, "Display P3"), profile(ADOBE_RGB, ADOBE_GAMMA, "Adobe RGB (1998)")
BITS = ScaleBits((np.ones((1, 1, 4), np.uint8),))
SIZE = (120, 90)
MASK = np.zeros((90, 120), np.uint8)
MASK[30:70, 40:90] = 255


@pytest.fixture(scope="module")
def manifest(tiny_bundle) -> BundleManifest:
    return read_manifest(tiny_bundle)


def loud(width: int = SIZE[0], height: int = SIZE[1]) -> Image.Image:
    """Colours that sRGB does not have, where they are those of a wide space."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = 255 * columns / (width - 1), 255 * rows / (height - 1)
    return Image.fromarray(np.stack([red, green, np.abs(red - green) / 3], axis=-1).astype(np.uint8))


def exif(across: float, down: float, *, unit: int = 2, orientation: int = 1) -> Image.Exif:
    values = Image.Exif()
    values[0x011A], values[0x011B], values[0x0128], values[0x0112] = across, down, unit, orientation
    return values


# Files as others write them: each says what it is to be, in a way of its own.


def phone_jpeg(file: Path) -> None:
    """The resolution in Exif alone; JFIF has none, and the rows stand upright."""
    loud(SIZE[1], SIZE[0]).save(file, exif=exif(72, 72, orientation=6), icc_profile=P3, quality=95)


def scanned_jpeg(file: Path) -> None:
    """JFIF with dots per centimetre."""
    out = io.BytesIO()
    loud().save(out, "JPEG", icc_profile=ADOBE, dpi=(118, 118), quality=95)
    data = bytearray(out.getvalue())
    at = data.index(b"JFIF\0") + 7
    assert data[at] == 1
    data[at] = 2
    file.write_bytes(data)


def heic(file: Path) -> None:
    pillow_heif.from_pillow(loud()).save(file, quality=95, exif=exif(300, 300).tobytes(), icc_profile=P3)


def tiff(file: Path) -> None:
    loud().save(file, dpi=(300, 300), icc_profile=ADOBE)


def png_16_bit(file: Path) -> None:
    grey = (np.mgrid[0:90, 0:120][1] * 500).astype(np.uint16)
    Image.fromarray(grey).save(file, dpi=(600, 600))


def webp(file: Path) -> None:
    loud().save(file, lossless=True, exif=exif(240, 240), icc_profile=P3)


def print_jpeg(file: Path) -> None:
    """CMYK, which no picture of ours is: the colours are sRGB, the resolution stays."""
    loud().convert("CMYK").save(file, dpi=(300, 300), quality=95)


FILES: dict[str, tuple[Callable[[Path], None], float, bytes | None]] = {
    "phone.jpg": (phone_jpeg, 72, P3),
    "scanned.jpg": (scanned_jpeg, 118 * 2.54, ADOBE),
    "photo.heic": (heic, 300, P3),
    "photo.tif": (tiff, 300, ADOBE),
    "deep.png": (png_16_bit, 600, None),
    "photo.webp": (webp, 240, P3),
    "print.jpg": (print_jpeg, 300, None),
}


def drawn_into(file: Path, manifest: BundleManifest, mask: np.ndarray = MASK, seed: int = 1) -> Finished:
    """A grey square in a photo, as the engine and the way back leave it."""
    photo = load_photo(file)
    region = region_of_photo(photo, mask, manifest.sizes)
    request = GenerationRequest("a", seed=seed, region=region)
    picture = region.lay_in(np.full_like(region.picture, 40 * seed), manifest.tokenizer.feather)
    event = Finished(request, picture, BITS, Timing(total=1.0))
    return into_its_photo(event, PhotoAtHand(photo.rgb, photo.digest, file), manifest)


def resolution(picture: Image.Image) -> list[float]:
    values = picture.getexif()
    return [float(number) for number in picture.info.get("dpi") or (values[0x011A], values[0x011B])]


@pytest.mark.parametrize("name", FILES)
def test_resolution_and_colours_of_a_photo_are_those_of_what_is_made_of_it(name, tmp_path, manifest):
    write, dpi, own = FILES[name]
    source = tmp_path / name
    write(source)
    before = load_photo(source)
    event = drawn_into(source, manifest)
    assert np.array_equal(event.image[MASK == 0], before.rgb[MASK == 0])
    for suffix in (".png", ".jpg", ".webp"):
        target = (tmp_path / "out").with_suffix(suffix)
        save_finished(target, event)
        with Image.open(target) as picture:
            assert resolution(picture) == pytest.approx([dpi, dpi], abs=1)
            if own is not None:
                assert picture.info["icc_profile"] == own and "srgb" not in picture.info
        if suffix != ".png":
            continue
        after = load_photo(target)
        assert after.dpi == pytest.approx((dpi, dpi), abs=0.1)
        assert np.array_equal(after.rgb[MASK == 0], before.rgb[MASK == 0])
        first, second = read_own_colours(source, before.rgb), read_own_colours(target, after.rgb)
        assert (first is None) == (own is None) == (second is None)
        if first is not None and second is not None:
            assert np.array_equal(first.rgb[MASK == 0], second.rgb[MASK == 0]), (
                "not in sRGB alone: in the file's numbers"
            )
            assert np.abs(after.rgb[45:55, 60:70].astype(int) - 40).max() <= 2, "what was drawn is the colour it was"
        request = read_picture_file(target).request
        assert request.region is not None and request.region.dpi == before.dpi, "drawn again it keeps it, too"


def test_several_pictures_of_one_press_each_leave_the_photo_as_it_was(tmp_path, manifest):
    source = tmp_path / "phone.jpg"
    phone_jpeg(source)
    before = load_photo(source)
    own = read_own_colours(source, before.rgb)
    assert own is not None
    for seed in (1, 2, 3):
        event = drawn_into(source, manifest, seed=seed)
        assert event.own is not None and np.array_equal(event.own.rgb[MASK == 0], own.rgb[MASK == 0])
        assert abs(int(event.image[50, 65, 0]) - 40 * seed) <= 1


def test_a_photo_of_the_models_own_size_keeps_its_colours_as_well(tmp_path, manifest):
    file = tmp_path / "small.png"
    loud(64, 64).save(file, icc_profile=P3, dpi=(150, 150))
    mask = np.zeros((64, 64), np.uint8)
    mask[20:44, 20:44] = 255
    event = drawn_into(file, manifest, mask)
    assert event.request.region is not None and event.request.region.window is None and event.own is not None
    assert np.array_equal(event.own.rgb[mask == 0], np.asarray(loud(64, 64))[mask == 0])
    middle = ImageCms.profileToProfile(
        Image.fromarray(event.own.rgb[30:34, 30:34]),
        ImageCms.ImageCmsProfile(io.BytesIO(P3)),
        ImageCms.createProfile("sRGB"),
    )
    assert np.abs(np.asarray(middle).astype(int) - 40).max() <= 2


def test_a_file_that_is_another_one_by_now_gives_no_colours(tmp_path, manifest):
    file = tmp_path / "a.png"
    loud().save(file, icc_profile=P3)
    photo = load_photo(file)
    loud().transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(file, icc_profile=P3)
    assert read_own_colours(file, photo.rgb) is None
    file.unlink()
    assert read_own_colours(file, photo.rgb) is None
    assert drawn_into_missing(photo.rgb, photo.digest, file, manifest).own is None


def drawn_into_missing(rgb: np.ndarray, digest: str, file: Path, manifest: BundleManifest) -> Finished:
    region = Region(MASK, rgb)
    event = Finished(GenerationRequest("a", region=region), rgb, BITS, Timing(total=1.0))
    return into_its_photo(event, PhotoAtHand(rgb, digest, file), manifest)


def test_a_turned_photo_is_as_fine_across_as_it_was_down(tmp_path):
    for kind in ("jpg", "tif", "png"):
        file = tmp_path / f"fax.{kind}"
        loud().save(file, dpi=(204, 98), exif=exif(204, 98, orientation=6))
        assert load_photo(file).dpi == pytest.approx((98, 204), abs=0.1), kind


def deep_png(file: Path) -> None:
    cv2.imwrite(str(file), (np.asarray(loud())[..., ::-1].astype(np.uint16) << 8) + 77)


def deep_heic(file: Path) -> None:
    pixels = np.asarray(loud()).astype(np.uint16) << 8
    pillow_heif.encode("RGB;16", pixels.shape[1::-1], pixels.tobytes(), str(file))


def deep_avif(file: Path) -> None:
    pixels = np.asarray(loud())[..., ::-1].astype(np.uint16) << 2
    assert cv2.imwrite(str(file), pixels, [cv2.IMWRITE_AVIF_DEPTH, 10])


def transparent(file: Path) -> None:
    picture = loud().convert("RGBA")
    picture.putpixel((3, 3), (0, 0, 0, 0))
    picture.save(file, icc_profile=P3)


def linear(file: Path) -> None:
    """Colours that the file states by a number, without a profile."""
    out = io.BytesIO()
    loud().save(out, "PNG")
    data = out.getvalue()
    chunk = b"gAMA" + (100_000).to_bytes(4, "big")
    file.write_bytes(data[:33] + (4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + data[33:])


BITS_LOST, COLOURS_LOST = "more than 8 bits", "saved in sRGB"
LOSSES: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "phone.jpg": (phone_jpeg, []),
    "photo.heic": (heic, []),
    "photo.tif": (tiff, []),
    "plain.png": (lambda file: loud().save(file), []),
    "text.png": (lambda file: loud().save(file, pnginfo=_words()), []),
    "grey.png": (lambda file: loud().convert("LA").save(file), []),
    "palette.png": (lambda file: loud().quantize(64).save(file), []),
    "opaque.png": (lambda file: loud().convert("RGBA").save(file, icc_profile=P3), []),
    "grey16.png": (png_16_bit, [BITS_LOST]),
    "deep.png": (deep_png, [BITS_LOST]),
    "deep.tif": (deep_png, [BITS_LOST]),
    "deep.heic": (deep_heic, [BITS_LOST]),
    "deep.avif": (deep_avif, [BITS_LOST]),
    "deep.jp2": (deep_png, [BITS_LOST]),
    "deep.ppm": (deep_png, [BITS_LOST]),
    "plain.jp2": (lambda file: loud().save(file), []),
    "plain.ppm": (lambda file: loud().save(file), []),
    "print.jpg": (print_jpeg, [COLOURS_LOST]),
    "print.tif": (lambda file: loud().convert("CMYK").save(file), [COLOURS_LOST]),
    "transparent.png": (transparent, [COLOURS_LOST, "transparent"]),
    "palette-p3.png": (lambda file: loud().quantize(64).save(file, icc_profile=P3), [COLOURS_LOST]),
    "linear.png": (linear, [COLOURS_LOST]),
}


def _words() -> PngInfo:
    """Sixteen letters or sixteen bits: texts do not count."""
    words = PngInfo()
    words.add_text("parameters", "Steps: 16, 16 bits")
    return words


@pytest.mark.parametrize("name", LOSSES)
def test_a_photo_says_what_its_file_has_more_before_something_is_put_into_it(name, tmp_path):
    write, losses = LOSSES[name]
    file = tmp_path / name
    write(file)
    photo = load_photo(file)
    assert photo.notes == (), "as a subject nothing is lost that its pictures would have"
    told = as_place(photo).notes
    assert len(told) == len(losses)
    for sentence, words in zip(told, losses, strict=True):
        assert words in sentence
    if name.startswith("deep.") and name.endswith(("png", "tif")):
        assert np.abs(photo.rgb.astype(int) - np.asarray(loud())).max() <= 1, "and it is the photo"


def test_colours_of_a_profile_that_only_says_what_numbers_mean_are_said_to_be_lost(tmp_path, manifest, monkeypatch):
    file = tmp_path / "scan.png"
    loud().save(file, icc_profile=P3)
    assert as_place(load_photo(file)).notes == ()

    def refuse(*_, **__):
        raise ImageCms.PyCMSError("cannot build transform")

    monkeypatch.setattr(ImageCms, "buildTransform", refuse)
    monkeypatch.setattr("engine.photo.own_colours._from_srgb", refuse)
    (told,) = as_place(load_photo(file)).notes
    assert COLOURS_LOST in told and drawn_into(file, manifest).own is None


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp", "gif"])
def test_a_file_that_states_no_resolution_has_none(tmp_path, kind):
    file = tmp_path / f"plain.{kind}"
    loud().save(file)
    assert load_photo(file).dpi is None
    if kind == "jpg":
        turned = Image.Exif()
        turned[0x0112] = 6
        loud().save(file, exif=turned)
        assert load_photo(file).dpi is None, "EXIF alone states none either"


@pytest.mark.parametrize("values", [exif(0, 0), exif(72, 1e6), exif(72, 72, unit=1)])
def test_a_resolution_that_cannot_be_is_none(tmp_path, values):
    file = tmp_path / "odd.webp"
    loud().save(file, exif=values)
    assert load_photo(file).dpi is None


def test_a_region_says_its_resolution_over_json_and_refuses_a_foolish_one():
    region = Region(MASK, np.asarray(loud()), dpi=(300.0, 299.5))
    assert Region.from_json(region.to_json()) == region != replace(region, dpi=None)
    data = region.to_json()
    for dpi in ([0, 300], [300], "300", [1e9, 1]):
        with pytest.raises(Exception, match="damaged"):
            Region.from_json({**data, "dpi": dpi})


def test_no_number_of_the_file_changes_outside_of_random_feathered_regions(tmp_path, manifest):
    chance, file = np.random.default_rng(11), tmp_path / "photo.png"
    for _ in range(60):
        height, width = (int(side) for side in chance.integers(40, 400, 2))
        Image.fromarray(chance.integers(0, 256, (height, width, 3), np.uint8)).save(file, icc_profile=P3)
        photo, mask = load_photo(file), some_region(chance, height, width)
        mask[:, : int(chance.integers(0, width // 3))] = 255  # at the border
        mask = cv2.GaussianBlur(mask, (0, 0), float(chance.uniform(0.5, 12)))
        try:
            region = region_of_photo(photo, mask, manifest.sizes)
        except RequestError as error:
            assert "too small" in str(error) or "whole picture" in str(error)
            continue
        subject = cut_out() if chance.random() < 0.6 else None
        placement = None if subject is None else place_in_region(subject, region)
        request = GenerationRequest("a", subject=subject, region=region, placement=placement)
        drawn = region.lay_in(chance.integers(0, 256, region.picture.shape, np.uint8), manifest.tokenizer.feather)
        event = Finished(request, drawn, BITS, Timing(total=1.0))
        done = into_its_photo(event, PhotoAtHand(photo.rgb, photo.digest, file), manifest)
        outside, own = mask < 128, np.asarray(Image.open(file))
        assert done.own is not None and not (done.own.rgb != own)[outside].any()
        assert not (done.image != photo.rgb)[outside].any() and (done.own.rgb != own).any()
