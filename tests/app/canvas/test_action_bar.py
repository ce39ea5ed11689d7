"""The bar under the picture, where there is little room."""

from __future__ import annotations

from app.canvas.action_bar import ActionBar


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
