"""The published checkpoint's keys and ours, one table.

Each published key is

- **live**: stored under our name, possibly as some rows of it and in another shape;
- **dead**: it belongs to the half of the last block's content layer whose result nothing uses; read and dropped;
- **constant**: a buffer of zeros; read, checked to be zero, and dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.model.config import TransformerConfig

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["live", "dead", "constant"]


@dataclass(frozen=True)
class Key:
    """One published key.

    Attributes:
        published: its name in the checkpoint.
        kind: what becomes of it.
        ours: our parameter's name, "" unless live.
        rows: the rows that are kept, None for all (only the last block's content modulation).
    """

    published: str
    kind: Kind
    ours: str = ""
    rows: tuple[int, ...] | None = None


# published name → our name, outside of the blocks
_GLOBAL = {
    "cfg_uncond": "null_text",
    "control_features_uncond": "null_semantic",
    "control_features_refer_uncond": "null_content",
    "pos_start": "text_start",
    "control_pos_start": "subject_start",
    "text_norm.weight": "text_norm",
    "text_proj_for_sos.ca.mat_q": "text_pool.query",
    "text_proj_for_sos.ca.v_bias": "text_pool.value_bias",
    "text_proj_for_sos.ca.mat_kv.weight": "text_pool.key_value",
    "text_proj_for_sos.ca.proj.weight": "text_pool.proj.weight",
    "text_proj_for_sos.ca.proj.bias": "text_pool.proj.bias",
    "text_proj_for_ca.0.weight": "text_projection.fc1.weight",
    "text_proj_for_ca.0.bias": "text_projection.fc1.bias",
    "text_proj_for_ca.2.weight": "text_projection.fc2.weight",
    "text_proj_for_ca.2.bias": "text_projection.fc2.bias",
    "lvl_embed.weight": "level_embedding",
    "word_embed.weight": "word_embedding.weight",
    "word_embed.bias": "word_embedding.bias",
    "shared_ada_lin.1.weight": "image_modulation_text.weight",
    "shared_ada_lin.1.bias": "image_modulation_text.bias",
    "control_shared_ada_lin.1.weight": "image_modulation_subject.weight",
    "control_shared_ada_lin.1.bias": "image_modulation_subject.bias",
    "control_shared_ada_lin_refer.1.weight": "content_modulation_text.weight",
    "control_shared_ada_lin_refer.1.bias": "content_modulation_text.bias",
    "control_shared_ada_lin_refer_dino.1.weight": "content_modulation_subject.weight",
    "control_shared_ada_lin_refer_dino.1.bias": "content_modulation_subject.bias",
    "control_proj_for_sos.weight": "subject_projection.weight",
    "control_proj_for_sos.bias": "subject_projection.bias",
    "control_proj_for_ca.0.weight": "semantic_projection.fc1.weight",
    "control_proj_for_ca.0.bias": "semantic_projection.fc1.bias",
    "control_proj_for_ca.2.weight": "semantic_projection.fc2.weight",
    "control_proj_for_ca.2.bias": "semantic_projection.fc2.bias",
    "control_proj_for_ca_refer.0.weight": "content_projection.fc1.weight",
    "control_proj_for_ca_refer.0.bias": "content_projection.fc1.bias",
    "control_proj_for_ca_refer.2.weight": "content_projection.fc2.weight",
    "control_proj_for_ca_refer.2.bias": "content_projection.fc2.bias",
    "head_nm.ada_lin.1.weight": "head_modulation.weight",
    "head_nm.ada_lin.1.bias": "head_modulation.bias",
    "head.weight": "head.weight",
    "head.bias": "head.bias",
}
_GLOBAL_CONSTANT = ("text_proj_for_sos.ca.zero_k_bias",)

# within a block
_BLOCK = {
    "ada_gss": "image.modulation",
    "sa.scale_mul_1H11": "image.log_scale",
    "sa.mat_qkv.weight": "image.qkv",
    "sa.q_bias": "image.query_bias",
    "sa.v_bias": "image.value_bias",
    "sa.proj.weight": "image.proj.weight",
    "sa.proj.bias": "image.proj.bias",
    "sa.control_attn.weight": "image.content_proj",
    "ca_norm.weight": "image.cross.norm.weight",
    "ca_norm.bias": "image.cross.norm.bias",
    "ca.mat_q.weight": "image.cross.query.weight",
    "ca.mat_q.bias": "image.cross.query.bias",
    "ca.proj.weight": "image.cross.proj.weight",
    "ca.proj.bias": "image.cross.proj.bias",
    "ca.mat_kv.weight": "image.text_keys.weight",
    "ca.v_bias": "image.text_keys.value_bias",
    "ca.control_mat_kv.weight": "image.semantic_keys.weight",
    "ca.control_v_bias": "image.semantic_keys.value_bias",
    "ffn.fc1.weight": "image.feed_forward.fc1.weight",
    "ffn.fc1.bias": "image.feed_forward.fc1.bias",
    "ffn.fc2.weight": "image.feed_forward.fc2.weight",
    "ffn.fc2.bias": "image.feed_forward.fc2.bias",
    "control_ada_gss": "content.modulation",
    "sa.control_mat_kv.weight": "content.key_value",
    "sa.control_v_bias": "content.value_bias",
}
# within a block, dead in the last one
_BLOCK_UPDATE = {
    "sa.control_scale_mul_1H11": "content.update.log_scale",
    "sa.control_mat_q.weight": "content.update.query",
    "sa.control_q_bias": "content.update.query_bias",
    "sa.control_proj.weight": "content.update.proj.weight",
    "sa.control_proj.bias": "content.update.proj.bias",
    "control_ca_norm.weight": "content.update.cross.norm.weight",
    "control_ca_norm.bias": "content.update.cross.norm.bias",
    "control_ca.mat_q.weight": "content.update.cross.query.weight",
    "control_ca.mat_q.bias": "content.update.cross.query.bias",
    "control_ca.proj.weight": "content.update.cross.proj.weight",
    "control_ca.proj.bias": "content.update.cross.proj.bias",
    "control_ca.mat_kv.weight": "content.update.text_keys.weight",
    "control_ca.v_bias": "content.update.text_keys.value_bias",
    "control_ffn.fc1.weight": "content.update.feed_forward.fc1.weight",
    "control_ffn.fc1.bias": "content.update.feed_forward.fc1.bias",
    "control_ffn.fc2.weight": "content.update.feed_forward.fc2.weight",
    "control_ffn.fc2.bias": "content.update.feed_forward.fc2.bias",
}
_BLOCK_CONSTANT = ("sa.zero_k_bias", "sa.control_zero_k_bias", "ca.zero_k_bias", "control_ca.zero_k_bias")
# Of the last block's content modulation only scale1 and shift1 are used.
_LAST_MODULATION_ROWS = (2, 4)


def published_keys(config: TransformerConfig) -> dict[str, Key]:
    """Every key of a published checkpoint of this configuration, by its published name."""
    keys = [Key(published, "live", ours) for published, ours in _GLOBAL.items()]
    keys += [Key(published, "constant") for published in _GLOBAL_CONSTANT]
    per_chunk = config.blocks // config.chunks
    for index in range(config.blocks):
        prefix = f"block_chunks.{index // per_chunk}.module.{index % per_chunk}."
        block = f"blocks.{index}."
        last = index == config.blocks - 1
        for published, ours in _BLOCK.items():
            rows = _LAST_MODULATION_ROWS if last and published == "control_ada_gss" else None
            keys.append(Key(prefix + published, "live", block + ours, rows))
        for published, ours in _BLOCK_UPDATE.items():
            keys.append(Key(prefix + published, "dead") if last else Key(prefix + published, "live", block + ours))
        keys += [Key(prefix + published, "constant") for published in _BLOCK_CONSTANT]
    return {key.published: key for key in keys}


def convert(key: Key, tensor: Tensor, shape: Iterable[int]) -> Tensor:
    """A live published tensor in the shape our parameter has.

    Args:
        shape: the shape of our parameter.

    Raises:
        ValueError: the published tensor does not fit.
    """
    shape = tuple(shape)
    if key.rows is not None:
        tensor = tensor.reshape(-1, tensor.shape[-1])[list(key.rows)]
    squeezed = tuple(size for size in tensor.shape if size != 1)
    if squeezed != tuple(size for size in shape if size != 1):
        raise ValueError(f"{key.published} has shape {tuple(tensor.shape)}, and {shape} is needed")
    return tensor.reshape(shape)
