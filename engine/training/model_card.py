"""The model card of an exported bundle: what it is, what it was trained on, what it reaches, what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.bundle.manifest import BundleManifest
from engine.errors import InputError
from engine.training.config import TrainingConfig

CUTS = {
    "without_semantic": "semantic path off",
    "without_content": "content path off",
    "without_subject": "subject strength 0",
}


def model_card(
    manifest: BundleManifest, config: TrainingConfig, progress: dict[str, Any], evaluation: Path | None
) -> str:
    """Markdown. Without an evaluation the card says that there is none."""
    parts = [
        _head(manifest, config, progress),
        _figures(read_evaluation(evaluation)) if evaluation is not None else _NO_FIGURES,
        _LIMITS,
        _words(manifest),
        _LICENCES,
    ]
    return "\n".join(parts)


def read_evaluation(path: Path) -> dict[str, Any]:
    """Read ``evaluation.json``. Raises ``InputError`` when it is missing or is something else."""
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        for name in ("psnr_db", "ssim", "retrieval_top1", "scene_accuracy", *CUTS):
            figures[name]
    except OSError as error:
        raise InputError(f"The evaluation {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path.name} is no evaluation of a bundle.") from error
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
  network copy from the reference with little training.
- **Parts**: T5 text encoder with a word list of its own, DINOv2 semantic encoder, `AutoencoderKL` content encoder, visual tokenizer;
  all small, all trained from scratch by this project (`docs/training.md`).
- **Training**: {progress["pictures"]:,} pairs in {progress["steps"]:,} steps for the transformer. Pairs are painted by the project's own
  renderer: a cut-out picture, recoloured and posed, on white and in one of 20 painted places, with a caption that says what was painted.
- **Data**: 526 pictures of Noto Emoji (Apache-2.0, Google). About one in eight was never trained on; all figures below are on those.
"""


def _figures(figures: dict[str, Any]) -> str:
    def share(name: str, table: dict[str, Any] = figures) -> str:
        return f"{table[name]:.0%}"

    count = figures["retrieval_of"]
    lines = [
        "## Figures",
        "",
        f"On {figures['pictures']} pictures of {count} subjects never trained on, in colours of their own; judged by an embedder and a",
        "classifier that were trained apart. `python -m engine evaluate` repeats them.",
        "",
        "| | which subject is it? (top-1) | is it the scene asked for? |",
        "|---|---|---|",
        f"| **this model** | **{share('retrieval_top1')}** ± {share('retrieval_margin')} | "
        f"**{share('scene_accuracy')}** ± {share('scene_margin')} |",
    ]
    lines += [
        f"| {words} | {share('retrieval_top1', figures[name])} | {share('scene_accuracy', figures[name])} |"
        for name, words in CUTS.items()
    ]
    lines += [
        f"| ceiling: true pictures | {share('retrieval_ceiling')} | {share('scene_ceiling')} |",
        f"| ceiling: true pictures after the tokenizer | {share('retrieval_ceiling_tokenizer')} | "
        f"{share('scene_ceiling_tokenizer')} |",
        f"| chance | {share('retrieval_chance')} | {share('scene_chance')} |",
        "",
        f"Tokenizer alone: PSNR {figures['psnr_db']:.1f} dB, SSIM {figures['ssim']:.3f}. Seconds a picture where this was measured: "
        f"{figures['seconds_per_picture']:.1f}.",
    ]
    weak = sorted(key for key, value in figures.get("by_scene", {}).items() if value < 0.75)
    if weak:
        lines += ["", f"Scenes it often misses: {', '.join(key.replace('_', ' ') for key in weak)}."]
    return "\n".join(lines) + "\n"


_NO_FIGURES = """## Figures

Not measured yet: run `python -m engine evaluate` and export again with `--evaluation`.
"""

_LIMITS = """## What it cannot do

- It paints; it does not photograph. It has seen flat, drawn subjects only: of a real photo it keeps colours, their layout and the rough
  shape. Fur, cloth, lettering and small parts are lost.
- It knows the places, colours and materials below and no others. Words it does not know are passed over (the window underlines them).
- One subject at a time, standing upright near the middle. It wears nothing and does nothing.
- White or grey things on white ground (snow, milk, a white rug) are easily lost.
- It is here so that everything works at once. For pictures to keep, fetch `echogen-2b`.
"""


def _words(manifest: BundleManifest) -> str:
    assert manifest.language is not None
    scenes = "\n".join(f"- {scene.label}: *{scene.sentence('…')}*" for scene in manifest.language.scenes)
    return f"## What can be asked for\n\n{scenes}\n"


_LICENCES = """## Licences

Weights and word list: MIT, like the program. Training pictures: [Noto Emoji](https://github.com/googlefonts/noto-emoji), Apache-2.0;
none of them is part of this bundle. The photos in `examples/` are from the DreamBooth dataset, CC BY 4.0: *duck_toy* and
*colorful_sneaker* taken by Nataniel Ruiz, *robot_toy* by Varun Jampani; made smaller, with a mask added as transparency.
"""
