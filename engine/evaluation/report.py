"""An evaluation for people: every figure beside what it must and should reach, and the sheets, in one HTML file."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from engine.errors import CannotWrite
from engine.evaluation.picture_source import OFF


@dataclass(frozen=True)
class Target:
    """What a figure is called, and what it has to reach.

    Attributes:
        must, aim: (lowest, highest) that is good enough, and that is wished for; None for no target.
        unit: "%" for shares, else what is written behind the number.
        beside: figures to be read beside it, as (words, key).
    """

    key: str
    words: str
    must: tuple[float, float] | None = None
    aim: tuple[float, float] | None = None
    unit: str = "%"
    beside: tuple[tuple[str, str], ...] = ()


_ANY = float("inf")
TARGETS: tuple[Target, ...] = (
    Target(
        "photos_top1",
        "Photos: the picture shows the right subject",
        (0.83, 1),
        (0.90, 1),
        beside=(("of subjects", "photos_of"), ("chance", "photos_chance"), ("real photos", "photos_trust")),
    ),
    Target("photos_ceiling", "… of true renders"),
    Target("photos_ceiling_bits", "… of true renders after the bits", (0.86, 1), (0.92, 1)),
    Target("photos_similarity", "Mean similarity to the subject's photos", unit=""),
    Target("pasted_share", "Not pasted: error left of pasting, from true bits", (0, 0.35), (0, 0.20)),
    Target(
        "light_correlation",
        "Not pasted, drawn: colours follow the light (correlation)",
        (0.7, 1),
        (0.9, 1),
        "",
        (("amount", "light_amount"),),
    ),
    Target("edge_energy", "Energy of the subject's edge, against true renders", (0.8, 1.25), (0.9, 1.1), ""),
    Target("sharpness", "Sharpness of the scene, against true renders", (0.50, _ANY), (0.75, _ANY)),
    Target(
        "scene_accuracy", "Scenes, by the scene judge", (0.95, 1), (0.98, 1), beside=(("ceiling", "scene_ceiling"),)
    ),
    Target(
        "scene_accuracy_imagenet",
        "Scenes, by the judge of photos",
        (0.95, 1),
        (0.98, 1),
        beside=(("ceiling", "scene_ceiling_imagenet"),),
    ),
    Target(
        "look_accuracy", "With a look: the look is there", (0.90, 1), (0.95, 1), beside=(("ceiling", "look_ceiling"),)
    ),
    Target(
        "look_top1",
        "With a look: the subject is there",
        (0.65, 1),
        (0.80, 1),
        beside=(("ceiling", "look_top1_ceiling"),),
    ),
    Target("seed_distance", "Two seeds: their distance, against true renders", (0.50, _ANY), (0.80, _ANY)),
    Target("placement_iou", "Given place: overlap of what is drawn with it", (0.85, 1), (0.93, 1), ""),
    Target("seconds_per_picture", "Seconds a picture, here", (0, 4), (0, 1.5), " s"),
    Target("first_preview_seconds", "Seconds to the first preview, here", (0, 0.6), (0, 0.6), " s"),
    Target("bundle_mb", "Size of the bundle", (0, 40), (0, 32), " MB"),
    Target("retrieval_top1", "Drawn subjects never trained on, told apart by a judge of our own"),
)


def verdict(target: Target, value: float) -> str:
    """ "aim", "must", "missed", or "" without a target."""
    for words, ends in (("aim", target.aim), ("must", target.must)):
        if ends is not None and ends[0] <= value <= ends[1]:
            return words
    return "missed" if target.must is not None else ""


def report(figures: dict[str, Any], sheets: Sequence[tuple[str, Image.Image]] = ()) -> str:
    """The whole page. A figure that was not taken says so."""
    rows = "\n".join(_row(target, figures) for target in TARGETS if target.key in figures)
    parts = "\n".join(
        f"<tr><td>{words}</td><td>{number(own.get('photos_top1'), '%')}</td>"
        f"<td>{number(own.get('photos_similarity'), '')}</td><td>{number(own.get('scene_accuracy'), '%')}</td></tr>"
        for words, own in _with_parts(figures)
    )
    pictures = "\n".join(
        f'<h2>{html.escape(title)}</h2>\n<img alt="{html.escape(title)}" src="{_embedded(sheet)}">'
        for title, sheet in sheets
    )
    return _PAGE.format(title=html.escape(str(figures.get("bundle", ""))), rows=rows, parts=parts, pictures=pictures)


def write_report(figures: dict[str, Any], sheets: Sequence[tuple[str, Image.Image]], path: Path) -> None:
    """Write the page. Raises ``CannotWrite``."""
    try:
        path.write_text(report(figures, sheets), encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror or error}.") from error


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


def number(value: Any, unit: str) -> str:
    """A figure in words."""
    if value is None:
        return "–"
    if unit == "%":
        return f"{value:.0%}"
    return f"{value}{unit}" if isinstance(value, int) else f"{value:.2f}{unit}"


def _ends(ends: tuple[float, float] | None, unit: str) -> str:
    if ends is None:
        return ""
    low, high = ends
    if low == 0:
        return f"≤ {number(float(high), unit)}"
    if high in (1, _ANY):
        return f"≥ {number(float(low), unit)}"
    return f"{number(float(low), unit)} – {number(float(high), unit)}"


def _embedded(sheet: Image.Image) -> str:
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
