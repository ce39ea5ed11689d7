"""An evaluation for people: every figure beside what it must and should reach, and the sheets, in one HTML file."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from engine.evaluation.picture_source import OFF
from engine.files import write_atomically
from engine.training.figures import NO_LIMIT, TARGETS, Target, number, verdict


def report(figures: dict[str, Any], sheets: Sequence[tuple[str, Image.Image]] = ()) -> str:
    """The whole page. A figure that was not taken says so."""
    rows = "\n".join(_row(target, figures) for target in TARGETS if target.key in figures)
    parts = "\n".join(
        f"<tr><td>{words}</td><td>{number(own.get('photos_top1'), '%')}</td>"
        f"<td>{number(own.get('photos_similarity'), '')}</td><td>{number(own.get('scene_accuracy'), '%')}</td></tr>"
        for words, own in _with_parts(figures)
    )
    pictures = "\n".join(
        f'<h2>{html.escape(title)}</h2>\n<img alt="{html.escape(title)}" src="{embedded(sheet)}">'
        for title, sheet in sheets
    )
    return _PAGE.format(title=html.escape(str(figures.get("bundle", ""))), rows=rows, parts=parts, pictures=pictures)


def write_report(figures: dict[str, Any], sheets: Sequence[tuple[str, Image.Image]], path: Path) -> None:
    """Write the page. Raises ``CannotWrite``."""
    write_atomically(path, report(figures, sheets).encode())


def _with_parts(figures: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    rows = [(words, figures[key]) for key, words in OFF.items() if isinstance(figures.get(key), dict)]
    return [("everything on", figures), *rows]


def _row(target: Target, figures: dict[str, Any]) -> str:
    value = figures[target.key]
    if value is None:
        shown, mark = "not for this bundle", ""
    else:
        shown, mark = number(value, target.unit), verdict(target, value)
    beside = ", ".join(
        f"{words} {number(figures[key], '' if isinstance(figures[key], int) else target.unit)}"
        for words, key in target.beside
        if figures.get(key) is not None
    )
    ends = "".join(f"<td>{_ends(some, target.unit)}</td>" for some in (target.must, target.aim))
    words = html.escape(target.words)
    return f'<tr class="{mark}"><td>{words}</td><td><b>{shown}</b></td>{ends}<td>{mark}</td><td>{beside}</td></tr>'


def _ends(ends: tuple[float, float] | None, unit: str) -> str:
    if ends is None:
        return ""
    low, high = ends
    if low == 0:
        return f"≤ {number(float(high), unit)}"
    if high in (1, NO_LIMIT):
        return f"≥ {number(float(low), unit)}"
    return f"{number(float(low), unit)} – {number(float(high), unit)}"


def embedded(sheet: Image.Image) -> str:
    """A picture as the ``src`` of an ``img``, JPEG."""
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Evaluation of {title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; padding: 0 1rem; color: #1c1c1e; }}
table {{ border-collapse: collapse; margin: 1rem 0 2rem; }}
th, td {{ text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #ddd; }}
tr.missed td:nth-child(5) {{ color: #b3261e; }} tr.must td:nth-child(5), tr.aim td:nth-child(5) {{ color: #1b6e3c; }}
img {{ max-width: 100%; }}
</style></head><body>
<h1>Evaluation of {title}</h1>
<table><tr><th>figure</th><th>measured</th><th>must</th><th>aim</th><th>reached</th><th>beside it</th></tr>
{rows}
</table>
<h2>Parts switched off</h2>
<table><tr><th></th><th>right subject</th><th>similarity</th><th>right scene</th></tr>
{parts}
</table>
{pictures}
</body></html>
"""
