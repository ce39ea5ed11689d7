"""DreamBench for people: one HTML file with the figures, by subject and by prompt, and the worst pictures first."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

WORST = 60  # pictures that are shown

_WORDS = {
    "dino-vits16": "DINO ViT-S/16",
    "clip-vit-b32": "CLIP ViT-B/32",
    "dino-vits8": "DINO ViT-S/8",
    "dinov2-small": "DINOv2 small",
    "imagenet": "EfficientNet-Lite2 (ImageNet)",
}


def words(figure: str) -> str:
    """A figure's name as people read it."""
    if figure == "clip_t":
        return "CLIP ViT-B/32, picture and prompt"
    judge, _, against = figure.rpartition("_")
    return f"{_WORDS.get(judge, judge)}, {'all photos' if against == 'all' else 'input photo'}"


def report(results: Mapping[str, Any], pictures: str) -> str:
    """The page.

    Args:
        results: of ``dreambench.results``, with "bundle".
        pictures: address of the job's folder as seen from the page, without a slash at its end.
    """
    figures = results["figures"]
    title = html.escape(str(results.get("bundle", "")))
    measured, asked = results["pictures_measured"], results["pictures_asked"]
    summary = f"{results['subjects_measured']} subjects, {measured} of {asked} pictures."
    if measured < asked:
        summary += " The others could not be drawn or read; they are in no figure."
    rows = "\n".join(
        f"<tr><th>{html.escape(words(name))}</th><td><b>{value:.3f}</b></td>"
        f"<td>{_among(results, name)}</td><td>{_by_seed(results, name)}</td></tr>"
        for name, value in figures.items()
    )
    return _PAGE.format(
        title=title,
        summary=summary,
        rows=rows,
        subjects=_table("subject", results["by_subject"], list(figures)),
        prompts=_table("prompt", results["by_prompt"], list(figures)),
        pictures="\n".join(_picture(entry, pictures) for entry in results["pictures"][:WORST]),
        shown=min(WORST, len(results["pictures"])),
    )


def _among(results: Mapping[str, Any], figure: str) -> str:
    judge = figure.removesuffix("_all")
    value = results["photos_among_themselves"].get(judge) if figure.endswith("_all") else None
    return "" if value is None else f"{value:.3f}"


def _by_seed(results: Mapping[str, Any], figure: str) -> str:
    return ", ".join(f"{own[figure]:.3f}" for own in results["by_seed"])


def _table(kind: str, groups: Mapping[str, Mapping[str, float]], figures: list[str]) -> str:
    """The worst group first, by the first figure."""
    heads = "".join(f"<th>{html.escape(words(name))}</th>" for name in figures)
    ordered = sorted(groups.items(), key=lambda entry: entry[1][figures[0]]) if figures else []
    body = "\n".join(
        f"<tr><th>{html.escape(str(key).replace('{0}', '…'))}</th><td>{own['pictures']}</td>"
        + "".join(f"<td>{own[name]:.3f}</td>" for name in figures)
        + "</tr>"
        for key, own in ordered
    )
    return f"<table><tr><th>{kind}</th><th>pictures</th>{heads}</tr>\n{body}\n</table>"


def _picture(entry: Mapping[str, Any], pictures: str) -> str:
    figures = "<br>".join(f"{html.escape(words(name))} {value:.3f}" for name, value in entry["figures"].items())
    caption = html.escape(f"{entry['prompt']} (seed {entry['seed']})")
    address = html.escape(f"{pictures}/{entry['file']}")
    return (
        f'<figure><a href="{address}"><img loading="lazy" alt="{caption}" src="{address}"></a>'
        f"<figcaption><b>{html.escape(entry['subject'])}</b>, {caption}<br>{figures}</figcaption></figure>"
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>DreamBench of {title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; padding: 0 1rem; color: #1c1c1e; }}
table {{ border-collapse: collapse; margin: 1rem 0 2rem; }}
th, td {{ text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #ddd; font-weight: normal; }}
td {{ font-variant-numeric: tabular-nums; }}
div {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 1rem; }}
figure {{ margin: 0; font-size: 13px; }}
img {{ width: 100%; }}
</style></head><body>
<h1>DreamBench of {title}</h1>
<p>{summary}</p>
<table><tr><th>cosine</th><th>mean of subjects</th><th>two photos of one subject</th><th>each seed alone</th></tr>
{rows}
</table>
<p>Likeness to the input photo far above that to all photos, or above that of two photos of one subject, means that pictures copy their
photo. Figures of different networks cannot be compared.</p>
<h2>By subject</h2>
{subjects}
<h2>By prompt</h2>
{prompts}
<h2>The worst {shown} pictures</h2>
<p>By the mean rank of likeness and prompt.</p>
<div>
{pictures}
</div>
</body></html>
"""
