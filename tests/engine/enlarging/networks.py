"""A small random Swin2SR as transformers itself saves it."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution


def save_upscaler(folder: Path, factor: int = 2) -> Path:
    torch.manual_seed(factor)
    config = Swin2SRConfig(embed_dim=12, depths=(2,), num_heads=(2,), upscale=factor, image_size=64, window_size=8)
    network = Swin2SRForImageSuperResolution(config)
    with torch.no_grad():  # as it begins its outputs are all but flat: no seam could be seen in them
        for weight in network.parameters():
            weight.add_(0.15 * torch.randn_like(weight))
    network.save_pretrained(folder)
    return folder
