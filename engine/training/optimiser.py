"""Optimisers: Muon for the matrices of the blocks, AdamW for the rest; and the running average of the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from engine.training.team import ALONE, Team


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal (Jordan et al. 2024, "Muon"), for matrices.

    A convolution's weight counts as a matrix of (output channels, everything else). The momentum's singular values are
    pushed to about 1 by five Newton-Schulz steps, so that all directions learn at one speed; the update is scaled to the
    size AdamW's would have (0.2 · √max(rows, columns)).
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            # Matrices of one shape are made orthogonal together: few large products instead of many small ones.
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in by_shape.items():
                updates = []
                for parameter in parameters:
                    assert parameter.grad is not None
                    state = self.state[parameter]
                    if "momentum" not in state:
                        state["momentum"] = torch.zeros_like(parameter)
                    momentum = state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                    updates.append(parameter.grad.lerp(momentum, group["momentum"]))
                matrices = torch.stack(updates).flatten(2)
                size = 0.2 * max(matrices.shape[1:]) ** 0.5
                for parameter, update in zip(parameters, orthogonal(matrices), strict=True):
                    parameter.add_(update.reshape(shape).to(parameter.dtype), alpha=-group["lr"] * size)


def orthogonal(matrices: Tensor, steps: int = 5) -> Tensor:
    """(n, rows, columns) → the same with all singular values near 1 (quintic Newton-Schulz iteration)."""
    x = matrices.bfloat16() if matrices.is_cuda else matrices.float()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.mT if tall else x


def split_matrices(
    module: nn.Module, inside: Callable[[str, nn.Parameter], bool]
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters for Muon and for AdamW.

    Args:
        inside: whether a parameter, by its name, is a matrix inside the network: ``in_blocks`` or ``is_large``. The first and
            the last layer stay with AdamW, as do tables of embeddings.
    """
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        (matrices if inside(name, parameter) else rest).append(parameter)
    return matrices, rest


def in_blocks(name: str, parameter: nn.Parameter) -> bool:
    """Of transformers: the matrices of their blocks, but for modulation and tables of positions."""
    block = any(part in name for part in (".blocks.", ".block.", ".layer.", ".layers."))
    table = "modulation" in name or "relative_attention_bias" in name
    return block and parameter.dim() == 2 and not table


def is_large(_name: str, parameter: nn.Parameter) -> bool:
    """Of convolutional networks, whose layers have no common name: matrices and convolutions with no side below 32."""
    return parameter.dim() >= 2 and min(parameter.shape[0], parameter[0].numel()) >= 32


class WeightAverage:
    """Running average of weights. Early on it forgets faster, so that it does not hang on to the random start."""

    def __init__(self, module: nn.Module, keep: float) -> None:
        self.keep, self.steps = keep, 0
        self.weights = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        self.steps += 1
        keep = min(self.keep, (1 + self.steps) / (10 + self.steps))
        pairs = [(self.weights[name], value) for name, value in module.state_dict().items()]
        floats = [(mean, value) for mean, value in pairs if mean.is_floating_point()]
        torch._foreach_lerp_([mean for mean, _ in floats], [value for _, value in floats], 1 - keep)
        for mean, value in pairs:
            if not mean.is_floating_point():
                mean.copy_(value)


def descend(
    module: nn.Module,
    loss: Tensor,
    optimisers: Iterable[torch.optim.Optimizer],
    rates: Iterable[float],
    average: WeightAverage,
    team: Team = ALONE,
) -> None:
    """One step down the loss: each optimiser at its learning rate, gradients clipped to length 1, the average kept up.

    Of several processes each gives its own loss; all make the same step, down the mean of the gradients.
    """
    optimisers = tuple(optimisers)
    for optimiser, rate in zip(optimisers, rates, strict=True):
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
    loss.backward()
    team.average_gradients(module)
    nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    for optimiser in optimisers:
        optimiser.step()
    average.update(module)
