"""The left column: the subject panel, or in narrow windows a rail of 64 pixels from which the panel slides over the canvas."""

from __future__ import annotations

from PySide6.QtCore import (
    QEasingCurve,
    QEvent,
    QObject,
    QPoint,
    QPropertyAnimation,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.look import icons
from app.look import type as type_
from app.look.controls import Button, Divider, IconButton
from app.look.pixels import to_image
from app.look.theme import duration, notifier, radius, size, theme
from app.session.state import SessionState
from app.shortcuts import keymap, tooltip


class _CutOutButton(Button):
    """The cut-out as the model sees it; opens the panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "image-plus", "tool", parent)
        self._picture = QImage()
        self._doubtful = False
        self.setCheckable(True)

    def set_doubtful(self, doubtful: bool) -> None:
        """Mark a cut-out that may be wrong."""
        self._doubtful = doubtful
        self.update()

    def set_picture(self, picture: QImage) -> None:
        self._picture = picture
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(48, 48)

    def paintEvent(self, event) -> None:
        if self._picture.isNull():
            super().paintEvent(event)
        else:
            self._paint_picture()
        if self._doubtful:
            icons.paint_doubt(self)

    def _paint_picture(self) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        path = QPainterPath()
        path.addRoundedRect(rect, radius("control"), radius("control"))
        painter.fillPath(path, Qt.GlobalColor.white)
        painter.setClipPath(path)
        painter.drawImage(rect.adjusted(3, 3, -3, -3), self._picture)
        painter.setClipping(False)
        chosen = self.isChecked() or self.isDown()
        painter.setPen(QPen(theme().color("accent" if chosen else "outline"), 2 if chosen else 1))
        painter.drawPath(path)


class _Rail(QWidget):
    """Cut-out, edit, replace; history at the bottom."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(size("panel-left-rail"))
        side = size("tool-rail")
        self.cut_out = _CutOutButton()
        self.edit = IconButton("scissors", "", side=side)
        self.overlay = IconButton("layers", "", side=side)
        self.replace = IconButton("image-plus", "", side=side)
        self.history = IconButton("history", "", side=side, checkable=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 10, 8, 10)
        column.setSpacing(12)
        for button in (self.cut_out, self.edit, self.overlay, self.replace):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        column.addWidget(self.history, 0, Qt.AlignmentFlag.AlignHCenter)


class LeftColumn(QWidget):
    """See the module.

    Args:
        panel: the subject panel.
        stage: the panel slides over this widget when the window is narrow.

    Signals:
        editRequested, overlayRequested, replaceRequested: the buttons of the rail.
        historyToggled(bool): its history button.
    """

    editRequested = Signal()
    overlayRequested = Signal()
    replaceRequested = Signal()
    historyToggled = Signal(bool)

    def __init__(self, state: SessionState, panel: QWidget, stage: QWidget) -> None:
        super().__init__()
        self._state, self.panel, self._stage = state, panel, stage
        self._narrow = False
        self._verdict = ""
        self.rail = _Rail(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(self.rail)
        self._row.addWidget(panel)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        type_.set_width(panel, size("panel-left"))
        self.rail.hide()
        self._float = _Float(stage, panel)
        self._slide = QPropertyAnimation(self._float, b"pos", self)
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._slide.finished.connect(self._settled)
        rail = self.rail
        rail.cut_out.clicked.connect(self._toggle)
        rail.edit.clicked.connect(self.editRequested)
        rail.overlay.clicked.connect(self.overlayRequested)
        rail.replace.clicked.connect(self.replaceRequested)
        rail.history.toggled.connect(self.historyToggled)
        self._float.dismissed.connect(self.close_panel)
        state.maskChanged.connect(self._show_subject)
        state.photoChanged.connect(self._show_subject)
        keymap.changed.connect(self.retranslate)
        self.retranslate()
        self._show_subject()

    def is_narrow(self) -> bool:
        return self._narrow

    def set_narrow(self, narrow: bool) -> None:
        """Rail or panel."""
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._slide.stop()
        if narrow:
            self._float.take()
            self._float.hide()
        else:
            self._float.hide()
            self._row.addWidget(self.panel)
            self.panel.show()
        self.rail.setVisible(narrow)
        self.rail.cut_out.setChecked(False)

    def open_panel(self) -> None:
        """Bring the panel into view; in a wide window it is there already."""
        if not self._narrow or self._float.isVisible():
            return
        self.rail.cut_out.setChecked(True)
        self._float.place()
        self._float.move(-self._float.width(), 0)
        self._float.show()
        self._float.raise_()
        self._run(0)
        self.panel.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def close_panel(self) -> None:
        if self._narrow and self._float.isVisible():
            self.rail.cut_out.setChecked(False)
            self._run(-self._float.width())

    def is_panel_open(self) -> bool:
        return not self._narrow or self._float.isVisible()

    def _run(self, x: int) -> None:
        self._slide.stop()
        self._slide.setDuration(duration("panel"))
        self._slide.setStartValue(self._float.pos())
        self._slide.setEndValue(QPoint(x, 0))
        self._slide.start()

    @Slot()
    def _settled(self) -> None:
        if self._float.x() < 0:
            had_focus = self._float.has_focus()
            self._float.hide()
            if had_focus:
                self.rail.cut_out.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _toggle(self) -> None:
        if self._float.isVisible():
            self.close_panel()
        else:
            self.open_panel()

    @Slot()
    def _show_subject(self) -> None:
        subject = self._state.subject
        cut_out = subject.cut_out if subject is not None else None
        self.rail.cut_out.set_picture(to_image(cut_out.rgb) if cut_out is not None else QImage())
        self.rail.edit.setEnabled(subject is not None and subject.photo is not None)

    @Slot(str)
    def show_verdict(self, verdict: str) -> None:
        """Mark a cut-out that may be wrong, as the panel does in words."""
        self._verdict = verdict
        self.rail.cut_out.set_doubtful(verdict in ("unsure", "nothing"))
        self.retranslate()

    def retranslate(self) -> None:
        rail = self.rail
        subject = self.tr("Subject")
        if self._verdict == "unsure":
            doubt = self.tr("The cut-out may be wrong")
        else:
            doubt = self.tr("No cut-out was found") if self._verdict == "nothing" else ""
        rail.cut_out.setAccessibleName(", ".join(part for part in (subject, doubt) if part))
        subject += f" ({keymap.shown('toggle_subject')})"
        rail.cut_out.setToolTip("\n".join(part for part in (doubt, subject) if part))
        rail.edit.describe(self.tr("Edit cut-out"), keymap.shown("edit_cutout"))
        rail.overlay.describe(self.tr("Overlay"), keymap.shown("overlay"))
        rail.replace.describe(self.tr("Replace the photo"), keymap.shown("open"))
        rail.history.setToolTip(tooltip("toggle_history"))
        rail.history.setAccessibleName(self.tr("History"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)


class _Float(QWidget):
    """Carries the panel over the canvas. A click outside or Esc puts it away."""

    dismissed = Signal()

    def __init__(self, stage: QWidget, panel: QWidget) -> None:
        super().__init__(stage)
        self._stage, self._panel = stage, panel
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._divider = Divider(vertical=True)
        self._row.addWidget(self._divider)
        stage.installEventFilter(self)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._focus_moved)
        notifier.changed.connect(self.update)
        self.hide()

    def has_focus(self) -> bool:
        """Return True if something in it has the focus."""
        focused = QApplication.focusWidget()
        return focused is not None and self.isAncestorOf(focused)

    @Slot(QWidget, QWidget)
    def _focus_moved(self, before: QWidget | None, now: QWidget | None) -> None:
        """A click on the canvas, or on what lies over it, is the canvas's own: the stage hears nothing of it but the focus."""
        if now is not None and self.isVisible() and self._stage.isAncestorOf(now) and not self.has_focus():
            self.dismissed.emit()

    def take(self) -> None:
        self._row.insertWidget(0, self._panel)
        self._panel.show()

    def place(self) -> None:
        self.resize(self._panel.width() + 1, self._stage.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self.isVisible():
            if event.type() == QEvent.Type.Resize:
                self.place()
            elif event.type() == QEvent.Type.MouseButtonPress:
                self.dismissed.emit()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press between the controls of the panel is none outside of it."""
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)
