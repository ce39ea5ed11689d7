"""What the engine says, in Chinese: real errors of the engine, nested values, and what is not known."""

from __future__ import annotations

import errno
import re
import time
from pathlib import Path

import numpy as np
import pytest

from app.language import languages, sentences
from app.language.engine_texts import engine_texts
from app.language.sentences import of_error, title, translated
from app.language.translations import find_texts, read_ts
from app.resources import resource
from app.window.banner import ErrorBanner
from engine.bundle.library import resolve_bundle
from engine.device.devices import GIB, Device
from engine.errors import EchoGenError, NotEnoughMemory, PhotoError
from engine.photo.load import load_photo
from engine.photo.mask_ops import mask_problem
from engine.photo.picture_file import save_picture
from engine.request import GenerationRequest, ScaleBits
from tests.engine.planning.conftest import large

__all__ = ["large"]

FILES = sorted(resource("translations").glob("*.ts"))


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


def test_english_stays_as_it_is():
    assert translated("The prompt is empty.") == "The prompt is empty."
    error = PhotoError("a.png is empty: it has zero bytes.", "Choose another photo.")
    assert of_error(error) == str(error)


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

    assert of_error(mask_problem(np.zeros((40, 40), np.uint8))) == "抠图是空的。请点击照片中的主体。"
    assert of_error(mask_problem(np.full((40, 40), 255, np.uint8))) == "抠图覆盖了整张照片。请将背景涂掉。"
    long = raised(lambda: GenerationRequest("a" * 5000))
    assert of_error(long) == "提示词有 5000 个字符；上限是 4000 个。"
    missing = raised(resolve_bundle, "elsewhere")
    assert of_error(missing).startswith("模型“elsewhere”不在这台电脑上。") and is_chinese(of_error(missing))
    assert is_chinese(of_error(raised(read_manifest, tmp_path)))


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

    monkeypatch.setattr("engine.photo.picture_file.os.open", full)
    bits = ScaleBits((np.zeros((1, 1, 4), np.uint8),))
    disk = raised(save_picture, tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8), GenerationRequest("a"), bits)
    assert title(disk) == "磁盘已满" and is_chinese(of_error(disk)), of_error(disk)


def test_values_that_are_sentences_or_words_are_translated_too(chinese):
    assert translated("No “robot” was found in this photo.") == "在这张照片中没有找到“robot”。"
    assert translated("The negative prompt is longer than this model reads; it stops before “in the”.") == (
        "反向提示词超出此模型能读取的长度；到“in the”之前为止。"
    )
    assert translated(
        "There is no graphics card that can be used: the processor draws, about 8 seconds a picture."
    ) == ("没有可用的显卡：由处理器绘制，每张图片约需 8 秒。")
    assert translated("CPU, 2 cores") == "CPU，2 核"


def test_several_sentences_in_a_row(chinese):
    both = "The cut-out is empty. Click the subject in the photo."
    assert translated(both) == "抠图是空的。请点击照片中的主体。"
    assert translated("The cut-out is empty. This nobody knows.") == "抠图是空的。This nobody knows."
    assert sentences.joined(("The cut-out is empty.", "", "Try again later.")) == "抠图是空的。请稍后重试。"


def test_what_is_not_known_stays_english(chinese):
    assert translated("The dog ate the model.") == "The dog ate the model."
    error = EchoGenError("The dog ate the model.", "Try again later.", title="A dog")
    assert of_error(error) == "The dog ate the model. 请稍后重试。"
    assert title(error) == "A dog"
    assert title(NotEnoughMemory("x")) == "内存不足"
    assert title(PhotoError("x", title="The photo is too large")) == "照片太大"


def test_a_name_cannot_pass_for_a_sentence(chinese):
    hostile = "{0} {1} {{ (.*?) \\1 .png"
    assert translated(f"{hostile} is a folder.") == f"{hostile} 是文件夹。"
    assert translated("a b\nc.png is a folder.") == "a b\nc.png 是文件夹。"


def test_what_is_far_too_long_is_left_alone(chinese):
    endless = " ".join(["word “x” is no: GB;"] * 200)
    assert translated(f"{endless} is a folder.") == f"{endless} is a folder."
    started = time.perf_counter()
    translated(endless[:1400])
    assert time.perf_counter() - started < 1.0, "looking for a template stays quick"


def test_the_banner_follows_the_language(qtbot, qapp):
    banner = ErrorBanner()
    qtbot.addWidget(banner)
    banner.show_error(
        PhotoError("a.png is empty: it has zero bytes.", "Choose another photo.", title="The file is empty")
    )
    try:
        languages.install("zh_CN")
        qapp.processEvents()
        assert banner.title.text() == "文件是空的"
        assert banner.text.text() == banner.accessibleDescription() == "a.png 是空的：零字节。请选择另一张照片。"
    finally:
        languages.install("en")
    qapp.processEvents()
    assert banner.text.text() == "a.png is empty: it has zero bytes. Choose another photo."


# The catalogue


def test_templates_are_found(tmp_path):
    engine, app = tmp_path / "engine", tmp_path / "app"
    for folder in (engine / "photo", engine / "cli", app):
        folder.mkdir(parents=True)
    (engine / "photo" / "load.py").write_text(
        '"""A docstring that reads as a sentence."""\n'
        "def load(name):\n"
        '    log.warning("This goes to the log only.")\n'
        '    notes.append(f"The picture {name} moves; {1 + 1} frames.")\n'
        '    raise PhotoError(f"{name} is" f" no photo", "Choose " if name else "Take another", title="No photo")\n',
        encoding="utf-8",
    )
    (engine / "cli" / "main.py").write_text('raise PhotoError("Only the terminal says this.")')
    (app / "desk.py").write_text(
        'x = PhotoError(f"It failed: {x}", self.tr("Not mine"))\ny = "A sentence of the window."'
    )
    assert engine_texts(engine, app, {"PhotoError"}) == {
        "The picture {0} moves; {1} frames.",
        "{0} is no photo",
        "Take another",
        "No photo",
        "It failed: {0}",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nearly_everything_the_engine_says_is_translated(file: Path):
    wanted, known = find_texts()[sentences.CONTEXT], read_ts(file)[sentences.CONTEXT]
    assert len(wanted) > 300
    english = [text for text in wanted if not known.get(text)]
    assert len(english) <= len(wanted) // 20, english


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_translations_of_templates_fill_the_same_places(file: Path):
    for text, words in read_ts(file)[sentences.CONTEXT].items():
        # Words of grammar ("is", "are") may be left out, but nothing can be made up.
        assert set(re.findall(r"\{\d+\}", words)) <= set(re.findall(r"\{\d+\}", text)), text
