"""The bar at the top: wordmark, what the engine is doing, which bundle and device, and the way to everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from app.language import sentences
from app.look import type as type_
from app.look.controls import ComboBox, ElidedLabel, IconButton, label
from app.look.glyphs import Glyph
from app.look.theme import notifier, size, theme
from app.shortcuts import keymap, shortcut, tooltip

if TYPE_CHECKING:
    from engine.bundle import FoundBundle


class Wordmark(QWidget):
    """The sign and the name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = label("EchoGen", "heading", parent=self)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        notifier.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(30 + self.name.sizeHint().width(), 28)

    def resizeEvent(self, event) -> None:
        self.name.setGeometry(30, 0, self.width() - 30, self.height())

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(0, (self.height() - 20) / 2)
        accent = theme().color("accent")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(1, 10, 9, 9), 2.5, 2.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for reach, opacity in ((9.0, 1.0), (13.5, 0.62)):
            painter.setOpacity(opacity)
            painter.setPen(QPen(accent, 2.1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            center = QPointF(5.5, 14.5)
            arc = QRectF(center.x() - reach, center.y() - reach, 2 * reach, 2 * reach)
            painter.drawArc(arc, 0, 90 * 16)


class _Dot(QWidget):
    """The dot before the status: its colour repeats what the words say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(8, 8)
        self.token = "accent"
        notifier.changed.connect(self.update)

    def set_token(self, token: str) -> None:
        self.token = token
        self.update()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color(self.token))
        painter.drawEllipse(QRectF(0, 0, 8, 8))


class DeviceSign(QWidget):
    """The device in words with its icon."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = Glyph("cpu", side=18)
        self.words = ElidedLabel("", "help", "muted", self)
        self.words.setObjectName("deviceLabel")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._icon)
        row.addWidget(self.words)

    def set_device(self, device: str, plan: str = "") -> None:
        processor = not device or device.startswith(("CPU", "Processor"))
        self._icon.set_icon("cpu" if processor else "memory-stick", "text-muted")
        self.words.setText(device)
        self.setToolTip(plan)
        self.setVisible(bool(device))


class TopBar(QWidget):
    """See the module.

    Signals:
        bundleChosen(str): the folder of another bundle.
    """

    bundleChosen = Signal(str)
    modelsWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(size("top-bar"))
        self._narrow = False
        self.mark = Wordmark()
        self.dot = _Dot()
        self.status = ElidedLabel("", "help", "muted")
        self.status.setObjectName("statusLabel")
        self.status.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.bundles = ComboBox()
        self.bundles.setObjectName("bundleCombo")
        self.bundles.setMinimumContentsLength(14)
        self.device = DeviceSign()
        self.models_button = IconButton("package", "")
        self.help_button = IconButton("keyboard", "")
        self.settings_button = IconButton("settings", "")
        self.more_button = IconButton("ellipsis", "")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.mark)
        row.addStretch(1)
        row.addWidget(self.dot)
        row.addWidget(self.status)
        row.addSpacing(8)
        row.addWidget(self.bundles)
        row.addSpacing(2)
        row.addWidget(self.device)
        row.addSpacing(4)
        for button in (self.models_button, self.help_button, self.settings_button, self.more_button):
            button.set_icon_name(button.icon_name(), color="text-muted")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus, and its keys, where the work is
            row.addWidget(button)
        self._paths: list[str] = []
        self._current = 0
        self._menu: QMenu | None = None
        self.bundles.activated.connect(self._choose)
        self.more_button.clicked.connect(self.open_menu)
        keymap.changed.connect(self._name)
        self._name()
        self.set_status("", "track")

    def set_menu(self, menu: QMenu) -> None:
        """The menu behind the … button."""
        self._menu = menu

    def set_status(self, text: str, token: str = "accent") -> None:
        """Show the engine's state in words; ``token``: colour of the dot."""
        self.status.setText(text)
        self.status.setAccessibleName(self.tr("Status: {0}").format(text))
        self.dot.set_token(token)
        self.dot.setVisible(bool(text))
        self.status.updateGeometry()

    def set_bundles(self, bundles: Sequence[FoundBundle], current: str) -> None:
        """Offer the bundles on this computer. ``current``: folder of the chosen one."""
        self._paths = [str(bundle.folder) for bundle in bundles]
        self.bundles.blockSignals(True)
        self.bundles.clear()
        for bundle in bundles:
            title = bundle.title
            if bundle.manifest is not None:
                width, height = bundle.manifest.sizes[0]
                title += f"  ·  {max(width, height)}\u00a0px"
            self.bundles.addItem(title)
            if bundle.problem:
                index = self.bundles.count() - 1
                self.bundles.setItemData(index, sentences.translated(bundle.problem), Qt.ItemDataRole.ToolTipRole)
        self._current = self._paths.index(current) if current in self._paths else 0
        self.bundles.insertSeparator(len(bundles))
        self.bundles.addItem(self.tr("More models…"))
        self.bundles.setCurrentIndex(self._current if bundles else -1)
        self.bundles.blockSignals(False)

    def set_device(self, device: str, plan: str) -> None:
        """Show the device, and the memory plan in its tooltip."""
        self.device.set_device(device, plan)
        self.set_narrow(self._narrow)

    def set_narrow(self, narrow: bool) -> None:
        """Narrow windows: device, models and keys move into the … menu."""
        self._narrow = narrow
        self.device.setVisible(not narrow and bool(self.device.words.text()))
        self.models_button.setVisible(not narrow)
        self.help_button.setVisible(not narrow)
        self.bundles.setMaximumWidth(type_.scaled(210 if narrow else 260))

    @Slot()
    def _name(self) -> None:
        self.bundles.setAccessibleName(self.tr("Model"))
        self.bundles.setToolTip(self.tr("Model"))
        for button, action in (
            (self.models_button, "models"),
            (self.help_button, "help"),
            (self.settings_button, "settings"),
        ):
            button.setToolTip(tooltip(action))
            button.setAccessibleName(tooltip(action).split(" (")[0])
        if self.bundles.count():
            self.bundles.setItemText(self.bundles.count() - 1, self.tr("More models…"))
        self.more_button.setToolTip(tooltip("menu"))
        self.more_button.setAccessibleName(shortcut("menu").label)

    @Slot(int)
    def _choose(self, index: int) -> None:
        if index < len(self._paths):
            self._current = index
            self.bundleChosen.emit(self._paths[index])
        else:
            self.bundles.setCurrentIndex(self._current if self._paths else -1)
            self.modelsWanted.emit()

    @Slot()
    def open_menu(self) -> None:
        if self._menu is not None:
            corner = self.more_button.mapToGlobal(self.more_button.rect().bottomRight())
            self._menu.popup(QPoint(corner.x() - self._menu.sizeHint().width(), corner.y() + 4))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._name()
        super().changeEvent(event)
