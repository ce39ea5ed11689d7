"""A rehearsal of getting EchoGen 2B, without the publishers: every step of the real way, on files as their publishers write them.

First every published file at the names and shapes of the real model: read as it is read when it arrives, compared with the real
networks, put under our names and into the real classes, all without numbers. Then the same names at a small width with random
numbers, the whole way: listing, licences, a part that turns out to want an account, a size that turns out larger, fetching from
a server on this computer, verifying, converting in a process of its own, opening, and one picture.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from engine.bench.local_hub import TOKEN, LocalHub, serving
from engine.bench.published_set import (
    REAL,
    SMALL_PICTURES,
    Shapes,
    pickled,
    published_set,
    real_encoder_shapes,
    real_tokenizer_shapes,
    real_transformer_shapes,
    safetensors_header,
    training_dump,
)
from engine.bundle import published
from engine.bundle.converter import transformer_config
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.bundle.published_files import TOKENIZER, TRANSFORMER, Checkpoint
from engine.bundle.published_names import (
    check_transformer,
    encoder_names,
    encoder_on_meta,
    tokenizer_names,
    transformer_shapes,
)
from engine.encoders.assembly import PART_WORDS, assemble
from engine.encoders.names import ENCODERS
from engine.errors import AccessRefused, EchoGenError, InputError, SizeNotAgreed
from engine.files import readable
from engine.model.keys import published_keys
from engine.model.transformer import Transformer
from engine.sentence import Sentence
from engine.tokenizer import keys as tokenizer_keys
from engine.tokenizer.autoencoder import Autoencoder
from engine.weights.catalogue import PARTS, Part, find_model
from engine.weights.settings import DownloadSettings, TokenStore
from engine.weights.store import ModelStore
from engine.weights.transfer import download
from engine.weights.transfer.tensors import choose_tensors

MODEL = "echogen-2b"
Say = Callable[[str], None]

# Bytes of published files that are known from public inventories: names, shapes and formats have to give exactly these.
KNOWN_BYTES = {"semantic": 346_345_912, "content": 167_666_902}
_FORMATS = {"text": "F32", "semantic": "F32", "content": "BF16"}
# What the rehearsal makes of the server, so that the ways around are walked, too.
_GATED_BY_SURPRISE = "facebook/dinov2-base"
_LARGER_THAN_SHOWN = "infinity-vae-d32"


class RehearsalFailed(EchoGenError):
    """A step of the rehearsal went otherwise than it should. Its title is the general one: the window never shows it."""


def rehearse(model: str, say: Say = print) -> None:
    """Rehearse getting a model; a line for every part and every step. Nothing outside of a temporary folder is written.

    Raises:
        InputError: there is nothing to rehearse for this model.
        EchoGenError: a step failed, with its sentence.
    """
    find_model(model)
    if model != MODEL:
        raise InputError(
            Sentence("There is no rehearsal for {model}.", model=model),
            Sentence("There is one for {model}.", model=MODEL),
        )
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="echogen-rehearsal-") as place:
        rehearse_names(Path(place), say)
        rehearse_way(Path(place), say)
    say(f"All is well: rehearsed in {time.monotonic() - began:.0f} s.")


# Names and shapes of the real files


def rehearse_names(place: Path, say: Say) -> None:
    """Every published file at its real names and shapes, read, compared, renamed and assembled without numbers."""
    say("Names and shapes of the real files")
    file = place / "echogen_2b.pth"
    file.write_bytes(pickled(training_dump(_without_numbers(real_transformer_shapes()))))
    checkpoint = Checkpoint(file, wanted=TRANSFORMER)
    config = transformer_config(checkpoint.shapes, file.name)
    wanted = replace(published.ECHOGEN_2B, text_pool_heads=published.ECHOGEN_2B.heads)
    _expect(config == wanted, "the sizes read off the transformer's file are not those of EchoGen 2B")
    check_transformer(checkpoint, config)
    assemble("transformer", lambda: Transformer(config), _on_meta(transformer_shapes(config)))
    used = {name: checkpoint.shapes[name] for name in published_keys(config)}
    say(_fits("transformer", used, f"{file.name}, the dump of a training"))

    file = place / "infinity_vae_d32reg.pth"
    file.write_bytes(pickled({"vae": _without_numbers(real_tokenizer_shapes()), "step": np.int64(1)}))
    checkpoint = Checkpoint(file, wanted=TOKENIZER)
    sizes = tokenizer_keys.config_from_shapes(checkpoint.shapes)
    _expect(sizes == published.TOKENIZER_D32, "the sizes read off the tokenizer's file are not those of Infinity's")
    names = tokenizer_names(checkpoint, sizes)
    ours = {ours: checkpoint.shapes[theirs] for theirs, ours in names.items()}
    assemble("tokenizer", lambda: Autoencoder(sizes), _on_meta(ours))
    say(_fits("tokenizer", checkpoint.shapes, file.name))

    for part in ENCODERS:
        _rehearse_encoder(place, part, say)


def _rehearse_encoder(place: Path, part: str, say: Say) -> None:
    """A file with the header of the real one and nothing behind it but a hole, as far as the disk allows holes."""
    shapes = real_encoder_shapes(part)
    header = safetensors_header(shapes, _FORMATS[part])
    numbers = sum(math.prod(shape) for shape in shapes.values())
    size = 8 + len(header) + numbers * (2 if _FORMATS[part] == "BF16" else 4)
    known = KNOWN_BYTES.get(part)
    _expect(known in (None, size), f"the file of the {PART_WORDS[part]} would have {size} bytes, and it has {known}")
    # As the download does it: the header is read, and says which stretches are wanted.
    subset = choose_tensors(header, size, tuple({name.partition(".")[0] for name in shapes}), f"{part}.safetensors")
    _expect(subset.size > numbers, f"the header of the {PART_WORDS[part]} does not name all of its weights")
    checkpoint = Checkpoint.of_shapes(place / part / "model.safetensors", shapes)
    module = encoder_on_meta(part, REAL[part])
    names = encoder_names(part, checkpoint, module)
    state = _on_meta({ours: shapes[theirs] for theirs, ours in names.items()})
    assemble(part, lambda: encoder_on_meta(part, REAL[part]), state)
    exact = f", {size:,} bytes as published" if known else ""
    say(_fits(part, {name: shapes[name] for name in names}, "as its library writes it") + exact)


def _fits(part: str, shapes: Shapes, file: str) -> str:
    numbers = sum(math.prod(shape) for shape in shapes.values())
    return f"  {PART_WORDS[part]:<17} {len(shapes)} weights, {numbers:,} numbers fit ({file})"


def _without_numbers(shapes: Shapes) -> dict[str, torch.Tensor]:
    """Tensors of these shapes that take four bytes in a file, whatever their size."""
    return {name: torch.zeros(1).expand(shape) for name, shape in shapes.items()}


def _on_meta(shapes: Shapes) -> dict[str, torch.Tensor]:
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


# The whole way


class _Store(ModelStore):
    """A store that remembers nothing outside of the rehearsal: its settings and its token stay in memory."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, tokens=_Tokens())
        self._inventory.settings = DownloadSettings(base_url=url)

    def _change(self, settings: DownloadSettings) -> None:
        self._inventory.settings = settings


class _Tokens(TokenStore):
    """The rehearsal's own token, once it was entered; the user's is not looked at."""

    def get(self) -> str | None:
        return self._in_memory

    def set(self, token: str) -> bool:
        self._in_memory = token
        return False


def rehearse_way(place: Path, say: Say) -> None:
    """From the listing to a picture, at a small width."""
    repositories = dict(published_set(SMALL_PICTURES, training=True))
    repositories[_GATED_BY_SURPRISE] = replace(repositories[_GATED_BY_SURPRISE], gated=True)
    with ExitStack() as stack:
        hub = stack.enter_context(serving(repositories))
        stack.enter_context(_only_this_computer())
        stack.enter_context(_small_parts(hub))
        store = _Store(place / "models", hub.url)
        asyncio.run(_get(store, hub, say))
        _draw(place / "models" / MODEL, say)


async def _get(store: ModelStore, hub: LocalHub, say: Say) -> None:
    say(f"The whole way at a small width, from {hub.url}")
    for licence in store.licences(MODEL):
        say(f"  licence           {licence.title}: {licence.licence}")
    store.accept_licences(MODEL)
    try:
        await store.get(MODEL)
        raise RehearsalFailed(Sentence("A part that wants an account was fetched without one."))
    except AccessRefused as error:
        _expect(_GATED_BY_SURPRISE in error.step, "the page where access is asked for is not named")
        _expect(not hub.with_token and not store.state(MODEL).done, "something was fetched although a part was refused")
        say(f"  account           {error.fact} {error.step}")
    store.tokens.set(TOKEN)
    try:
        await store.get(MODEL)
        raise RehearsalFailed(Sentence("A part that is larger than was shown was fetched without a question."))
    except SizeNotAgreed as error:
        _expect(hub.with_token <= {_GATED_BY_SURPRISE}, "the token went to another repository")
        say(f"  size              {error.fact} Agreed.")
    store.accept_sizes(MODEL)
    phases: list[str] = []

    def listen(name: str) -> None:
        state = store.state(name)
        if state.phase not in phases and state.working:
            phases.append(state.phase)

    end = store.subscribe(listen)
    state = await store.get(MODEL)
    end()
    _expect(state.installed, "the model is not there at the end")
    _expect(hub.with_token == {_GATED_BY_SURPRISE}, "the token went to another repository, or to none")
    for part in state.parts:
        say(f"  fetched           {part.title}: {readable(part.done)}")
    thrown_away = sum(sent - len(_content(hub, file)) for file, sent in hub.sent.items() if not _is_read_in_part(file))
    _expect(not thrown_away, f"{thrown_away} bytes were fetched and thrown away")
    say(f"  steps             {', '.join(phases)}; 0 bytes thrown away")
    wrong = await store.verify(MODEL)
    _expect(not wrong, f"{', '.join(wrong)} is not as it arrived")
    manifest: BundleManifest = read_manifest(store.folder / MODEL)
    _expect(manifest.transformer == SMALL_PICTURES, "the bundle has other sizes than the published file")
    say(
        f"  verified          every byte of {len(manifest.files)} files, {readable(manifest.nbytes)}, {manifest.identity}"
    )


def _content(hub: LocalHub, file: str) -> bytes:
    """The content of the hub's file "OWNER/NAME/FILE"."""
    owner, name, inner = file.split("/", 2)
    return hub.repositories[f"{owner}/{name}"].files[inner]


def _is_read_in_part(file: str) -> bool:
    """Of these files the header is looked at before, to know where the wanted tensors lie."""
    return file.startswith("google/flan-t5-xl/") and file.endswith(".safetensors")


def _draw(folder: Path, say: Say) -> None:
    """Open the bundle as the program does, and draw."""
    from engine.engine import Engine
    from engine.events import Finished
    from engine.photo.framing import cut_out
    from engine.photo.load import photo_from_pixels
    from engine.request import GenerationRequest

    with Engine.open(folder, "cpu") as engine:
        say(f"  opened            {engine.bundle.manifest.title} on the processor")
        side = engine.bundle.manifest.reference_size
        pixels = np.full((side * 2, side * 2, 3), 235, np.uint8)
        mask = np.zeros(pixels.shape[:2], np.uint8)
        box = slice(side // 2, side + side // 2)
        pixels[box, box], mask[box, box] = (200, 60, 40), 255
        subject = cut_out(photo_from_pixels(pixels, None), mask, side)
        request = GenerationRequest(prompt="a red box in the snow", subject=subject, seed=1)
        pictures = [event.image for event in engine.generate(request, previews=False) if isinstance(event, Finished)]
    _expect(len(pictures) == 1 and pictures[0].std() > 0, "no picture came out")
    height, width = pictures[0].shape[:2]
    say(f"  drawn             {width} × {height} pixels, of random weights: noise, as it should be")


def _expect(right: bool, otherwise: str) -> None:
    if not right:
        raise RehearsalFailed(Sentence("The rehearsal failed: {otherwise}.", otherwise=otherwise))


@contextmanager
def _small_parts(hub: LocalHub) -> Iterator[None]:
    """The catalogue with what belongs to the small files: the pinned hash, and sizes, of which one is too small on purpose."""
    before, unasked = dict(PARTS), download._BYTES_UNASKED
    try:
        for key, part in before.items():
            repository = hub.repositories.get(part.repository)
            if repository is None:
                continue
            files = {
                part.inner(name) or name: content for name, content in repository.files.items() if part.wants(name)
            }
            pinned = tuple((name, hashlib.sha256(files[name]).hexdigest()) for name, _ in part.pinned)
            PARTS[key] = _expecting(replace(part, pinned=pinned), sum(map(len, files.values())))
        download._BYTES_UNASKED = 0
        yield
    finally:
        PARTS.clear()
        PARTS.update(before)
        download._BYTES_UNASKED = unasked


def _expecting(part: Part, size: int) -> Part:
    return replace(part, expected_bytes=size // 4 if part.key == _LARGER_THAN_SHOWN else size)


@contextmanager
def _only_this_computer() -> Iterator[None]:
    """Neither a proxy nor the switch that forbids downloads is for a server inside this computer."""
    import huggingface_hub.constants as hub_constants

    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "HF_TOKEN")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    offline = hub_constants.HF_HUB_OFFLINE
    hub_constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        os.environ.update(kept)
        hub_constants.HF_HUB_OFFLINE = offline
