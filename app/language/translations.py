"""Keeps the translations complete: Qt's ``lupdate`` collects the texts into the .ts files, ``lrelease`` makes the .qm files.

python -m app.language.translations            update resources/translations, say what is not translated yet
python -m app.language.translations --check    only say it; exit code 1 when something is missing or out of date

``lupdate`` reads ``self.tr``, ``say``, the engine's ``Sentence`` and Qt's own markers, where their first argument is a literal.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path

from app.resources import resource

ROOT = Path(__file__).resolve().parents[2]
_MARKERS = "tr+=say,tr+=Sentence,QT_TR_NOOP+=_t"
_COMMAND_LINE = {("engine", part) for part in ("bench", "cli", "evaluation", "training")}
"""Their words never reach a window, and stay English."""

Texts = dict[tuple[str, str], str]
"""(context, source) → translation; "" while there is none."""


def sources() -> list[Path]:
    """The modules whose words are shown in a window: the program's, the engine's and those of the set-up."""
    found = [
        file for folder in ("app", "engine", "installer/launcher") for file in sorted((ROOT / folder).rglob("*.py"))
    ]
    return [file for file in found if file.relative_to(ROOT).parts[:2] not in _COMMAND_LINE]


def collect(ts: Path, files: Iterable[Path]) -> None:
    """Bring a .ts file up to date with the modules. Translations of texts that are gone go, too; a text that moved, or that
    stands elsewhere in the same words, keeps its translation, which ``lupdate`` only proposes."""
    how = ("-silent", "-no-obsolete", "-sort-messages", "-locations", "none", "-disable-heuristic", "similartext")
    _run("lupdate", *how, "-tr-function-alias", _MARKERS, *files, "-ts", ts)
    found = re.sub(r'<translation type="unfinished">(?=[^<\s])', "<translation>", ts.read_text(encoding="utf-8"))
    ts.write_text(found, encoding="utf-8")


def release(ts: Path) -> None:
    """Make what the program loads."""
    _run("lrelease", "-silent", "-nounfinished", ts, "-qm", ts.with_suffix(".qm"))


def read(ts: Path) -> Texts:
    """The texts of a .ts file."""
    found: Texts = {}
    for context in ElementTree.parse(ts).getroot().iter("context"):
        for message in context.iter("message"):
            node = message.find("translation")
            done = node is not None and node.get("type") is None
            text = (node.findtext("numerusform") or node.text) if node is not None and done else ""
            found[context.findtext("name") or "", message.findtext("source") or ""] = text or ""
    return found


def _run(tool: str, *arguments: str | Path) -> None:
    import PySide6

    program = Path(PySide6.__file__).parent / (f"{tool}.exe" if sys.platform == "win32" else tool)
    subprocess.run([program, *arguments], check=True, cwd=ROOT)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Update the translations.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when something is missing")
    options = parser.parse_args(arguments)
    code = 0
    for ts in sorted(resource("translations").glob("*.ts")):
        with tempfile.TemporaryDirectory() as folder:
            anew = Path(shutil.copy(ts, folder))
            collect(anew, sources())
            texts = read(anew)
            code = 1 if options.check and texts != read(ts) else code
            if not options.check:
                shutil.copy(anew, ts)
                release(ts)
        left = [f"{context}: {source}\n" for (context, source), text in texts.items() if not text]
        sys.stdout.write("".join(left) + f"{ts.name}: {len(left)} of {len(texts)} texts are not translated\n")
        code = 1 if options.check and left else code
    return code


if __name__ == "__main__":
    sys.exit(main())
