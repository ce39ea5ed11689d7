"""Loading the learned parts of the pre-flight from folders laid out as the hub has them. Imports torch only when asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from engine.device.out_of_memory import is_out_of_memory
from engine.errors import BundleError
from engine.files import is_file
from engine.sentence import Sentence
from engine.validation import Damage, Finite, read_json, read_value

_MAX_SETTINGS = 2**20

Part = TypeVar("Part")

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def load_part(title: str, folder: Path, load: Callable[[], Part]) -> Part:
    """Run ``load``; whatever is missing or damaged in the folder becomes one ``BundleError``."""
    if not is_file(folder / "config.json"):
        raise BundleError(
            Sentence("{title} is not in “{folder}”: there is no config.json.", title=title, folder=folder),
            Sentence("Get it again under Models."),
        )
    try:
        return load()
    except BundleError:
        raise
    except Exception as error:  # the libraries raise whatever they like for a damaged folder
        if is_out_of_memory(error):
            raise
        raise BundleError(
            Sentence("{title} in “{folder}” cannot be opened.", title=title, folder=folder),
            Sentence("Verify it under Models, or get it again."),
        ) from error


def load_model(
    model_class: Any, folder: Path, device: str, dtype: Any, *, safetensors_only: bool = True, **options: Any
) -> Any:
    """A transformers model for inference, from a local folder; every weight it needs has to be there.

    Weights that are wanted in the format of the file stay mapped from it until they move to the device, one after another: a
    model of 16 GB needs no 16 GB of main memory on its way to a card.

    Args:
        safetensors_only: off for networks that are published as a .bin alone; transformers reads it without running code.

    Raises:
        BundleError: weights are missing or have another shape.
    """
    from transformers.utils import logging as library_logging

    # What is loaded, and which weights it lacks, is said in our own words, if at all.
    library_logging.disable_progress_bar()
    library_logging.set_verbosity_error()
    model, report = model_class.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True if safetensors_only else None,
        dtype=dtype,
        output_loading_info=True,
        **options,
    )
    lacking = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if lacking:
        raise BundleError(
            Sentence(
                "“{folder}” lacks {count} weights, for example “{first}”.",
                folder=folder.name,
                count=len(lacking),
                first=lacking[0],
            ),
            Sentence("Verify it under Models, or get it again."),
        )
    return model.to(device).eval()


def preprocessing(folder: Path) -> dict[str, Any]:
    """The folder's settings for preparing pictures; empty when there are none."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        try:
            found = read_json(folder / name, dict[str, Any], _MAX_SETTINGS)
            return read_value(found.get("image_processor", found), dict[str, Any])
        except (OSError, Damage):
            continue
    return {}


def channel_values(settings: dict[str, Any], name: str, default: tuple[float, ...]) -> np.ndarray:
    """Three numbers from the settings, or the default where they are missing or something else; float32 (3,)."""
    try:
        return np.array(read_value(settings.get(name), tuple[Finite, Finite, Finite]), np.float32)
    except Damage:
        return np.array(default, np.float32)


def normalised(rgb: np.ndarray, width: int, height: int, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """RGB uint8 (H, W, 3) → float32 (1, 3, height, width): resized without keeping the ratio, then normalised.

    Bilinear with antialiasing along every side that shrinks, as SAM's own processor has it.
    """
    resized = Image.fromarray(np.ascontiguousarray(rgb)).resize((width, height), Image.Resampling.BILINEAR)
    small = np.asarray(resized)
    values = (small.astype(np.float32) / 255 - mean) / std
    return np.ascontiguousarray(values.transpose(2, 0, 1))[None]
