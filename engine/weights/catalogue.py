"""Every published part the program can use: where it is, what it is, how large, under which licence. Free of torch.

Sizes are what to expect; the server's own figures count, and where they are larger the user is asked. Where a publisher gives a
hash (the hub does, for every file) it is checked; of a part that is fetched by tensors the hash is recorded when it arrives,
and checked from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from engine.bundle.published import TEXT
from engine.bundle.sizes import text_numbers
from engine.errors import InputError
from engine.sentence import NOTHING, Sentence

Role = Literal[
    "transformer",
    "tokenizer",
    "text",
    "semantic",
    "content",
    "grounding",
    "segmentation",
    "naming",
    "enlarging",
    "evaluation",
]


@dataclass(frozen=True)
class Licence:
    """A licence, with a sentence on what it allows.

    Attributes:
        name: as it is shown: "Apache-2.0".
        tags: what the hub's own page may call it; anything else stops the download.
        summary: what it means, in a sentence.
        url: the full text. The publisher's own file is fetched too, where there is one.
        marks: words the publisher's own file has one of, lower case; a file without any stops the download as well.
    """

    name: str
    tags: tuple[str, ...]
    summary: str
    url: str
    marks: tuple[str, ...]

    def is_text(self, text: str) -> bool:
        """Return True if a licence file reads like this licence."""
        words = " ".join(text.lower().split())
        return any(mark in words for mark in self.marks)


MIT = Licence(
    "MIT",
    ("mit",),
    Sentence("Free for any use, commercial too, as long as the notice of the authors is kept."),
    "https://opensource.org/license/mit",
    ("mit license", "permission is hereby granted, free of charge"),
)
APACHE = Licence(
    "Apache-2.0",
    ("apache-2.0",),
    Sentence("Free for any use, commercial too, as long as notices are kept and changes are stated."),
    "https://www.apache.org/licenses/LICENSE-2.0",
    ("apache license",),
)
FLUX_DEV = Licence(
    "FLUX.1 [dev] Non-Commercial",
    ("flux-1-dev-non-commercial-license", "flux-1-dev-non-commercial", "other"),
    Sentence("Not for commercial use. You have to ask the publisher for access with an account, and accept there too."),
    "https://huggingface.co/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md",
    ("flux.1 [dev]", "flux [dev]", "non-commercial license"),
)
QWEN_RESEARCH = Licence(
    "Qwen Research",
    ("qwen-research", "other"),
    Sentence("For research and evaluation only, not for commercial use."),
    "https://huggingface.co/Qwen/Qwen2.5-VL-3B-Instruct/blob/main/LICENSE",
    ("qwen research license", "tongyi qianwen research license"),
)


@dataclass(frozen=True)
class Part:
    """One published network.

    Attributes:
        key: identifier, also the folder its files are kept in.
        title: what the user reads.
        role: what it is for.
        repository: "owner/name" on the hub.
        files: names inside the repository, with * and ?; each has to match at least one file.
        optional_files: further names, taken where they match.
        licence: what the publisher grants.
        expected_bytes: about how much is fetched.
        folder: folder of the repository the files lie in, "" for its root; left out of the names on disk.
        tensors: prefixes of the tensors that are fetched of safetensors files; empty for whole files.
        gated: the publisher wants an account and a click before files are given. The hub's own word counts besides.
        pinned: SHA-256 that files have to have, as (name, hash): for bytes that are known from elsewhere.
    """

    key: str
    title: str
    role: Role
    repository: str
    files: tuple[str, ...]
    licence: Licence
    expected_bytes: int
    optional_files: tuple[str, ...] = ()
    folder: str = ""
    tensors: tuple[str, ...] = ()
    gated: bool = False
    pinned: tuple[tuple[str, str], ...] = ()

    def wants(self, name: str) -> bool:
        """Return True if a file of the repository belongs to this part."""
        inner = self.inner(name)
        return inner is not None and any(_fits(inner, pattern) for pattern in self.files + self.optional_files)

    def inner(self, name: str) -> str | None:
        """The name of a repository's file inside this part's folder, or None when it lies elsewhere.

        The licence of a part in a folder commonly lies at the repository's root; it is taken as if it lay in the folder.
        """
        if not self.folder or ("/" not in name and self.is_licence(name)):
            return name
        return name.removeprefix(f"{self.folder}/") if name.startswith(f"{self.folder}/") else None

    def pinned_hash(self, inner: str) -> str:
        """The SHA-256 a file of this name has to have, or ""."""
        return dict(self.pinned).get(inner, "")

    @staticmethod
    def is_licence(name: str) -> bool:
        """Return True if a file holds the publisher's licence."""
        return name.upper().startswith(("LICENSE", "LICENCE"))

    def missing(self, names: list[str]) -> list[str]:
        """Patterns that none of the repository's files fits."""
        inner = [self.inner(name) or "" for name in names]
        return [pattern for pattern in self.files if not any(_fits(name, pattern) for name in inner)]


def _fits(name: str, pattern: str) -> bool:
    return "/" not in name and fnmatchcase(name, pattern)


@dataclass(frozen=True)
class Model:
    """Something the user can get in one go.

    Attributes:
        name: identifier, also the bundle's name where it becomes one.
        title, description: what the user reads.
        parts: keys of its parts. choices: for roles with a choice, the keys to choose from; the first is taken otherwise.
        bundle: whether its parts are converted into a bundle; otherwise they are used as they are (pre-flight).
        bundle_bytes: about how large it is in the end.
        fetched: whether its files can be fetched; otherwise they are only imported.
        companions: names of other models that make it complete and are offered with it, the ones worth having first.
        in_window: whether the window offers it; the command line does always.
    """

    name: str
    title: str
    description: str
    parts: tuple[str, ...]
    bundle: bool
    bundle_bytes: int
    choices: tuple[tuple[str, ...], ...] = ()
    fetched: bool = True
    companions: tuple[str, ...] = ()
    in_window: bool = True


_GB = 10**9
_MB = 10**6
_TRANSFORMERS = ("config.json", "*.safetensors")
_LICENCE_FILES = ("LICENSE*", "LICENCE*", "NOTICE*")
# Some are published as a .bin alone, and some besides; neither TensorFlow's nor JAX's files fit.
_ANY_WEIGHTS = ("config.json", "*model.[bs]*")
_FLUX_VAE = (
    "diffusion_pytorch_model.safetensors",
    "f5b59a26851551b67ae1fe58d32e76486e1e812def4696a4bea97f16604d40a3",
)
_PROCESSOR = ("*processor_config.json", "tokenizer*.json", "special_tokens_map.json", "added_tokens.json", "vocab.*")

PARTS: dict[str, Part] = {
    part.key: part
    for part in (
        Part(
            "echogen-2b-transformer",
            "EchoGen 2B transformer",
            "transformer",
            "UmiSonoda16/EchoGen",
            ("echogen_2b.pth",),
            MIT,
            4_844_242_752 * 4,
            _LICENCE_FILES,
        ),
        Part(
            "infinity-vae-d32",
            "Infinity visual tokenizer",
            "tokenizer",
            "FoundationVision/Infinity",
            ("infinity_vae_d32reg.pth",),
            MIT,
            # Its weights are 0.44 GB, but its siblings are dumps of a training, 3.7 times as large as their weights.
            int(1.6 * _GB),
            _LICENCE_FILES,
        ),
        Part(
            "flan-t5-xl",
            "Flan-T5 XL text encoder",
            "text",
            "google/flan-t5-xl",
            (*_TRANSFORMERS, "tokenizer.json"),
            APACHE,
            text_numbers(TEXT) * 4,
            (*_LICENCE_FILES, "tokenizer_config.json", "special_tokens_map.json"),
            tensors=("shared.", "encoder."),
        ),
        Part(
            "dinov2-base",
            "DINOv2 base",
            "semantic",
            "facebook/dinov2-base",
            _TRANSFORMERS,
            APACHE,
            346_345_912,
            _LICENCE_FILES,
        ),
        Part(
            "flux-vae",
            "FLUX.1 autoencoder",
            "content",
            # The same bytes as in FLUX.1 itself, from a repository that is open to everybody.
            "Tongyi-MAI/Z-Image-Turbo",
            _TRANSFORMERS,
            APACHE,
            168 * _MB,
            _LICENCE_FILES,
            folder="vae",
            pinned=(_FLUX_VAE,),
        ),
        Part(
            "flux-schnell-vae",
            "FLUX.1 autoencoder, schnell release",
            "content",
            "black-forest-labs/FLUX.1-schnell",
            _TRANSFORMERS,
            APACHE,
            168 * _MB,
            _LICENCE_FILES,
            folder="vae",
            gated=True,
        ),
        Part(
            "flux-dev-vae",
            "FLUX.1 autoencoder, dev release",
            "content",
            "black-forest-labs/FLUX.1-dev",
            _TRANSFORMERS,
            FLUX_DEV,
            168 * _MB,
            _LICENCE_FILES,
            folder="vae",
            gated=True,
        ),
        Part(
            "grounding-dino-tiny",
            "Grounding DINO tiny",
            "grounding",
            "IDEA-Research/grounding-dino-tiny",
            _TRANSFORMERS,
            APACHE,
            690 * _MB,
            (*_LICENCE_FILES, *_PROCESSOR),
        ),
        Part(
            "sam2.1-hiera-small",
            "SAM 2.1 small",
            "segmentation",
            "facebook/sam2.1-hiera-small",
            _TRANSFORMERS,
            APACHE,
            185 * _MB,
            (*_LICENCE_FILES, *_PROCESSOR),
        ),
        Part(
            "qwen2.5-vl-7b",
            "Qwen2.5-VL 7B",
            "naming",
            "Qwen/Qwen2.5-VL-7B-Instruct",
            _TRANSFORMERS,
            APACHE,
            int(16.6 * _GB),
            (*_LICENCE_FILES, *_PROCESSOR, "*.index.json", "generation_config.json", "chat_template.*", "merges.txt"),
        ),
        Part(
            "qwen2.5-vl-3b",
            "Qwen2.5-VL 3B",
            "naming",
            "Qwen/Qwen2.5-VL-3B-Instruct",
            _TRANSFORMERS,
            QWEN_RESEARCH,
            int(7.5 * _GB),
            (*_LICENCE_FILES, *_PROCESSOR, "*.index.json", "generation_config.json", "chat_template.*", "merges.txt"),
        ),
        # Their config.json, preprocessor_config.json and model.safetensors (48.5 and 49.1 MB) were seen on the hub; a
        # pytorch_model.bin of the same weights lies beside them and is not taken.
        *(
            Part(
                f"swin2sr-x{factor}",
                f"Swin2SR ×{factor}",
                "enlarging",
                f"caidas/swin2SR-classical-sr-x{factor}-64",
                ("config.json", "model.safetensors"),
                APACHE,
                count,
                (*_LICENCE_FILES, *_PROCESSOR),
            )
            for factor, count in ((2, 48_600_000), (4, 49_200_000))
        ),
        Part(
            "clip-vit-b32",
            "CLIP ViT-B/32",
            "evaluation",
            "openai/clip-vit-base-patch32",
            (*_ANY_WEIGHTS, "tokenizer.json"),
            MIT,
            610 * _MB,
            (*_LICENCE_FILES, *_PROCESSOR, "merges.txt"),
        ),
        *(
            Part(key, title, "evaluation", repository, _ANY_WEIGHTS, APACHE, 90 * _MB, (*_LICENCE_FILES, *_PROCESSOR))
            for key, title, repository in (
                ("dino-vits16", "DINO ViT-S/16", "facebook/dino-vits16"),
                ("dino-vits8", "DINO ViT-S/8", "facebook/dino-vits8"),
                ("dinov2-small", "DINOv2 small", "facebook/dinov2-small"),
            )
        ),
    )
}

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "echogen-2b",
            "EchoGen 2B",
            Sentence("1024 px pictures. Needs a graphics card with 8 GB or more, or patience."),
            ("echogen-2b-transformer", "flan-t5-xl", "flux-vae", "infinity-vae-d32", "dinov2-base"),
            bundle=True,
            bundle_bytes=int(13.5 * _GB),
            choices=(("flux-vae", "flux-schnell-vae", "flux-dev-vae"),),
            companions=("cut-out", "naming"),
        ),
        Model(
            "echogen-125m",
            "EchoGen 125M",
            Sentence("256 px pictures, made from published files that you have."),
            (),
            bundle=True,
            bundle_bytes=int(4.2 * _GB),
            fetched=False,
        ),
        Model(
            "cut-out",
            Sentence("Better cut-outs"),
            Sentence("Finds the subject by its name and follows its edges: Grounding DINO and SAM 2.1."),
            ("grounding-dino-tiny", "sam2.1-hiera-small"),
            bundle=False,
            bundle_bytes=875 * _MB,
        ),
        Model(
            "naming",
            Sentence("Subject names"),
            Sentence("Says what the subject is, so that you need not type it. Optional."),
            ("qwen2.5-vl-7b",),
            bundle=False,
            bundle_bytes=int(16.6 * _GB),
            choices=(("qwen2.5-vl-7b", "qwen2.5-vl-3b"),),
        ),
        Model(
            "enlarging",
            Sentence("Sharper enlargements"),
            Sentence("Save larger with fine detail that fits, instead of resampling: Swin2SR. Optional."),
            ("swin2sr-x2", "swin2sr-x4"),
            bundle=False,
            bundle_bytes=98 * _MB,
        ),
        Model(
            "evaluation",
            "Networks of the papers' measures",
            "CLIP and DINO, for evaluate dreambench.",
            ("clip-vit-b32", "dino-vits16"),
            bundle=False,
            bundle_bytes=700 * _MB,
            in_window=False,
        ),
        Model(
            "evaluation-plus",
            "Further networks of DreamBench++",
            "DINO ViT-S/8 and DINOv2, for the columns of DreamBench++ in evaluate dreambench.",
            ("dino-vits8", "dinov2-small"),
            bundle=False,
            bundle_bytes=180 * _MB,
            in_window=False,
        ),
    )
}


def find_model(name: str) -> Model:
    """A model of the catalogue by its name.

    Raises:
        InputError: there is none; the sentence lists the names there are.
    """
    if name not in MODELS:
        raise InputError(
            Sentence("There is no model “{name}”.", name=name),
            Sentence("There are: {models}.", models=", ".join(MODELS)),
        )
    return MODELS[name]


def model_of(part: str) -> Model:
    """The model a part belongs to."""
    return next(
        model for model in MODELS.values() if part in model.parts or any(part in group for group in model.choices)
    )


def chosen_parts(model: Model, choices: tuple[str, ...] = ()) -> tuple[Part, ...]:
    """The parts of a model, with the user's choices put in place of the standard ones.

    Raises:
        InputError: a choice does not belong to this model.
    """
    keys = list(model.parts)
    for choice in choices:
        group = next((group for group in model.choices if choice in group), None)
        if group is None:
            offered = ", ".join(key for group in model.choices for key in group)
            raise InputError(
                Sentence("“{choice}” is no choice for {model}.", choice=choice, model=model.title),
                Sentence("Choose from {offered}.", offered=offered) if offered else NOTHING,
            )
        position = next(index for index, key in enumerate(keys) if key in group)
        keys[position] = choice
    return tuple(PARTS[key] for key in keys)
