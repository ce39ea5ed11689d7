"""The model card of an exported bundle: what it is, what it was trained on, what it reaches, what it cannot do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct, field

from engine.bundle.manifest import BundleManifest
from engine.bundle.records import LikenessScale
from engine.errors import InputError, os_reason
from engine.sentence import Sentence
from engine.training.config import TrainingConfig
from engine.training.figures import TARGETS, Target, number
from engine.validation import Damage, Finite, Natural, read_json, read_value

CUTS = {
    "without_semantic": "semantic path off",
    "without_content": "content path off",
    "without_reference": "reference decoder off",
    "without_subject": "subject strength 0",
}
_LARGEST = 4 * 2**20
_Figure = Finite | None


class _Cut(Struct):
    """The figures that the card has of a model without one of its paths."""

    photos_top1: _Figure = None
    retrieval_top1: _Figure = None
    scene_accuracy: _Figure = None


class _Figures(Struct):
    """The figures that the card has of every evaluation."""

    seconds_per_picture: Finite
    scene_accuracy: _Figure
    scene_margin: _Figure = None
    scene_ceiling: _Figure = None
    scene_ceiling_tokenizer: _Figure = None
    scene_chance: _Figure = None
    psnr_db: Finite = 0.0
    ssim: Finite = 0.0
    by_scene: dict[str, Finite] = field(default_factory=dict)
    without_semantic: _Cut | None = None
    without_content: _Cut | None = None
    without_reference: _Cut | None = None
    without_subject: _Cut | None = None


class _OfPhotos(_Figures, kw_only=True):
    photos_top1: Finite
    photos_margin: _Figure
    photos_of: Natural
    photos_pictures: Natural
    photos_ceiling: _Figure
    photos_ceiling_bits: _Figure = None
    photos_chance: _Figure = None


class _OfCutOuts(_Figures, kw_only=True):
    pictures: Natural
    retrieval_of: Natural
    retrieval_top1: Finite
    retrieval_margin: _Figure
    retrieval_ceiling: _Figure
    retrieval_ceiling_tokenizer: _Figure
    retrieval_chance: _Figure


def model_card(
    manifest: BundleManifest, config: TrainingConfig, progress: dict[str, Any], evaluation: Path | None
) -> str:
    """Markdown. Without an evaluation the card says that there is none."""
    parts = [
        _head(manifest, config, progress),
        _figures(read_evaluation(evaluation)) if evaluation is not None else _NO_FIGURES,
        *((_likeness(manifest.likeness),) if manifest.likeness is not None else ()),
        _LIMITS,
        _words(manifest),
        _LICENCES,
    ]
    return "\n".join(parts)


def read_evaluation(path: Path) -> dict[str, Any]:
    """Read ``evaluation.json``: of photos, of drawn cut-outs, or of both.

    Raises:
        InputError: it is missing or is something else.
    """
    try:
        figures = read_json(path, dict[str, Any], _LARGEST)
        read_value(figures, _OfPhotos if "photos_top1" in figures else _OfCutOuts)
        read_value({target.key: figures.get(target.key) for target in TARGETS}, dict[str, _Figure])
    except OSError as error:
        raise InputError(
            Sentence("The evaluation {path} cannot be read: {reason}.", path=path, reason=os_reason(error))
        ) from error
    except Damage as damage:
        raise InputError(
            Sentence("{path} is no evaluation of a bundle: {reason}.", path=path.name, reason=damage.why)
        ) from damage
    return figures


def _head(manifest: BundleManifest, config: TrainingConfig, progress: dict[str, Any]) -> str:
    width, height = manifest.sizes[0]
    grids = ", ".join(f"{rows}×{columns}" for rows, columns in config.schedule.grids)
    net = config.transformer
    return f"""# {manifest.title}

{manifest.description}

- **Pictures**: {width} × {height} pixels; {len(config.schedule.grids)} scales ({grids}), {config.tokenizer.bits} bits a token.
- **Network**: the published EchoGen architecture, {net.blocks} blocks of width {net.width}: both injection paths, separate softmax,
  AdaLN. One switch differs from the published configuration: the content keys carry a rotary code of their place, which lets a small
  network copy from the reference with little training.{_placed(manifest)}{_layouts(manifest)}
- **Parts**: T5 text encoder with a word list of its own, DINOv2 semantic encoder, `AutoencoderKL` content encoder, visual tokenizer;
  all small, all trained from scratch by this project (`docs/training.md`).
- **Training**: {progress["pictures"]:,} pairs in {progress["steps"]:,} steps for the transformer, on top of what its first edition had
  learnt. Pairs are painted by the project's own renderer: a cut-out picture, recoloured and posed, on white and in one of 20 places, lit
  by that place's light, with a caption that says what was painted.
- **Data**: cut-outs of Noto Emoji (526, Apache-2.0, Google), Fluent Emoji 3D (526, MIT, Microsoft) and the stamps of Tux Paint (256, GPL-2,
  many public domain); photographs of mate-backgrounds (GPL-2+) and lomiri-wallpapers (CC BY, CC BY-SA, CC0) as material for backgrounds.
  About one subject in eight was never trained on.
"""


def _placed(manifest: BundleManifest) -> str:
    """The abilities of a bundle with placement, in plain words."""
    if manifest.placed_content is None:
        return ""
    words = """
- **Placement**: where the subject stands is an input. The content path sees the cut-out at its place in the picture, and every content
  token looks at the place it belongs to. Left open, the place is drawn from the seed."""
    if manifest.tokenizer.reference_channels:
        words += """
- **Reference decoder**: the bits say scene, light, shadow and cover; the fine detail of the subject comes from the placed cut-out itself,
  which the decoder lays into the picture in the light that the bits ask for. The published model has neither."""
    if manifest.tokenizer.lattice:
        words += f"""
- **Mesh**: its decoder leaves a faint mesh of {manifest.tokenizer.lattice} pixels, and grain as fine, which is taken out of every
  picture and preview: scenes are averaged over the mesh's cells, and the subject keeps its detail."""
    if manifest.tokenizer.relight:
        words += f"""
- **Relight**: the subject's broad colours go {manifest.tokenizer.relight:.0%} of the way to those that the decoder paints from the bits
  alone: between a photo and what few bits say of its light lies the better guess."""
    return words


def _layouts(manifest: BundleManifest) -> str:
    if not manifest.layouts:
        return ""
    return f"""
- **Layouts**: it was taught {manifest.layouts} layouts of every place, each with a word of its own. The seed says which is drawn: seeds in
  a row are layouts in a row, and one seed keeps its scene whatever is put into it."""


def _figures(figures: dict[str, Any]) -> str:
    lines = ["## Figures", "", *(_of_photos(figures) if "photos_top1" in figures else _of_cut_outs(figures))]
    if {"psnr_db", "ssim"} <= figures.keys():
        lines += ["", f"Tokenizer alone: PSNR {figures['psnr_db']:.1f} dB, SSIM {figures['ssim']:.3f}."]
    lines += ["", f"Seconds a picture where this was measured: {figures['seconds_per_picture']:.1f}."]
    weak = sorted(key for key, value in figures.get("by_scene", {}).items() if value < 0.75)
    if weak:
        lines += ["", f"Scenes it often misses: {', '.join(key.replace('_', ' ') for key in weak)}."]
    return "\n".join(lines) + "\n"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _of_photos(figures: dict[str, Any]) -> list[str]:
    """The figures that count: on real photos, by a judge nobody here trained."""
    lines = [
        f"On {figures['photos_pictures']} pictures of {figures['photos_of']} real things, from one photo each; none of the photos "
        "was trained on. The judge of",
        "subjects is EfficientNet-Lite2 with its published ImageNet weights; that of scenes was trained apart, on renders.",
        "`python -m engine evaluate --photos DIR` repeats them.",
        "",
        "| | which subject is it? (top-1) | is it the scene asked for? |",
        "|---|---|---|",
        f"| **this model** | **{_share(figures['photos_top1'])}** ± {_share(figures['photos_margin'])} | "
        f"**{_share(figures['scene_accuracy'])}** ± {_share(figures.get('scene_margin'))} |",
    ]
    lines += [
        f"| {words} | {_share(figures[name].get('photos_top1'))} | {_share(figures[name].get('scene_accuracy'))} |"
        for name, words in CUTS.items()
        if "photos_top1" in (figures.get(name) or {})
    ]
    lines += [
        f"| ceiling: true pictures | {_share(figures['photos_ceiling'])} | {_share(figures.get('scene_ceiling'))} |",
        f"| ceiling: true pictures after the tokenizer | {_share(figures.get('photos_ceiling_bits'))} | "
        f"{_share(figures.get('scene_ceiling_tokenizer'))} |",
        f"| chance | {_share(figures.get('photos_chance'))} | {_share(figures.get('scene_chance'))} |",
        "",
        "| further figures | |",
        "|---|---|",
    ]
    known = ("photos_top1", "photos_ceiling", "photos_ceiling_bits", "scene_accuracy", "seconds_per_picture")
    lines += [
        f"| {target.words} | {number(figures[target.key], target.unit)}{_of_true_pictures(target, figures)} |"
        for target in TARGETS
        if target.key not in known and figures.get(target.key) is not None
    ]
    return lines


def _of_true_pictures(target: Target, figures: dict[str, Any]) -> str:
    """Return the words for what true pictures reach, or "" where that was not measured."""
    found = [figures.get(key) for words, key in target.beside if words == "ceiling"]
    return "".join(f"; true pictures {number(value, target.unit)}" for value in found if value is not None)


def _of_cut_outs(figures: dict[str, Any]) -> list[str]:
    """Without photos: drawn subjects, and judges of our own. They are told apart by colour alone, so this says little."""
    lines = [
        f"On {figures['pictures']} pictures of {figures['retrieval_of']} subjects never trained on, in colours of their own; "
        "judged by an embedder and a",
        "classifier that were trained apart. `python -m engine evaluate` repeats them.",
        "",
        "| | which subject is it? (top-1) | is it the scene asked for? |",
        "|---|---|---|",
        f"| **this model** | **{_share(figures['retrieval_top1'])}** ± {_share(figures['retrieval_margin'])} | "
        f"**{_share(figures['scene_accuracy'])}** ± {_share(figures.get('scene_margin'))} |",
    ]
    lines += [
        f"| {words} | {_share(figures[name].get('retrieval_top1'))} | {_share(figures[name].get('scene_accuracy'))} |"
        for name, words in CUTS.items()
        if figures.get(name) is not None
    ]
    lines += [
        f"| ceiling: true pictures | {_share(figures['retrieval_ceiling'])} | {_share(figures.get('scene_ceiling'))} |",
        f"| ceiling: true pictures after the tokenizer | {_share(figures['retrieval_ceiling_tokenizer'])} | "
        f"{_share(figures.get('scene_ceiling_tokenizer'))} |",
        f"| chance | {_share(figures['retrieval_chance'])} | {_share(figures.get('scene_chance'))} |",
    ]
    return lines


_NO_FIGURES = """## Figures

Not measured yet: run `python -m engine evaluate --photos DIR` and export again with `--evaluation`.
"""

_LIMITS = """## What it cannot do

- Scenes are soft and simple: a horizon, a ground, a few shapes. It has 8,192 bits for the last and finest scale.
- The subject keeps the pose and the view of its photo: it is lit anew, turned, sized and placed, and never seen from another side.
- A change of colour or material often reaches only a part of the subject. It wears nothing and does nothing.
- It knows the places, colours and materials below and no others. Words it does not know are passed over (the window underlines them).
- What hides the subject (water, grass, snow) is drawn now and then only; feet may hover a little above the ground.
- It is here so that everything works at once. For pictures to keep, fetch `echogen-2b`.
"""


def _likeness(scale: LikenessScale) -> str:
    """Say how the number beside a picture is read, and how far it can be trusted."""
    shown = "It is shown" if scale.tells else "That is not enough to show it"
    where = (
        f"after {scale.blocks} of the semantic encoder's blocks"
        if scale.blocks
        else "as the semantic encoder takes them in"
    )
    return f"""## How alike

The likeness compares the subject as it was drawn with its cut-out, patch by patch, {where}.
0 % is as alike as another thing usually is, 100 % the same. Its own pictures of a thing are told from pictures of another thing,
seen through the same outline, with an area under the curve of {scale.area:.3f}. {shown}.
"""


def _words(manifest: BundleManifest) -> str:
    assert manifest.language is not None
    scenes = "\n".join(f"- {scene.label}: *{scene.sentence('…')}*" for scene in manifest.language.scenes)
    return f"## What can be asked for\n\n{scenes}\n"


_LICENCES = """## Licences

Weights and word list: MIT, like the program. Training pictures, none of which is part of this bundle: Noto Emoji, Apache-2.0; Fluent
Emoji 3D, MIT; Tux Paint stamps, GPL-2; mate-backgrounds, GPL-2+; lomiri-wallpapers, CC BY 4.0, CC BY-SA 3.0 and 4.0, CC0.

The photos in `examples/` are from the DreamBooth dataset, CC BY 4.0: *duck_toy* and *colorful_sneaker* taken by Nataniel Ruiz,
*robot_toy* by Varun Jampani; made smaller, with a mask added as transparency.
"""
