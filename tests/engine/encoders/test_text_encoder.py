"""The text encoder at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel, WordPiece
from transformers.models.t5 import T5Config, T5EncoderModel

from engine.encoders.text_encoder import TextEncoder
from engine.errors import BundleError

CONFIG = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "vocab_size": 40}
WORDS = ["<pad>", "</s>", "<unk>", "a", "toy", "robot", "in", "the", "snow", ",", "beach"]
PIECES = ["<pad>", "</s>", "<unk>", "snow", "##ball", "##s", "a"]


def write_tokenizer(folder: Path, model) -> Path:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def word_level(words=WORDS) -> WordLevel:
    return WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>")


def tiny_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(T5EncoderModel(T5Config(**CONFIG)).state_dict())


@pytest.fixture
def encoder(tmp_path: Path) -> TextEncoder:
    return TextEncoder.from_config(CONFIG, tiny_state(), write_tokenizer(tmp_path, word_level()), limit=6)


def test_one_row_a_token_with_the_end_token(encoder: TextEncoder):
    result = encoder.encode("a toy robot")
    assert result.features.shape == (4, 32)
    assert result.features.dtype == torch.float32
    assert (result.dropped, result.unknown) == ("", ())
    assert encoder.count("a toy robot") == 4


def test_rows_equal_those_of_the_padded_and_masked_prompt(encoder: TextEncoder):
    ids = encoder.tokenizer.encode("a toy robot").ids
    mask = torch.tensor([[1] * 4 + [0] * 8])
    torch.manual_seed(0)
    published = T5EncoderModel(T5Config(**CONFIG)).eval()
    with torch.inference_mode():
        padded = published(torch.tensor([ids + [0] * 8]), attention_mask=mask).last_hidden_state[0, :4]
    assert torch.allclose(encoder.encode("a toy robot").features, padded, atol=1e-5)


def test_an_empty_prompt_is_the_end_token(encoder: TextEncoder):
    assert encoder.encode("").features.shape == (1, 32)


def test_the_limit_says_what_it_cut(encoder: TextEncoder):
    result = encoder.encode("a toy robot in the snow, a Beach")
    assert result.features.shape == (6, 32)
    assert result.dropped == "snow, a Beach"
    assert encoder.tokenizer.encode("a toy robot in the snow").ids[-1] == 1, "the end token stays"


def test_a_word_cut_in_two_counts_as_cut(tmp_path: Path):
    model = WordPiece({piece: index for index, piece in enumerate(PIECES)}, unk_token="<unk>")
    encoder = TextEncoder.from_config(CONFIG, tiny_state(), write_tokenizer(tmp_path, model), limit=4)
    assert encoder.encode("a snowballs").dropped == "snowballs"
    assert encoder.encode("a snowball").dropped == ""


def test_unknown_words_are_named_once(encoder: TextEncoder):
    assert encoder.encode("a Zebra, a zebra").unknown == ("Zebra", "zebra")
    assert encoder.encode("zebra zebra").unknown == ("zebra",)


@pytest.mark.parametrize("name", ["shared.weight", "encoder.embed_tokens.weight"])
def test_the_word_table_may_have_either_name(tmp_path: Path, name: str):
    state = tiny_state()
    del state[name]
    encoder = TextEncoder.from_config(CONFIG, state, write_tokenizer(tmp_path, word_level()), limit=6)
    encoder.to("cpu", torch.bfloat16)
    assert torch.equal(encoder.model.words.weight, tiny_state()["shared.weight"].bfloat16())
    assert encoder.encode("a toy").features.dtype == torch.float32


def test_damage_is_said(tmp_path: Path):
    folder = write_tokenizer(tmp_path, word_level())
    state = tiny_state()
    del state["encoder.final_layer_norm.weight"]
    with pytest.raises(BundleError, match=r"text encoder .* lacks"):
        TextEncoder.from_config(CONFIG, state, folder, limit=6)
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(BundleError, match=r"tokenizer\.json"):
        TextEncoder.from_config(CONFIG, tiny_state(), folder, limit=6)
    write_tokenizer(folder, word_level([*WORDS, *(f"w{i}" for i in range(40))]))
    with pytest.raises(BundleError, match="40 tokens"):
        TextEncoder.from_config(CONFIG, tiny_state(), folder, limit=6)
