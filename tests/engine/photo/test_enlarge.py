"""Larger pictures: sharper than plain resampling, nothing lost of resolution, transparency and words."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.errors import RequestError
from engine.photo.enlarge import enlarged, save_larger
from engine.photo.load import load_photo
from engine.photo.picture_file import carries_request, save_picture
from engine.request import GenerationRequest, ScaleBits
from tests.engine.photo.test_colours import ADOBE_GAMMA, ADOBE_RGB, profile


def edge() -> np.ndarray:
    """Grey, then a brighter grey."""
    picture = np.full((24, 40, 3), 80, np.uint8)
    picture[:, 20:] = 170
    return picture


@pytest.mark.parametrize("factor", [2, 4])
def test_a_flat_picture_stays_flat_and_an_edge_gets_sharper_than_resampled(factor):
    large = enlarged(edge(), factor)
    assert large.shape == (24 * factor, 40 * factor, 3)
    assert (large[:, : 14 * factor] == 80).all() and (large[:, 26 * factor :] == 170).all()
    plain = np.asarray(Image.fromarray(edge()).resize((40 * factor, 24 * factor), Image.Resampling.LANCZOS))
    steepest = [int(np.abs(np.diff(picture[0, :, 0].astype(int))).max()) for picture in (large, plain)]
    assert steepest[0] > steepest[1]
    back = np.asarray(Image.fromarray(large).resize((40, 24), Image.Resampling.BOX)).astype(int)
    assert np.abs(back - edge()).mean() < 2, "made small again it is the picture it was"


def test_what_cannot_be_enlarged_is_one_sentence():
    with pytest.raises(RequestError, match="2 or 4"):
        enlarged(edge(), 3)
    with pytest.raises(RequestError, match="more than 100 megapixels"):
        enlarged(np.zeros((3000, 3000, 3), np.uint8), 4)


def test_resolution_transparency_and_words_are_kept(tmp_path):
    source, target = tmp_path / "from.png", tmp_path / "to.png"
    rgba = np.dstack([edge(), np.zeros((24, 40), np.uint8)])
    rgba[:, 20:, 3] = 255
    Image.fromarray(rgba).save(source, dpi=(300, 300))
    assert save_larger(source, target, 2) == (80, 48)
    with Image.open(target) as picture:
        assert [round(number) for number in picture.info["dpi"]] == [300, 300] and picture.info["srgb"] == 0
        found = np.asarray(picture)
    assert found.shape == (48, 80, 4) and (found[:, 46:, 3] == 255).all() and not found[:, :34, 3].any()
    solid = found[..., 3] > 200
    assert np.abs(found[solid][:, :3].astype(int) - 170).max() <= 12, "nothing of the hidden colour shines through"
    save_larger(source, tmp_path / "to.jpg", 2)
    with Image.open(tmp_path / "to.jpg") as picture:
        assert picture.info["dpi"] == (300, 300) and picture.getpixel((5, 5)) == (255, 255, 255)


def test_a_picture_of_which_nothing_is_seen_stays_unseen():
    hidden = np.dstack([edge(), np.zeros((24, 40), np.uint8)])
    assert not enlarged(hidden, 2)[..., 3].any()


def test_a_picture_of_ours_says_what_drew_it_but_brings_no_bits(tmp_path, capsys, monkeypatch):
    source, target = tmp_path / "from.png", tmp_path / "to.png"
    bits = ScaleBits((np.ones((1, 1, 4), np.uint8),))
    save_picture(source, edge(), GenerationRequest("a cat in the snow", seed=7), bits)
    assert main(["enlarge", str(source), "--out", str(target), "--factor", "4"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{target}\n" and "160 × 96, by Lanczos with mild sharpening" in err
    with Image.open(target) as picture:
        assert picture.text["parameters"].startswith("a cat in the snow\n") and "160x96" in picture.text["parameters"]
        assert picture.text["Enlarged"].startswith("4 times, Lanczos")
    assert not carries_request(target), "dropped on the window it is a photo: its bits would draw the small one"
    assert main(["enlarge", str(source), "--out", str(target), "--no-metadata"]) == 0
    with Image.open(target) as picture:
        assert picture.text == {}
    assert load_photo(target).width == 80
    assert main(["enlarge", str(tmp_path / "gone.png"), "--out", str(target)]) == 2
    assert main(["enlarge", str(source), "--out", str(tmp_path / "no" / "to.png")]) == 6
    monkeypatch.setattr("engine.photo.enlarge.save_larger", lambda *_, **__: pytest.fail("minutes of work"))
    assert main(["enlarge", str(source), "--out", str(tmp_path / "to.bmp")]) == 2
    before = source.read_bytes()
    assert main(["enlarge", str(source), "--out", str(source)]) == 2
    assert f"{source} is read for this" in capsys.readouterr().err and source.read_bytes() == before


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("way", [".png", ".jpg", ".webp"])
def test_a_profile_stays_with_the_colours_that_srgb_does_not_have(tmp_path, kind, way):
    """In a photo that is turned, as cameras write them."""
    wide = profile(ADOBE_RGB, ADOBE_GAMMA, "Adobe RGB (1998)")
    colours = np.full((24, 40, 3), (10, 250, 10), np.uint8)
    colours[:, :20] = (250, 20, 40)
    exif = Image.Exif()
    exif[0x0112] = 6
    if kind == "webp":  # has no other place for a resolution
        exif[0x011A], exif[0x011B], exif[0x0128] = 300.0, 300.0, 2
    source, target = tmp_path / f"from.{kind}", tmp_path / f"to{way}"
    quality = {"lossless": True} if kind == "webp" else {"quality": 100, "subsampling": 0} if kind == "jpg" else {}
    Image.fromarray(colours).save(source, icc_profile=wide, dpi=(300, 300), exif=exif, **quality)
    assert save_larger(source, target, 2) == (48, 80)
    with Image.open(target) as picture:
        assert picture.info["icc_profile"] == wide and "srgb" not in picture.info
        corner = np.array(picture.convert("RGB").getpixel((24, 70)), int)
        exif = picture.getexif()
        found = picture.info.get("dpi") or (exif[0x011A], exif[0x011B])
        assert [round(float(number)) for number in found] == [300, 300]
    assert np.abs(corner - (10, 250, 10)).max() <= 8, "in sRGB this green would be another one"


def test_what_a_larger_picture_has_not_of_its_source_is_said(tmp_path, capsys):
    wide = profile(ADOBE_RGB, ADOBE_GAMMA, "Adobe RGB (1998)")
    picture, half = Image.fromarray(edge()), Image.new("L", (40, 24), 128)
    picture.convert("CMYK").save(tmp_path / "print.tif")
    Image.fromarray(edge()[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    picture.save(tmp_path / "moving.gif", save_all=True, append_images=[Image.new("RGB", (40, 24))])
    picture.save(tmp_path / "wide.png", icc_profile=wide)
    Image.merge("RGBA", (*picture.split(), half)).save(tmp_path / "clear.png", icc_profile=wide)
    expected = {"print.tif": "sRGB", "deep.png": "8 bits", "moving.gif": "first frame", "wide.png": "", "clear.png": ""}
    for name, words in expected.items():
        assert main(["enlarge", str(tmp_path / name), "--out", str(tmp_path / "to.png")]) == 0
        told = capsys.readouterr().err.splitlines()[:-1]  # but for the size
        assert words in " ".join(told) and len(told) == (1 if words else 0), name
