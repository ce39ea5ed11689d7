"""Pieces of the subject panel: the drop zone, small pictures to choose from, labels that lie on the photo."""

from __future__ import annotations

from time import monotonic

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QVBoxLayout, QWidget

from app.look import focus, icons
from app.look import type as type_
from app.look.controls import OutlinedButton, label
from app.look.pixels import paint_dashed
from app.look.theme import notifier, on_photo, radius, theme, tokens


class DropZone(QWidget):
    """Takes a photo by drop or by its button. The whole window takes drops; this shows that it does.

    Signals:
        chooseRequested: the button.
    """

    chooseRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.help = label("", "section"), label("", "help", "muted", wrap=True)
        self.choose = OutlinedButton("")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 46, 10, 12)
        column.setSpacing(4)
        for text in (self.title, self.help):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(text)
        column.addSpacing(4)
        column.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignHCenter)
        self.choose.clicked.connect(self.chooseRequested)
        notifier.changed.connect(self.update)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect, corner = QRectF(self.rect()), radius("card")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("surface-raised"))
        painter.drawRoundedRect(rect, corner, corner)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        paint_dashed(painter, rect, corner)
        icons.paint_icon(painter, "image-plus", QRectF(rect.center().x() - 12, 14, 24, 24), "accent")


class Thumb(QAbstractButton):
    """A small picture that can be chosen.

    Signals:
        removeRequested: Delete or Backspace while it has the focus.
    """

    removeRequested = Signal()

    def __init__(self, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._picture = QImage()
        self._pointed = False  # Qt's "under mouse" holds after a drag went over it, too
        self.setCheckable(True)
        self.setFixedSize(side, side)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        focus.attach(self, radius("tile"))
        notifier.changed.connect(self.update)

    def set_picture(self, picture: QImage) -> None:
        self._picture = picture
        self.update()

    def picture(self) -> QImage:
        return self._picture

    def picture_rect(self) -> QRectF:
        """Return the rectangle of the picture."""
        return QRectF(self.rect())

    def menu(self) -> QMenu | None:
        """The menu of a right click; None for a picture that has none."""
        return None

    def set_pointed(self, pointed: bool) -> None:
        """Show the picture as one that the mouse is on, or not."""
        self._pointed = pointed
        self.update()

    def enterEvent(self, event) -> None:
        super().enterEvent(event)
        self.set_pointed(True)

    def leaveEvent(self, event) -> None:
        super().leaveEvent(event)
        self.set_pointed(False)

    def contextMenuEvent(self, event) -> None:
        menu = self.menu()
        if menu is None:
            super().contextMenuEvent(event)
            return
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removeRequested.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        gap = tokens()["stroke"]["selected"] + 1.5 if self.isChecked() else 0
        rect = self.picture_rect().adjusted(gap, gap, -gap, -gap)
        corner = radius("tile") - gap / 2
        path = QPainterPath()
        path.addRoundedRect(rect, corner, corner)
        painter.fillPath(path, theme().color("surface-hover"))
        if not self._picture.isNull():
            painter.setClipPath(path)
            painter.drawImage(rect, self._picture, _middle(self._picture))
            painter.setClipping(False)
        if self.isChecked():
            width = tokens()["stroke"]["selected"]
            painter.setPen(QPen(theme().color("accent"), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            outer = self.picture_rect().adjusted(width / 2, width / 2, -width / 2, -width / 2)
            painter.drawRoundedRect(outer, radius("tile"), radius("tile"))
        elif self._pointed:
            painter.setPen(QPen(theme().color("outline"), 1))
            painter.drawPath(path)


class PhotoChip(QWidget):
    """A dark label on the photo ("Example", "Finding the subject…")."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._text, self._busy = "", False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        type_.apply(self, "micro")
        self._timer = QTimer(self)
        self._timer.setInterval(33)
        self._timer.timeout.connect(self.update)
        self.hide()

    def show_words(self, text: str, busy: bool = False) -> None:
        """An empty text takes it away."""
        self._text, self._busy = text, busy
        self.setAccessibleName(text)
        self.resize(self.sizeHint())
        self.setVisible(bool(text))
        self._spin()
        self.update()

    def text(self) -> str:
        return self._text

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self.font())
        return QSize(
            round(metrics.horizontalAdvance(self._text)) + (36 if self._busy else 17), round(metrics.height()) + 7
        )

    def showEvent(self, event) -> None:
        self._spin()
        super().showEvent(event)

    def hideEvent(self, event) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def _spin(self) -> None:
        if self._busy and self.isVisible() and not notifier.reduced_motion:
            self._timer.start()
        else:
            self._timer.stop()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(on_photo("chip"))
        rect = QRectF(self.rect())
        painter.drawRoundedRect(rect, radius("tag"), radius("tag"))
        left = 8.0
        if self._busy:
            angle = 0.0 if notifier.reduced_motion else monotonic() % 0.9 / 0.9 * 360
            spot = QRectF(7, rect.center().y() - 7, 14, 14)
            icons.paint_icon(painter, "loader-circle", spot, on_photo("chip-text"), angle=angle)
            left = 27.0
        metrics = QFontMetricsF(self.font())
        painter.setFont(self.font())
        painter.setPen(on_photo("chip-text"))
        baseline = rect.center().y() + (metrics.ascent() - metrics.descent()) / 2
        painter.drawText(QPointF(left, baseline), self._text)


def _middle(picture: QImage) -> QRectF:
    """The largest square in the middle of a picture."""
    side = min(picture.width(), picture.height())
    return QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
