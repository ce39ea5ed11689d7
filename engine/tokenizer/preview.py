"""Previews that cost next to nothing: one colour per token by a linear map of the summed codes, then enlarged smoothly.

A full decode after every scale would cost more than the picture itself. Before the last scale the sum holds little that a
decoder could bring out, so a map from the d numbers of a token to its average colour shows almost the same. It is fitted
once, when a published model is converted or a trained one exported, to what the decoder really paints, and lies in the bundle as
``preview.safetensors``.

How far the codes have grown differs from scale to scale, so every scale has a map of its own; those of the neighbouring
scales count a little in its fit, because early scales give few different samples.

A richer map (of 3x3 tokens, to 4x4 colours each) gained 0.3 dB on the last preview and drew a raster over the early ones.
Decoding a reduced grid instead came closer to the picture, and took 20 to 100 times as long.
Measured with the mini's decoder, without its cut-out, on photos: the map is within 21.4 dB of what the decoder paints of the same
codes, a reduced grid was within 25. Fitted to the whole of 24 photos, in place of parts of the four pictures painted here, it gains 0.9 dB.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from engine.errors import BundleError
from engine.sentence import Sentence
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.quantizer import Grid, MultiScaleQuantizer, add_scale
from engine.tokenizer.reference import CanvasFeatures

FILE = "preview.safetensors"
MAX_SIDE = 512

_NEIGHBOUR = 0.2  # weight in a scale's fit of the scale before or after, once more for each further one
_RIDGE = 1e-3
_CROP = 16  # tokens a side that are decoded of each picture when a map is fitted
_PAINTED, _PAINTED_CROP = 16, 8  # most tokens a side of a picture that is painted for it, and of its part


@dataclass(frozen=True, eq=False)
class PreviewMap:
    """Colours of the tokens after each scale: ``codes · weight[scale] + bias[scale]``.

    Attributes:
        weight: float32 (K, d, 3). bias: float32 (K, 3). Colours are RGB in -1..1.
    """

    weight: Tensor
    bias: Tensor

    def to(self, device: torch.device | str) -> PreviewMap:
        return PreviewMap(self.weight.to(device), self.bias.to(device))

    def colours(self, summed: Tensor, scale: int) -> Tensor:
        """Summed codes (1, d, h, w) after a scale, 0-based, to RGB (h, w, 3) in about -1..1."""
        scale = min(scale, len(self.bias) - 1)
        return torch.addmm(self.bias[scale], summed[0].float().flatten(1).T, self.weight[scale]).unflatten(
            0, summed.shape[-2:]
        )

    def to_bytes(self) -> bytes:
        """The file ``preview.safetensors`` of a bundle."""
        return save({"weight": self.weight.cpu().contiguous(), "bias": self.bias.cpu().contiguous()})

    @classmethod
    def from_file(cls, path: Path, bits: int) -> PreviewMap:
        """Read what ``to_bytes`` gave.

        Args:
            bits: d of the tokenizer it belongs to.

        Raises:
            BundleError: it is damaged or belongs to another tokenizer.
        """
        try:
            tensors = load_file(path)
            weight, bias = tensors["weight"].float(), tensors["bias"].float()
        except (OSError, SafetensorError, KeyError) as error:
            raise BundleError(
                Sentence("The previews' file {path} of this model is damaged.", path=path.name), _STEP
            ) from error
        fits = (
            weight.dim() == 3 and weight.shape[1:] == (bits, 3) and bias.shape == (len(weight), 3) and len(weight) > 0
        )
        if not fits or not (weight.isfinite().all() and bias.isfinite().all()):
            raise BundleError(
                Sentence("The previews' file {path} does not belong to this model.", path=path.name), _STEP
            )
        return cls(weight, bias)


class Preview:
    """Turns sums of codes into previews.

    Args:
        autoencoder: the tokenizer, on its device.
        colour_map: the fitted map; None for a decoder with a reference branch, which paints its previews itself.
    """

    def __init__(self, autoencoder: Autoencoder, colour_map: PreviewMap | None = None) -> None:
        self._autoencoder = autoencoder
        device = autoencoder.decoder.input.weight.device
        self._map = colour_map.to(device) if colour_map is not None else None

    @classmethod
    def of_bundle(cls, autoencoder: Autoencoder, described: TokenizerConfig, folder: Path) -> Preview:
        """With the map of a bundle's folder, where a decoder as it is described there needs one.

        Raises:
            BundleError: the map is missing or damaged.
        """
        if described.reference_channels:
            return cls(autoencoder)
        return cls(autoencoder, PreviewMap.from_file(folder / FILE, described.bits))

    @torch.inference_mode()
    def __call__(
        self,
        summed: Tensor,
        scale: int,
        size: tuple[int, int] | None = None,
        canvas: Tensor | CanvasFeatures | None = None,
        *,
        relight: bool = False,
    ) -> np.ndarray:
        """The picture so far.

        Args:
            summed: sum of all codes so far (1, d, h, w); it is not changed.
            scale: the scale drawn last, 0-based.
            size: (width, height) of the finished picture; by default what the decoder would paint.
            canvas: the placed cut-out for a decoder with a reference branch: a map of the codes alone would not show the
                user's thing.
            relight: as the finished picture is, see ``decode_in_strips``. Before the last scale the bits know too little of colours.

        Returns:
            RGB uint8 (H, W, 3) of the picture's proportions, no side over 512.
        """
        if size is None:
            size = (
                summed.shape[-1] * self._autoencoder.config.stride,
                summed.shape[-2] * self._autoencoder.config.stride,
            )
        size = preview_size(size)
        if self._map is None:
            colours = (
                self._autoencoder.decode(summed, canvas, relight=relight)[0].float().permute(1, 2, 0).cpu().numpy()
            )
        else:
            colours = self._map.colours(summed, scale).cpu().numpy()
        large = cv2.resize(colours, size, interpolation=cv2.INTER_CUBIC)
        # Rounded by the half that is added before the cut.
        return np.clip(large * 127.5 + 128, 0, 255).astype(np.uint8)

    @torch.inference_mode()
    def after_each_scale(
        self,
        bits: Sequence[np.ndarray],
        config: TokenizerConfig,
        grid: Grid,
        size: tuple[int, int],
        look: Callable[[], None] = lambda: None,
        canvas: Tensor | CanvasFeatures | None = None,
    ) -> tuple[np.ndarray, ...]:
        """The previews that were seen while a picture formed, from its bits. The last one is a preview too, no decode.

        Args:
            bits: bit labels uint8 (h, w, d) of the first scales, or of all of them, coarse to fine.
            config: how bits become codes.
            grid: token grid (h, w) of the finished picture.
            size: its (width, height).
            look: called before each scale; what it raises ends the work.
            canvas: as above.
        """
        device = self._autoencoder.decoder.input.weight.device
        summed = torch.zeros(1, config.bits, *grid, device=device)
        images = []
        for scale, labels in enumerate(bits):
            look()
            summed = add_scale(summed, torch.tensor(labels, device=device)[None], config, scale)
            images.append(self(summed, scale, size, canvas, relight=labels.shape[:2] == tuple(grid)))
        return tuple(images)


def preview_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of the preview of a picture: the same, or with a longer side of 512."""
    factor = min(1.0, MAX_SIDE / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


@torch.inference_mode()
def fit_preview_map(
    autoencoder: Autoencoder,
    config: TokenizerConfig,
    grids: Sequence[Grid],
    *,
    pictures: Tensor | None = None,
    count: int = 4,
    seed: int = 0,
    on_step: Callable[[float], None] = lambda fraction: None,
) -> PreviewMap:
    """Fit the colours of tokens to what the decoder paints of real codes, by least squares.

    Real codes, and not random ones: a decoder answers to sums that no picture has with colours that no picture has.

    Args:
        autoencoder: with its encoder.
        config: the tokenizer with its gains.
        grids: of the size that is drawn most.
        pictures: (N, 3, H, W) in -1..1 of that size; by default ``count`` painted ones, of at most 16 tokens a side: what a scale
            has of the detail of a picture is the same share in a small one, and one of a megapixel takes 3 GB to be encoded.
        seed: fixes the painted ones, and the part of each large picture that is decoded.
        on_step: called with 0 … 1 before every step, and once more when all are done; what it raises ends the work.
    """
    crop = _CROP if pictures is not None else _PAINTED_CROP
    if pictures is None:
        factor = min(1.0, _PAINTED / max(grids[-1]))
        grids = [(max(1, round(rows * factor)), max(1, round(columns * factor))) for rows, columns in grids]
    height, width = (side * config.stride for side in grids[-1])
    device = autoencoder.decoder.input.weight.device
    generator = torch.Generator().manual_seed(seed)
    if pictures is None:
        pictures = torch.stack([painted_picture((height, width), generator) for _ in range(count)])
    quantizer = MultiScaleQuantizer(config)
    size = config.bits + 1
    normal = torch.zeros(len(grids), size, size, dtype=torch.float64)
    target = torch.zeros(len(grids), size, 3, dtype=torch.float64)
    steps = len(pictures) * (1 + len(grids))
    for index, picture in enumerate(pictures):
        on_step(index * (1 + len(grids)) / steps)
        features = autoencoder.encode(picture[None].to(device, autoencoder.encoder.input.weight.dtype)).float().cpu()
        labels = quantizer(features, grids).labels
        rows, columns = _crop(grids[-1], crop, generator)
        total = torch.zeros_like(features)
        for scale, bits in enumerate(labels):
            on_step((index * (1 + len(grids)) + 1 + scale) / steps)
            total = add_scale(total, bits, config, scale)
            known, colours = _samples(autoencoder, total[:, :, rows, columns].to(device))
            normal[scale] += known.T @ known
            target[scale] += known.T @ colours
    on_step(1.0)
    scales = torch.arange(len(grids))
    near = _NEIGHBOUR ** (scales[:, None] - scales[None, :]).abs().double()
    normal, target = torch.einsum("kj,jab->kab", near, normal), torch.einsum("kj,jab->kab", near, target)
    size_of = normal.diagonal(dim1=-2, dim2=-1).mean(-1)
    normal += _RIDGE * size_of[:, None, None] * torch.eye(size, dtype=torch.float64)
    solved = torch.linalg.solve(normal, target).float()
    return PreviewMap(solved[:, :-1].contiguous(), solved[:, -1].contiguous())


def _samples(autoencoder: Autoencoder, codes: Tensor) -> tuple[Tensor, Tensor]:
    """Codes (1, d, h, w) with a one behind each, (h*w, d+1), and the average colours painted of them, (h*w, 3)."""
    painted = F.avg_pool2d(autoencoder.decode(codes).float(), autoencoder.config.stride)
    known = F.pad(codes[0].flatten(1).T, (0, 1), value=1.0)
    return known.cpu().double(), painted[0].flatten(1).T.cpu().double()  # Apple's GPUs have no doubles


def _crop(grid: Grid, most: int, generator: torch.Generator) -> tuple[slice, slice]:
    """A part of at most so many tokens a side, at a place drawn at random."""
    starts = [int(torch.randint(max(side - most, 0) + 1, (), generator=generator)) for side in grid]
    return slice(starts[0], starts[0] + most), slice(starts[1], starts[1] + most)


def painted_picture(size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """A picture (3, H, W) in -1..1 with the statistics that matter here: shaded shapes of all sizes before each other."""
    height, width = size
    y = torch.linspace(-1, 1, height)[:, None] * min(1.0, height / width)
    x = torch.linspace(-1, 1, width)[None, :] * min(1.0, width / height)
    draw = _numbers(generator)
    picture = _shaded(x * math.cos(angle := 7 * next(draw)) + y * math.sin(angle), draw)
    for index in range(24):
        # First a few large shapes, then ever more small ones.
        radius = 0.3 + 0.6 * next(draw) if index < 5 else 0.04 * 17 ** (next(draw) ** 1.5)
        angle, flatness = 7 * next(draw), 0.4 + 0.6 * next(draw)
        along, across = x - 2.2 * next(draw) + 1.1, y - 2.2 * next(draw) + 1.1
        u = (along * math.cos(angle) + across * math.sin(angle)) / radius
        v = (across * math.cos(angle) - along * math.sin(angle)) / radius / flatness
        distance = (u * u + v * v).sqrt() if next(draw) < 0.5 else torch.maximum(u.abs(), v.abs())
        edge = 2 / (radius * max(size)) * (1 + 6 * next(draw) ** 3)
        inside = ((1 - distance) / edge + 0.5).clamp(0, 1)
        picture = picture + (_shaded(u, draw) - picture) * inside
    return picture


def _numbers(generator: torch.Generator) -> Iterator[float]:
    while True:
        yield from torch.rand(256, generator=generator).tolist()


def _shaded(position: Tensor, draw: Iterator[float]) -> Tensor:
    """A colour that changes into another one from -1 to 1: (3, H, W)."""
    first, second = (torch.tensor([2 * next(draw) - 1 for _ in range(3)])[:, None, None] for _ in range(2))
    return first + (second - first) * 0.5 * (position.clamp(-1, 1) + 1) / 2


_STEP = Sentence("Get the model again, or verify it under Models.")
