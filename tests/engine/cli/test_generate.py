"""``python -m engine generate`` and its neighbours on a tiny bundle, as a person types them."""

from __future__ import annotations

import argparse
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.bench.random_bundle import make_random_bundle
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.cli import lists, main
from engine.drawing import Drawing
from engine.engine import Engine
from engine.errors import Cancelled, ExitCode, InputError
from engine.photo import sheet
from engine.photo.picture_file import read_picture_file, save_plain
from engine.photo.place import place_in_region
from engine.placement import Placement
from engine.preset import Preset, write_preset
from engine.request import GenerationRequest
from engine.requests_file import read_requests
from tests.engine.photo.test_colours import DISPLAY_P3, profile


@pytest.fixture
def ball(tiny_bundle) -> Path:
    return tiny_bundle / "examples" / "ball.png"


@pytest.fixture
def words(tiny_bundle, ball, tmp_path) -> list[str]:
    """A command that works."""
    return [
        *("generate", "--bundle", str(tiny_bundle), "--device", "cpu", "--subject", str(ball)),
        *("--prompt", "a ball in the snow", "--seed", "3", "--out", str(tmp_path / "ball.png")),
    ]


def test_a_picture_that_carries_its_request(words, tmp_path, capsys):
    assert main([*words, "--name", "ball", "--subject-strength", "2", "--top-p", "0.9"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'ball.png'}\n"
    assert "Scale" not in err, "progress is for a terminal; this is a file"
    carried = read_picture_file(tmp_path / "ball.png")
    request = carried.request
    assert (request.prompt, request.seed, request.size, request.subject_name) == (
        "a ball in the snow",
        3,
        (64, 64),
        "ball",
    )
    assert (request.prompt_strength, request.subject_strength, request.top_p) == (3.0, 2.0, 0.9)
    assert request.bundle.startswith("random-tiny@") and request.subject.pixels.shape == (56, 56, 4)
    with Image.open(tmp_path / "ball.png") as picture:
        assert picture.size == (64, 64) and len(carried.bits) == 5


def test_several_pictures_with_json_and_previews(words, tmp_path, capsys):
    assert main([*words, "--count", "2", "--json", "--previews", str(tmp_path / "forming")]) == 0
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [result["file"] for result in results] == [str(tmp_path / f"ball-{n}.png") for n in (1, 2)]
    assert [result["seed"] for result in results] == [3, 4] and results[0]["size"] == [64, 64]
    assert results[1]["timing"]["cached"] == ["text", "subject", "content", "start"]
    names = sorted(path.name for path in (tmp_path / "forming").iterdir())
    assert names == [f"ball-{n}-scale-{k:02d}.png" for n in (1, 2) for k in range(1, 6)]
    first, second = (read_picture_file(tmp_path / f"ball-{n}.png") for n in (1, 2))
    assert second.request == first.request.with_seed(4) and second.bits != first.bits


def test_a_seed_is_drawn_and_said(words, tmp_path, capsys):
    place = words.index("--seed")
    assert main(words[:place] + words[place + 2 :]) == 0
    message = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("Seed "))
    assert read_picture_file(tmp_path / "ball.png").request.seed == int(message.split()[1])


def test_what_is_refused_names_no_seed(words, tmp_path, capsys):
    """No picture is drawn, so no seed draws it: the sentence stands alone."""
    assert main(words) == 0
    Image.new("L", (64, 64)).save(tmp_path / "empty.png")
    base = ["generate", *words[words.index("--bundle") :][:2], "--device", "cpu", "--from", str(tmp_path / "ball.png")]
    capsys.readouterr()
    assert main([*base, "--region", str(tmp_path / "empty.png"), "--out", str(tmp_path / "again.png")]) == 2
    assert capsys.readouterr().err.startswith("This region cannot be used. The region is empty.")


def test_a_picture_without_its_bits_is_drawn_anew(words, tmp_path, capsys):
    assert main(words) == 0
    with Image.open(tmp_path / "ball.png") as picture:
        carried = json.loads(picture.text["EchoGen"])
        del carried["bits"]
        info = PngInfo()
        info.add_itxt("EchoGen", json.dumps(carried))
        picture.save(tmp_path / "older.png", pnginfo=info)
    base = ["generate", *words[words.index("--bundle") :][:2], "--device", "cpu", "--from", str(tmp_path / "older.png")]
    base += ["--out", str(tmp_path / "again.png")]
    assert main(base) == 0
    assert read_picture_file(tmp_path / "again.png") == read_picture_file(tmp_path / "ball.png")
    Image.new("L", (64, 64), 255).save(tmp_path / "all.png")
    for option in (["--keep-scales", "2"], ["--region", str(tmp_path / "all.png")]):
        capsys.readouterr()
        assert main([*base, *option]) == 2
        assert "older.png has lost its bits: nothing of it can be kept." in capsys.readouterr().err


def test_from_an_earlier_picture(words, tiny_bundle, tmp_path, monkeypatch):
    assert main(words) == 0
    first, again, kept = tmp_path / "ball.png", tmp_path / "again.png", tmp_path / "kept.png"
    base = ["generate", "--bundle", str(tiny_bundle), "--device", "cpu", "--from", str(first)]
    assert main([*base, "--out", str(again)]) == 0
    assert read_picture_file(again).bits == read_picture_file(first).bits
    shown: list[str] = []
    monkeypatch.setattr("engine.cli.terminal.ProgressLine.show", lambda _, text: shown.append(text))
    monkeypatch.setattr("engine.cli.terminal.ProgressLine.watched", True)
    assert main([*base, "--out", str(kept), "--keep-scales", "3", "--seed", "77"]) == 0
    told = [line for line in shown if line.startswith("Scale ")]
    assert told[0] == "Scale 3 of 5, kept" and told[-1] == "Scale 5 of 5"
    assert all(int(line.split()[-3]) < 60 for line in told if "about" in line)
    bits = read_picture_file(kept).bits
    assert bits.first(3) == read_picture_file(first).bits.first(3) and bits != read_picture_file(first).bits
    assert main([*base, "--out", str(again), "--prompt", "a red ball"]) == 0
    request = read_picture_file(again).request
    assert request.prompt == "a red ball" and request.subject == read_picture_file(first).request.subject


def test_a_picture_of_another_model_is_drawn_anew_or_refused(words, tmp_path, capsys):
    other = tmp_path / "other"
    assert main(["make-bundle", "--config", "tiny", "--seed", "5", str(other)]) == 0
    assert main(words) == 0
    capsys.readouterr()
    base = [
        "generate",
        "--bundle",
        str(other),
        "--from",
        str(tmp_path / "ball.png"),
        "--out",
        str(tmp_path / "new.png"),
    ]
    assert main(base) == 0
    assert "Made with random-tiny@" in capsys.readouterr().err
    assert main([*base, "--keep-scales", "2"]) == 2
    assert "This was made with random-tiny@" in capsys.readouterr().err


def test_a_mask_of_ones_own(words, tmp_path, ball):
    mask = np.zeros((128, 128), np.uint8)
    mask[40:90, 30:100] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    assert main([*words, "--mask", str(tmp_path / "mask.png"), "--framing", "reference"]) == 0
    subject = read_picture_file(tmp_path / "ball.png").request.subject
    assert subject.framing == "reference" and (subject.alpha > 0).mean() < 0.3


def test_without_a_subject(words, tmp_path):
    place = words.index("--subject")
    assert main(words[:place] + words[place + 2 :]) == 0
    assert read_picture_file(tmp_path / "ball.png").request.subject is None


@pytest.mark.parametrize("name", ["--subject", "--mask", "--view", "--photo", "--from"])
def test_no_picture_is_written_over_a_photo_it_is_drawn_from(words, name, capsys):
    photo = Path(words[words.index("--subject") + 1])
    before = photo.read_bytes()
    rest = ["--place", "0.5,0.5,0.5"] if name == "--photo" else []
    assert main([*words, name, str(photo), *rest, "--out", str(photo)]) == ExitCode.BAD_INPUT
    assert f"{photo} is read for this, and would be written over" in capsys.readouterr().err
    assert photo.read_bytes() == before


@pytest.mark.parametrize("many", [["--count", "2"], ["--prompt", "a {red|blue} ball"]], ids=["count", "list"])
def test_none_of_many_pictures_is_written_over_a_photo_they_are_drawn_from(words, tmp_path, capsys, many):
    photo, before = tmp_path / "toy-2.png", Path(words[words.index("--subject") + 1]).read_bytes()
    photo.write_bytes(before)
    told = [*words, *many, "--subject", str(photo), "--out", str(tmp_path / "toy.png")]
    assert main(told) == ExitCode.BAD_INPUT
    assert f"{photo} is read for this, and would be written over" in capsys.readouterr().err
    assert photo.read_bytes() == before and not (tmp_path / "toy-1.png").exists()


def test_a_sheet_is_written_over_no_photo_and_shows_what_was_drawn_with_it(words, tmp_path, capsys, monkeypatch):
    photo = words[words.index("--subject") + 1]
    told = [*words, "--prompt", "a {red|blue|green} ball"]
    assert main([*told, "--sheet", photo]) == ExitCode.BAD_INPUT
    assert f"{photo} is read for this, and would be written over" in capsys.readouterr().err
    save_plain(tmp_path / "ball-2.png", np.zeros((64, 64, 3), np.uint8))  # of an earlier list

    def stop(engine, jobs, *, told, **_):
        save_plain(jobs[0][0], np.full((64, 64, 3), 90, np.uint8))
        told(jobs[0][0])
        raise Cancelled

    shown = []
    monkeypatch.setattr("engine.cli.generate.draw_jobs", stop)
    monkeypatch.setattr(sheet, "draw_sheet", lambda pictures, labels: shown.extend(pictures) or pictures[0])
    assert main([*told, "--sheet", str(tmp_path / "sheet.png")]) == ExitCode.CANCELLED
    assert [picture is not None for picture in shown] == [True, False, False]


def test_no_sheet_is_written_over_a_picture_that_is_on_it(words, tmp_path, capsys):
    sheet = str(tmp_path / "ball-2.png")
    assert main([*words, "--prompt", "a {red|blue} ball", "--sheet", sheet]) == ExitCode.BAD_INPUT
    assert f"{sheet} would be written twice" in capsys.readouterr().err
    assert not (tmp_path / "ball-1.png").exists()


@pytest.mark.parametrize("suffix", [".webp", ".jpg"])
def test_other_formats(words, tmp_path, suffix):
    words[words.index("--out") + 1] = str(tmp_path / f"ball{suffix}")
    assert main(words) == 0
    with Image.open(tmp_path / f"ball{suffix}") as picture:
        assert picture.size == (64, 64)


def test_sizes(words, tmp_path, tmp_path_factory, capsys):
    wide = tmp_path / "wide"
    assert main(["make-bundle", "--config", "tiny-wide", str(wide)]) == 0
    words[words.index("--bundle") + 1] = str(wide)
    for size, expected in (
        ("72x48", (72, 48)),
        ("2:1", (80, 40)),
        ("3:2", (72, 48)),
        ("1:1", (64, 64)),
        ("2:3", (48, 72)),
    ):
        assert main([*words, "--size", size]) == 0
        with Image.open(tmp_path / "ball.png") as picture:
            assert picture.size == expected
    capsys.readouterr()
    for size in ("65x64", "5:1", "wide", "0x0", "1:0", "-1:1", "64"):
        assert main([*words, f"--size={size}"]) == 2
        assert "64x64, 72x48, 48x72, 80x40" in capsys.readouterr().err


def test_the_example(tiny_bundle, tmp_path, capsys):
    out = tmp_path / "example.png"
    assert main(["example", "--bundle", str(tiny_bundle), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] == 1
    request = read_picture_file(out).request
    assert request.prompt == "a ball in the snow" and request.subject_name == "ball" and request.subject is not None
    assert (
        main(["example", "--bundle", str(tiny_bundle), "--out", str(out), "--prompt", "a red ball", "--seed", "9"]) == 0
    )
    assert read_picture_file(out).request.prompt == "a red ball"
    capsys.readouterr()
    assert main(["example", "--bundle", str(tiny_bundle), "--out", str(out), "--example", "2"]) == 2
    assert "brings no example 2 along. It has 1 example." in capsys.readouterr().err


def test_make_bundle(tmp_path, capsys):
    assert main(["make-bundle", "--config", "tiny", "--seed", "1", str(tmp_path / "a")]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'a'}: Random weights, for tests, ")
    main(["make-bundle", "--config", "tiny", "--seed", "1", str(tmp_path / "b")])
    main(["make-bundle", "--config", "tiny", "--seed", "2", str(tmp_path / "c")])
    a, b, c = ((tmp_path / name / "bundle.json").read_bytes() for name in "abc")
    assert a == b != c
    assert main(["make-bundle", "--config", "huge", str(tmp_path / "d")]) == 2
    assert "There are tiny, tiny-wide, tiny-placed, echogen-125m." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (["--count", "0"], 2, "from 1 to 1000"),
        (["--seed", "4294967296"], 2, "from 0 to 4294967295"),
        (["--seed", "4294967295", "--count", "2"], 2, "from 0 to 4294967294"),
        (["--keep-scales", "2"], 2, "--from"),
        (["--out", "picture.bmp"], 2, "“picture.bmp” is no kind of picture"),
        (["--out", "nowhere/picture.png"], 6, "The folder nowhere does not exist"),
        (["--subject-strength", "21"], 2, "from 0 to 20"),
        (["--temperature", "0"], 2, "from 0.01 to 10"),
        (["--top-p", "2"], 2, "from 0 to 1"),
        (["--top-p", "nan"], 2, "from 0 to 1"),
        (["--bundle", "nothing-like-it"], 3, "“nothing-like-it” is not on this computer"),
        (["--device", "abacus"], 2, "“abacus” is no device"),
        (["--memory", "endless"], 2, "“endless” is no memory plan"),
        (["--from", "none.png"], 2, "none.png is not there"),
    ],
)
def test_wrong_arguments(words, tmp_path, monkeypatch, capsys, change, code, message):
    monkeypatch.chdir(tmp_path)
    assert main([*words, *change]) == code
    out, err = capsys.readouterr()
    assert message in err and out == "" and "Traceback" not in err


def test_what_argparse_refuses(words, capsys):
    for wrong in (["segment"], [*words, "--count", "x"], ["paint"], [*words, "--framing", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2
    capsys.readouterr()


def test_what_is_wrong_is_said_before_the_model_is_opened(words, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(Engine, "open", lambda *_, **__: pytest.fail("opened"))
    (tmp_path / "no.jpg").write_text("hello")
    for change in (["--subject", str(tmp_path / "no.jpg")], ["--size", "1x1"], ["--prompt", " "]):
        assert main([*words, *change]) == 2
    capsys.readouterr()


def test_a_folder_that_may_not_be_written(words, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main(words) == 6
    assert "may not be written" in capsys.readouterr().err


def test_ctrl_c_stops_between_two_blocks(words, tmp_path, monkeypatch, capsys):
    original = Drawing.events

    def interrupted(self, *args, **kwargs):
        for event in original(self, *args, **kwargs):
            yield event
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Drawing, "events", interrupted)
    before = signal.getsignal(signal.SIGINT)
    assert main(words) == 130
    assert capsys.readouterr().err.endswith("Stopped.\n")
    assert not (tmp_path / "ball.png").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_while_the_model_is_opened(words, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "open", interrupted)
    assert main(words) == 130
    assert capsys.readouterr().err.endswith("Stopped.\n")


def test_another_subject_goes_into_the_region_of_an_earlier_picture(ball, tmp_path):
    bundle = tmp_path / "placed"
    manifest = make_random_bundle(bundle, "tiny-placed")
    first, other, mask = tmp_path / "first.png", tmp_path / "other.png", tmp_path / "mask.png"
    Image.open(ball).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(other)
    Image.fromarray(np.pad(np.full((40, 30), 255, np.uint8), ((24, 0), (0, 34)))).save(mask)
    base = ["generate", "--bundle", str(bundle), "--device", "cpu", "--prompt", "a ball"]
    assert main([*base, "--subject", str(ball), "--seed", "3", "--out", str(first)]) == 0
    base += ["--from", str(first), "--region", str(mask), "--out", str(tmp_path / "again.png")]
    found, there = [], manifest.place(read_picture_file(first).request)
    for more in (
        [],
        ["--subject", str(ball)],
        ["--subject", str(other)],
        ["--subject", str(other), "--place=0.5,0.5,0.4"],
    ):
        assert main([*base, *more]) == 0
        found.append(read_picture_file(tmp_path / "again.png").request)
    assert found[0].placement == found[1].placement == there, "the same subject stays where it is"
    assert found[2].placement == place_in_region(found[2].subject, found[2].region)
    assert found[3].placement == Placement(0.5, 0.5, 0.4)


def test_a_region_of_an_earlier_picture(words, tiny_bundle, tmp_path, capsys):
    assert main(words) == 0
    first, mask = tmp_path / "ball.png", tmp_path / "mask.png"
    region = np.zeros((64, 64), np.uint8)
    region[32:, :40] = 255
    Image.fromarray(region).save(mask)
    base = ["generate", "--bundle", str(tiny_bundle), "--device", "cpu", "--from", str(first)]
    redrawn, again = tmp_path / "redrawn.png", tmp_path / "again.png"
    assert main([*base, "--region", str(mask), "--seed", "9", "--out", str(redrawn)]) == 0
    before, after = (np.asarray(Image.open(file).convert("RGB")) for file in (first, redrawn))
    assert not (before != after).any(axis=2)[region == 0].any() and (before != after).any()
    assert main([*base[:-1], str(redrawn), "--out", str(again)]) == 0
    assert np.array_equal(np.asarray(Image.open(again)), np.asarray(Image.open(redrawn)))
    Image.fromarray(region[:32]).save(mask)
    capsys.readouterr()
    assert main([*base, "--region", str(mask), "--out", str(again)]) != 0
    told = capsys.readouterr().err
    assert "64 × 32 pixels" in told and "This region cannot be used" in told
    assert main([*words, "--region", str(mask)]) != 0
    assert "Name it with --from" in capsys.readouterr().err


def test_a_thing_in_a_photo(words, tmp_path, capsys):
    photo, mask = tmp_path / "place.png", tmp_path / "mask.png"
    pixels = np.random.default_rng(3).integers(0, 256, (300, 420, 3), np.uint8)
    Image.fromarray(pixels).save(photo)
    region = np.zeros((300, 420), np.uint8)
    region[120:240, 90:210] = 255
    Image.fromarray(region).save(mask)
    assert main([*words, "--photo", str(photo), "--region", str(mask)]) == 0
    drawn = np.asarray(Image.open(tmp_path / "ball.png").convert("RGB"))
    assert drawn.shape == pixels.shape and not (drawn != pixels).any(axis=2)[region == 0].any()
    assert (drawn != pixels).any(axis=2)[region > 0].mean() > 0.8
    again = tmp_path / "again.png"
    base = [*words[:5], "--from", str(tmp_path / "ball.png"), "--seed", "4", "--out", str(again)]
    assert main(base) == 0
    varied = np.asarray(Image.open(again).convert("RGB"))
    assert varied.shape == pixels.shape and not (varied != pixels).any(axis=2)[region == 0].any()
    assert main([*words, "--photo", str(photo)]) != 0
    assert "where in the photo" in capsys.readouterr().err


def test_several_pictures_in_one_photo_that_stays_what_it_was(words, tmp_path, capsys):
    photo, mask = tmp_path / "place.jpg", tmp_path / "mask.png"
    wide = profile(DISPLAY_P3, None, "Display P3")
    pixels = np.random.default_rng(3).integers(0, 256, (200, 280, 3), np.uint8)
    Image.fromarray(pixels).save(photo, dpi=(300, 300), icc_profile=wide)
    own = np.asarray(Image.open(photo))
    region = np.zeros((200, 280), np.uint8)
    region[80:160, 90:210] = 255
    Image.fromarray(region).save(mask)
    assert main([*words, "--photo", str(photo), "--region", str(mask), "--count", "3"]) == 0
    drawn = []
    for number in (1, 2, 3):
        with Image.open(tmp_path / f"ball-{number}.png") as picture:
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1) and picture.info["icc_profile"] == wide
            drawn.append(np.asarray(picture))
        assert np.array_equal(drawn[-1][region == 0], own[region == 0])
        assert read_picture_file(tmp_path / f"ball-{number}.png").request.seed == 2 + number
    assert (drawn[0] != drawn[1]).any() and (drawn[1] != drawn[2]).any()

    # Into one of them once more, from its own file: it is a photo as any other.
    again, out = tmp_path / "again.png", tmp_path / "ball-1.png"
    assert main([*words[:-1], str(again), "--from", str(out), "--seed", "8"]) == 0
    with Image.open(again) as picture:
        assert picture.info["icc_profile"] == wide and picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert np.array_equal(np.asarray(picture)[region == 0], own[region == 0])

    # And somewhere else in it: 280 by 200 pixels are no size of the model's, but it is a photo.
    other = np.zeros((200, 280), np.uint8)
    other[10:60, 10:70] = 255
    Image.fromarray(other).save(mask)
    assert main([*words[:-1], str(again), "--from", str(out), "--region", str(mask)]) == 0
    with Image.open(again) as picture:
        changed = (np.asarray(picture) != drawn[0]).any(axis=2)
    assert changed[other > 0].mean() > 0.8 and not changed[other == 0].any()


def test_a_transparent_photo_is_white_where_it_is_clear(words, tmp_path, capsys):
    photo, mask = tmp_path / "place.png", tmp_path / "mask.png"
    pixels = np.full((200, 280, 4), (9, 9, 9, 0), np.uint8)
    pixels[:, :140] = (200, 120, 40, 255)
    Image.fromarray(pixels).save(photo)
    region = np.zeros((200, 280), np.uint8)
    region[80:160, 90:210] = 255
    Image.fromarray(region).save(mask)
    assert main([*words, "--photo", str(photo), "--region", str(mask)]) == 0
    assert "transparent" in capsys.readouterr().err
    drawn = np.asarray(Image.open(tmp_path / "ball.png").convert("RGB"))
    assert (drawn[:, 215:] == 255).all() and (drawn[:, :85] == (200, 120, 40)).all()


def test_several_pictures_of_a_region_are_of_one_layout(words, tmp_path, monkeypatch):
    mask = tmp_path / "mask.png"
    region = np.zeros((64, 64), np.uint8)
    region[32:, :40] = 255
    Image.fromarray(region).save(mask)
    assert main(words) == 0
    monkeypatch.setattr(BundleManifest, "layouts", property(lambda self: 4))
    monkeypatch.setattr(BundleManifest, "read_as", lambda self, prompt, seed: prompt)
    told = [*words[:5], "--from", str(tmp_path / "ball.png"), "--region", str(mask), "--out", str(tmp_path / "r.png")]
    assert main([*told, "--seed", "11", "--count", "3"]) == 0
    seeds = [read_picture_file(tmp_path / f"r-{number}.png").request.seed for number in (1, 2, 3)]
    assert seeds == [11, 15, 19], "what is kept is of one scene"


def test_a_list_of_prompts(words, tiny_bundle, tmp_path, capsys):
    place = words.index("--prompt")
    base = words[:place] + words[place + 2 :]
    prompts, sheet, requests = tmp_path / "list.txt", tmp_path / "sheet.png", tmp_path / "list.jsonl"
    prompts.write_text("a {red|blue} {subject}\n")
    told = [*base, "--name", "ball", "--prompts", str(prompts)]
    assert main([*told, "--requests", str(requests)]) == 0
    entries = list(read_requests(requests))
    assert [request.prompt for request in entries] == ["a red ball", "a blue ball"], "the file that batch reads"
    assert not list(tmp_path.glob("ball-*")), "only written down"
    assert main([*told, "--sheet", str(sheet)]) == 0
    assert "2 prompts: 2 pictures" in capsys.readouterr().err
    prompts.write_text("a red ball\n")
    assert main([*base, "--prompts", str(prompts), "--requests", str(tmp_path / "one.jsonl")]) == 0
    assert "1 prompt: 1 picture\n" in capsys.readouterr().err
    drawn = [read_picture_file(tmp_path / f"ball-{n}.png").request for n in (1, 2)]
    assert [request.prompt for request in drawn] == ["a red ball", "a blue ball"]
    assert {request.seed for request in drawn} == {3} and sheet.exists()
    prompts.write_text("a {red ball\n")
    assert main(told) == 2 and "without its" in capsys.readouterr().err
    assert main([*words, "--prompts", str(prompts)]) == 2
    scenes = tmp_path / "scenes.jsonl"
    assert main([*base, "--name", "ball", "--all-scenes", "--requests", str(scenes)]) == 0
    manifest = read_manifest(tiny_bundle)
    assert manifest.language is not None
    assert [request.prompt for request in read_requests(scenes)] == [
        scene.sentence("ball") for scene in manifest.language.scenes
    ]
    args = argparse.Namespace(prompts=None, all_scenes=True, count=1)
    with pytest.raises(InputError, match="no list of scenes"):
        lists.listed_requests(args, GenerationRequest("a ball"), replace(manifest, language=None))


def test_only_what_is_drawn_wants_a_place(words, tmp_path, capsys):
    place = words.index("--out")
    base = words[:place] + words[place + 2 :]
    assert main(base) == 2
    assert "The picture has no file to go to. Name one, for example --out picture.png." in capsys.readouterr().err
    requests = tmp_path / "list.jsonl"
    assert main([*base, "--prompt", "a {red|blue} ball", "--requests", str(requests)]) == 0
    assert len(list(read_requests(requests))) == 2


def test_previews_are_written_over_nothing_that_is_read(words, tmp_path, capsys):
    photo = Path(words[words.index("--subject") + 1])
    source = tmp_path / "ball-scale-02.png"
    source.write_bytes(photo.read_bytes())
    told = [*words, "--subject", str(source), "--previews", str(tmp_path)]
    assert main(told) == 2
    assert f"{source} is read for this, and would be written over." in capsys.readouterr().err
    assert source.read_bytes() == photo.read_bytes() and not (tmp_path / "ball-scale-01.png").exists()
    assert main([*words, "--best-of", "2", "--previews", str(tmp_path)]) == 2
    assert "leaves no previews" in capsys.readouterr().err


def test_braces_of_a_prompt_mean_what_they_mean_in_a_list(words, tmp_path, capsys):
    place = words.index("--prompt")
    base = [*words[:place], *words[place + 2 :], "--name", "ball"]
    requests = tmp_path / "list.jsonl"
    assert main([*base, "--prompt", "a {red|blue} {subject}", "--requests", str(requests)]) == 0
    assert [request.prompt for request in read_requests(requests)] == ["a red ball", "a blue ball"]
    capsys.readouterr()
    assert main([*base, "--prompt", "a {red|blue ball"]) == 2
    message = capsys.readouterr().err
    assert "The prompt has a “{” without its “}”. Write alternatives as {red|blue}." in message
    assert main([*base, "--prompt", "a {red|blue} ball", "--best-of", "2"]) == 2
    assert "pictures of one prompt" in capsys.readouterr().err
    assert main([*base, "--prompt", "a red {subject}"]) == 0, "one prompt is no list"
    assert read_picture_file(tmp_path / "ball.png").request.prompt == "a red ball"


def test_a_preset_is_what_is_not_said(words, tmp_path, capsys):
    preset = tmp_path / "lively.json"
    write_preset(preset, Preset("Lively", "snow", 4.0, 2.0, temperature=1.5, size=(64, 64)))
    assert main([*words, "--preset", str(preset), "--temperature", "0.5"]) == 0
    request = read_picture_file(tmp_path / "ball.png").request
    assert (request.negative_prompt, request.prompt_strength, request.subject_strength) == ("snow", 4.0, 2.0)
    assert request.temperature == 0.5
    preset.write_text("{}")
    assert main([*words, "--preset", str(preset)]) == 2 and "no preset" in capsys.readouterr().err
