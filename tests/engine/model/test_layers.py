"""Layers that are written another way than torch's own must compute the same."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from engine.model.layers import gelu


def test_gelu_is_the_tanh_approximation():
    x = torch.cat([torch.linspace(-12, 12, 4_001), torch.tensor([-1e6, -100.0, 0.0, 100.0, 1e6])])
    wanted = F.gelu(x, approximate="tanh")
    with torch.inference_mode():
        found = gelu(x.clone())
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-6)
    # With gradients the input stays as it is.
    kept = x.clone().requires_grad_()
    assert torch.equal(gelu(kept).detach(), wanted)
    assert torch.equal(kept.detach(), x)
