"""The renderer: seeded, the reference looks like the subject in the picture, the caption says what was painted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.training import language
from engine.training.render import outfits, scenes
from engine.training.render.paint import Canvas
from engine.training.render.renderer import Renderer, contact_sheet
from engine.training.subjects import Subjects

SIDE = 64


@pytest.fixture(scope="module")
def subjects(sprites: Path) -> Subjects:
    return Subjects.from_folder(sprites, 48)


def renderer(subjects: Subjects, seed: int = 0, **settings) -> Renderer:
    return Renderer(subjects, size=SIDE, reference_size=SIDE, seed=seed, variety=1, **settings)


def subject_colour(picture: Tensor, mask: Tensor) -> Tensor:
    """Mean colour where the subject is, (3,)."""
    weight = (mask > 0.98).float()
    return (picture * weight).sum((1, 2)) / weight.sum().clamp_min(1)


def own_colour(subjects: Subjects, index: int) -> Tensor:
    """The one colour of a sprite, (3,), in -1 … 1."""
    return subjects.pictures[index, :3, 24, 24].float() / 127.5 - 1


def test_a_seed_fixes_everything(subjects: Subjects):
    first, again, other = (renderer(subjects, seed).batch(6) for seed in (5, 5, 6))
    assert torch.equal(first.target, again.target)
    assert torch.equal(first.reference, again.reference)
    assert first.captions == again.captions
    assert not torch.equal(first.reference, other.reference)


def test_a_saved_state_goes_on_with_the_same_pictures(subjects: Subjects):
    one = renderer(subjects)
    one.batch(3)
    state = one.state()
    expected = one.batch(3)
    two = renderer(subjects)
    two.load_state(state)
    found = two.batch(3)
    assert torch.equal(expected.target, found.target)
    assert expected.captions == found.captions


def test_pictures_and_labels_have_their_shapes_and_ranges(subjects: Subjects):
    batch = renderer(subjects).batch(5)
    assert batch.target.shape == batch.reference.shape == (5, 3, SIDE, SIDE)
    assert batch.mask.shape == (5, 1, SIDE, SIDE)
    for picture in (batch.target, batch.reference):
        assert float(picture.min()) >= -1 and float(picture.max()) <= 1
    assert len(batch.captions) == 5
    assert int(batch.place.max()) <= len(language.PLACES)


def test_every_place_has_a_painter_and_no_two_look_alike(subjects: Subjects):
    assert all(hasattr(scenes, place.key) for place in language.PLACES)
    same = torch.zeros(len(language.PLACES), dtype=torch.long)
    batch = renderer(subjects).batch(len(language.PLACES), scene=range(len(language.PLACES)), subjects=same)
    flat = batch.target.flatten(1)
    distance = torch.cdist(flat, flat) / flat.shape[1] ** 0.5
    distance.fill_diagonal_(9)
    assert float(distance.min()) > 0.15


def test_reference_and_picture_show_one_appearance(subjects: Subjects):
    """Plain sprites of one colour: recoloured alike on both sides, whatever the colour became."""
    count = 12
    renders = renderer(subjects)
    plain = len(language.PLACES) + [scene.key for scene in language.LOOKS].index("shiny")
    batch = renders.batch(count, scene=0, subjects=torch.arange(count))
    changed = 0
    for row in range(count):
        drawn = subject_colour(batch.target[row], batch.mask[row])
        white = batch.reference[row].amin(0, keepdim=True) > 0.97
        shown = subject_colour(batch.reference[row], 1 - white.float())
        own = own_colour(subjects, row)
        assert float((drawn - shown).abs().max()) < 0.35, row
        changed += float((shown - own).abs().max()) > 0.35
    assert changed > count // 4  # and most of them are not the colours of the file
    assert renders.batch(1, scene=plain).scene.tolist() == [plain]


def test_without_recolouring_subjects_keep_their_colours(subjects: Subjects):
    batch = renderer(subjects, recolour=False).batch(3, scene=0, subjects=torch.tensor([0, 8, 16]))
    for row, subject in enumerate((0, 8, 16)):
        own = own_colour(subjects, subject)
        white = batch.reference[row].amin(0, keepdim=True) > 0.97
        assert float((subject_colour(batch.reference[row], 1 - white.float()) - own).abs().max()) < 0.35


def test_looks_do_what_they_say(subjects: Subjects):
    keys = [scene.key for scene in language.SCENES]
    blue = torch.tensor([16, 16, 16, 16])
    asked = [keys.index(key) for key in ("red", "purple", "wet", "shiny")]
    batch = renderer(subjects, recolour=False).batch(4, scene=asked, subjects=blue)
    red, purple = (subject_colour(batch.target[row], batch.mask[row]) for row in (0, 1))
    assert red[0] > red[1] + 0.3 and red[0] > red[2] + 0.3
    assert purple[2] > purple[1] + 0.3 and purple[0] > purple[1]


def test_captions_name_the_subject_and_the_scene(subjects: Subjects):
    batch = renderer(subjects).batch(25, scene=range(25), subjects=torch.arange(25) % 24)
    named = 0
    for row, words in enumerate(batch.captions):
        scene = language.SCENES[row]
        assert any(wording in words for wording in (scene.prompt, *scene.wordings))
        place = int(batch.place[row])
        if scene in language.PLACES:
            assert place == row
        elif place < len(language.PLACES):
            assert language.PLACES[place].prompt in words
        named += subjects.names[int(batch.subject[row])] in words
    assert named > 15


def test_a_sheet_holds_every_pair(subjects: Subjects):
    sheet = contact_sheet(renderer(subjects).batch(5), columns=3)
    assert sheet.shape == (2 * SIDE, 6 * SIDE, 3)


def test_outfits_are_painted_on_the_picture_and_not_on_the_reference(subjects: Subjects):
    """Each changes its subject, in its own colours, and stays inside the picture."""
    wanted = {"red_hat": (0, 1), "santa_hat": (0, 1), "yellow_shirt": (0, 2), "pink_glasses": (0, 1), "police": (2, 0)}
    count = len(language.OUTFITS)
    first = len(language.SCENES)
    same = torch.zeros(count, dtype=torch.long)
    dressed = renderer(subjects, recolour=False).batch(count, range(first, first + count), same, plain_looks=True)
    for row, outfit in enumerate(language.OUTFITS):
        assert any(wording in dressed.captions[row] for wording in (outfit.prompt, *outfit.wordings))
        assert int(dressed.scene[row]) == first + row
        assert int(dressed.place[row]) == len(language.PLACES), "on a plain backdrop"
    row = [outfit.key for outfit in language.OUTFITS].index("police")
    bluest = [
        float(((picture[row, 2] - picture[row, 0]) * (mask > 0.9)).max())
        for picture, mask in ((dressed.target, dressed.mask[row, 0]), (dressed.reference, torch.ones(SIDE, SIDE)))
    ]
    assert bluest[0] > 0.2 > 0.1 > bluest[1], "navy is worn in the picture; the reference is red on white"
    sprites = subjects.pictures[:1].float() / 255
    sprites[:, :3] *= sprites[:, 3:]
    for outfit in language.OUTFITS:
        canvas = Canvas(1, sprites.shape[-1], torch.Generator().manual_seed(1))
        worn = outfits.dress(sprites, outfit.key, canvas)
        bare = outfits._with_room(sprites)
        changed = (worn - bare).abs().amax(1) > 0.2
        assert 0.002 < float(changed.float().mean()) < 0.5, outfit.key
        assert float(worn.min()) >= 0 and float(worn.max()) <= 1
        assert bool((worn[:, :3] <= worn[:, 3:] + 1e-4).all()), "premultiplied"
        if outfit.key in wanted:
            more, less = wanted[outfit.key]
            new = worn[0, :3][:, changed[0]].mean(1)
            assert new[more] > new[less] + 0.08, outfit.key


def test_outfits_come_as_often_as_asked_for_and_change_nothing_where_they_are_not(subjects: Subjects):
    first = len(language.SCENES)
    some = renderer(subjects, outfits=0.5)
    drawn = [some._draw_scene() for _ in range(400)]
    assert 140 < sum(scene >= first for scene in drawn) < 260
    none = renderer(subjects)
    assert all(none._draw_scene() < first for _ in range(200))


def test_an_empty_sprite_can_be_dressed():
    for outfit in language.OUTFITS:
        canvas = Canvas(1, 32, torch.Generator().manual_seed(1))
        assert torch.isfinite(outfits.dress(torch.zeros(1, 4, 32, 32), outfit.key, canvas)).all()
