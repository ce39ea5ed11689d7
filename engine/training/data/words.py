"""The mini model's word list: one token per word, written as a ``tokenizers`` file like any other text encoder's."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from engine.bundle.records import layout_word
from engine.training.data import language

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"


def word_tokenizer(
    names: Iterable[str], outfits: bool = False, more: bool = False, later: Iterable[str] = (), layouts: int = 0
) -> Tokenizer:
    """A tokenizer that knows the language of the captions and the words of the given subject names.

    Args:
        layouts: how many layouts of a place there are words for (``engine.bundle.records.layout_word``).
        outfits: with the words of outfits. more: and those of adjectives, lights and the ``later`` subject names,
            ``Subjects.name_groups`` has both kinds of names.

    Ids: 0 pads, 1 ends every prompt, 2 stands for an unknown word; the words follow in alphabetical order, and after them
    those that only outfits need, and then those that came later, so that a model trained without them keeps its ids when
    it learns them. The layouts come last.
    """
    names = tuple(names)
    words = [PAD, END, UNKNOWN, *language.vocabulary(names)]
    if outfits or more:
        words += language.outfit_words(names)
    if more:
        words += language.late_words(names, later)
    words += [layout_word(layout) for layout in range(layouts)]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    # Words are runs of letters and digits, as ``language.split_words`` has them; punctuation says nothing and is dropped.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^a-z0-9]+"), behavior="removed")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, words.index(END))]
    )
    return tokenizer
