"""Several photos of one subject: in requests, in the engine, and from the command line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.cli import main
from engine.engine import Engine
from engine.errors import RequestError
from engine.events import Finished
from engine.photo.picture_file import read_picture_file
from engine.request import CutOut, GenerationRequest


def thing(colour: int) -> CutOut:
    pixels = np.full((56, 56, 4), 255, np.uint8)
    pixels[..., 3] = 0
    pixels[12:44, 16:40] = (colour, 80, 255 - colour, 255)
    return CutOut(pixels)


def test_a_request_carries_its_photos():
    request = GenerationRequest("a thing", thing(1), views=(thing(2), thing(3)))
    again = GenerationRequest.loads(request.dumps())
    assert again == request and again.views == request.views
    alone = replace(request, views=())
    assert "views" not in alone.to_json(), "the groups of earlier pictures stay what they were"
    assert request.group_key() != alone.group_key()
    with pytest.raises(RequestError, match="5 photos; 4 are the limit"):
        replace(request, views=(thing(2),) * 4)
    for damage in ("x", [1], [{}], [thing(1).to_json()] * 4, {"a": 1}):
        with pytest.raises(RequestError):
            GenerationRequest.from_json({**request.to_json(), "views": damage})


def test_a_further_photo_changes_the_picture_and_is_encoded_once(tiny_bundle):
    request = GenerationRequest("a ball in the snow", thing(10), seed=5)
    with Engine.open(tiny_bundle, "cpu") as engine:
        *_, one = engine.generate(request, previews=False)
        *_, same = engine.generate(replace(request, views=(thing(10),)), previews=False)
        *_, two = engine.generate(replace(request, views=(thing(240),)), previews=False)
        assert isinstance(one, Finished) and same.bits == one.bits and two.bits != one.bits
        *_, again = engine.generate(replace(request, views=(thing(240),)), previews=False)
        assert again.bits == two.bits and again.timing.semantic == 0 == again.timing.content
        *_, other = engine.generate(replace(request, subject=thing(240), views=(thing(10),), seed=6), previews=False)
        assert other.timing.semantic == 0 == other.timing.content, "each photo is kept by itself"


def test_from_the_command_line(tiny_bundle, tmp_path, capsys):
    ball = str(tiny_bundle / "examples" / "ball.png")
    words = ["generate", "--bundle", str(tiny_bundle), "--device", "cpu", "--prompt", "a ball", "--seed", "3"]
    words += ["--out", str(tmp_path / "b.png")]
    assert main([*words, "--subject", ball, "--view", ball]) == 0
    assert len(read_picture_file(tmp_path / "b.png").request.views) == 1
    capsys.readouterr()
    for wrong, message in (
        (["--view", ball], "--subject"),
        (["--subject", ball, *["--view", ball] * 4], "at most 4 photos"),
        (["--subject", ball, "--view", ball, *["--view-mask", ball] * 2], "1 further photos and 2 masks"),
        (["--subject", ball, "--view", "nowhere.jpg"], "nowhere.jpg"),
    ):
        assert main([*words, *wrong]) == 2
        assert message in capsys.readouterr().err
