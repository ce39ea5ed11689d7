"""The measure of cut-outs for people: figures by way, how far estimates hold, and the photos, worst first."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from engine.evaluation.cutout_measure import WAYS, CutoutResult, worst_first
from engine.evaluation.report import embedded
from engine.files import write_atomically

WORDS = {"automatic": "Automatic", "box": "One box", "click": "One click", "clicks": "Three clicks"}
_SIDE = 240
_TRUE, _FOUND = (38, 166, 91), (214, 48, 49)


def write_cutout_report(results: Sequence[CutoutResult], figures: dict[str, Any], path: Path) -> None:
    """Write the page. Raises ``CannotWrite``."""
    write_atomically(path, page(results, figures).encode())


def page(results: Sequence[CutoutResult], figures: dict[str, Any]) -> str:
    """The whole page, pictures inside."""
    ways = "\n".join(
        f"<tr><td>{WORDS[way]}</td><td><b>{own['overlap']:.3f}</b></td><td>{own['right']:.0%}</td>"
        f"<td>{own['wrong']:.0%}</td><td>{own['boundary_f']:.3f}</td></tr>"
        for way, own in figures["ways"].items()
    )
    tenths = "\n".join(
        f"<tr><td>{row['from']:.1f} – {row['from'] + 0.1:.1f}</td><td>{row['photos']}</td>"
        f"<td>{row['estimate']:.2f}</td><td>{row['overlap']:.2f}</td></tr>"
        for row in figures["calibration"]
    )
    photos = "\n".join(_photo(result) for result in worst_first(results))
    plain = {key: value for key, value in figures.items() if key not in ("ways", "photos")}
    return _PAGE.format(ways=ways, tenths=tenths, photos=photos, count=figures["photos"], **plain)


def _photo(result: CutoutResult) -> str:
    pictures = "".join(
        f'<figure><img alt="{WORDS[way]}" src="{embedded(Image.fromarray(outlined(result, way)))}">'
        f"<figcaption>{WORDS[way]} {result.overlaps[way]:.2f}</figcaption></figure>"
        for way in WAYS
    )
    sure = "sure" if result.sure else "not sure"
    head = f"{html.escape(result.case.name)}: estimate {result.score:.2f}, {sure}, by {result.method}"
    return f"<section><h3>{head}</h3>{pictures}</section>"


def outlined(result: CutoutResult, way: str) -> np.ndarray:
    """The photo in miniature with both outlines: the true one green, the found one red. RGB uint8 (h, w, 3)."""
    share = _SIDE / max(result.truth.shape)
    size = (max(1, round(result.photo.width * share)), max(1, round(result.photo.height * share)))
    picture = cv2.resize(result.photo.rgb, size, interpolation=cv2.INTER_AREA)
    for mask, colour in ((result.truth, _TRUE), (result.masks[way], _FOUND)):
        small = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
        lines, _ = cv2.findContours((small >= 128).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, lines, -1, colour, 1, cv2.LINE_AA)
    return picture


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Cut-outs</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem; color: #1c1c1e; }}
table {{ border-collapse: collapse; margin: 1rem 0 2rem; }}
th, td {{ text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #ddd; }}
section {{ border-top: 1px solid #ddd; }} figure {{ display: inline-block; margin: 0 .6rem .8rem 0; }}
figcaption {{ color: #555; font-size: 13px; }}
</style></head><body>
<h1>Cut-outs of {count} photos</h1>
<table><tr><th></th><th>mean overlap</th><th>≥ 0.90</th><th>&lt; 0.70</th><th>boundary F at 1 %</th></tr>
{ways}
</table>
<p>Called sure: {sure}, of these in error (overlap below 0.80): {sure_in_error}. The estimate is off by {estimate_error}
on the average. Median time to the first mask: {seconds} s.</p>
<h2>Estimates and what was true</h2>
<table><tr><th>estimate</th><th>photos</th><th>mean estimate</th><th>mean overlap</th></tr>
{tenths}
</table>
<h2>Photos, worst first</h2>
<p>Green: the true outline. Red: the one that was found.</p>
{photos}
</body></html>
"""
