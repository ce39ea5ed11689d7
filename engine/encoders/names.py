"""Names for the weights of the three encoders that stay, whatever the libraries call theirs. Free of torch.

The same network has had several spellings: the publisher's file has one, the library's class in memory another, and the next
version of the library may have a third. A bundle stores one of our own. Every spelling is brought to it by the same rules,
published files when they are converted and the installed class when a bundle is opened; so none of them has to be known twice.

>>> own_name("semantic", "encoder.layer.3.attention.attention.query.bias")
'blocks.3.attention.query.bias'
>>> own_name("semantic", "encoder.layer.3.attention.q_proj.bias")
'blocks.3.attention.query.bias'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

ENCODERS = ("text", "semantic", "content")

# Applied in this order. None of them changes a name of our own.
_RULES: dict[str, tuple[tuple[str, str], ...]] = {
    # T5: one table of words under two names, and of each block a self-attention and a gated feed-forward.
    "text": (
        (r"^(shared|encoder\.embed_tokens)\.weight$", "words.weight"),
        (r"^encoder\.final_layer_norm\.", "norm."),
        (r"^encoder\.block\.(\d+)\.layer\.0\.layer_norm\.", r"blocks.\1.attention.norm."),
        (
            r"^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.relative_attention_bias\.",
            r"blocks.\1.attention.distances.",
        ),
        (r"^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.q\.", r"blocks.\1.attention.query."),
        (r"^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.k\.", r"blocks.\1.attention.key."),
        (r"^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.v\.", r"blocks.\1.attention.value."),
        (r"^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.o\.", r"blocks.\1.attention.output."),
        (r"^encoder\.block\.(\d+)\.layer\.1\.layer_norm\.", r"blocks.\1.feed_forward.norm."),
        (r"^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wi_0\.", r"blocks.\1.feed_forward.gate."),
        (r"^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wi(_1)?\.", r"blocks.\1.feed_forward.input."),
        (r"^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wo\.", r"blocks.\1.feed_forward.output."),
    ),
    # DINOv2. Its file has "attention.attention.query" and "attention.output.dense", the class of transformers 5.24 "q_proj"
    # and "o_proj".
    "semantic": (
        (r"^embeddings\.cls_token$", "class_token"),
        (r"^embeddings\.mask_token$", "mask_token"),
        (r"^embeddings\.position_embeddings$", "positions"),
        (r"^embeddings\.patch_embeddings\.projection\.", "patches."),
        (r"^layernorm\.", "norm."),
        (r"^encoder\.layer\.", "blocks."),
        (r"^(blocks\.\d+\.attention)\.attention\.", r"\1."),
        (r"^(blocks\.\d+\.attention)\.output\.dense\.", r"\1.output."),
        (r"^(blocks\.\d+\.attention)\.q_proj\.", r"\1.query."),
        (r"^(blocks\.\d+\.attention)\.k_proj\.", r"\1.key."),
        (r"^(blocks\.\d+\.attention)\.v_proj\.", r"\1.value."),
        (r"^(blocks\.\d+\.attention)\.o_proj\.", r"\1.output."),
        (r"^(blocks\.\d+)\.layer_scale([12])\.lambda1$", r"\1.scale\2"),
        (r"^(blocks\.\d+)\.mlp\.", r"\1.feed_forward."),
    ),
    # The encoder half of an AutoencoderKL. Older files call the attention's layers "query" … "proj_attn".
    "content": (
        (r"^encoder\.conv_in\.", "input."),
        (r"^encoder\.conv_norm_out\.", "norm."),
        (r"^encoder\.conv_out\.", "output."),
        (r"^quant_conv\.", "moments."),
        (r"^encoder\.down_blocks\.(\d+)\.resnets\.", r"levels.\1.blocks."),
        (r"^encoder\.down_blocks\.(\d+)\.downsamplers\.0\.conv\.", r"levels.\1.halve."),
        (r"^encoder\.mid_block\.resnets\.", "middle.blocks."),
        (r"^encoder\.mid_block\.attentions\.0\.group_norm\.", "middle.attention.norm."),
        (r"^encoder\.mid_block\.attentions\.0\.(?:to_q|query)\.", "middle.attention.query."),
        (r"^encoder\.mid_block\.attentions\.0\.(?:to_k|key)\.", "middle.attention.key."),
        (r"^encoder\.mid_block\.attentions\.0\.(?:to_v|value)\.", "middle.attention.value."),
        (r"^encoder\.mid_block\.attentions\.0\.(?:to_out\.0|proj_attn)\.", "middle.attention.output."),
        (r"^((?:levels\.\d+|middle)\.blocks\.\d+)\.conv_shortcut\.", r"\1.shortcut."),
    ),
}


def own_name(part: str, name: str) -> str:
    """Our name of an encoder's weight, whichever spelling is given; a name that no rule knows stays as it is."""
    for pattern, replacement in _RULES.get(part, ()):
        name = re.sub(pattern, replacement, name)
    return name


def under_own_names(part: str, state: Mapping[str, T]) -> dict[str, T]:
    """A state dict of one of ``ENCODERS`` under our names; other parts have none but our own names anyway."""
    return {own_name(part, name): value for name, value in state.items()}


def under_library_names(part: str, state: Mapping[str, T], library: Iterable[str]) -> dict[str, T]:
    """A state dict under the names a library's module has.

    Args:
        state: under any spelling. What the module has no name for is left out.
        library: the module's names. Two of them may stand for one weight, as those of T5's table of words do.
    """
    own = under_own_names(part, state)
    return {name: own[own_name(part, name)] for name in library if own_name(part, name) in own}
