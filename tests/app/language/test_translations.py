"""The translations: complete, up to date, with the same places to fill; and every marked text is one that lupdate can read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTranslator

from app.language.translations import ROOT, collect, main, read, release, sources
from app.resources import resource

FILES = sorted(resource("translations").glob("*.ts"))


def test_nothing_is_missing_and_all_is_up_to_date(capsys):
    assert main(["--check"]) == 0, capsys.readouterr().out
    assert len(read(FILES[0])) > 1500


def fields(text: str) -> set[str]:
    """The places of a template, with their forms: "{needed:.1f}"; Qt's own, too. "{red|blue}" is no place."""
    return set(re.findall(r"(?<!\{)\{\w*(?::[^{}]*)?\}|%n", text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_translations_fill_the_same_places(file):
    for (_, source), text in read(file).items():
        # A word of grammar ("is", "are") may be left out.
        assert fields(text) == fields(source) or fields(source) - fields(text) == {"{are}"}, source
        assert source.endswith("…") == text.endswith("…"), source


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_file_the_program_loads_is_up_to_date(qapp, file):
    translator = QTranslator()
    assert translator.load(str(file.with_suffix(".qm")))
    for (context, source), text in read(file).items():
        assert translator.translate(context, source, "", 3 if "%n" in source else -1) == text


def test_chinese_sentences_have_chinese_punctuation():
    texts = read(resource("translations") / "echogen_zh_CN.ts").values()
    half = re.compile(r"[\u4e00-\u9fff”）}][,;!?]|[,;!?][\u4e00-\u9fff]|[\u4e00-\u9fff]:|[\u4e00-\u9fff] ?\(")
    assert [text for text in texts if half.search(text) and "http://" not in text] == []


def test_the_chinese_speaks_to_its_user_in_one_way():
    texts = read(resource("translations") / "echogen_zh_CN.ts").values()
    assert [text for text in texts if "你" in text] == []


# Words that were used beside the one that the program has for the thing.
SYNONYMS = {
    "历史(?!记录)": "历史记录",
    "帐户": "账户",
    "比较": "对比",
    "按键(?!$)": "快捷键",
    "轻微锐化": "轻度锐化",
    "……": "…",
}


def test_the_chinese_has_one_word_for_one_thing():
    texts = read(resource("translations") / "echogen_zh_CN.ts").values()
    assert [text for text in texts if re.search("|".join(SYNONYMS), text)] == []


def test_what_a_place_stands_for_says_where_it_goes_in_chinese():
    """Which file, and which number it was answered with, had changed places."""
    texts = read(resource("translations") / "echogen_zh_CN.ts")
    assert texts["", "The server answers {name} with {status_code}."] == "服务器对 {name} 的应答为 {status_code}。"


def test_every_marker_is_collected_and_what_is_gone_goes(tmp_path):
    code, ts = tmp_path / "code.py", tmp_path / "echogen_xx.ts"
    ts.write_text('<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n<TS version="2.1" language="de_DE"></TS>\n')
    code.write_text(
        'title = Sentence("A title")\n'
        "class Base:\n"
        "    def a(self, on):\n"
        '        raise PhotoError(Sentence("{name} is no" " PNG.", name=on), Sentence("One") if on else Sentence("Two"))\n'
        '    def b(self):\n        return self.tr("plain"), self.tr("%n parts", "", 3), say("free {0}", 1)\n'
        'x = _t("marked"), QT_TRANSLATE_NOOP("Other", "noop")\n'
    )
    collect(ts, [code])
    assert set(read(ts)) == {
        *(("", text) for text in ("A title", "{name} is no PNG.", "One", "Two", "free {0}", "marked")),
        *(("Base", text) for text in ("plain", "%n parts")),
        ("Other", "noop"),
    }
    assert not any(read(ts).values())
    ts.write_text(
        ts.read_text().replace('<translation type="unfinished"></translation>', "<translation>da</translation>")
    )
    code.write_text(
        'class Moved:\n    x = _t("marked")\n    def a(self):\n        self.tr("plain")\n        self.tr("new")\n'
    )
    collect(ts, [code])
    assert read(ts) == {("", "marked"): "da", ("Moved", "plain"): "da", ("Moved", "new"): ""}
    release(ts)
    assert ts.with_suffix(".qm").exists()


def test_a_text_that_is_not_translated_is_found(tmp_path, monkeypatch, capsys):
    ts = tmp_path / "echogen_xx.ts"
    ts.write_text(FILES[0].read_text(encoding="utf-8").replace("<translation>就绪</translation>", "<translation/>"))
    monkeypatch.setattr("app.language.translations.resource", lambda *_: tmp_path)
    assert main(["--check"]) == 1
    assert ": Ready\n" in capsys.readouterr().out


def test_marked_texts_are_literals_that_lupdate_reads():
    """It reads only the first of two choices and nothing inside of an f-string; takes every ``something.say`` for a ``say``,
    and a literal that follows, even that of ``", ".join(…)``, for a comment."""
    for file in sources():
        for call, inside in calls(ast.parse(file.read_text(encoding="utf-8")), inside=False):
            owner = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value)
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name not in ("tr", "say", "Sentence", "_t") or not call.args:
                continue
            text, *values = call.args
            where = f"{file.relative_to(ROOT)}:{call.lineno}"
            assert not isinstance(text, (ast.IfExp, ast.JoinedStr, ast.BinOp, ast.BoolOp)), where
            if isinstance(text, ast.Constant):
                assert not inside and owner in (False, "self"), where
                literal = (
                    bool(values) and not isinstance(values[0], ast.JoinedStr) and ast.unparse(values[0])[0] in "'\""
                )
                assert not literal or name == "tr", where


def calls(node: ast.AST, inside: bool) -> Iterator[tuple[ast.Call, bool]]:
    """Every call, and whether it stands inside of an f-string."""
    inside = inside or isinstance(node, ast.JoinedStr)
    if isinstance(node, ast.Call):
        yield node, inside
    for child in ast.iter_child_nodes(node):
        yield from calls(child, inside)
