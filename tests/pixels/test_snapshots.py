"""The main states look as they did when a person last looked at them, in both themes."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops
from PySide6.QtGui import QFontInfo
from PySide6.QtWidgets import QApplication

from app.look import stylesheet
from app.look import type as type_
from app.look.theme import notifier, tokens
from app.shortcuts import keymap
from app.system import background
from tests.pixels.snapshots import MOST_BYTES, STATES, THEMES, WIDTH, difference, file_of, take_all
from tests.pixels.walk import Walk


@pytest.fixture
def dressed(qapp: QApplication):
    qapp.setQuitOnLastWindowClosed(False)
    stylesheet.install(qapp)
    yield
    background.shutdown()
    notifier.set_choice("light")
    notifier.set_motion("system")
    keymap.reset()


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path / "models"))


def test_the_window_looks_as_it_did(dressed, models, tmp_path):
    family = tokens()["font"]["family"][0]
    if QFontInfo(type_.font("body")).family() != family:
        pytest.skip(f"the font {family}, which ships with the program, cannot be used here")
    taken = take_all()
    assert set(taken) == {(name, theme) for name in STATES for theme in THEMES}
    wrong = []
    for (name, theme), picture in taken.items():
        apart = difference(picture, Image.open(file_of(name, theme)))
        if not apart.small:
            picture.save(tmp_path / f"{name}-{theme}.png")
            wrong.append(f"{name}-{theme}: {apart}")
    assert not wrong, (
        "\n".join(wrong)
        + f"\nLook at {tmp_path} beside {file_of(*next(iter(taken))).parent}. If the window is meant to "
        "look so: python -m tests.pixels --renew"
    )


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.qt_log_ignore("This plugin does not support")  # what a screen has and none lacks
def test_every_state_can_be_looked_at(dressed, models):
    """The walk that is made to look at the window (``--review``) still finds its way to the end."""
    taken: list[str] = []
    walk = Walk(lambda name, theme, image: taken.append(name), ("light",), language="en")
    try:
        walk.run()
    finally:
        walk.end()
    assert len(set(taken)) == len(taken) and set(taken) > {*STATES, "gallery", "queue", "region", "list", "photos"}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", STATES)
def test_a_snapshot_is_small_and_unlike_the_others(name, theme):
    """What the comparison would let pass is no snapshot of its own."""
    file = file_of(name, theme)
    assert file.stat().st_size < MOST_BYTES
    with Image.open(file) as mine:
        assert mine.width == WIDTH
        for other in STATES:
            for shade in THEMES:
                with Image.open(file_of(other, shade)) as theirs:
                    if (other, shade) != (name, theme) and theirs.size == mine.size:
                        assert not difference(mine, theirs).small, f"{other}-{shade}"


def test_the_comparison_sees_what_a_person_would_see():
    with Image.open(file_of("redraw", "light")) as file:
        picture = file.convert("RGB")
    moved = picture.copy()
    moved.paste(ImageChops.offset(picture.crop((384, 16, 480, 260)), 0, 4), (384, 16))  # a panel four pixels lower
    assert not difference(picture, moved).small
    gone = picture.copy()
    gone.paste(picture.getpixel((120, 20)), (70, 246, 240, 262))  # no strip of scales
    assert not difference(picture, gone).small
    warmer = ImageChops.add(picture, Image.new("RGB", picture.size, (8, 4, 0)))  # another grey
    assert not difference(picture, warmer).small
    letters = picture.resize((picture.width * 2, picture.height * 2)).resize(picture.size, Image.Resampling.BICUBIC)
    assert difference(picture, letters).small  # smoother letters, the same window
