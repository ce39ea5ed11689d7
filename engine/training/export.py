"""From three trained stages to a bundle: averaged weights in half precision, words, chips with thumbnails, a model card."""

from __future__ import annotations

import dataclasses
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.bundle.manifest import BundleManifest
from engine.bundle.records import Defaults, EncoderPart, Example, Language, Origin, SceneEntry, layout_word
from engine.bundle.writer import write_bundle
from engine.encoders.content import DECODER_WEIGHTS
from engine.errors import InputError
from engine.sentence import Sentence
from engine.tokenizer import preview
from engine.training.checkpoint import load_full
from engine.training.config import TrainingConfig
from engine.training.data import language
from engine.training.model_card import model_card
from engine.training.stages import make_stage

if TYPE_CHECKING:
    from engine.training.drawer import Drawer, EncodedSubject

EXAMPLES = Path(__file__).parents[2] / "resources" / "examples"
THUMB_SIDE = 96
# The first launch shows the first example after these shares of its scales, coarse to fine, in sides that suit sharp screens.
SAMPLES = ((0.5, 168), (0.8, 224), (1.0, 256))
PREVIEW_PICTURES = 32
LARGEST_HALF = 65504.0


def export(
    config: TrainingConfig, runs: Path, sprites: Path | Sequence[Path], folder: Path, evaluation: Path | None = None
) -> BundleManifest:
    """Write the bundle of a training.

    The model draws the thumbnails of its own chips and the samples of the first launch, from the first example; so it is
    written twice.

    Args:
        runs: folder of the stages' checkpoints; all three must be there.
        sprites: the cut-outs it was trained on: their names are its words.
        folder: what is written; a bundle that lies there is replaced.
        evaluation: ``evaluation.json`` of this model, for the model card.

    Raises:
        InputError: a stage is not trained yet, or an example is missing. CannotWrite: the folder cannot be written.
    """
    path = runs / "transformer" / "full.pt"
    if not path.exists():
        raise InputError(
            Sentence("The transformer stage has no checkpoint in {runs} yet.", runs=runs), Sentence("Train it first.")
        )
    if config.tokenizer.reference_channels and not (runs / "decoder" / "full.pt").exists():
        raise InputError(
            Sentence("The decoder stage has no checkpoint in {runs} yet.", runs=runs),
            Sentence("Train it first: --stage decoder."),
        )
    stage = make_stage("transformer", config, sprites, runs, variety=1)
    state = load_full(path, stage.digest)
    stage.load_state(state["stage"])
    weights = collect_weights(stage)
    manifest = describe(config, stage)
    files: dict[str, bytes | Path] = {"text/tokenizer.json": stage.words.to_str().encode()}
    if not config.tokenizer.reference_channels:  # a decoder that sees the cut-out paints the previews itself
        # Fitted to renders: that is what the decoder paints.
        pictures = stage.renderer.batch(PREVIEW_PICTURES).target
        fitted = preview.fit_preview_map(
            stage.frozen.autoencoder, stage.frozen.tokenizer, config.schedule.grids, pictures=pictures
        )
        files[preview.FILE] = fitted.to_bytes()
    files |= {example.image: EXAMPLES / Path(example.image).name for example in manifest.examples}
    for source in files.values():
        if isinstance(source, Path) and not source.is_file():
            raise InputError(
                Sentence("The example {source} is missing.", source=source),
                Sentence("Change [export] in the training file."),
            )
    with tempfile.TemporaryDirectory() as place:
        draft = Path(place) / manifest.name
        write_bundle(draft, manifest, weights, files, dtype=torch.float16)
        drawer, subject = _open_example(draft)
        files |= draw_thumbs(drawer, subject)
        files |= draw_samples(drawer, subject)
    files["README.md"] = model_card(manifest, config, state["progress"], evaluation).encode()
    assert manifest.language is not None
    scenes = tuple(dataclasses.replace(scene, thumb=f"thumbs/{scene.key}.webp") for scene in manifest.language.scenes)
    manifest = dataclasses.replace(manifest, language=dataclasses.replace(manifest.language, scenes=scenes))
    return write_bundle(folder, manifest, weights, files, dtype=torch.float16)


def collect_weights(stage: Any) -> dict[str, dict[str, Tensor]]:
    """The averaged weights of every part, by the names its class gives them. What half precision cannot hold is refused."""
    average: dict[str, Tensor] = stage.average.weights

    def part(name: str) -> dict[str, Tensor]:
        start = f"{name}."
        return {key.removeprefix(start): value for key, value in average.items() if key.startswith(start)}

    text = part("text")
    text.pop("encoder.embed_tokens.weight", None)  # the word table under its second name
    content = stage.frozen.content.state_dict()
    weights = {
        "text": text,
        "semantic": part("semantic"),
        "content": {name: value for name, value in content.items() if not name.startswith(DECODER_WEIGHTS)},
        "transformer": part("transformer"),
        "tokenizer": dict(stage.frozen.autoencoder.state_dict()),
    }
    for name, tensors in weights.items():
        for key, value in tensors.items():
            if value.is_floating_point() and not bool((value.abs() <= LARGEST_HALF).all()):
                raise InputError(
                    Sentence("The weight {key} of the {name} is not finite in half precision.", key=key, name=name),
                    Sentence("Go back to an earlier checkpoint: this training has come apart."),
                )
    return weights


def describe(config: TrainingConfig, stage: Any) -> BundleManifest:
    """The manifest, without files and thumbnails. The ``[export]`` table of the training file has the words and dials."""
    table: dict[str, Any] = config["export"]
    words = frozenset(word for word in stage.words.get_vocab() if word.isalnum())
    taught = language.taught(config.outfits, config.more)
    withheld = set(table.get("withheld", ()))
    offered = tuple(scene for scene in taught if scene.key not in withheld and scene.kind not in withheld)
    first = {key: place for place, key in enumerate(table.get("first", ()))}
    offered = tuple(sorted(offered, key=lambda scene: first.get(scene.key, len(first))))
    mine = Origin("trained by this project", "MIT")
    return BundleManifest(
        name=str(config.values["name"]),
        title=str(table["title"]),
        licence="MIT",
        description=str(table["description"]),
        schedules=(config.schedule,),
        reference_size=int(config["data"].get("cutout_size", config["data"]["reference_size"])),
        transformer=config.transformer,
        tokenizer=dataclasses.replace(
            stage.frozen.tokenizer, lattice=int(table.get("lattice", 0)), relight=float(table.get("relight", 0.0))
        ),
        text=EncoderPart(_plain(stage.text.config)),
        semantic=EncoderPart(_plain(stage.semantic.config), int(config["semantic"]["input_size"])),
        content=EncoderPart(config.content, config.content_size),
        placed_content=config.placed_content,
        defaults=Defaults(
            prompt_strength=_dial(table["prompt_strength"]),
            subject_strength=_dial(table["subject_strength"]),
            temperature=_dial(table["temperature"]),
            top_p=float(table["top_p"]),
        ),
        origins=dict.fromkeys(("text", "semantic", "content", "transformer", "tokenizer"), mine),
        language=Language(
            words - _withheld_words(offered, taught) - {layout_word(layout) for layout in range(config.layout_count)},
            tuple(SceneEntry(scene.key, scene.kind, scene.prompt, scene.label) for scene in offered),
            config.layout_count,
        ),
        examples=tuple(
            Example(f"examples/{entry['image']}", entry["prompt"], entry["name"], int(entry["seed"]))
            for entry in table["examples"]
        ),
    )


def _withheld_words(offered: Sequence[language.Scene], taught: Sequence[language.Scene]) -> set[str]:
    """Words that only prompts of what is not offered have: the model has seen them, and does not draw what they say."""

    def words(scenes: Sequence[language.Scene]) -> set[str]:
        return {
            word
            for scene in scenes
            for text in (scene.prompt, scene.label, *scene.wordings)
            for word in language.split_words(text)
        }

    hidden = [scene for scene in taught if scene not in offered]
    return words(hidden) - words(offered) - set(language.vocabulary())


def _open_example(bundle: Path) -> tuple[Drawer, EncodedSubject]:
    """The bundle, ready to draw, and its first example's subject."""
    from engine.photo.framing import cut_out
    from engine.photo.load import load_photo
    from engine.preflight.segmenter import Segmenter
    from engine.training.drawer import Drawer

    drawer = Drawer.open(bundle)
    manifest = drawer.bundle.manifest
    photo = load_photo(bundle / manifest.examples[0].image)
    subject = cut_out(photo, Segmenter().find_subject(photo).mask, manifest.reference_size)
    return drawer, drawer.encode_subject("example", subject, manifest.examples[0].seed)


def draw_thumbs(drawer: Drawer, subject: EncodedSubject) -> dict[str, bytes]:
    """A thumbnail of every scene, drawn by the model from its first example: WebP by its path inside the bundle."""
    from engine.training.drawer import to_pixels

    example = drawer.bundle.manifest.examples[0]
    thumbs = {}
    taught = drawer.bundle.manifest.language
    keys = {scene.key for scene in taught.scenes} if taught is not None else set()
    for scene in (scene for scene in language.PROMPTS if scene.key in keys):
        prompt = language.canonical_prompt(scene, example.subject_name)
        picture = to_pixels(drawer.draw(subject, prompt, example.seed)[0])
        thumbs[f"thumbs/{scene.key}.webp"] = _thumb(picture)
    return thumbs


def draw_samples(drawer: Drawer, subject: EncodedSubject) -> dict[str, bytes]:
    """The first example from coarse to fine, as the window shows it while it forms: PNG by its path inside the bundle.

    The names, ``examples/scale_KK.png`` with the 1-based scale, sort from coarse to fine.
    """
    example = drawer.bundle.manifest.examples[0]
    images = drawer.draw_scales(subject, example.prompt, example.seed)
    samples = {}
    for share, side in SAMPLES:
        scale = max(1, round(share * len(images)))
        samples[f"examples/scale_{scale:02}.png"] = _sample(images[scale - 1], side)
    return samples


def _sample(picture: np.ndarray, side: int) -> bytes:
    """At most ``side`` pixels a side."""
    small = Image.fromarray(picture)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def _thumb(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    small = Image.fromarray(picture).resize((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    small.save(out, "WEBP", quality=80, method=6)
    return out.getvalue()


def _plain(config: Any) -> dict[str, Any]:
    """A library's config as JSON holds it: only what differs from its defaults."""
    return dict(config.to_diff_dict())


def _dial(value: Any) -> float | tuple[float, ...]:
    return tuple(float(number) for number in value) if isinstance(value, list) else float(value)
