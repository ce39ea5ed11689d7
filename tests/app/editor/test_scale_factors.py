"""The canvas on screens with more than one pixel per pixel: a process each, because Qt has one factor per process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

ratio = float(sys.argv[1])
app = QApplication([])
from app.editor.mask_canvas import MaskCanvas
from app.mask.document import MaskDocument
from app.mask.pyramid import Pyramid
from app.mask.mask_session import MaskSession
from app.mask.worker import MaskService
from engine.photo.load import photo_from_pixels

rgb = np.full((300, 400, 3), 90, np.uint8)
rgb[100:110, 200:210] = (250, 20, 20)
photo = photo_from_pixels(rgb)
service = MaskService()
session = MaskSession(photo, Pyramid(photo.rgb), MaskDocument(np.zeros((300, 400), np.uint8)), service)
canvas = MaskCanvas(padding=0)
canvas.resize(400, 300)
canvas.set_session(session)
canvas.show()
assert canvas.devicePixelRatioF() == ratio, canvas.devicePixelRatioF()
canvas.viewport.zoom_actual()
assert canvas.viewport.view().percent == 100 and canvas.viewport.view().ratio == ratio
canvas.viewport.zoom_fit()
assert abs(canvas.viewport.view().scale - ratio) < 1e-6  # the photo fills the widget: so many screen pixels each
picture = canvas.grab().toImage()
assert (picture.width(), picture.height()) == (round(400 * ratio), round(300 * ratio))
spot = picture.pixelColor(int(205 * ratio), int(105 * ratio))
assert spot.red() > 2 * spot.green(), spot.getRgb()  # the red square lies where the photo has it
canvas.tools.set_tool("brush")
canvas.tools.set_brush_size(40)
QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
ys, xs = np.nonzero(session.document.mask >= 128)
assert abs(xs.mean() - 300) < 1 and abs(ys.mean() - 200) < 1 and abs(np.ptp(xs) + 1 - 40) <= 1
assert abs(canvas.tools.ring_radius() - 20) < 1e-6  # widget pixels: the ring is as large as the dab
# The keyboard: the cross-hair begins in the middle, and everything it does lies where it is seen.
right, enter, ctrl = Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier
QTest.keyClick(canvas, right)
QTest.keyClick(canvas, enter)
QTest.keyClick(canvas, right, ctrl)
QTest.keyClick(canvas, enter)
painted = session.document.mask[150]
assert painted[190:270].min() >= 128 and not painted[290:].any() and not painted[:170].any()
assert abs(canvas.tools.cross_hair().x() - 260) < 1 and abs(canvas.tools.cross_hair().y() - 150) < 1
canvas.tools.set_tool("lasso")
canvas.session.document.replace(np.zeros((300, 400), np.uint8), "Open a mask")
QTest.keyClick(canvas, enter)
for way in (right, Qt.Key.Key_Down, Qt.Key.Key_Left):
    QTest.keyClick(canvas, way, ctrl)
QTest.keyClick(canvas, enter)
ys, xs = np.nonzero(session.document.mask >= 128)
assert (abs(xs.min() - 260), abs(np.ptp(xs) - 60), abs(ys.min() - 150), abs(np.ptp(ys) - 60)) <= (1, 1, 1, 1)
service.close()
print("fine")
"""


@pytest.mark.parametrize("ratio", ["1.0", "1.25", "2.0"])
def test_zoom_place_and_brush_at_a_scale_factor(ratio):
    environment = {**os.environ, "QT_SCALE_FACTOR": ratio, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.getcwd()}  # noqa: PTH109
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, ratio], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "fine", done.stderr
