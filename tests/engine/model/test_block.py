"""Layers that are written another way than torch's own must compute the same."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engine.model.block import gelu, linear


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


@pytest.mark.parametrize("out", [24, 768, 770, 2304])
@pytest.mark.parametrize("rows", [1, 4, 32, 33, 200])
@pytest.mark.parametrize("biased", [True, False], ids=["bias", "no-bias"])
def test_a_product_is_the_same_in_any_order_and_pieces(rows: int, out: int, biased: bool):
    generator = torch.Generator().manual_seed(rows)
    x = torch.randn(2, rows, 48, generator=generator)[1:]
    weight, bias = torch.randn(out, 48, generator=generator), torch.randn(out, generator=generator)
    wanted = F.linear(x, weight, bias if biased else None)
    with torch.inference_mode():
        for given in (x, x.transpose(0, 1).contiguous().transpose(0, 1)):
            product = linear(given, weight, bias if biased else None)
            assert product.is_contiguous()
            torch.testing.assert_close(product, wanted, atol=1e-5, rtol=1e-5)


def test_a_product_has_the_number_format_of_its_weight():
    x, weight = torch.ones(1, 3, 8), torch.ones(5, 8, dtype=torch.bfloat16)
    with torch.inference_mode():
        assert linear(x, weight).dtype == torch.bfloat16


def test_a_product_passes_gradients_on():
    x, weight = torch.ones(1, 3, 8), torch.ones(5, 8, requires_grad=True)
    linear(x, weight).sum().backward()
    assert torch.equal(weight.grad, torch.full((5, 8), 3.0))
