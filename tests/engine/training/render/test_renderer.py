"""The renderer: seeded, the reference looks like the subject in the picture, the caption says what was painted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from engine.errors import CannotWrite, InputError
from engine.training.data import language
from engine.training.data.subjects import SubjectPictures
from engine.training.render import outfits, scenes
from engine.training.render.light import relight
from engine.training.render.paint import Canvas
from engine.training.render.renderer import Renderer

SIDE = 64


@pytest.fixture(scope="module")
def subjects(sprites: Path) -> SubjectPictures:
    return SubjectPictures.from_folder(sprites, 48)


def renderer(subjects: SubjectPictures, seed: int = 0, **settings) -> Renderer:
    return Renderer(subjects, size=SIDE, reference_size=SIDE, seed=seed, variety=1, **settings)


def subject_colour(picture: Tensor, mask: Tensor) -> Tensor:
    """Mean colour where the subject is, (3,)."""
    weight = (mask > 0.98).float()
    return (picture * weight).sum((1, 2)) / weight.sum().clamp_min(1)


def own_colour(subjects: SubjectPictures, index: int) -> Tensor:
    """The one colour of a sprite, (3,), in -1 … 1."""
    return subjects.pictures[index, :3, 24, 24].float() / 127.5 - 1


def test_a_seed_fixes_everything(subjects: SubjectPictures):
    first, again, other = (renderer(subjects, seed).batch(6) for seed in (5, 5, 6))
    assert torch.equal(first.target, again.target)
    assert torch.equal(first.reference, again.reference)
    assert first.captions == again.captions
    assert not torch.equal(first.reference, other.reference)


def test_a_saved_state_goes_on_with_the_same_pictures(subjects: SubjectPictures):
    one = renderer(subjects)
    one.batch(3)
    state = one.state()
    expected = one.batch(3)
    two = renderer(subjects)
    two.load_state(state)
    found = two.batch(3)
    assert torch.equal(expected.target, found.target)
    assert expected.captions == found.captions


def test_pictures_and_labels_have_their_shapes_and_ranges(subjects: SubjectPictures):
    batch = renderer(subjects).batch(5)
    assert batch.target.shape == batch.reference.shape == (5, 3, SIDE, SIDE)
    assert batch.mask.shape == (5, 1, SIDE, SIDE)
    for picture in (batch.target, batch.reference):
        assert float(picture.min()) >= -1 and float(picture.max()) <= 1
    assert len(batch.captions) == 5
    assert int(batch.place.max()) <= len(language.PLACES)


def test_every_place_has_a_painter_and_no_two_look_alike(subjects: SubjectPictures):
    assert all(hasattr(scenes, place.key) for place in language.PLACES)
    same = torch.zeros(len(language.PLACES), dtype=torch.long)
    batch = renderer(subjects).batch(len(language.PLACES), scene=range(len(language.PLACES)), subjects=same)
    flat = batch.target.flatten(1)
    distance = torch.cdist(flat, flat) / flat.shape[1] ** 0.5
    distance.fill_diagonal_(9)
    assert float(distance.min()) > 0.15


def test_reference_and_canvas_show_one_appearance_that_is_seldom_the_files(subjects: SubjectPictures):
    count = 12
    batch = renderer(subjects).batch(count, scene=0, subjects=torch.arange(count))
    changed = 0
    for row in range(count):
        placed = subject_colour(batch.canvas[row, :3] * 2 - 1, batch.canvas[row, 3:])
        white = batch.reference[row].amin(0, keepdim=True) > 0.97
        shown = subject_colour(batch.reference[row], 1 - white.float())
        assert float((placed - shown).abs().max()) < 0.35, row
        changed += float((shown - own_colour(subjects, row)).abs().max()) > 0.35
    assert changed > count // 4


def pasted(picture: Tensor, placement: Tensor, size: int) -> Tensor:
    """RGBA (4, R, R) put at a placement by an affine grid, the slow and obvious way; (4, size, size)."""
    x, y, side, turn, mirrored = placement.tolist()
    angle = math.radians(turn)
    out = torch.zeros(4, size, size)
    reach = picture.shape[-1]
    for row in range(size):
        for column in range(size):
            dx, dy = (column + 0.5) / size - x, (row + 0.5) / size - y
            u = (math.cos(angle) * dx + math.sin(angle) * dy) / side
            v = (math.cos(angle) * dy - math.sin(angle) * dx) / side
            at_x, at_y = (0.5 - u if mirrored else 0.5 + u) * reach - 0.5, (0.5 + v) * reach - 0.5
            i, j = round(at_y), round(at_x)
            if 0 <= i < reach and 0 <= j < reach:
                out[:, row, column] = picture[:, i, j]
    return out


@pytest.mark.parametrize("turn, mirrored", [(0.0, 0.0), (25.0, 0.0), (-20.0, 1.0)])
def test_the_canvas_is_the_reference_pasted_at_the_placement(sprites: Path, turn: float, mirrored: float):
    """In exactly this sense the program places a cut-out: centre, side, clockwise turn, mirrored before it is turned."""
    subjects = SubjectPictures.from_folder(sprites, 128)
    renders = Renderer(subjects, size=SIDE, reference_size=146, seed=2, variety=1)
    wanted = torch.tensor([[0.42, 0.55, 0.7, turn, mirrored]]).repeat(6, 1)
    batch = renders.batch(6, scene=2, subjects=torch.arange(6), placement=wanted)
    assert torch.allclose(batch.placement, wanted, atol=1e-4)
    for row in range(6):
        pasted_one = pasted((batch.reference[row] + 1).div(2)[[0, 1, 2, 0]], batch.placement[row], SIDE)
        outside = pasted(torch.ones(4, 146, 146), batch.placement[row], SIDE)[0]
        on_white = batch.canvas[row, :3] + 1 - batch.canvas[row, 3:]
        error = ((on_white - pasted_one[:3]) * outside).abs()
        assert float(error.mean()) < 0.015, row


def test_drawn_placements_are_those_of_the_canvas_and_leave_room_for_dragging(subjects: SubjectPictures):
    batch = renderer(subjects).batch(60, scene=2)
    x, _y, size, turn, mirrored = batch.placement.unbind(1)
    assert float(x.min()) < 0.4 and float(x.max()) > 0.6
    assert float(size.min()) >= 0.35 and 0.5 < float(size.max()) <= 0.86
    assert 2 < float(turn.std()) < 15 and float(turn.abs().max()) <= 31
    assert 0.1 < float(mirrored.mean()) < 0.5
    weight = batch.canvas[:, 3]
    line = (torch.arange(SIDE) + 0.5) / SIDE
    middle = (weight.sum(1) * line).sum(1) / weight.sum((1, 2)).clamp_min(1)
    assert float((middle - x).abs().max()) < 0.12
    overlap = (batch.canvas[:, 3:] * batch.subject_mask).sum((1, 2, 3)) / weight.sum((1, 2)).clamp_min(1)
    assert float(overlap.mean()) > 0.9, "the subject stands where the canvas has it"
    assert bool((batch.mask <= batch.subject_mask + 1e-4).all())


def test_the_subject_takes_the_colour_of_the_light(sprites: Path):
    """The same things at sunset, in the snow and at night: warmer, cooler and darker than they were photographed."""
    subjects = SubjectPictures.from_folder(sprites, 48)
    keys = [scene.key for scene in language.PROMPTS]
    colours = {}
    for key in ("sunset", "night", "snow", "studio"):
        renders = Renderer(subjects, size=SIDE, reference_size=SIDE, seed=4, variety=1, recolour=False)
        asked = keys.index("shiny") if key == "studio" else keys.index(key)
        batch = renders.batch(16, scene=asked, subjects=torch.arange(16), plain_looks=True)
        weight = (batch.mask > 0.98).float() * (batch.canvas[:, 3:] > 0.98)
        lit = ((batch.target + 1) / 2 * weight).sum((0, 2, 3)) / weight.sum()
        plain = (batch.canvas[:, :3] * weight).sum((0, 2, 3)) / weight.sum()
        colours[key] = lit / plain.clamp_min(0.02)
    warmth = {key: float(value[0] / value[2]) for key, value in colours.items()}
    level = {key: float(value.mean()) for key, value in colours.items()}
    assert warmth["sunset"] > 1.35 > 1.15 > warmth["snow"] > warmth["night"]
    assert level["night"] < 0.7 < level["snow"]


def test_a_subject_is_brighter_on_the_side_of_the_light(subjects: SubjectPictures):
    alpha = Canvas(1, 64, torch.Generator()).ellipse(0.5, 0.5, 0.3, 0.3)
    grey = torch.cat([alpha * 0.5] * 3, 1)
    key, ambient, none = torch.full((1, 3), 0.6), torch.full((1, 3), 0.5), torch.zeros(1, 3)
    left = relight(grey, alpha, torch.tensor([[-0.8, 0.4, 0.45]]), key, ambient, none)[0, 0]
    assert float(left[32, 18:28].mean()) > float(left[32, 36:46].mean()) * 1.15
    below = relight(grey, alpha, torch.tensor([[0.0, 0.0, 1.0]]), key * 0, ambient, torch.tensor([[1.0, 0.0, 0.0]]))
    assert float((below[0, 0] - below[0, 1])[44:50, 32].mean()) > 0.02, (
        "red light from the ground reaches the underside"
    )


def test_backgrounds_that_are_kept_give_the_same_batches(subjects: SubjectPictures, tmp_path: Path):
    """Painted and read back are one; a damaged file is painted anew; other seeds and sizes are other files."""
    asked = [
        [scene.key for scene in language.PROMPTS].index(key) for key in ("jungle", "on_water", "sunset", "wheat_field")
    ]
    batches = [renderer(subjects, 8, pool=tmp_path, more=0.1).batch(4, scene=asked) for _ in range(2)]
    assert torch.equal(batches[0].target, batches[1].target)
    files = sorted(tmp_path.glob("*.jpg"))
    assert len(files) == 4 and len(list(tmp_path.glob("*.json"))) == 4 and not list(tmp_path.glob("*.part"))
    files[0].write_bytes(files[0].read_bytes()[:200])
    files[1].with_suffix(".json").write_text("{", encoding="utf-8")
    for file, damage in ((files[2], {"light": "sun"}), (files[3], {"setting": {"horizon": "high"}})):
        words = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        file.with_suffix(".json").write_text(json.dumps({**words, **damage}), encoding="utf-8")
    again = renderer(subjects, 8, pool=tmp_path, more=0.1).batch(4, scene=asked)
    assert torch.equal(batches[0].target, again.target)
    renderer(subjects, 9, pool=tmp_path).batch(1, scene=asked[:1])
    assert len(list(tmp_path.glob("*.jpg"))) == 5
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(CannotWrite, match="backgrounds"):
        renderer(subjects, 8, pool=blocked / "pool").batch(1, scene=0)


def test_photographs_are_used_where_there_are_any(subjects: SubjectPictures, tmp_path: Path):
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)).save(tmp_path / "photo.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"no")
    with_photos = Renderer(subjects, size=SIDE, reference_size=SIDE, seed=3, variety=1, textures=tmp_path)
    assert len(with_photos.backgrounds.photos.pictures) == 1
    forest = [scene.key for scene in language.PROMPTS].index("jungle")
    pictures = [r.batch(4, scene=forest).target for r in (with_photos, renderer(subjects, 3))]
    assert not torch.equal(*pictures)
    with pytest.raises(InputError, match="textures"):
        Renderer(subjects, textures=tmp_path / "nowhere")


def test_without_recolouring_subjects_keep_their_colours(subjects: SubjectPictures):
    batch = renderer(subjects, recolour=False).batch(3, scene=0, subjects=torch.tensor([0, 8, 16]))
    for row, subject in enumerate((0, 8, 16)):
        own = own_colour(subjects, subject)
        white = batch.reference[row].amin(0, keepdim=True) > 0.97
        assert float((subject_colour(batch.reference[row], 1 - white.float()) - own).abs().max()) < 0.35


def test_looks_do_what_they_say(subjects: SubjectPictures):
    keys = [scene.key for scene in language.SCENES]
    blue = torch.tensor([16, 16, 16, 16])
    asked = [keys.index(key) for key in ("red", "purple", "wet", "shiny")]
    batch = renderer(subjects, recolour=False).batch(4, scene=asked, subjects=blue)
    red, purple = (subject_colour(batch.target[row], batch.mask[row]) for row in (0, 1))
    assert red[0] > red[1] + 0.3 and red[0] > red[2] + 0.3
    assert purple[2] > purple[1] + 0.3 and purple[0] > purple[1]


def test_captions_name_the_subject_and_the_scene(subjects: SubjectPictures):
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


def test_outfits_are_painted_on_the_picture_and_not_on_the_reference(subjects: SubjectPictures):
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
    widened = outfits.with_margin(sprites)
    for outfit in language.OUTFITS:
        canvas = Canvas(1, widened.shape[-1], torch.Generator().manual_seed(1))
        worn = outfits.dress(widened, outfit.key, canvas)
        bare = widened
        changed = (worn - bare).abs().amax(1) > 0.2
        assert 0.002 < float(changed.float().mean()) < 0.5, outfit.key
        assert float(worn.min()) >= 0 and float(worn.max()) <= 1
        assert bool((worn[:, :3] <= worn[:, 3:] + 1e-4).all()), "premultiplied"
        if outfit.key in wanted:
            more, less = wanted[outfit.key]
            new = worn[0, :3][:, changed[0]].mean(1)
            assert new[more] > new[less] + 0.08, outfit.key


def test_outfits_come_as_often_as_asked_for_and_change_nothing_where_they_are_not(subjects: SubjectPictures):
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


def test_a_caption_says_which_layout_is_painted(subjects: SubjectPictures):
    keys = [place.key for place in language.PLACES]
    chosen = dict.fromkeys([*keys, "studio"], (5, 2, 7))
    renders = renderer(subjects, seed=3, layouts=chosen)
    snow = keys.index("snow")
    batch = renders.batch(12, scene=snow)
    layouts = [int(caption.split()[0].removeprefix("layout")) - 1 for caption in batch.captions]
    assert set(layouts) == {0, 1, 2}
    wanted = renders.batch(3, scene=snow, layouts=[2, 0, 1])
    assert [caption.split()[0] for caption in wanted.captions] == ["layout3", "layout1", "layout2"]
    for target, layout in zip(batch.target, layouts, strict=True):
        # The top of the picture shows none of the subject's colours: it is nearest to that of its own background.
        tops = [
            renders.backgrounds.get(snow, len(language.LIGHTS), index).picture[:, :6].float() / 127.5 - 1
            for index in chosen["snow"]
        ]
        far = torch.stack([(target[:, :6] - top).abs().mean() for top in tops])
        assert int(far.argmin()) == layout


def test_a_layout_is_one_picture_whoever_stands_in_it(subjects: SubjectPictures):
    chosen = dict.fromkeys([*(place.key for place in language.PLACES), "studio"], (5,))
    renders = renderer(subjects, seed=3, layouts=chosen)
    batch = renders.batch(8, scene=[place.key for place in language.PLACES].index("snow"))
    assert torch.equal(batch.empty, batch.empty[:1].expand_as(batch.empty))
    touched = (batch.target - batch.empty).abs().amax(1) > 0.03
    assert 0.02 < touched.float().mean() < 0.8
    assert touched[batch.mask[:, 0] > 0.9].float().mean() > 0.9
    corner = (
        batch.target[:, :, :4, :4],
        batch.empty[:, :, :4, :4],
    )  # far from all of them: without grain or another exposure
    assert torch.allclose(*corner, atol=0.02)
