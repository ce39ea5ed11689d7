"""The bar under the picture, where there is little room."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QCursor, QEnterEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.canvas.action_bar import ActionBar
from app.look.buttons import Button


def point_at(button: Button) -> None:
    """The pointer comes over a button, wherever it was left by whatever ran before."""
    place = button.rect().center()
    QCursor.setPos(button.mapToGlobal(place))
    QApplication.sendEvent(button, QEnterEvent(QPointF(place), QPointF(place), QPointF(button.mapToGlobal(place))))


def test_words_that_do_not_fit_go_as_a_whole(qtbot):
    bar = ActionBar()
    qtbot.addWidget(bar)
    bar.set_compact(True)
    bar.set_likeness(0.9)
    bar.set_width(2000)
    wide = bar.sizeHint().width()
    assert (bar.vary_button.text(), bar.drag_handle.text()) == ("Vary", "Drag out")
    assert not bar.likeness.isHidden()
    without_number = next(width for width in range(wide, 0, -1) if bar.set_width(width) or bar.likeness.isHidden())
    assert bar.vary_button.text() == "Vary" and bar.sizeHint().width() <= without_number
    width = bar.sizeHint().width() - 1
    bar.set_width(width)
    assert (bar.vary_button.text(), bar.drag_handle.text()) == ("", "")
    assert bar.sizeHint().width() <= width and bar.likeness.isHidden()
    assert bar.vary_button.accessibleName() == "Vary" and bar.vary_button.toolTip()
    bar.set_width(2000)
    assert bar.vary_button.text() == "Vary" and bar.sizeHint().width() == wide


def test_a_button_that_the_bar_takes_away_from_under_a_pointer_at_rest_is_not_lit(qtbot):
    """After an idea was picked the wrong button was lit, and for good when the pointer opened a menu before it moved."""
    canvas = QWidget()
    qtbot.addWidget(canvas)
    canvas.resize(900, 200)
    bar = ActionBar(canvas)
    bar.resize(bar.sizeHint())
    with qtbot.waitExposed(canvas):
        canvas.show()
    point_at(bar.compare_button)
    qtbot.waitUntil(lambda: bar.compare_button._hover == 1.0)
    bar.move(QPoint(300, 100))
    qtbot.waitUntil(lambda: bar.compare_button._hover == 0.0)
    point_at(bar.compare_button)
    qtbot.waitUntil(lambda: bar.compare_button._hover == 1.0)
    bar.set_likeness(0.5)  # what is behind it moves, and it does not
    qtbot.wait(30)
    assert bar.compare_button._hover == 1.0
