"""Which branches run, how they are mixed, and how bits are drawn."""

from __future__ import annotations

import pytest
import torch

from engine.errors import RequestError
from engine.sampling.guidance import Guidance, bit_probability, draw_bits, mix


@pytest.mark.parametrize(
    ("text", "identity", "look", "has_subject", "branches"),
    [
        (3.0, 3.0, None, True, ("full", "null")),
        (3.0, 2.0, None, True, ("full", "text", "null")),
        (3.0, 2.0, 4.0, True, ("full", "identity", "text", "null")),
        (3.0, 2.0, 0.0, True, ("identity", "text", "null")),
        (3.0, 3.0, 1.0, True, ("full", "identity", "null")),
        (1.0, 1.0, None, True, ("full",)),
        (1.0, 0.0, None, True, ("text",)),
        (0.0, 0.0, None, True, ("null",)),
        (3.0, 3.0, None, False, ("text", "null")),
        (1.0, 3.0, None, False, ("text",)),
        # One scale is enough: a branch needs its keys of every scale before.
        (3.0, (3.0, 3.0, 2.0), None, True, ("full", "text", "null")),
    ],
)
def test_branches_that_run(text, identity, look, has_subject, branches):
    assert Guidance.of(3, text, identity, look).branches(has_subject) == branches


@pytest.mark.parametrize("has_subject", [True, False])
def test_weights_add_up_to_one(has_subject: bool):
    guidance = Guidance.of(2, (2.5, 7.0), (1.5, 0.25), (4.0, 0.0))
    for scale in range(2):
        assert sum(guidance.coefficients(scale, has_subject).values()) == pytest.approx(1.0)


def test_the_mixture_is_the_formula_for_identity_and_look():
    full, identity, text, null = torch.randn(4, 3, 8, generator=torch.Generator().manual_seed(0))
    guidance = Guidance.of(1, 3.0, 2.0, 4.5)
    weights = guidance.coefficients(0, has_subject=True)
    wanted = null + 3.0 * (text - null) + 2.0 * (identity - text) + 4.5 * (full - identity)
    ours = mix(torch.stack([full, identity, text, null]), list(weights.values()))
    assert torch.allclose(ours, wanted, atol=1e-5)


def test_a_list_of_the_wrong_length_is_refused():
    with pytest.raises(RequestError, match="2 numbers for 3 scales"):
        Guidance.of(3, 3.0, (1.0, 2.0))


def test_noise_depends_on_seed_and_scale_alone():
    half = torch.full((6, 8), 0.5)
    torch.manual_seed(1)
    first = draw_bits(half, 5, 2)
    torch.manual_seed(2)
    assert torch.equal(first, draw_bits(half, 5, 2))
    assert not torch.equal(first, draw_bits(half, 6, 2))
    assert not torch.equal(first, draw_bits(half, 5, 3))
    assert not torch.equal(first, draw_bits(half, 2, 5))


def test_a_tokens_noise_is_the_same_whichever_others_are_drawn():
    half, places = torch.full((40, 8), 0.5), torch.tensor([3, 17, 39])
    assert torch.equal(draw_bits(half[places], 5, 2, tokens=40, places=places), draw_bits(half, 5, 2)[places])


def test_noise_never_changes():
    """Saved pictures are drawn again from their seed, so these numbers belong to the file format."""
    drawn = draw_bits(torch.full((2, 8), 0.5), 2**32 - 1, 12)
    assert drawn.int().tolist() == NOISE


NOISE = [[0, 1, 1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0, 0, 0]]


def test_certain_bits_are_certain():
    assert draw_bits(torch.ones(50, 16), 3, 0).all()
    assert not draw_bits(torch.zeros(50, 16), 3, 0).any()


def test_bits_are_drawn_as_often_as_they_are_likely():
    drawn = draw_bits(torch.full((200, 100), 0.3), 3, 1)
    assert drawn.float().mean().item() == pytest.approx(0.3, abs=0.02)


def test_probabilities_come_in_pairs():
    logits = torch.tensor([[0.0, 2.0, 1.0, -1.0]])
    assert torch.allclose(bit_probability(logits, 0.0), torch.sigmoid(torch.tensor([[2.0, -2.0]])))
