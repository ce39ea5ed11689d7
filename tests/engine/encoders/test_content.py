"""The content encoder at a tiny size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from PIL import Image

from engine.encoders.content import ContentEncoder
from engine.errors import BundleError

CONFIG = {
    "_class_name": "AutoencoderKL",
    "block_out_channels": [8, 16],
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
    "latent_channels": 4,
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
    "shift_factor": 0.1159,
    "scaling_factor": 0.3611,
}


def whole_model(**changes) -> AutoencoderKL:
    torch.manual_seed(0)
    settings = {name: value for name, value in {**CONFIG, **changes}.items() if not name.startswith("_")}
    return AutoencoderKL(**settings).eval()


def picture(size: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize("quant_conv", [False, True])
def test_latent_is_the_unscaled_mean_row_by_row(quant_conv: bool):
    model = whole_model(use_quant_conv=quant_conv, use_post_quant_conv=quant_conv)
    encoder = ContentEncoder.from_config(
        {**CONFIG, "use_quant_conv": quant_conv, "use_post_quant_conv": quant_conv}, model.state_dict(), 32
    )
    latent = encoder.encode(picture())
    pixels = torch.from_numpy(picture()).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.inference_mode():
        mean = model.encode(pixels).latent_dist.mean
    assert latent.shape == (256, 4)
    assert latent.dtype == torch.float32
    for row, column in ((0, 0), (0, 15), (3, 7)):
        assert torch.allclose(latent[row * 16 + column], mean[0, :, row, column], atol=1e-5)
    assert torch.equal(latent, encoder.encode(picture())), "drawn, not the mean"


def test_the_decoder_is_neither_needed_nor_kept():
    state = {name: value for name, value in whole_model().state_dict().items() if name.startswith("encoder.")}
    encoder = ContentEncoder.from_config(CONFIG, state, 32)
    assert not hasattr(encoder.model, "decoder")
    assert sum(p.numel() for p in encoder.model.parameters()) == sum(value.numel() for value in state.values())


def test_another_size_is_resampled_with_lanczos():
    encoder = ContentEncoder.from_config(CONFIG, whole_model().state_dict(), 32)
    small = np.asarray(Image.fromarray(picture(64)).resize((32, 32), Image.Resampling.LANCZOS))
    assert torch.equal(encoder.encode(picture(64)), encoder.encode(small))


def test_wrong_weights_and_wrong_config_are_refused():
    state = whole_model().state_dict()
    del state["encoder.conv_in.bias"]
    with pytest.raises(BundleError, match=r"content encoder .* lacks .*input\.bias"):
        ContentEncoder.from_config(CONFIG, state, 32)
    with pytest.raises(BundleError, match="cannot be built"):
        ContentEncoder.from_config({**CONFIG, "down_block_types": ["NoSuchBlock"]}, whole_model().state_dict(), 32)
