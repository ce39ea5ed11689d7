"""What the engine says, in Chinese: real errors and notes, nested values, and what has no translation."""

from __future__ import annotations

import errno
import json
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from app.language import languages, sentences
from app.language.sentences import in_a_row, of_error, title, translated
from app.prompt.vocabulary import PromptReader, unknown_sentence
from app.resources import resource
from app.window.banner import ErrorBanner
from engine.bundle.checkpoint_layout import TOKENIZER, find_weights
from engine.bundle.conversion_report import read_report, write_report
from engine.bundle.library import resolve_bundle
from engine.bundle.manifest import BundleManifest
from engine.bundle.records import Language
from engine.device.devices import GIB, Device
from engine.errors import EchoGenError, NotEnoughMemory, PhotoError, os_reason
from engine.photo.load import load_photo
from engine.photo.mask_ops import mask_problem
from engine.photo.picture_file import save_picture
from engine.planning.picture_notes import prompt_notes
from engine.planning.time_estimate import about
from engine.request import GenerationRequest, ScaleBits
from engine.sentence import Sentence
from tests.engine.planning.conftest import large

__all__ = ["large"]


@pytest.fixture
def chinese(qapp):
    languages.install("zh_CN")
    yield
    languages.install("en")


def raised(function, *arguments) -> EchoGenError:
    with pytest.raises(EchoGenError) as caught:
        function(*arguments)
    return caught.value


def is_chinese(text: str) -> bool:
    """No English word is left but names: no sequence of three English words."""
    return bool(re.search("[一-鿿]", text)) and not re.search(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", text)


EMPTY = PhotoError(
    Sentence("{called} is empty: it has zero bytes.", called="a.png"),
    Sentence("Choose another photo."),
    title=Sentence("The file is empty"),
)


def test_english_stays_as_it_is():
    assert translated(Sentence("The prompt is empty.")) == "The prompt is empty."
    assert of_error(EMPTY) == str(EMPTY) == "a.png is empty: it has zero bytes. Choose another photo."


def test_errors_of_photos(chinese, tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    (tmp_path / "notes.txt").write_text("no picture at all")
    empty = raised(load_photo, tmp_path / "empty.jpg")
    assert of_error(empty) == "empty.jpg 是空的：零字节。请从原处重新复制。"
    assert title(empty) == "文件是空的"
    for name in ("torn.png", "notes.txt", "missing.png", "."):
        assert is_chinese(of_error(raised(load_photo, tmp_path / name))), name


def test_errors_of_masks_and_prompts_and_bundles(chinese, tmp_path):
    from engine.bundle.manifest import read_manifest

    assert of_error(mask_problem(np.zeros((40, 40), np.uint8))) == "抠图是空的。请在主体周围画一个框，或点击它。"
    assert of_error(mask_problem(np.full((40, 40), 255, np.uint8))) == "抠图覆盖了整张照片。请将背景涂掉。"
    long = raised(lambda: GenerationRequest("a" * 5000))
    assert of_error(long) == "提示词有 5000 个字符；上限是 4000 个。"
    missing = raised(resolve_bundle, "elsewhere")
    assert of_error(missing).startswith("模型“elsewhere”不在这台电脑上。") and is_chinese(of_error(missing))
    assert is_chinese(of_error(raised(read_manifest, tmp_path)))


@pytest.mark.parametrize(
    ("part", "name", "value", "reason"),
    [
        ("transformer", "width", "64", "transformer.width：应为整数，实为文本"),
        ("transformer", "blocks", 10**6, "transformer.blocks：应为整数 <= 256"),
        ("defaults", "top_p", None, "defaults.top_p：应为数字，实为空值"),
        ("transformer", "chunks", 250, "transformer：{blocks} 个块无法分成 250 组"),
        ("tokenizer", "multipliers", [], "tokenizer.multipliers：应为列表，长度为 >= 1"),
        ("transformer", "bits", 3, "网络与视觉分词器的位数不同"),
    ],
)
def test_the_innermost_reason_of_a_damaged_model(chinese, part, name, value, reason):
    folder = resource("mini")
    data = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    data[part][name] = value
    sentence = of_error(raised(BundleManifest.from_json, data))
    wanted = reason.format(blocks=data["transformer"]["blocks"])
    assert sentence.startswith(f"模型的描述（bundle.json）已损坏：{wanted}。"), sentence


def test_errors_of_memory_disk_and_device(chinese, large, tmp_path, monkeypatch):
    from engine.planning.faults import in_words
    from engine.planning.plans import plan_for

    card = Device("cuda", "NVIDIA Tiny 1", 8 * GIB, 7 * GIB, 4)
    plan = plan_for(large, card)
    monkeypatch.setattr("engine.planning.faults.free_memory", lambda _: 2 * GIB)
    memory = in_words("memory", plan, card)
    assert isinstance(memory, NotEnoughMemory) and is_chinese(of_error(memory)), of_error(memory)
    assert of_error(in_words("device", plan, card)) == "NVIDIA Tiny 1, 8 GB 停止响应。请重试，或用处理器绘制。"
    assert translated(plan.words).endswith("您有 8 GB。") and is_chinese(translated(plan.words))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.files.os.fsync", full)
    bits = ScaleBits((np.zeros((1, 1, 4), np.uint8),))
    disk = raised(save_picture, tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8), GenerationRequest("a"), bits)
    assert title(disk) == "磁盘已满" and is_chinese(of_error(disk)), of_error(disk)


def test_values_that_are_sentences_or_words_are_translated_too(chinese):
    request = GenerationRequest("a", negative_prompt="blurred in the corner")
    known = prompt_notes(request, lambda text: ("in the corner", ()) if "corner" in text else ("", ("a", "zebra")))
    assert [translated(note) for note in known] == [
        "此模型不认识“a”, “zebra”；它们不会出现在图片中。",
        "反向提示词超出此模型能读取的长度；到“in the corner”之前为止。",
    ]
    card = Sentence(
        "There is no graphics card that can be used: the processor draws, {seconds} a picture.", seconds=about(8)
    )
    assert translated(card) == "没有可用的显卡：由处理器绘制，每张图片需要约 8 秒。"
    assert translated(Device("cpu", "", GIB, GIB, 2).words) == "CPU，2 核"
    gone = raised(load_photo, Path("nowhere.png"))
    assert of_error(gone) == "nowhere.png 不存在。它可能已被移动或重命名。"
    reason = os_reason(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert translated(Sentence("{folder} cannot be written: {reason}.", folder="a", reason=reason)).startswith(
        "无法写入 a："
    )
    assert (
        is_chinese(translated(reason)) and translated(os_reason(OSError(errno.EPIPE, "Broken pipe"))) == "Broken pipe"
    )


def test_what_came_through_a_pipe_or_a_file_is_translated(chinese, tmp_path):
    assert of_error(pickle.loads(pickle.dumps(EMPTY))) == "a.png 是空的：零字节。请选择另一张照片。"
    error = raised(lambda: find_weights({}, TOKENIZER, "vae.pth"))
    write_report(tmp_path / "a.json", error)
    kept = read_report(tmp_path / "a.json").error
    assert of_error(kept) == of_error(error) and is_chinese(of_error(kept).replace("Help › Copy diagnostics", ""))


def test_several_sentences_in_a_row(chinese):
    row = Sentence.row(Sentence("The cut-out is empty."), Sentence("Draw a box around the subject, or click it."))
    assert translated(row) == "抠图是空的。请在主体周围画一个框，或点击它。"
    known, unknown = Sentence("The cut-out is empty."), Sentence.row("This nobody knows.")
    assert sentences.joined((known, unknown)) == "抠图是空的。This nobody knows."
    assert sentences.joined((known, "", Sentence("Try again later."))) == "抠图是空的。请稍后重试。"


def test_what_has_no_translation_stays_english(chinese):
    error = EchoGenError(
        Sentence.row("The dog ate the model."), Sentence("Try again later."), title=Sentence.row("A dog")
    )
    assert of_error(error) == "The dog ate the model. 请稍后重试。"
    assert title(error) == "A dog"
    assert title(NotEnoughMemory(error.fact)) == "内存不足"


def test_a_name_cannot_pass_for_a_sentence(chinese):
    hostile = "{0} {name} {{ {x.__class__} (.*?) .png"
    assert translated(Sentence("{name} is a folder.", name=hostile)) == f"{hostile} 是文件夹。"
    assert translated(Sentence("{name} is a folder.", name="The prompt is empty.")) == "The prompt is empty. 是文件夹。"
    assert translated("The prompt is empty.") == "The prompt is empty."  # a text from elsewhere, by chance the same


def test_every_kind_of_error_has_a_headline_in_chinese(chinese):
    def kinds(kind):
        yield kind
        for derived in kind.__subclasses__():
            if derived.__module__.startswith(("engine.", "app.")):
                yield from kinds(derived)

    for kind in kinds(EchoGenError):
        if not kind.__module__.startswith(("engine.bench", "engine.cli")):
            assert re.search("[一-鿿]", translated(kind.title)), kind


def test_the_banner_follows_the_language(qtbot, qapp):
    banner = ErrorBanner()
    qtbot.addWidget(banner)
    banner.show_error(EMPTY)
    try:
        languages.install("zh_CN")
        qapp.processEvents()
        assert banner.title.text() == "文件是空的"
        assert banner.text.text() == banner.accessibleDescription() == "a.png 是空的：零字节。请选择另一张照片。"
    finally:
        languages.install("en")
    qapp.processEvents()
    assert banner.text.text() == "a.png is empty: it has zero bytes. Choose another photo."


def test_sentences_of_the_window_stand_in_a_row_as_their_language_has_it():
    assert in_a_row(["One.", "", "Two."]) == "One. Two."
    assert in_a_row(["一。", "二。"]) == "一。二。"


def test_names_in_a_row_are_put_as_the_language_does(chinese):
    assert sentences.listed(["“a”", "“b”"]) == "“a”、“b”"
    reader = PromptReader(0, Language(frozenset({"a", "robot"})))
    prompt = "a robot near pagoda"
    assert unknown_sentence(prompt, reader.read(prompt)) == "此模型不认识 “near”、“pagoda”。"
