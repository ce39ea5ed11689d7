"""Between bits and pixels: pictures and previews of summed codes, the picture of a region, and the bits of a photo."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from PIL import Image

from engine.bundle.loader import Bundle, load_tokenizer_encoder
from engine.device.devices import Device
from engine.encoders.placed import place_cut_out
from engine.errors import Cancel, Cancelled
from engine.region import Region, mixed, soft_inside
from engine.request import GenerationRequest, ScaleBits
from engine.tokenizer.autoencoder import to_uint8
from engine.tokenizer.decoding import decode_in_strips
from engine.tokenizer.preview import MAX_SIDE, Preview
from engine.tokenizer.quantizer import MultiScaleQuantizer

_NEAR = 2
"""Codes around a region that are painted with it: what the small decoder of previews sees of its neighbours."""


class Painter:
    """The visual tokenizer of an open bundle.

    Args:
        strip_bytes: memory that decoding may take at a time, see ``decode_in_strips``.
    """

    def __init__(self, bundle: Bundle, device: Device, strip_bytes: int | None) -> None:
        self._bundle, self._device, self._strip_bytes = bundle, device, strip_bytes
        self._preview = Preview.of_bundle(bundle.tokenizer, bundle.folder)

    def canvas(self, request: GenerationRequest, size: tuple[int, int]) -> torch.Tensor | None:
        """The placed cut-out for a decoder that looks at it, (1, 4, H, W); None where it does not."""
        placement = self._bundle.manifest.place(request)
        if request.subject is None or placement is None or self._bundle.tokenizer.decoder.reference is None:
            return None
        canvas = torch.from_numpy(place_cut_out(request.subject, placement, *size))
        return canvas.permute(2, 0, 1)[None].to(self._device.torch_name)

    def picture(self, summed: torch.Tensor, canvas: torch.Tensor | None, cancel: Cancel | None) -> np.ndarray:
        """Summed codes (1, d, h, w) to RGB uint8 (H, W, 3). Raises ``Cancelled``."""
        decoder = self._bundle.tokenizer.decoder
        pixels = decode_in_strips(decoder, summed, canvas, self._strip_bytes, lambda: raise_if_cancelled(cancel))
        return to_uint8(pixels)[0].cpu().numpy()

    def preview(
        self,
        summed: torch.Tensor,
        scale: int,
        size: tuple[int, int],
        region: Region | None,
        canvas: torch.Tensor | None,
    ) -> np.ndarray:
        """A picture after one of its scales, RGB uint8 (H, W, 3), no side over 512."""
        if region is None:
            return self._preview(summed, scale, size, canvas)
        return self._region_preview(summed, scale, region, canvas)

    def _region_preview(
        self, summed: torch.Tensor, scale: int, region: Region, canvas: torch.Tensor | None
    ) -> np.ndarray:
        """The earlier picture with a preview of its region. Only what lies around the region is painted."""
        stride = self._bundle.manifest.tokenizer.stride
        rows, columns = np.nonzero(region.mask)
        top, left = (max(int(low) // stride - _NEAR, 0) for low in (rows.min(), columns.min()))
        bottom, right = (int(high) // stride + 1 + _NEAR for high in (rows.max(), columns.max()))
        codes = summed[:, :, top:bottom, left:right]
        there = np.s_[top * stride : bottom * stride, left * stride : right * stride]
        below = region.picture.copy()
        height, width = below[there].shape[:2]
        part = None if canvas is None else canvas[:, :, there[0], there[1]]
        image = self._preview(codes, scale, (width, height), part)
        below[there] = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        return at_most(region.lay_in(below, self._bundle.manifest.tokenizer.feather), MAX_SIDE)

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
        return tuple(_laid_in(image, region, manifest.tokenizer.feather) for image in images)

    @torch.inference_mode()
    def bits_of(self, picture: np.ndarray, grids: Sequence[tuple[int, int]]) -> ScaleBits:
        """Bit labels of a picture, RGB uint8 (H, W, 3). The encoder is loaded for it alone: most pictures need none."""
        encoder = load_tokenizer_encoder(self._bundle)
        weight = self._bundle.tokenizer.decoder.input.weight
        pixels = torch.from_numpy(picture.copy()).to(weight.device, weight.dtype).permute(2, 0, 1)[None] / 127.5 - 1
        quantizer = MultiScaleQuantizer(self._bundle.manifest.tokenizer).to(weight.device)
        labels = quantizer.encode(encoder(pixels).float(), grids)
        return ScaleBits(tuple(bits[0].cpu().numpy() for bits in labels))


def raise_if_cancelled(cancel: Cancel | None) -> None:
    """Raises ``Cancelled`` when ``cancel`` is set."""
    if cancel is not None and cancel.is_set():
        raise Cancelled()


def at_most(picture: np.ndarray, side: int) -> np.ndarray:
    """RGB uint8, made smaller where a side is longer than ``side``."""
    height, width = picture.shape[:2]
    if max(height, width) <= side:
        return picture
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _laid_in(preview: np.ndarray, region: Region, feather: float) -> np.ndarray:
    """A preview, RGB uint8, with the earlier picture outside of the region."""
    height, width = preview.shape[:2]
    weight = cv2.resize(soft_inside(region.mask, feather), (width, height), interpolation=cv2.INTER_AREA)
    below = region.picture
    if below.shape != preview.shape:
        below = cv2.resize(below, (width, height), interpolation=cv2.INTER_AREA)
    return mixed(below, preview, weight)
