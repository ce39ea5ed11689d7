"""Measures painting at 24 megapixels: python -m app.editor.painting_bench

Paints strokes with a 200-pixel brush into a photo of 6000 × 4000 pixels, through the real canvas: every mouse move is sent
as an event, and the time counts until its paint event is done. Also measured, with the inspector beside the canvas, is how
long the window is held up by what changes the whole mask: the longest gap of the event loop until all is done, and how long
that takes. No segmenter is involved.

    --zoom fit|100|400     where to paint (default: all three)
    --edge                 with the edge grown by 4 and feathered by 2 pixels
    --json                 one JSON object instead of a table
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.editor.inspector import Inspector
from app.editor.mask_canvas import MaskCanvas
from app.mask.document import MaskDocument
from app.mask.mask_session import MaskSession
from app.mask.pyramid import Pyramid
from app.mask.strokes import Edge
from app.mask.worker import MaskService
from engine.photo import Photo

WIDTH, HEIGHT = 6000, 4000
BRUSH = 200
LIMIT_MS = 16.0
GAP_MS = 50.0
"""Limits: of the 95th percentile of a brush's moves, and of that of the event loop's gaps."""

CANVAS = (1064, 764)
"""The canvas of the window at its first size."""

_MOVES = 240
_REPEATS = 6
_DONE = ", done after"
_QUIET = 0.15
"""Seconds without work after which all is done; the inspector waits a moment before it looks."""


def measure(zooms: list[str], with_edge: bool = False) -> dict[str, dict[str, float]]:
    """Milliseconds by what was done: p50, p95 and most of every step.

    Args:
        zooms: "fit" or a percentage as text.
    """
    service = MaskService()
    session = _session(service)
    if with_edge:
        session.set_edge(Edge(4, 2))
    canvas = MaskCanvas()
    canvas.resize(*CANVAS)
    canvas.set_session(session)
    canvas.tools.set_tool("brush")
    canvas.tools.set_brush_size(BRUSH)
    canvas.show()
    QApplication.processEvents()
    results = {}
    for zoom in zooms:
        canvas.viewport.zoom_fit()
        if zoom != "fit":
            canvas.viewport.set_view(canvas.viewport.view().zoomed(int(zoom) / 100 / canvas.viewport.view().scale))
        canvas.repaint()
        results[f"paint at {zoom}"] = _summary(_paint(canvas))
        results[f"end of stroke at {zoom}"] = _summary([_timed(canvas.tools.finish)])
        results[f"redraw at {zoom}"] = _summary([_timed(lambda: _redraw(canvas)) for _ in range(10)])
    canvas.viewport.zoom_fit()
    canvas.repaint()
    inspector = Inspector()
    inspector.resize(inspector.width(), CANVAS[1])
    inspector.set_session(session)
    inspector.show()
    QApplication.processEvents()
    for name, act in _whole(session).items():
        gaps, ends = zip(*(_until_done(session, partial(act, index)) for index in range(_REPEATS)), strict=True)
        results[name] = _summary(list(gaps))
        results[name + _DONE] = _summary(list(ends))
    inspector.set_session(None)
    inspector.deleteLater()
    canvas.set_session(None)
    session.release()
    service.close()
    canvas.deleteLater()
    return results


def _whole(session: MaskSession) -> dict[str, Callable[[int], Callable[[], object]]]:
    """Operations on the whole mask; each gets the number of its repetition, so that none finds its work done already."""
    holed = _disc()
    holed[HEIGHT // 2 - 100 : HEIGHT // 2 + 100, WIDTH // 2 - 150 : WIDTH // 2 + 150] = 0
    holed[50:250, 50:350] = 255

    def anew(act: Callable[[], object]) -> Callable[[], object]:
        session.take_mask(holed, "Open a mask")
        session.settle()
        QApplication.processEvents()
        return act

    edges = [Edge(grow, feather) for grow in (2.0, -4.0, 30.0) for feather in (1.0, 20.0)]
    return {
        "fill the holes": lambda index: anew(session.fill_holes),
        "keep the largest": lambda index: anew(session.keep_largest),
        "invert": lambda index: session.invert,
        "grow, feather": lambda index: partial(session.set_edge, edges[index % len(edges)]),
        "undo an edge": lambda index: session.undo if index % 2 == 0 else session.redo,
        "invert with an edge": lambda index: session.invert,
        "answer of a click": lambda index: partial(
            session._take_refined, np.roll(session.document.base, 40 + index, axis=1), 0
        ),
        "undo the answer": lambda index: session.undo,
    }


def _until_done(session: MaskSession, prepare: Callable[[], Callable[[], object]]) -> tuple[float, float]:
    """The longest turn of the event loop, and when all was done: the mask exact, canvas and inspector up to date."""
    act = prepare()
    began = time.perf_counter()
    longest = _timed(act)
    last = began
    while session.busy or (time.perf_counter() - last) < _QUIET:
        turn = _timed(QApplication.processEvents)
        longest = max(longest, turn)
        if turn > 1 or session.busy:
            last = time.perf_counter()
        time.sleep(0.0005)
    return longest, (last - began) * 1000


def _session(service: MaskService) -> MaskSession:
    mask = _disc()
    rgb = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    rgb = np.ascontiguousarray(rgb.repeat(8, 0).repeat(8, 1))
    return MaskSession(Photo(rgb, None, ""), Pyramid(rgb), MaskDocument(mask), service)


def _disc() -> np.ndarray:
    ys = np.arange(HEIGHT, dtype=np.float32)[:, None] - HEIGHT / 2
    xs = np.arange(WIDTH, dtype=np.float32)[None] - WIDTH / 2
    return np.where((xs / WIDTH * 4) ** 2 + (ys / HEIGHT * 3) ** 2 <= 1, 255, 0).astype(np.uint8)


def _paint(canvas: MaskCanvas) -> list[float]:
    """One stroke around the middle of the canvas and out of it; the time of every move with its paint event."""
    width, height = CANVAS
    times = []
    for index in range(_MOVES):
        angle = index / _MOVES * 6 * math.pi
        reach = 0.1 + 0.5 * index / _MOVES
        at = QPointF(width / 2 + width * reach * math.cos(angle), height / 2 + height * reach * math.sin(angle))
        kind = QEvent.Type.MouseButtonPress if index == 0 else QEvent.Type.MouseMove
        button = Qt.MouseButton.LeftButton if index == 0 else Qt.MouseButton.NoButton
        event = QMouseEvent(kind, at, at, button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        times.append(_timed(partial(_shown, canvas, partial(QApplication.sendEvent, canvas, event))))
    return times[1:]


def _shown(canvas: MaskCanvas, act: Callable[[], object]) -> None:
    act()
    # Delivers the paint event of the rectangle that changed, and nothing but what is due.
    QApplication.processEvents()


def _redraw(canvas: MaskCanvas) -> None:
    canvas.set_overlay("outline" if canvas.overlay() == "tint" else "tint")
    QApplication.processEvents()


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def _summary(times: list[float]) -> dict[str, float]:
    return {
        "p50": round(float(np.percentile(times, 50)), 2),
        "p95": round(float(np.percentile(times, 95)), 2),
        "most": round(max(times), 2),
    }


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 when something is slower than its limit."""
    parser = argparse.ArgumentParser(
        prog="python -m app.editor.painting_bench", description="How long painting takes at 24 megapixels."
    )
    parser.add_argument(
        "--zoom", choices=("fit", "100", "400"), action="append", help="where to paint; may be repeated"
    )
    parser.add_argument("--edge", action="store_true", help="with the edge grown and feathered")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication(sys.argv[:1])
    results = measure(options.zoom or ["fit", "100", "400"], options.edge)
    del application
    out = sys.stdout.write
    if options.json:
        out(json.dumps({"photo": [WIDTH, HEIGHT], "brush": BRUSH, "milliseconds": results}) + "\n")
    else:
        out(f"{WIDTH} × {HEIGHT} pixels, brush {BRUSH} pixels, milliseconds\n\n")
        out(f"{'':32}{'p50':>9}{'p95':>9}{'most':>9}\n")
        for name, values in results.items():
            out(f"{name:32}{values['p50']:9.2f}{values['p95']:9.2f}{values['most']:9.2f}\n")
    limits = {name: GAP_MS for name in results if name + _DONE in results}
    limits |= {name: LIMIT_MS for name in results if name.startswith("paint")}
    slow = [f"{name} over {limit:g} ms" for name, limit in limits.items() if results[name]["p95"] > limit]
    if slow:
        sys.stderr.write(f"too slow: {', '.join(slow)}\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
