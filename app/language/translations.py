"""Keeps the translations complete: finds every text of the window, merges it into the .ts files, makes the .qm files.

python -m app.language.translations            update resources/translations, say what is not translated yet
python -m app.language.translations --check    only say it; exit code 1 when something is missing or out of date
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from app.language import say, sentences
from app.language.engine_texts import engine_texts
from app.resources import resource
from engine import EchoGenError

APP = Path(__file__).resolve().parent.parent
Texts = dict[str, dict[str, str]]
"""context → source → translation; "" while there is none."""


def find_texts(folder: Path = APP) -> Texts:
    """Every text that is shown in the window, by its context; the set-up window's own, too."""
    found: Texts = {}
    files = sorted(folder.rglob("*.py"))
    if folder == APP:
        files += sorted((APP.parent / "installer" / "launcher").glob("*.py"))
    for file in files:
        for context, text in _texts_of(ast.parse(file.read_text(encoding="utf-8"), str(file))):
            found.setdefault(context, {})[text] = ""
    if folder == APP:
        from engine.weights import LicenceChanged  # noqa: F401 – an error of its own

        for kind in _kinds(EchoGenError):
            found.setdefault(say.CONTEXT, {})[kind.title] = ""
        names = {kind.__name__ for kind in _kinds(EchoGenError)}
        said = (*engine_texts(APP.parent / "engine", APP, names), *sentences.FRAGMENTS)
        found[sentences.CONTEXT] = dict.fromkeys(said, "")
    return {context: dict(sorted(texts.items())) for context, texts in sorted(found.items())}


def _kinds(kind: type[EchoGenError]) -> Iterator[type[EchoGenError]]:
    """An error of the engine and everything derived from it: their titles are shown in the banner."""
    yield kind
    for derived in kind.__subclasses__():
        yield from _kinds(derived)


def _texts_of(module: ast.Module) -> Iterator[tuple[str, str]]:
    constants = {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    helpers = {"say": say.CONTEXT, **_helpers(module, constants)}
    if "_tr" in helpers:
        helpers.setdefault("_t", helpers["_tr"])
    yield from _walk(module, "", helpers, constants)


def _helpers(module: ast.Module, constants: dict[str, str]) -> dict[str, str]:
    """Functions of a module that only call Qt's translate: their name and its context."""
    found = {}
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and len(node.args.args) == 1:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and _name(inner.func) == "translate" and len(inner.args) == 2:
                    context = _text(inner.args[0], constants)
                    if context and not isinstance(inner.args[1], ast.Constant):
                        found[node.name] = context
    return found


def _walk(node: ast.AST, owner: str, helpers: dict[str, str], constants: dict[str, str]) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, ast.ClassDef) else owner
        if isinstance(child, ast.Call) and child.args:
            name = _name(child.func)
            if name == "tr" and isinstance(child.func, ast.Attribute):
                yield from ((owner, text) for text in _choices(child.args[0]))
            elif name in ("translate", "QT_TRANSLATE_NOOP") and len(child.args) >= 2:
                context = _text(child.args[0], constants)
                if context:
                    yield from ((context, text) for text in _choices(child.args[1]))
            elif name in helpers and isinstance(child.func, ast.Name):
                yield from ((helpers[name], text) for text in _choices(child.args[0]))
        yield from _walk(child, inner, helpers, constants)


def _choices(node: ast.expr) -> Iterator[str]:
    """The literals of ``"a"`` and of ``"a" if … else "b"``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _choices(node.body)
        yield from _choices(node.orelse)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr, constants: dict[str, str]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return constants.get(node.id, "") if isinstance(node, ast.Name) else ""


def read_ts(file: Path) -> Texts:
    """The texts of a .ts file; none when it is not there."""
    if not file.exists():
        return {}
    found: Texts = {}
    for context in ElementTree.parse(file).getroot().iter("context"):
        texts = found.setdefault(context.findtext("name", ""), {})
        for message in context.iter("message"):
            translation = message.find("translation")
            if translation is None or translation.get("type") is not None:
                continue
            text = translation.findtext("numerusform") or translation.text or ""
            texts[message.findtext("source", "")] = text.strip()
    return found


def merge(texts: Texts, known: Texts) -> Texts:
    """The texts of today with the translations there are; one of another context helps out."""
    anywhere = {source: text for context in known.values() for source, text in context.items() if text}
    return {
        context: {source: known.get(context, {}).get(source) or anywhere.get(source, "") for source in sources}
        for context, sources in texts.items()
    }


def write_ts(file: Path, texts: Texts, language: str) -> None:
    root = ElementTree.Element("TS", version="2.1", language=language, sourcelanguage="en")
    for name, sources in texts.items():
        context = ElementTree.SubElement(root, "context")
        ElementTree.SubElement(context, "name").text = name
        for source, text in sources.items():
            counted = "%n" in source
            message = ElementTree.SubElement(context, "message", {"numerus": "yes"} if counted else {})
            ElementTree.SubElement(message, "source").text = source
            translation = ElementTree.SubElement(message, "translation")
            if not text:
                translation.set("type", "unfinished")
            elif counted:  # one form: enough for the languages there are
                ElementTree.SubElement(translation, "numerusform").text = text
            else:
                translation.text = text
    ElementTree.indent(root, "    ")
    body = ElementTree.tostring(root, encoding="unicode")
    file.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n', encoding="utf-8")


def release(file: Path) -> None:
    """Make what the program loads: the .qm file, with the tool that comes with PySide6, and beside it the engine's sentences.

    Qt looks a text up when it is asked for; the engine's are recognised, and for that they have to be known all together.
    """
    import PySide6

    tool = Path(PySide6.__file__).parent / ("lrelease.exe" if sys.platform == "win32" else "lrelease")
    subprocess.run([tool, "-silent", "-nounfinished", str(file), "-qm", str(file.with_suffix(".qm"))], check=True)
    known = {text: words for text, words in read_ts(file).get(sentences.CONTEXT, {}).items() if words}
    body = json.dumps(known, ensure_ascii=False, indent=0, sort_keys=True)
    file.with_suffix(".json").write_text(body + "\n", encoding="utf-8")


def missing(texts: Texts) -> list[str]:
    """What is not translated, as "context: text". Sentences of the engine may stay English."""
    return [
        f"{context}: {source}"
        for context, sources in texts.items()
        for source, text in sources.items()
        if not text and context != sentences.CONTEXT
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Update the translations.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when something is missing")
    options = parser.parse_args(arguments)
    texts, code = find_texts(), 0
    for file in sorted(resource("translations").glob("*.ts")):
        merged = merge(texts, read_ts(file))
        if not options.check:
            write_ts(file, merged, file.stem.partition("_")[2])
            release(file)
        left = missing(merged)
        sys.stdout.write("".join(f"{line}\n" for line in left))
        sys.stdout.write(f"{file.name}: {len(left)} of {sum(map(len, merged.values()))} texts are not translated\n")
        english = [text for text, words in merged.get(sentences.CONTEXT, {}).items() if not words]
        sys.stdout.write("".join(f"stays English: {text}\n" for text in english))
        code = 1 if left else code
    return code if options.check else 0


if __name__ == "__main__":
    sys.exit(main())
