"""The decoder as it runs outside training: in strips, exactly, with less memory and less work than layer by layer.

Cutting a picture into tiles that are decoded one by one needs overlaps, and still shows: every GroupNorm takes its mean
and variance from the whole picture. Here each *layer* goes over the picture in strips of rows instead. The statistics
are taken from all strips before any is normalised, and each strip reads the one row it needs above and below, so the
result is that of the plain decoder up to float rounding, at any strip height, and only one strip of normalised values
exists at a time. On a CPU the strips stay in the cache (measured: a published layer at 256 px takes 15 % less time).

Doubling the resolution copies every cell four times before a 3x3 convolution, which then multiplies the same number by
several weights. Adding up the weights first leaves four 2x2 convolutions on the small map, one for each of the four
places in a cell: 4 multiplications for every 9, same sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.tokenizer.lattice import evened
from engine.tokenizer.layers import Double, ResidualBlock
from engine.tokenizer.reference import CanvasFeatures, part_of
from engine.tokenizer.relight import relit

if TYPE_CHECKING:
    from engine.tokenizer.encoder_decoder import Decoder

CPU_STRIP_BYTES = 4 << 20
DEVICE_STRIP_BYTES = 256 << 20
_MARGIN = 8
"""Cells of a code from which on one code is margin enough: a level's convolutions reach six of them."""


@torch.inference_mode()
def decode_in_strips(
    decoder: Decoder,
    codes: Tensor,
    canvas: Tensor | CanvasFeatures | None = None,
    strip_bytes: int | None = None,
    before_layer: Callable[[], None] | None = None,
    window: tuple[slice, slice] | None = None,
    *,
    relight: bool = True,
) -> Tensor:
    """Summed codes (B, d, h, w) to pixels (B, 3, H, W), cut off at -1 and 1.

    Args:
        decoder: the decoder; its weights may be float32 or bfloat16, the codes are brought to their type.
        codes: the sum of all codes.
        canvas: the placed cut-out, as ``Decoder.forward`` takes it, or what ``Decoder.canvas_features`` made of it. The reference
            branch, which only small models have, runs over the whole picture at once.
        strip_bytes: size of a strip of one layer's input; by default what suits the device. Peak memory is that of
            the largest layer's input and output plus a few strips.
        before_layer: called before every layer; what it raises ends the decoding.
        window: rows and columns of the codes that are wanted; the pixels are those of them alone. The coarsest level, which
            sets the tone of a picture, is still decoded whole. The finer ones run in the window and one code around it, those
            where a code has many cells in the window alone. They take mean and variance from there, so the pixels are near
            those of the whole picture (about 40 dB, decision 21) and not the same.
        relight: bring the subject to the colours of the bits, where the decoder does so (``TokenizerConfig.relight``). Without it
            a third of the time is saved.
    """
    if strip_bytes is None:
        strip_bytes = CPU_STRIP_BYTES if codes.device.type == "cpu" else DEVICE_STRIP_BYTES
    codes = codes.to(decoder.input.weight.dtype)
    paint = partial(_paint, decoder, codes, strip_bytes=strip_bytes, before_layer=before_layer)
    picture, covered = paint(decoder.canvas_features(codes, canvas), window)
    if (
        relight
        and covered is not None
        and decoder.relight
        and (under := _codes_under(covered, decoder.stride)) is not None
    ):
        # Only what lies under the subject is painted without it.
        top, left = (0, 0) if window is None else (part.start for part in window)
        there = slice(top + under[0].start, top + under[0].stop), slice(left + under[1].start, left + under[1].stop)
        alone, _ = paint(decoder.canvas_features(codes, None), there)
        rows, columns = (slice(part.start * decoder.stride, part.stop * decoder.stride) for part in under)
        subject = picture[:, :, rows, columns]
        subject.copy_(relit(subject, alone, covered[:, :, rows, columns], decoder.relight))
    return picture.clamp_(-1, 1)


def _codes_under(covered: Tensor, stride: int) -> tuple[slice, slice] | None:
    """Rows and columns of the codes that a subject covers, (B, 1, H, W), or None for none."""
    codes = F.max_pool2d(covered.amax(0), stride)[0] > 0
    rows, columns = (codes.any(axis).nonzero() for axis in (1, 0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _paint(
    decoder: Decoder,
    codes: Tensor,
    features: CanvasFeatures | None,
    window: tuple[slice, slice] | None,
    strip_bytes: int,
    before_layer: Callable[[], None] | None,
) -> tuple[Tensor, Tensor | None]:
    """Paint the codes in the window: pixels (B, 3, H, W), not cut off, and how much of each is the subject, (B, 1, H, W)."""
    reference, grid = decoder.reference, (codes.shape[2], codes.shape[3])
    around, inner = (None, None) if window is None else _around(window, grid)
    x = decoder.input(codes)
    for level, step in decoder.steps():
        if before_layer is not None:
            before_layer()
        if around is not None and level == max(len(decoder.levels) - 2, 0):
            x, features = _part(x, features, *around)
        if inner is not None and level is not None and 2 ** (len(decoder.levels) - 1 - level) >= _MARGIN:
            x, features = _part(x, features, *inner)
            inner = None
        if reference is not None and features is not None and level is not None:
            x = reference.join(x, features.maps, level)
        x = _double(step, x, strip_bytes) if isinstance(step, Double) else _residual_block(step, x, strip_bytes)
    scale, shift = _norm_as_affine(decoder.norm, x, strip_bytes)
    if inner is not None:  # behind the last norm, which sets the tone: the rest reaches no further than a code
        x, features = _part(x, features, *inner)
    scene = decoder.unfold(_convolve(decoder.output, x, scale, shift, strip_bytes))
    if reference is None or features is None:
        return evened(scene, decoder.lattice), None
    normed = F.silu(torch.addcmul(shift, x.float(), scale), inplace=True).to(x.dtype)
    return reference.compose(scene, normed, features.maps, features.pixels)


_Part = tuple[slice, slice, tuple[int, int]]
"""Rows and columns of a grid (h, w)."""


def _around(window: tuple[slice, slice], grid: tuple[int, int]) -> tuple[_Part, _Part]:
    """The window with one code around it, as a part of the grid, and the window as a part of that."""
    (top, bottom), (left, right) = (
        (max(part.start - 1, 0), min(part.stop + 1, side)) for part, side in zip(window, grid, strict=True)
    )
    rows, columns = window
    inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    return (slice(top, bottom), slice(left, right), grid), (*inner, (bottom - top, right - left))


def _part(
    x: Tensor, features: CanvasFeatures | None, rows: slice, columns: slice, grid: tuple[int, int]
) -> tuple[Tensor, CanvasFeatures | None]:
    return part_of(x, rows, columns, grid), None if features is None else features.part(rows, columns, grid)


def _residual_block(block: ResidualBlock, x: Tensor, strip_bytes: int) -> Tensor:
    """Compute one residual block. If the channel count stays, the result takes the place of ``x``."""
    y = _norm_and_convolve(block.norm1, block.conv1, x, strip_bytes)
    scale, shift = _norm_as_affine(block.norm2, y, strip_bytes)
    out = x if block.shortcut is None else x.new_empty(y.shape)
    for top, bottom in _strips(y, strip_bytes):
        change = _convolve_strip(block.conv2, y, scale, shift, top, bottom)
        kept = x[:, :, top:bottom]
        out[:, :, top:bottom] = change.add_(kept if block.shortcut is None else block.shortcut(kept))
    return out


def _norm_and_convolve(norm: nn.GroupNorm, conv: nn.Conv2d, x: Tensor, strip_bytes: int) -> Tensor:
    """conv(silu(norm(x))) for a 3x3 convolution."""
    scale, shift = _norm_as_affine(norm, x, strip_bytes)
    return _convolve(conv, x, scale, shift, strip_bytes)


def _convolve(conv: nn.Conv2d, x: Tensor, scale: Tensor, shift: Tensor, strip_bytes: int) -> Tensor:
    """conv(silu(x * scale + shift)) for a 3x3 convolution."""
    out = x.new_empty(x.shape[0], conv.out_channels, *x.shape[2:])
    for top, bottom in _strips(x, strip_bytes):
        out[:, :, top:bottom] = _convolve_strip(conv, x, scale, shift, top, bottom)
    return out


def _convolve_strip(conv: nn.Conv2d, x: Tensor, scale: Tensor, shift: Tensor, top: int, bottom: int) -> Tensor:
    """Rows top..bottom of conv(silu(x * scale + shift))."""
    first, last = max(top - 1, 0), min(bottom + 1, x.shape[2])
    strip = torch.addcmul(shift, x[:, :, first:last].float(), scale)
    strip = F.silu(strip, inplace=True).to(x.dtype)
    # Zeros stand above and below the picture only; inside it the neighbouring rows were read.
    above, below = 1 - (top - first), 1 - (last - bottom)
    if above == below:
        return F.conv2d(strip, conv.weight, conv.bias, padding=(above, 1))
    return F.conv2d(F.pad(strip, (1, 1, above, below)), conv.weight, conv.bias)


def _norm_as_affine(norm: nn.GroupNorm, x: Tensor, strip_bytes: int) -> tuple[Tensor, Tensor]:
    """The norm of this input as x * scale + shift, both (B, C, 1, 1) float32, from the statistics of all its rows."""
    batch, channels = x.shape[:2]
    means: list[Tensor] = []
    variances: list[Tensor] = []
    shares: list[float] = []
    for top, bottom in _strips(x, strip_bytes):
        rows = x[:, :, top:bottom].float().reshape(batch, norm.num_groups, -1)
        # In two steps: torch.var_mean runs over the numbers one after the other and takes seven times as long.
        mean = rows.mean(-1, keepdim=True)
        means.append(mean)
        variances.append((rows - mean).square_().mean(-1, keepdim=True))
        shares.append((bottom - top) / x.shape[2])
    share = torch.tensor(shares, device=x.device)
    mean = (torch.cat(means, -1) * share).sum(-1, keepdim=True)
    within = (torch.cat(variances, -1) * share).sum(-1, keepdim=True)
    between = ((torch.cat(means, -1) - mean).square() * share).sum(-1, keepdim=True)
    variance = within + between
    spread = (variance + norm.eps).rsqrt()
    per_group = channels // norm.num_groups
    scale = spread.expand(-1, -1, per_group).reshape(batch, channels) * norm.weight.float()
    shift = norm.bias.float() - mean.expand(-1, -1, per_group).reshape(batch, channels) * scale
    return scale[:, :, None, None], shift[:, :, None, None]


def _double(double: Double, x: Tensor, strip_bytes: int) -> Tensor:
    """The convolution over every cell of x four times, as four 2x2 convolutions on x."""
    conv = double.conv
    batch, _, height, width = x.shape
    out = x.new_empty(batch, conv.out_channels, 2 * height, 2 * width)
    kernels = [[kernel.contiguous() for kernel in _paired(rows, 3)] for rows in _paired(conv.weight, 2)]
    for top, bottom in _strips(x, strip_bytes):
        first, last = max(top - 1, 0), min(bottom + 1, height)
        strip = F.pad(x[:, :, first:last], (1, 1, 1 - (top - first), 1 - (last - bottom)))
        rows = bottom - top
        for i in (0, 1):
            for j in (0, 1):
                part = strip[:, :, i : i + rows + 1, j : j + width + 1]
                out[:, :, 2 * top + i : 2 * bottom : 2, j::2] = F.conv2d(part, kernels[i][j], conv.bias)
    return out


def _paired(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Three taps over doubled cells as two taps over single cells, for the first and the second copy of a cell.

    The first copy sees its neighbour before once and itself twice; the second itself twice and the one after once.
    """
    before, here, after = weight.unbind(axis)
    return torch.stack((before, here + after), axis), torch.stack((before + here, after), axis)


def _strips(x: Tensor, strip_bytes: int) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) row of the strips of a map (B, C, H, W), of even height."""
    height = x.shape[2]
    row_bytes = x[:, :, :1].numel() * 4
    count = -(-height * row_bytes // strip_bytes)
    rows = max(1, -(-height // count))
    for top in range(0, height, rows):
        yield top, min(top + rows, height)
