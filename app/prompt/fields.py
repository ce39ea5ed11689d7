"""The fields of the prompt panel that are more than one control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QKeyEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from app.look.controls import ComboBox, IconButton, LabelledSlider, NumberField, Segmented
from app.look.theme import notifier, theme
from app.look.theme import size as size_of
from app.session.values import MAX_COUNT, shape_name
from app.shortcuts import keymap, tooltip
from engine import MAX_SEED

if TYPE_CHECKING:
    from engine import Dial

_OTHER = 0


class DialSlider(LabelledSlider):
    """A slider for a dial of a request, with a mark at the model's own value. A double click anywhere resets it.

    A recalled dial may be one number per scale: it is kept, and shown as "varies", until the slider is moved.
    """

    dialChanged = Signal(object)

    def __init__(self, name: str, low: float, high: float, step: float, default: float, decimals: int = 1) -> None:
        self._dial: Dial = default
        super().__init__(name, low, high, step, default, decimals)
        self._mark = _Mark(self)
        self.slider.installEventFilter(self)
        self.valueChanged.connect(self._follow)
        self._explain()

    def _explain(self) -> None:
        self.setToolTip(self.tr("Double-click to reset"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._explain()
            self.set_dial(self._dial)  # "varies" is a word, too
        super().changeEvent(event)

    def dial(self) -> Dial:
        return self._dial

    def set_dial(self, dial: Dial) -> None:
        """Show a dial; tells nobody."""
        self.blockSignals(True)
        if isinstance(dial, tuple):
            self.setValue(sum(dial) / len(dial))
            self.edit.setText(self.tr("varies"))
        else:
            self.setValue(dial)
        self.blockSignals(False)
        # A value outside the slider's range is kept as it is: the slider only cannot show it.
        self._dial = dial
        if not isinstance(dial, tuple) and round(dial, 6) != self.value():
            self.edit.setText(f"{dial:g}")

    def setDefault(self, value: float) -> None:
        super().setDefault(value)
        self._mark.place()

    def reset(self) -> None:
        super().reset()
        self._follow(self.value())

    @Slot(float)
    def _follow(self, value: float) -> None:
        if self._dial != value:
            self._dial = value
            self.dialChanged.emit(value)

    def eventFilter(self, watched, event) -> bool:
        if watched is self.slider and event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._mark.place()

    def share_of_default(self) -> float:
        """Return the place of the default on the slider, 0 … 1."""
        span = self._high - self._low
        return min(1.0, max(0.0, (self.default() - self._low) / span)) if span else 0.0


class _Mark(QWidget):
    """A small tick under the groove at the default."""

    _HANDLE = 8  # half of the slider's handle: where its groove begins for the pointer

    def __init__(self, owner: DialSlider) -> None:
        super().__init__(owner)
        self._owner = owner
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedSize(3, 4)
        notifier.changed.connect(self.update)

    def place(self) -> None:
        slider = self._owner.slider
        share = self._owner.share_of_default()
        if slider.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            share = 1 - share
        x = slider.x() + self._HANDLE + (slider.width() - 2 * self._HANDLE) * share
        self.move(round(x - 1.5), slider.y() + slider.height() // 2 + 8)
        self.raise_()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("outline"))
        painter.drawRoundedRect(QRectF(0.5, 0, 2, 4), 1, 1)


class CountField(QWidget):
    """A field for the number of pictures: 1, 2 or 4 at once, any number up to 8 behind "…" or by typing it."""

    valueChanged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("countSpin")
        self._value = 1
        self._choice = Segmented([(1, "1"), (2, "2"), (4, "4"), (_OTHER, "…")], parent=self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._choice)
        self.setFocusProxy(self._choice)
        for value in self._choice.values():
            button = self._choice.button(value)
            button.setFixedWidth(max(size_of("hit-min"), button.fontMetrics().horizontalAdvance("8") + 14))
            button.installEventFilter(self)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._choice.valueChanged.connect(self._chosen)
        self._choice.button(_OTHER).clicked.connect(self._menu)
        self._name()

    def _name(self) -> None:
        name = self.tr("Number of pictures")
        self.setAccessibleName(name)
        self._choice.set_name(name)
        for value in self._choice.values():
            self._choice.button(value).setToolTip(self.tr("Type 1 to {0} for any number").format(MAX_COUNT))
        self._name_other()

    def _name_other(self) -> None:
        """The last choice says which other number it stands for."""
        others = self._value not in (1, 2, 4)
        words = self.tr("{0} pictures").format(self._value) if others else self.tr("Another number of pictures")
        self._choice.button(_OTHER).setAccessibleName(words)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._name()
        super().changeEvent(event)

    def value(self) -> int:
        return self._value

    def setValue(self, value: int) -> None:
        value = min(MAX_COUNT, max(1, int(value)))
        changed = value != self._value
        self._value = value
        shown = value if value in (1, 2, 4) else _OTHER
        self._choice.setLabels(["1", "2", "4", "…" if shown else str(value)])
        self._choice.blockSignals(True)
        self._choice.setValue(shown)
        self._choice.blockSignals(False)
        self._name_other()
        if changed:
            self.valueChanged.emit(value)

    @Slot(object)
    def _chosen(self, value: int) -> None:
        if value != _OTHER:
            self.setValue(value)

    @Slot()
    def _menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for number in range(1, MAX_COUNT + 1):
            if number not in (1, 2, 4):
                action = menu.addAction(str(number))
                action.setCheckable(True)
                action.setChecked(number == self._value)
                action.setData(number)
        menu.triggered.connect(self._picked)
        menu.aboutToHide.connect(self._settle)
        button = self._choice.button(_OTHER)
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 2)))

    @Slot(object)
    def _picked(self, action) -> None:
        self.setValue(action.data())

    @Slot()
    def _settle(self) -> None:
        self.setValue(self._value)

    def eventFilter(self, watched, event) -> bool:
        if event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            number = event.key() - Qt.Key.Key_0
            if 1 <= number <= MAX_COUNT and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
                self.setValue(number)
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.eventFilter(self, event):
            super().keyPressEvent(event)


class SeedField(QWidget):
    """The seed, a die for a new one, and a lock that keeps it.

    Signals:
        seedChanged(object): typed; an int, which a signal of C's int would cut at 31 bits. lockChanged(bool).
        rollRequested: the die.
    """

    seedChanged = Signal(object)
    lockChanged = Signal(bool)
    rollRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spin = NumberField(0, MAX_SEED, buttons=False)
        self.spin.setObjectName("seedSpin")
        self.spin.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.spin.setMinimumWidth(64)
        self.dice = IconButton("dices", "", parent=self)
        self.lock = IconButton("lock-open", "", parent=self, checkable=True)
        self.lock.setObjectName("seedLock")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.spin, 1)
        row.addSpacing(2)
        row.addWidget(self.dice)
        row.addWidget(self.lock)
        self.setFocusProxy(self.spin)
        self.spin.valueChanged.connect(self._typed)
        self.lock.toggled.connect(self._locked)
        self.dice.clicked.connect(self.rollRequested)
        keymap.changed.connect(self.name)
        self.name()

    def set_seed(self, seed: int) -> None:
        """Show a seed; tells nobody."""
        self.spin.blockSignals(True)
        self.spin.setValue(seed)
        self.spin.blockSignals(False)

    def set_locked(self, locked: bool) -> None:
        """Show the lock; tells nobody."""
        self.lock.blockSignals(True)
        self.lock.setChecked(locked)
        self.lock.blockSignals(False)
        self.name()

    @Slot(float)
    def _typed(self, value: float) -> None:
        self.seedChanged.emit(round(value))

    @Slot(bool)
    def _locked(self, locked: bool) -> None:
        self.name()
        self.lockChanged.emit(locked)

    @Slot()
    def name(self) -> None:
        locked = self.lock.isChecked()
        self.spin.setAccessibleName(self.tr("Seed"))
        self.lock.set_icon_name("lock" if locked else "lock-open")
        self.lock.setAccessibleName(self.tr("Keep this seed"))
        self.lock.setToolTip(tooltip("lock_seed", self.tr("This seed is kept")) if locked else tooltip("lock_seed"))
        self.dice.setAccessibleName(self.tr("New seed"))
        self.dice.setToolTip(tooltip("new_seed"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.name()
        super().changeEvent(event)


class ShapeCombo(ComboBox):
    """The sizes of the bundle, each with a little frame of its shape.

    Signals:
        sizeChosen(object): (width, height) in pixels.
    """

    sizeChosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setObjectName("aspectCombo")
        self._sizes: tuple[tuple[int, int], ...] = ()
        self.setIconSize(QSize(18, 18))
        self.activated.connect(self._activated)
        notifier.changed.connect(self._draw_frames)

    def sizes(self) -> tuple[tuple[int, int], ...]:
        return self._sizes

    def set_sizes(self, sizes: Sequence[tuple[int, int]]) -> None:
        """Offer only these. One alone is shown, but there is nothing to choose."""
        if tuple(sizes) == self._sizes:
            return
        self._sizes = tuple(sizes)
        self.blockSignals(True)
        self.clear()
        for size in self._sizes:
            self.addItem(f"{shape_name(size)}  ·  {size[0]} × {size[1]}", size)
        self.blockSignals(False)
        self._name_it()
        self._draw_frames()

    def set_size(self, size: tuple[int, int] | None) -> None:
        """Show a size; None and unknown ones show the first."""
        if self._sizes:
            self.blockSignals(True)
            self.setCurrentIndex(self._sizes.index(size) if size in self._sizes else 0)
            self.blockSignals(False)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            for index, size in enumerate(self._sizes):
                self.setItemText(index, f"{shape_name(size)}  ·  {size[0]} × {size[1]}")
            self._name_it()
        super().changeEvent(event)

    def _name_it(self) -> None:
        one = len(self._sizes) == 1
        self.setToolTip(self.tr("This model draws one size only") if one else "")

    @Slot(int)
    def _activated(self, index: int) -> None:
        self.sizeChosen.emit(self._sizes[index])

    @Slot()
    def _draw_frames(self) -> None:
        for index, size in enumerate(self._sizes):
            self.setItemIcon(index, _frame(size, self.devicePixelRatioF()))


def _frame(size: tuple[int, int], ratio: float) -> QIcon:
    """A frame of a picture's shape, 18 pixels a side."""
    side = 18
    pixmap = QPixmap(round(side * ratio), round(side * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    longest = max(size)
    width, height = max(4.0, 14 * size[0] / longest), max(4.0, 14 * size[1] / longest)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme().color("text-muted"), 1.5))
    painter.drawRoundedRect(QRectF((side - width) / 2, (side - height) / 2, width, height), 2, 2)
    painter.end()
    return QIcon(pixmap)
