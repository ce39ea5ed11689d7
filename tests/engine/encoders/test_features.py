"""The encoders behind their cache, on the tiny bundle."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.bundle.loader import load_bundle
from engine.encoders.features import Features, cancellable
from engine.errors import Cancelled
from engine.placement import Placement
from engine.request import CutOut


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return load_bundle(tiny_bundle)


@pytest.fixture
def features(bundle) -> Features:
    return Features(bundle.text, bundle.semantic, bundle.content, torch.device("cpu"))


def cut_out(value: int) -> CutOut:
    return CutOut(np.full((56, 56, 4), value, np.uint8))


def test_shapes_and_keys(features, bundle):
    config = bundle.manifest.transformer
    prompt = features.prompt("a ball in the snow")
    assert prompt.key == "a ball in the snow" and prompt.features.shape == (6, config.text_width)
    subject = features.subject(cut_out(200))
    assert subject.key == cut_out(200).digest
    assert subject.patches.shape == (config.semantic_tokens, config.semantic_width)
    assert subject.content.shape == (config.content_tokens, config.content_width)


def test_the_same_is_not_encoded_again(features):
    assert not features.has_prompt("a ball") and not features.has_subject(cut_out(9))
    assert features.prompt("a ball") is features.prompt("a ball")
    one, again = features.subject(cut_out(9)), features.subject(CutOut(cut_out(9).pixels, photo="ab", mask="cd"))
    assert one.key == again.key and one.patches is again.patches and one.content is again.content
    assert features.has_prompt("a ball") and features.has_subject(cut_out(9))


def test_another_place_encodes_only_what_depends_on_it(features):
    subject = cut_out(90)
    here, there = Placement(0.4, 0.5, 0.6), Placement(0.6, 0.5, 0.6)
    one, other = (features.subject(subject, placement=place) for place in (here, there))
    assert one.patches is other.patches and one.key != other.key
    assert not torch.equal(one.content, other.content)
    assert features.has_subject(subject, here) and not features.has_subject(subject)


def test_a_text_encoder_that_waits_elsewhere_is_copied_one_way_only(bundle):
    """It was copied back after every prompt, although it had not changed: as long again as bringing it there."""
    expected = Features(bundle.text, bundle.semantic, bundle.content, torch.device("cpu")).prompt("a ball")
    home = [parameter.data_ptr() for parameter in bundle.text.model.parameters()]
    features = Features(bundle.text, bundle.semantic, bundle.content, torch.device("cpu"), offload_text=True)
    there: list[int] = []
    hook = bundle.text.model.register_forward_hook(
        lambda *_: there.extend(parameter.data_ptr() for parameter in bundle.text.model.parameters())
    )
    assert torch.equal(features.prompt("a ball").features, expected.features)
    hook.remove()
    assert len(there) == len(home) and not set(there) & set(home)
    assert [parameter.data_ptr() for parameter in bundle.text.model.parameters()] == home


def test_a_text_encoder_for_which_the_card_is_too_full_stays_at_home(bundle, monkeypatch):
    """Half of it stayed on the card, and the smaller plan had that much less."""
    features = Features(bundle.text, bundle.semantic, bundle.content, torch.device("cpu"), offload_text=True)
    home = [parameter.data_ptr() for parameter in bundle.text.model.parameters()]
    real, left = torch.Tensor.to, [3]

    def full(tensor: torch.Tensor, *arguments, **options) -> torch.Tensor:
        left[0] -= 1
        if not left[0]:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(tensor, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(torch.Tensor, "to", full)
        with pytest.raises(torch.OutOfMemoryError):
            features.prompt("a ball in the snow")
    assert [parameter.data_ptr() for parameter in bundle.text.model.parameters()] == home


def test_the_budget_holds(bundle):
    features = Features(bundle.text, bundle.semantic, bundle.content, torch.device("cpu"), cache_bytes=2000)
    first = features.prompt("a ball in the snow")
    for prompt in ("a ball on the beach", "a red ball", "a ball in the jungle"):
        features.prompt(prompt)
    assert features.cache.nbytes <= 2000 and not features.has_prompt("a ball in the snow")
    assert torch.equal(features.prompt("a ball in the snow").features, first.features)


def test_what_was_cancelled_is_not_kept(features):
    class Always:
        def is_set(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        features.prompt("a ball", Always())
    with pytest.raises(Cancelled):
        features.subject(cut_out(1), Always())
    assert len(features.cache) == 0


def test_looking_between_layers():
    ran: list[int] = []

    class Layer(nn.Module):
        def forward(self, x):
            ran.append(len(ran))
            return x

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([Layer() for _ in range(4)])

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    class AfterTwo:
        def is_set(self) -> bool:
            return len(ran) == 2

    net = Net()
    with pytest.raises(Cancelled), cancellable(net, AfterTwo()):
        net(torch.zeros(1))
    assert ran == [0, 1]
    net(torch.zeros(1))
    assert len(ran) == 6, "nothing is left behind on the model"
