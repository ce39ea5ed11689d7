"""Chips of what the open bundle can be asked for: a small picture and its words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QImageReader, QPainter
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QVBoxLayout, QWidget

from app.canvas.pixels import Layer
from app.look.controls import Chip, clear, label
from app.look.theme import size
from engine.bundle.manifest import SceneEntry

_FIRST = 5
_KINDS = ("scene", "surface", "background", "light", "colour", "material", "outfit")
_THUMB = 20


class FlowLayout(QLayout):
    """One widget beside the other, in as many rows as the width asks for."""

    def __init__(self, gap: int = 6, line_gap: int = 8) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._gap, self._line_gap = gap, line_gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        result = QSize()
        for item in self._items:
            result = result.expandedTo(item.minimumSize())
        return result

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def _arrange(self, rect: QRect, move: bool) -> int:
        mirrored = False
        parent = self.parentWidget()
        if parent is not None:
            mirrored = parent.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            hint = item.sizeHint().boundedTo(QSize(rect.width(), 10_000))
            if x > rect.x() and x + hint.width() > rect.x() + rect.width():
                x, y, line = rect.x(), y + line + self._line_gap, 0
            if move:
                left = rect.x() + rect.right() - x - hint.width() + 1 if mirrored else x
                item.setGeometry(QRect(QPoint(left, y), hint))
            x += hint.width() + self._gap
            line = max(line, hint.height())
        return y + line - rect.y()


class SceneChip(Chip):
    """A chip with the scene's small picture, when the bundle has one."""

    def __init__(self, scene: SceneEntry, folder: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(scene.label, parent)
        self.scene = scene
        self._thumb: Layer | None = None
        if scene.thumb and folder is not None:
            image = _read_thumb(folder / scene.thumb)
            if not image.isNull():
                self._thumb = Layer(image)
        self.setToolTip(scene.prompt if scene.prompt != scene.label else "")
        self.setAccessibleName(scene.label)

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width() + (_THUMB if self._thumb else 0), hint.height())

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        if self._thumb is not None:
            painter = QPainter(self)
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            x = self.width() - _THUMB - 4 if mirrored else 4
            rect = QRectF(x, (self.height() - _THUMB) / 2, _THUMB, _THUMB)
            self._thumb.paint(painter, rect, _THUMB / 2)

    def _paint_content(self, painter: QPainter, ink) -> None:
        if self._thumb is not None:
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            painter.translate(-_THUMB / 2 if mirrored else _THUMB / 2, 0)
        super()._paint_content(painter, ink)


def _read_thumb(file: Path) -> QImage:
    """At most 64 pixels a side; a null picture when the file is damaged."""
    reader = QImageReader(str(file))
    reader.setAutoTransform(True)
    if reader.size().isValid() and max(reader.size().width(), reader.size().height()) <= 2048:
        reader.setScaledSize(reader.size().scaled(64, 64, Qt.AspectRatioMode.KeepAspectRatio))
        return reader.read()
    return QImage()


class SceneChips(QWidget):
    """The first few scenes, and all of them behind "All scenes".

    Signals:
        picked(object): the ``SceneEntry`` whose words are wanted.
    """

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scenes: tuple[SceneEntry, ...] = ()
        self._folder: Path | None = None
        self._all = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_scenes(self, scenes: Sequence[SceneEntry], folder: Path | None = None) -> None:
        """The scenes of a bundle; ``folder`` holds their thumbnails."""
        if (tuple(scenes), folder) != (self.scenes, self._folder):
            self.scenes, self._folder, self._all = tuple(scenes), folder, False
            self._fill()

    def chips(self) -> list[SceneChip]:
        return [chip for chip in self.findChildren(SceneChip) if not chip.isHidden()]

    def _fill(self) -> None:
        clear(self._column)
        groups = self._groups() if self._all else [("", self.scenes[:_FIRST])]
        for title, scenes in groups:
            if title:
                self._column.addWidget(label(title, "help", "muted"))
            holder = QWidget(self)
            flow = FlowLayout()
            holder.setLayout(flow)
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
            policy.setHeightForWidth(True)
            holder.setSizePolicy(policy)
            for scene in scenes:
                chip = SceneChip(scene, self._folder, holder)
                chip.clicked.connect(self._clicked)
                flow.addWidget(chip)
            if (scenes is groups[-1][1]) and len(self.scenes) > _FIRST:
                more = Chip(self.tr("Fewer") if self._all else self.tr("All {0}").format(len(self.scenes)), holder)
                more.setAccessibleName(self.tr("Show fewer scenes") if self._all else self.tr("Show all scenes"))
                more.setMinimumHeight(size("chip"))
                more.clicked.connect(self._toggle)
                flow.addWidget(more)
            self._column.addWidget(holder)
            holder.show()
        self.updateGeometry()

    def _groups(self) -> list[tuple[str, tuple[SceneEntry, ...]]]:
        titles = {
            "scene": self.tr("Places"),
            "surface": self.tr("On top of"),
            "background": self.tr("In front of"),
            "light": self.tr("Light"),
            "colour": self.tr("Colours"),
            "material": self.tr("Materials"),
            "outfit": self.tr("Outfits"),
        }
        kinds = [*_KINDS, *dict.fromkeys(scene.kind for scene in self.scenes if scene.kind not in _KINDS)]
        groups = [(titles.get(kind, kind), tuple(s for s in self.scenes if s.kind == kind)) for kind in kinds]
        return [(title, members) for title, members in groups if members]

    @Slot()
    def _clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, SceneChip):
            self.picked.emit(chip.scene)

    @Slot()
    def _toggle(self) -> None:
        self._all = not self._all
        self._fill()
        chips = self.chips()
        if chips:
            chips[0].setFocus(Qt.FocusReason.OtherFocusReason)
