"""The request: validates itself, round-trips exactly, and survives hostile JSON."""

from __future__ import annotations

import base64
import io
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.errors import RequestError
from engine.region import PhotoWindow, Region
from engine.request import CutOut, GenerationRequest, ScaleBits


def make_cut_out(side: int = 8, seed: int = 0) -> CutOut:
    rng = np.random.default_rng(seed)
    return CutOut(rng.integers(0, 256, (side, side, 4), dtype=np.uint8), photo="ab" * 32, mask="cd" * 32)


def make_bits(seed: int = 0) -> ScaleBits:
    rng = np.random.default_rng(seed)
    return ScaleBits(tuple(rng.integers(0, 2, (n, n, 5), dtype=np.uint8) for n in (1, 2, 3)))


def full_request() -> GenerationRequest:
    return GenerationRequest(
        prompt="a toy robot in the snow – 雪",
        subject=make_cut_out(),
        negative_prompt="rain",
        subject_name="toy robot",
        seed=2**32 - 1,
        size=(1024, 768),
        prompt_strength=(3.0, 2.5, 2.0),
        subject_strength=2.5,
        look_strength=1.5,
        temperature=(1.0, 0.5, 0.25),
        top_p=0.9,
        kept=make_bits(),
        bundle="mini@0123456789ab",
    )


def test_a_cut_out_is_packed_once_and_crosses_a_pipe_without_what_was_packed(monkeypatch):
    request, packed = full_request(), []
    save = Image.Image.save
    monkeypatch.setattr(Image.Image, "save", lambda *given, **named: packed.append(1) or save(*given, **named))
    before = len(pickle.dumps(request))
    assert request.group_key() == request.with_seed(1).group_key()
    assert request.to_json() == request.to_json() and packed == [1]
    assert len(pickle.dumps(request)) == before
    assert pickle.loads(pickle.dumps(request)) == request


def test_the_same_cut_out_of_many_requests_is_unpacked_once_and_in_memory_once():
    """A queue of hundreds of pictures of one subject is read while a window waits for it."""
    text = full_request().dumps()
    one, other = GenerationRequest.loads(text), GenerationRequest.loads(text)
    assert one.subject is not None and other.subject is not None
    assert one.subject.pixels is other.subject.pixels and not one.subject.pixels.flags.writeable
    assert one.subject == full_request().subject


def test_round_trip_is_exact():
    request = full_request()
    assert "cut_below" not in request.dumps(), "requests of before keep their text, and so their number in a job"
    assert "cut_beside" not in request.dumps()
    for where in ({"cut_below": True}, {"cut_beside": "left"}):
        cut = replace(request, subject=replace(request.subject, **where))
        assert GenerationRequest.loads(cut.dumps()) == cut != request
    with pytest.raises(RequestError, match="damaged"):
        GenerationRequest.loads(cut.dumps().replace('"left"', '"above"'))
    assert GenerationRequest.loads(request.dumps()) == request
    assert GenerationRequest.loads(GenerationRequest("x").dumps()) == GenerationRequest("x")


@settings(deadline=None)  # a busy machine may take its time
@given(
    prompt=st.text(max_size=50),
    seed=st.integers(0, 2**32 - 1),
    strength=st.floats(0, 20),
    temperature=st.lists(st.floats(0.01, 10), min_size=1, max_size=13).map(tuple),
)
def test_any_valid_request_round_trips(prompt, seed, strength, temperature):
    request = GenerationRequest(prompt, seed=seed, subject_strength=strength, temperature=temperature)
    assert GenerationRequest.loads(request.dumps()) == request


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("seed", -1, "seed"),
        ("seed", 2**32, "seed"),
        ("seed", True, "seed"),
        ("seed", 1.5, "seed"),
        ("size", (8, 8), "size"),
        ("size", (256,), "size"),
        ("prompt_strength", float("nan"), "prompt strength"),
        ("subject_strength", 21, "subject strength"),
        ("look_strength", -0.1, "look strength"),
        ("temperature", 0.0, "temperature"),
        ("temperature", (), "temperature"),
        ("top_p", 1.01, "Top-p"),
        ("prompt", 7, "prompt"),
        ("prompt", "x" * 4001, "4001"),
    ],
)
def test_bad_values_are_refused_in_words(field, value, word):
    with pytest.raises(RequestError, match=word):
        GenerationRequest(**{"prompt": "x", field: value})


def test_pixels_are_frozen_and_copied():
    pixels = np.zeros((4, 4, 4), np.uint8)
    cut_out = CutOut(pixels)
    pixels[:] = 255
    assert cut_out.pixels.max() == 0
    with pytest.raises(ValueError):
        cut_out.pixels[0, 0, 0] = 1


def test_the_digest_depends_on_what_the_model_sees_only():
    cut_out = make_cut_out()
    other_alpha = cut_out.pixels.copy()
    other_alpha[..., 3] = 0
    other_colour = cut_out.pixels.copy()
    other_colour[0, 0, 0] ^= 1
    assert CutOut(other_alpha).digest == cut_out.digest
    assert CutOut(other_colour).digest != cut_out.digest


def test_pictures_of_one_group_differ_in_seed_and_kept_scales_only():
    request = full_request()
    assert request.with_seed(5).group_key() == request.group_key()
    assert GenerationRequest("other").group_key() != GenerationRequest("x").group_key()


def test_bits_are_checked():
    with pytest.raises(RequestError):
        ScaleBits((np.full((1, 1, 4), 2, np.uint8),))
    with pytest.raises(RequestError):
        ScaleBits((np.zeros((1, 1, 4), np.uint8), np.zeros((2, 2, 5), np.uint8)))
    with pytest.raises(RequestError, match="cannot be kept"):
        make_bits().first(4)
    assert len(make_bits().first(2)) == 2


def mutate(change) -> str:
    data = full_request().to_json()
    change(data)
    return json.dumps(data)


def png_of(size: tuple[int, int], mode: str) -> str:
    out = io.BytesIO()
    Image.new(mode, size).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{" * 100_000,
        "[" * 100_000,
        '{"format": 99, "prompt": "x"}',
        '{"format": 1}',
        mutate(lambda d: d.update(prompt=["x"])),
        mutate(lambda d: d.update(seed="1")),
        mutate(lambda d: d.update(size=[1e9, 1])),
        mutate(lambda d: d["subject"].update(png="!!")),
        mutate(lambda d: d["subject"].update(png=png_of((4000, 4000), "RGBA"))),
        mutate(lambda d: d["subject"].update(png=png_of((8, 8), "P"))),
        mutate(lambda d: d["subject"].update(photo="../../etc/passwd")),
        mutate(lambda d: d.update(subject="x")),
        mutate(lambda d: d.update(kept=[{"shape": [10**9, 1, 1], "bits": ""}])),
        mutate(lambda d: d.update(kept=[{"shape": [1, 1, 5], "bits": "AAAA"}])),
        mutate(lambda d: d.update(kept=[None])),
        mutate(lambda d: d.update(temperature=["hot"])),
    ],
    ids=range(19),
)
def test_hostile_json_is_refused_in_words(text):
    with pytest.raises(RequestError):
        GenerationRequest.loads(text)


def region() -> Region:
    mask = np.zeros((32, 32), np.uint8)
    mask[:8, :8] = 255
    return Region(mask, np.zeros((32, 32, 3), np.uint8), 2, PhotoWindow(-5, 3, 32, 32, 200, 100, "ab"))


def test_a_region_comes_back():
    request = GenerationRequest("x", region=region())
    assert GenerationRequest.loads(request.dumps()) == request


@pytest.mark.parametrize(
    "damage",
    [
        {"mask": "AAAA"},
        {"mask": png_of((32, 32), "RGB")},
        {"picture": 5},
        {"picture": png_of((5000, 1), "RGB")},
        {"whole": -1},
        {"whole": True},
        {"window": 5},
        {"window": {"rect": [0, 0, 1, 1]}},
        {"window": {"rect": [0, 0, 1], "photo_size": [9, 9]}},
        {"window": {"rect": [500, 0, 1, 1], "photo_size": [9, 9]}},
        {"window": {"rect": [1e999, 0, 1, 1], "photo_size": [9, 9]}},
        {"window": {"rect": [0, 0, 1, 1], "photo_size": [9, 9], "photo": "x" * 129}},
    ],
    ids=range(12),
)
def test_a_damaged_region_is_refused_in_words(damage):
    data = GenerationRequest("x").to_json() | {"region": region().to_json() | damage}
    with pytest.raises(RequestError, match="damaged"):
        GenerationRequest.loads(json.dumps(data))


def test_numbers_of_numpy_are_numbers():
    request = GenerationRequest("x", prompt_strength=np.float64(2), temperature=(np.float64(1), 0.5))
    assert type(request.prompt_strength) is float and request.temperature == (1.0, 0.5)
    assert GenerationRequest.loads(request.dumps()) == request


def test_unknown_fields_are_ignored_so_that_newer_files_open():
    data = GenerationRequest("x").to_json() | {"future": 1}
    assert GenerationRequest.from_json(data) == GenerationRequest("x")
