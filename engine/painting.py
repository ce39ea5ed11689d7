"""Between bits and pixels: pictures and previews of summed codes, the picture of a region, and the bits of a photo."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from PIL import Image

from engine.bundle.loader import Bundle, load_tokenizer_encoder
from engine.device.devices import Device
from engine.encoders.features import cancellable
from engine.encoders.placed import place_cut_out, subject_alpha
from engine.errors import Cancel, raise_if_cancelled
from engine.model.config import ScaleSchedule
from engine.photo.in_front import in_front
from engine.placement import Placement
from engine.region import Region, mixed, soft_inside
from engine.request import CutOut, GenerationRequest, ScaleBits
from engine.tokenizer.autoencoder import to_uint8
from engine.tokenizer.decoding import decode_in_strips
from engine.tokenizer.preview import MAX_SIDE, Preview
from engine.tokenizer.quantizer import MultiScaleQuantizer, add_scale
from engine.tokenizer.reference import CanvasFeatures

_NEAR = 1
"""Codes around a region that are painted with it: where it meets the picture, its colours are compared there."""
_NEAR_IN_PREVIEWS = 2
"""The same where nothing else is decoded: what is nearer to the edge of so few codes is not as it would be."""
_NEARLY_ALL = 0.8
"""Of the codes. A region that takes so many with its surroundings is painted with the whole picture: little is gained."""

_LastCanvas = tuple[CutOut, Placement, tuple[int, int], CanvasFeatures]


class Painter:
    """The visual tokenizer of an open bundle.

    Args:
        strip_bytes: memory that decoding may take at a time, see ``decode_in_strips``.
    """

    def __init__(self, bundle: Bundle, device: Device, strip_bytes: int | None) -> None:
        self._bundle, self._device, self._strip_bytes = bundle, device, strip_bytes
        self._preview = Preview.of_bundle(bundle.tokenizer, bundle.manifest.tokenizer, bundle.folder)
        self._last_canvas: _LastCanvas | None = None

    @torch.inference_mode()
    def canvas(self, request: GenerationRequest, size: tuple[int, int]) -> CanvasFeatures | None:
        """The placed cut-out for a decoder that looks at it, (width, height) large; None where it does not.

        The last one is kept: the same subject at the same place is not looked at again.
        """
        placement, subject = self._bundle.manifest.place(request), request.subject
        decoder = self._bundle.tokenizer.decoder
        if subject is None or placement is None or decoder.reference is None:
            return None
        if self._last_canvas is None or self._last_canvas[:3] != (subject, placement, size):
            pixels = torch.from_numpy(place_cut_out(subject, placement, *size)).permute(2, 0, 1)[None]
            weight = decoder.input.weight
            pixels = pixels.to(weight.device, weight.dtype)
            self._last_canvas = (subject, placement, size, CanvasFeatures(pixels, decoder.reference.features(pixels)))
        return self._last_canvas[3]

    def forget(self) -> None:
        """Drop the last canvas."""
        self._last_canvas = None

    def picture(
        self, summed: torch.Tensor, canvas: CanvasFeatures | None, cancel: Cancel | None, request: GenerationRequest
    ) -> np.ndarray:
        """Summed codes (1, d, h, w) to RGB uint8 (H, W, 3), laid into the picture of the request's region, if it has one.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        region, config = request.region, self._bundle.manifest.tokenizer
        if region is None:
            return self._pixels(summed, canvas, cancel)
        window = codes_around(region, (summed.shape[2], summed.shape[3]), config.stride)
        drawn = in_its_picture(region, self._pixels(summed, canvas, cancel, window), window, config.stride)
        alpha = self._alpha(request)
        if alpha is None:
            return region.lay_in(drawn, config.feather)
        without = None
        if request.kept is not None:
            codes = torch.zeros_like(summed)
            for scale, labels in enumerate(request.kept.scales):
                codes = add_scale(codes, torch.tensor(labels, device=codes.device)[None], config, scale)
            without = in_its_picture(region, self._pixels(codes, None, cancel, window), window, config.stride)
        return in_front(region, drawn, alpha, config.feather, without)

    def _pixels(
        self,
        codes: torch.Tensor,
        canvas: CanvasFeatures | None,
        cancel: Cancel | None,
        window: tuple[slice, slice] | None = None,
    ) -> np.ndarray:
        pixels = decode_in_strips(
            self._bundle.tokenizer.decoder,
            codes,
            canvas,
            self._strip_bytes,
            lambda: raise_if_cancelled(cancel),
            window=window,
        )
        return to_uint8(pixels)[0].cpu().numpy()

    def _alpha(self, request: GenerationRequest) -> np.ndarray | None:
        """The subject's alpha where the photo of the request goes on behind it."""
        region = request.region
        size = region.size if region is not None else (0, 0)
        return subject_alpha(request, self._bundle.manifest.place(request), size)

    def preview(
        self,
        summed: torch.Tensor,
        scale: int,
        size: tuple[int, int],
        request: GenerationRequest,
        canvas: CanvasFeatures | None,
    ) -> np.ndarray:
        """A picture after one of its scales, RGB uint8 (H, W, 3), no side over 512."""
        if request.region is None:
            return self._preview(summed, scale, size, canvas)
        return self._region_preview(summed, scale, request.region, canvas, self._alpha(request))

    @torch.inference_mode()
    def first_scales(
        self, request: GenerationRequest, count: int, schedule: ScaleSchedule, canvas: CanvasFeatures | None
    ) -> list[np.ndarray]:
        """The previews after each of the first ``count`` scales that the request keeps."""
        if request.kept is None or count < 1:
            return []
        config, device = self._bundle.manifest.tokenizer, self._bundle.tokenizer.decoder.input.weight.device
        codes = torch.zeros(1, config.bits, *schedule.grids[-1], device=device)
        images = []
        for scale, labels in enumerate(request.kept.scales[:count]):
            codes = add_scale(codes, torch.tensor(labels, device=device)[None], config, scale)
            images.append(self.preview(codes, scale, schedule.size, request, canvas))
        return images

    def _region_preview(
        self, summed: torch.Tensor, scale: int, region: Region, canvas: CanvasFeatures | None, alpha: np.ndarray | None
    ) -> np.ndarray:
        """The earlier picture with a preview of its region. Only what lies around the region is painted."""
        config, grid = self._bundle.manifest.tokenizer, (summed.shape[2], summed.shape[3])
        window = rows, columns = codes_around(region, grid, config.stride, _NEAR_IN_PREVIEWS) or (
            slice(0, grid[0]),
            slice(0, grid[1]),
        )
        part = None if canvas is None else canvas.part(rows, columns, grid)
        size = (columns.stop - columns.start) * config.stride, (rows.stop - rows.start) * config.stride
        image = self._preview(summed[:, :, rows, columns], scale, size, part)
        image = in_its_picture(region, cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), window, config.stride)
        if alpha is None:
            return at_most(region.lay_in(image, config.feather), MAX_SIDE)
        return at_most(in_front(region, image, alpha, config.feather), MAX_SIDE)

    def after_each_scale(
        self, bits: ScaleBits, request: GenerationRequest, cancel: Cancel | None
    ) -> tuple[np.ndarray, ...]:
        """An earlier picture after each of its scales, RGB uint8 (H, W, 3), no side over 512; nothing when its bits do not
        fit this bundle and size. Raises ``Cancelled``."""
        manifest = self._bundle.manifest
        schedule = manifest.schedule(request.size)
        if schedule is None or not manifest.fits(bits, request.size):
            return ()
        images = self._preview.after_each_scale(
            bits.scales,
            manifest.tokenizer,
            schedule.grids[-1],
            schedule.size,
            lambda: raise_if_cancelled(cancel),
            self.canvas(request, schedule.size),
        )
        region = request.region
        if region is None or region.size != schedule.size:
            return images
        alpha = self._alpha(request)
        return tuple(_laid_in(image, region, manifest.tokenizer.feather, alpha) for image in images)

    @torch.inference_mode()
    def bits_of(self, picture: np.ndarray, grids: Sequence[tuple[int, int]], cancel: Cancel | None) -> ScaleBits:
        """Bit labels of a picture, RGB uint8 (H, W, 3). The encoder is loaded for it alone: most pictures need none.

        Raises:
            Cancelled: ``cancel`` was set. BundleError: this bundle has no encoder.
        """
        encoder = load_tokenizer_encoder(self._bundle)
        weight = self._bundle.tokenizer.decoder.input.weight
        # In float32 first: the shades of a bright photo are finer than what bfloat16 has between 1 and 2.
        pixels = torch.from_numpy(picture.copy()).to(weight.device).permute(2, 0, 1)[None].float() / 127.5 - 1
        # On the processor from here: Apple's GPUs average areas only where the sides divide.
        with cancellable(encoder, cancel):
            features = encoder(pixels.to(weight.dtype)).float().cpu()
        labels = MultiScaleQuantizer(self._bundle.manifest.tokenizer).encode(features, grids)
        return ScaleBits(tuple(bits[0].numpy() for bits in labels))


def codes_around(region: Region, grid: tuple[int, int], stride: int, near: int = _NEAR) -> tuple[slice, slice] | None:
    """Rows and columns of the codes, a grid (h, w), that are painted for a region; None for all of them."""
    rows, columns = (
        slice(part.start // stride, min(-(-part.stop // stride), side))
        for part, side in zip(region.around(near * stride), grid, strict=True)
    )
    share = (rows.stop - rows.start) * (columns.stop - columns.start) / math.prod(grid)
    return (rows, columns) if share < _NEARLY_ALL else None


def in_its_picture(region: Region, drawn: np.ndarray, window: tuple[slice, slice] | None, stride: int) -> np.ndarray:
    """Lay pixels painted from the codes in ``window``, RGB uint8, into the picture of the region; None means all codes."""
    if window is None:
        return drawn
    whole = region.picture.copy()
    rows, columns = (slice(part.start * stride, part.stop * stride) for part in window)
    whole[rows, columns] = drawn
    return whole


def at_most(picture: np.ndarray, side: int) -> np.ndarray:
    """RGB uint8, made smaller where a side is longer than ``side``."""
    height, width = picture.shape[:2]
    if max(height, width) <= side:
        return picture
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _laid_in(preview: np.ndarray, region: Region, feather: float, alpha: np.ndarray | None) -> np.ndarray:
    """A preview, RGB uint8, with the earlier picture outside of the region."""
    height, width = preview.shape[:2]
    weight = cv2.resize(soft_inside(region.mask, feather), (width, height), interpolation=cv2.INTER_AREA)
    if alpha is not None:
        weight = weight * cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    below = region.picture
    if below.shape != preview.shape:
        below = cv2.resize(below, (width, height), interpolation=cv2.INTER_AREA)
    return mixed(below, preview, weight)
